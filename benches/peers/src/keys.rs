//! Test-only keys, each given to every library in the form that it wants.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::Value;
use tower_bearer::KeyRing;

pub const HS256: &[u8] = b"Yw0zq-1mR7tP4vLkXh9sJc2aUe6oBn8d";
pub const A256: &[u8; 32] = b"Q3uVx8-kTfS5gZrE1wLpA7yHjD0cNm_b";
/// The names that the two shared keys have in headers.
pub const HS256_KID: &str = "hs";
pub const A256_KID: &str = "enc";
pub const ED25519_JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"ed","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
pub const ES256_JWK: &str = r#"{"kty":"EC","crv":"P-256","kid":"es","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
pub const RS256_JWK: &str = r#"{"kty":"RSA","alg":"RS256","kid":"rs","n":"pNQQk2Bt_K3-VDVEG_XLPqDcyE6nqLtR3kvCqW-lo-h9AXaMvD3-oCsJmbCpjg4y3FhPRGI-U0X82oSIf3LmPc5-iRVbhUEmZVlUMT7lhnwMhhQEP2i4lfy8hOdftahduWuyGf5PW_WmTCboKe6tEgAJJeuxE8hEJjKn75m-5B5i2uy7JKzi6EVLgRrZ7sBzge0WnaHOtwYsznyd36hXMpghRV_rKLJdrpdKYSCWIgadHupLVfeFLQYMOMBbMUafMK3X7Yk5OyEO0fqk5wl6jKihm1y2nQ8b_9tPQ3575EoytxSTIbocq_oy-U5mDFs1o50bcqP3zy8Y28vVjnxQFQ","e":"AQAB","d":"GQzBmCRHkuc-h72wpC8uvE3mP-r0QAh34LjS1L1LByYGGXrS2KjzUZQ42Uqn-hbeU-533YSwxCcWzn7l37iulSYUxPCiABZup2h0Cyfr6gxgOuA_5QMdSm4mmGwxd4Im_E8JujmUBf3HUDt5fSXw15N50HGJb-A3uzZnn1pWUISvPzjnLIRjQKDlXVik69BdLexDcd5cYysQiaUrO_M69S8DPhKjBiOgJFBalenZcmaNxIkRAx8eLhcStxbRL57hi_JOZXILPLAw2Vw1T2KIOI733kZfe3FpnQV7kp9Wuck8bi4u34v8vW35DElQ0Zy7eSbFM6EmA1f7r-S5b4VK4Q","p":"0NbRuBC0DJZIEN_-IvOq0KFdSMO5n6A0RePpeAuzDGJ7msYOJuzlhaE2LOpZQvmVWDqdS0FhMMXrnoYmiq95-9Y5NdPcRA8SLHm7x_kRS4ynMtT-Lvf4b_YeZXY_gc-Po8WaNKnnyX7IVoj0I4PTxV_7RLmBlv5D40mMbHqUUEM","q":"ygzxhHsaXA00Yy6hsbnELyfgKtcv_bNQDxjmGAXCHsyQsO40VZa4U21kbu9dchkFUB8jhxEWmswibVVqGl2bq4FswmOwOukkia56HdBdJ4SnJ0oDSodAE-rq9Ru4Dcq0pCMr5Z7Q-yI6IAfV6dWzT5_mJdN_ElvD9dTb2uItpMc","dp":"sDSQvr1ZLUWfiJ110AfIGEAOdVavR__kGxQx6Rf1-n0dzXlOd4lqH1XmX_9bUSdE2yyZiuWfG4fjRd3qpxln0xTtMH2RW9tbeis8RX3hGd2TNVCBJyASfmUrQHCFJQH8MDKJ6eVxrJFMd7cWRuDzzZUubM4YiU3_-cYUtXK3sQ","dq":"s3VVmqbAXdw4mJNVeIaX0o5nU4W3kW2PgSlLTTDoHvTw2sVn5FEvPKJf3wxpgirpBiXyJ0gtPKZtOZDw4aQc3PLih7GFWH21PziiLBLienQfBw186NhCOK6hq7zH-C__y_2VQqiR00yuNb7f54YwcluCTjyQk9y_q3w5HitgAQc","qi":"BtwLQIZOzd_gwDjAaeAYbX9jBagvMaV2CUSqM-u-H6e4DpLq9mbgiu0Fo7rqIgCPBSPcR1OVJ57SkHi2D0IWMm5ox0fyCC0J9K2U0nr_qotKmLenhzck5taUPd20CAdCY3cI0Vs2xzgiYaS92qbo0Zirn0gXnl7y0PoK_L_cPaM"}"#;

/// Returns the shared keys as tower-bearer takes them.
pub fn shared() -> KeyRing {
    let oct = |alg: &str, kid: &str, key: &[u8]| {
        let k = URL_SAFE_NO_PAD.encode_to_string(key);
        format!(r#"{{"kty":"oct","alg":"{alg}","kid":"{kid}","k":"{k}"}}"#)
    };
    KeyRing::builder()
        .jwk(&oct("HS256", HS256_KID, HS256))
        .jwk(&oct("A256GCM", A256_KID, A256))
        .build()
        .expect("the shared keys are good")
}

/// Returns a key pair as tower-bearer takes it.
pub fn pair(jwk: &str) -> KeyRing {
    let builder = KeyRing::builder().jwk(jwk);
    builder.build().expect("the key pair is good")
}

/// Returns a member of a JWK, still encoded.
pub fn member(jwk: &str, name: &str) -> String {
    let jwk: Value = serde_json::from_str(jwk).expect("a JWK is JSON");
    let text = jwk[name].as_str().expect("the member is there");
    text.to_owned()
}

/// Returns a member of a JWK as bytes.
pub fn bytes(jwk: &str, name: &str) -> Vec<u8> {
    let text = member(jwk, name);
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(text);
    bytes.expect("the member is base64url")
}

/// Returns the point of an elliptic curve's key, uncompressed.
pub fn point(jwk: &str) -> Vec<u8> {
    [vec![4], bytes(jwk, "x"), bytes(jwk, "y")].concat()
}
