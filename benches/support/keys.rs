//! Keys of our choice, so that what is measured beside the crate can use the same. Test-only.

use std::ops::Range;

use base64_simd::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use tower_bearer::KeyRing;

pub const HS256: &[u8; 32] = b"Yw0zq-1mR7tP4vLkXh9sJc2aUe6oBn8d";
pub const OTHER_HS256: &[u8; 32] = b"p8Zk1-vQm4Rt6YwLx0cJs3bUo7eHn5aD";
pub const A256GCM: &[u8; 32] = b"Q3uVx8-kTfS5gZrE1wLpA7yHjD0cNm_b";
pub const REFRESH: &[u8; 32] = b"8mYk2vQ0zr5LxT7wBn4GdHs9Jf3KpAeC";
pub const EDDSA_JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"ed","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
pub const ES256_JWK: &str = r#"{"kty":"EC","crv":"P-256","kid":"es","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
pub const RS256_JWK: &str = r#"{"kty":"RSA","alg":"RS256","kid":"rs","n":"pNQQk2Bt_K3-VDVEG_XLPqDcyE6nqLtR3kvCqW-lo-h9AXaMvD3-oCsJmbCpjg4y3FhPRGI-U0X82oSIf3LmPc5-iRVbhUEmZVlUMT7lhnwMhhQEP2i4lfy8hOdftahduWuyGf5PW_WmTCboKe6tEgAJJeuxE8hEJjKn75m-5B5i2uy7JKzi6EVLgRrZ7sBzge0WnaHOtwYsznyd36hXMpghRV_rKLJdrpdKYSCWIgadHupLVfeFLQYMOMBbMUafMK3X7Yk5OyEO0fqk5wl6jKihm1y2nQ8b_9tPQ3575EoytxSTIbocq_oy-U5mDFs1o50bcqP3zy8Y28vVjnxQFQ","e":"AQAB","d":"GQzBmCRHkuc-h72wpC8uvE3mP-r0QAh34LjS1L1LByYGGXrS2KjzUZQ42Uqn-hbeU-533YSwxCcWzn7l37iulSYUxPCiABZup2h0Cyfr6gxgOuA_5QMdSm4mmGwxd4Im_E8JujmUBf3HUDt5fSXw15N50HGJb-A3uzZnn1pWUISvPzjnLIRjQKDlXVik69BdLexDcd5cYysQiaUrO_M69S8DPhKjBiOgJFBalenZcmaNxIkRAx8eLhcStxbRL57hi_JOZXILPLAw2Vw1T2KIOI733kZfe3FpnQV7kp9Wuck8bi4u34v8vW35DElQ0Zy7eSbFM6EmA1f7r-S5b4VK4Q","p":"0NbRuBC0DJZIEN_-IvOq0KFdSMO5n6A0RePpeAuzDGJ7msYOJuzlhaE2LOpZQvmVWDqdS0FhMMXrnoYmiq95-9Y5NdPcRA8SLHm7x_kRS4ynMtT-Lvf4b_YeZXY_gc-Po8WaNKnnyX7IVoj0I4PTxV_7RLmBlv5D40mMbHqUUEM","q":"ygzxhHsaXA00Yy6hsbnELyfgKtcv_bNQDxjmGAXCHsyQsO40VZa4U21kbu9dchkFUB8jhxEWmswibVVqGl2bq4FswmOwOukkia56HdBdJ4SnJ0oDSodAE-rq9Ru4Dcq0pCMr5Z7Q-yI6IAfV6dWzT5_mJdN_ElvD9dTb2uItpMc","dp":"sDSQvr1ZLUWfiJ110AfIGEAOdVavR__kGxQx6Rf1-n0dzXlOd4lqH1XmX_9bUSdE2yyZiuWfG4fjRd3qpxln0xTtMH2RW9tbeis8RX3hGd2TNVCBJyASfmUrQHCFJQH8MDKJ6eVxrJFMd7cWRuDzzZUubM4YiU3_-cYUtXK3sQ","dq":"s3VVmqbAXdw4mJNVeIaX0o5nU4W3kW2PgSlLTTDoHvTw2sVn5FEvPKJf3wxpgirpBiXyJ0gtPKZtOZDw4aQc3PLih7GFWH21PziiLBLienQfBw186NhCOK6hq7zH-C__y_2VQqiR00yuNb7f54YwcluCTjyQk9y_q3w5HitgAQc","qi":"BtwLQIZOzd_gwDjAaeAYbX9jBagvMaV2CUSqM-u-H6e4DpLq9mbgiu0Fo7rqIgCPBSPcR1OVJ57SkHi2D0IWMm5ox0fyCC0J9K2U0nr_qotKmLenhzck5taUPd20CAdCY3cI0Vs2xzgiYaS92qbo0Zirn0gXnl7y0PoK_L_cPaM"}"#;

/// A ring for every profile with shared keys, and for refresh cookies.
pub fn shared() -> KeyRing {
    pair(HS256, A256GCM)
}

/// Such a ring of other keys, under the same names.
pub fn pair(hs256: &[u8; 32], a256gcm: &[u8; 32]) -> KeyRing {
    KeyRing::builder()
        .jwk(&symmetric("HS256", "hs", hs256))
        .jwk(&symmetric("A256GCM", "enc", a256gcm))
        .refresh_secret(REFRESH)
        .build()
        .unwrap()
}

/// A ring of one key.
pub fn of(jwk: &str) -> KeyRing {
    KeyRing::builder().jwk(jwk).build().unwrap()
}

/// The JWK of a shared key.
pub fn symmetric(alg: &str, kid: &str, key: &[u8]) -> String {
    let k = URL_SAFE_NO_PAD.encode_to_string(key);
    format!(r#"{{"kty":"oct","alg":"{alg}","kid":"{kid}","k":"{k}"}}"#)
}

/// A signing key and an encryption key for every number.
pub fn numbered(numbers: Range<u32>) -> KeyRing {
    numbers
        .fold(KeyRing::builder(), |builder, n| {
            let (name, secret) = (format!("2026-{n:04}"), secret(n));
            builder
                .jwk(&symmetric("HS256", &name, &secret))
                .jwk(&symmetric("A256GCM", &name, &secret.map(|byte| !byte)))
        })
        .build()
        .unwrap()
}

/// Looks random enough for the ring to take it.
fn secret(n: u32) -> [u8; 32] {
    let input = [b"bench".as_slice(), &n.to_be_bytes()].concat();
    let digest = digest(&SHA256, &input);
    digest.as_ref().try_into().unwrap()
}

/// The bytes of a member of a JWK.
pub fn member(jwk: &str, name: &str) -> Vec<u8> {
    let jwk: serde_json::Value = serde_json::from_str(jwk).unwrap();
    let text = jwk[name].as_str().unwrap();
    URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
}
