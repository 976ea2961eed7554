//! What minting and verifying cost, and beside each what the bare `ring` primitives cost over the
//! very same bytes: base64, AEAD and MAC or signature, and nothing else.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]

use std::{hint::black_box, time::Duration};

use base64_simd::{Out, URL_SAFE_NO_PAD};
use criterion::{Criterion, criterion_group, criterion_main};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey},
    hmac,
    signature::{ECDSA_P256_SHA256_FIXED, ED25519, RsaPublicKeyComponents, UnparsedPublicKey},
};
use serde::{Deserialize, Serialize};
use tower_bearer::{Grant, KeyRing, Profile, Timestamp, TokenCodec};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

// Test-only keys.
const HS256: &[u8] = b"Yw0zq-1mR7tP4vLkXh9sJc2aUe6oBn8d";
const A256: &[u8; 32] = b"Q3uVx8-kTfS5gZrE1wLpA7yHjD0cNm_b";
const ED25519_JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"ed","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const ES256_JWK: &str = r#"{"kty":"EC","crv":"P-256","kid":"es","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
const RS256_JWK: &str = r#"{"kty":"RSA","alg":"RS256","kid":"rs","n":"pNQQk2Bt_K3-VDVEG_XLPqDcyE6nqLtR3kvCqW-lo-h9AXaMvD3-oCsJmbCpjg4y3FhPRGI-U0X82oSIf3LmPc5-iRVbhUEmZVlUMT7lhnwMhhQEP2i4lfy8hOdftahduWuyGf5PW_WmTCboKe6tEgAJJeuxE8hEJjKn75m-5B5i2uy7JKzi6EVLgRrZ7sBzge0WnaHOtwYsznyd36hXMpghRV_rKLJdrpdKYSCWIgadHupLVfeFLQYMOMBbMUafMK3X7Yk5OyEO0fqk5wl6jKihm1y2nQ8b_9tPQ3575EoytxSTIbocq_oy-U5mDFs1o50bcqP3zy8Y28vVjnxQFQ","e":"AQAB","d":"GQzBmCRHkuc-h72wpC8uvE3mP-r0QAh34LjS1L1LByYGGXrS2KjzUZQ42Uqn-hbeU-533YSwxCcWzn7l37iulSYUxPCiABZup2h0Cyfr6gxgOuA_5QMdSm4mmGwxd4Im_E8JujmUBf3HUDt5fSXw15N50HGJb-A3uzZnn1pWUISvPzjnLIRjQKDlXVik69BdLexDcd5cYysQiaUrO_M69S8DPhKjBiOgJFBalenZcmaNxIkRAx8eLhcStxbRL57hi_JOZXILPLAw2Vw1T2KIOI733kZfe3FpnQV7kp9Wuck8bi4u34v8vW35DElQ0Zy7eSbFM6EmA1f7r-S5b4VK4Q","p":"0NbRuBC0DJZIEN_-IvOq0KFdSMO5n6A0RePpeAuzDGJ7msYOJuzlhaE2LOpZQvmVWDqdS0FhMMXrnoYmiq95-9Y5NdPcRA8SLHm7x_kRS4ynMtT-Lvf4b_YeZXY_gc-Po8WaNKnnyX7IVoj0I4PTxV_7RLmBlv5D40mMbHqUUEM","q":"ygzxhHsaXA00Yy6hsbnELyfgKtcv_bNQDxjmGAXCHsyQsO40VZa4U21kbu9dchkFUB8jhxEWmswibVVqGl2bq4FswmOwOukkia56HdBdJ4SnJ0oDSodAE-rq9Ru4Dcq0pCMr5Z7Q-yI6IAfV6dWzT5_mJdN_ElvD9dTb2uItpMc","dp":"sDSQvr1ZLUWfiJ110AfIGEAOdVavR__kGxQx6Rf1-n0dzXlOd4lqH1XmX_9bUSdE2yyZiuWfG4fjRd3qpxln0xTtMH2RW9tbeis8RX3hGd2TNVCBJyASfmUrQHCFJQH8MDKJ6eVxrJFMd7cWRuDzzZUubM4YiU3_-cYUtXK3sQ","dq":"s3VVmqbAXdw4mJNVeIaX0o5nU4W3kW2PgSlLTTDoHvTw2sVn5FEvPKJf3wxpgirpBiXyJ0gtPKZtOZDw4aQc3PLih7GFWH21PziiLBLienQfBw186NhCOK6hq7zH-C__y_2VQqiR00yuNb7f54YwcluCTjyQk9y_q3w5HitgAQc","qi":"BtwLQIZOzd_gwDjAaeAYbX9jBagvMaV2CUSqM-u-H6e4DpLq9mbgiu0Fo7rqIgCPBSPcR1OVJ57SkHi2D0IWMm5ox0fyCC0J9K2U0nr_qotKmLenhzck5taUPd20CAdCY3cI0Vs2xzgiYaS92qbo0Zirn0gXnl7y0PoK_L_cPaM"}"#;

#[derive(Serialize, Deserialize)]
struct Custom {
    scope: String,
    role: String,
}

fn custom() -> Custom {
    Custom {
        scope: "read write".into(),
        role: "editor".into(),
    }
}

fn codec(profile: Profile, keys: &KeyRing) -> TokenCodec<Custom> {
    let builder = TokenCodec::builder(profile).issuer("https://id.example.com");
    builder.audience("https://api.example").build(keys).unwrap()
}

/// Shared keys of our choice, so that the floor can use the same.
fn shared_keys() -> KeyRing {
    let oct = |alg: &str, kid: &str, key: &[u8]| {
        let k = URL_SAFE_NO_PAD.encode_to_string(key);
        format!(r#"{{"kty":"oct","alg":"{alg}","kid":"{kid}","k":"{k}"}}"#)
    };
    let builder = KeyRing::builder().jwk(&oct("HS256", "hs", HS256));
    builder.jwk(&oct("A256GCM", "enc", A256)).build().unwrap()
}

fn minted(codec: &TokenCodec<Custom>) -> String {
    let grant = Grant {
        subject: "5f0c2f4e9b3a4d7c",
        session: Some("Zk3J8qLxR2uV0wYt5aBcDg"),
        custom: &custom(),
    };
    codec.mint_at(&grant, NOW).unwrap().as_str().to_owned()
}

fn decode<'a>(text: &[u8], out: &'a mut [u8]) -> &'a mut [u8] {
    URL_SAFE_NO_PAD.decode(text, Out::from_slice(out)).unwrap()
}

fn decode_array<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    assert_eq!(decode(text, &mut out).len(), N);
    out
}

/// Opens a `dir` token with A256GCM; positions follow from the lengths of iv and tag.
fn open<'a>(key: &LessSafeKey, header: usize, token: &[u8], out: &'a mut [u8]) -> &'a [u8] {
    let (aad, rest) = token.split_at(header);
    let (iv, rest) = rest[2..].split_at(16);
    let (content, tag) = rest[1..].split_at(rest.len() - 24);
    let nonce = Nonce::assume_unique_for_key(decode_array(iv));
    let tag = Tag::from(decode_array(&tag[1..]));
    let len = decode(content, out).len();
    let content = &mut out[..len];
    key.open_in_place_separate_tag(nonce, Aad::from(aad), tag, content, 0..)
        .unwrap()
}

/// Splits a signed token before its signature of `len` characters.
fn split_signature(token: &[u8], len: usize) -> (&[u8], &[u8]) {
    let (input, signature) = token.split_at(token.len() - len - 1);
    (input, &signature[1..])
}

fn check_hs256(key: &hmac::Key, header: usize, token: &[u8]) {
    let (input, mac) = split_signature(token, 43);
    hmac::verify(key, input, &decode_array::<32>(mac)).unwrap();
    let mut payload = [0; 1024];
    black_box(decode(&input[header + 1..], &mut payload));
}

fn shared(c: &mut Criterion) {
    let keys = shared_keys();
    let mac = hmac::Key::new(hmac::HMAC_SHA256, HS256);
    let aead = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, A256).unwrap());
    for (profile, name) in [
        (Profile::Nested, "nested_hs256"),
        (Profile::Encrypted, "encrypted"),
        (Profile::Signed, "signed_hs256"),
    ] {
        let codec = codec(profile, &keys);
        let token = minted(&codec);
        let custom = custom();
        let grant = Grant {
            subject: "5f0c2f4e9b3a4d7c",
            session: Some("Zk3J8qLxR2uV0wYt5aBcDg"),
            custom: &custom,
        };
        c.bench_function(&format!("token::verify::{name}"), |b| {
            b.iter(|| codec.verify_at(black_box(&token), NOW).unwrap());
        });
        c.bench_function(&format!("token::mint::{name}"), |b| {
            b.iter(|| codec.mint_at(black_box(&grant), NOW).unwrap());
        });
        let header = token.find('.').unwrap();
        let bytes = token.as_bytes();
        let inner_header = minted(&self::codec(Profile::Signed, &keys))
            .find('.')
            .unwrap();
        c.bench_function(&format!("token::verify::{name}::ring_floor"), |b| {
            b.iter(|| {
                let mut plain = [0; 1024];
                match profile {
                    Profile::Nested => {
                        let inner = open(&aead, header, black_box(bytes), &mut plain);
                        check_hs256(&mac, inner_header, inner);
                    }
                    Profile::Encrypted => {
                        black_box(open(&aead, header, black_box(bytes), &mut plain));
                    }
                    _ => check_hs256(&mac, header, black_box(bytes)),
                }
            });
        });
    }
}

fn public_key(c: &mut Criterion) {
    let member = |jwk: &str, name: &str| {
        let jwk: serde_json::Value = serde_json::from_str(jwk).unwrap();
        let text = jwk[name].as_str().unwrap();
        URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
    };
    let ed25519 = UnparsedPublicKey::new(&ED25519, member(ED25519_JWK, "x"));
    let point = [vec![4], member(ES256_JWK, "x"), member(ES256_JWK, "y")].concat();
    let es256 = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let rs256 = RsaPublicKeyComponents {
        n: member(RS256_JWK, "n"),
        e: member(RS256_JWK, "e"),
    };
    let rsa = &ring::signature::RSA_PKCS1_2048_8192_SHA256;
    type Verify<'a> = Box<dyn Fn(&[u8], &[u8]) + 'a>;
    let algorithms: [(&str, &str, Verify<'_>); 3] = [
        (
            "signed_eddsa",
            ED25519_JWK,
            Box::new(|m, s| ed25519.verify(m, s).unwrap()),
        ),
        (
            "signed_es256",
            ES256_JWK,
            Box::new(|m, s| es256.verify(m, s).unwrap()),
        ),
        (
            "signed_rs256",
            RS256_JWK,
            Box::new(|m, s| rs256.verify(rsa, m, s).unwrap()),
        ),
    ];
    for (name, jwk, floor) in algorithms {
        let keys = KeyRing::builder().jwk(jwk).build().unwrap();
        let codec = codec(Profile::Signed, &keys);
        let token = minted(&codec);
        c.bench_function(&format!("token::verify::{name}"), |b| {
            b.iter(|| codec.verify_at(black_box(&token), NOW).unwrap());
        });
        let len = token.len() - token.rfind('.').unwrap() - 1;
        let header = token.find('.').unwrap();
        c.bench_function(&format!("token::verify::{name}::ring_floor"), |b| {
            b.iter(|| {
                let (mut signature, mut payload) = ([0; 512], [0; 1024]);
                let (input, encoded) = split_signature(black_box(token.as_bytes()), len);
                floor(input, decode(encoded, &mut signature));
                black_box(decode(&input[header + 1..], &mut payload));
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200));
    targets = shared, public_key
}
criterion_main!(benches);
