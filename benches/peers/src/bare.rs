//! The bare check of a signature by `ring`, over the very bytes that the token's signature is over.

use std::hint::black_box;

use base64_simd::URL_SAFE_NO_PAD;
use ring::{
    error::Unspecified,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
        UnparsedPublicKey,
    },
};

use crate::{
    case::{Case, case},
    keys,
    tokens::{Form, Tokens},
};

pub fn cases(tokens: &Tokens) -> Vec<Box<dyn Case>> {
    let ed25519 = UnparsedPublicKey::new(&ED25519, keys::bytes(keys::ED25519_JWK, "x"));
    let p256 = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, keys::point(keys::ES256_JWK));
    let rsa = RsaPublicKeyComponents {
        n: keys::bytes(keys::RS256_JWK, "n"),
        e: keys::bytes(keys::RS256_JWK, "e"),
    };
    vec![
        raw("raw_eddsa", &tokens.eddsa, move |message, signature| {
            ed25519.verify(message, signature)
        }),
        raw("raw_es256", &tokens.es256, move |message, signature| {
            p256.verify(message, signature)
        }),
        raw("raw_rs256", &tokens.rs256, move |message, signature| {
            rsa.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
        }),
    ]
}

fn raw(
    name: &str,
    tokens: &Form,
    verify: impl Fn(&[u8], &[u8]) -> Result<(), Unspecified> + 'static,
) -> Box<dyn Case> {
    let (message, signature) = tokens
        .good
        .rsplit_once('.')
        .expect("a signed token has dots");
    let message = message.as_bytes().to_vec();
    let signature = URL_SAFE_NO_PAD.decode_to_vec(signature);
    let signature = signature.expect("a signature is base64url");
    let call = move || verify(black_box(&message), black_box(&signature));
    case(name, call, |()| Ok(()))
}
