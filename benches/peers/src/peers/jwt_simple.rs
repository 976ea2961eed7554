//! jwt-simple, with its backend in Rust.

use std::collections::HashSet;

use jwt_simple::prelude::{
    Duration, ECDSAP256PublicKeyLike as _, ES256PublicKey, Ed25519PublicKey,
    EdDSAPublicKeyLike as _, HS256Key, JWTClaims, MACLike as _, RS256PublicKey,
    RSAPublicKeyLike as _, VerificationOptions,
};
use serde::{Deserialize, Serialize};

use crate::{
    case::{Case, verifying},
    claims::{AUDIENCE, ISSUER, LEEWAY, SESSION, SUBJECT, equal},
    keys,
    tokens::{Form, Tokens},
};

/// The claims that its own structure does not have.
#[derive(Deserialize, Serialize)]
struct Others {
    sid: String,
    scope: String,
    role: String,
}

/// It takes its rules by value, so every call of a user clones them.
fn rules() -> VerificationOptions {
    let one = |name: &str| Some(HashSet::from([name.to_owned()]));
    VerificationOptions {
        allowed_issuers: one(ISSUER),
        allowed_audiences: one(AUDIENCE),
        time_tolerance: Some(Duration::from_secs(LEEWAY)),
        ..VerificationOptions::default()
    }
}

fn inspect(claims: &JWTClaims<Others>) -> Result<(), String> {
    let subject = claims.subject.as_deref();
    equal("sub", subject.unwrap_or_default(), SUBJECT)?;
    equal("sid", &claims.custom.sid, SESSION)
}

pub fn cases(tokens: &Tokens) -> Vec<Box<dyn Case>> {
    const GOOD: &str = "the key is good";
    let hs256 = HS256Key::from_bytes(keys::HS256);
    let eddsa = Ed25519PublicKey::from_bytes(&keys::bytes(keys::ED25519_JWK, "x"));
    let es256 = ES256PublicKey::from_bytes(&keys::point(keys::ES256_JWK));
    let n = keys::bytes(keys::RS256_JWK, "n");
    let rs256 = RS256PublicKey::from_components(&n, &keys::bytes(keys::RS256_JWK, "e"));
    let (eddsa, es256, rs256) = (eddsa.expect(GOOD), es256.expect(GOOD), rs256.expect(GOOD));
    vec![
        verify("hs256", &tokens.hs256, move |token, rules| {
            hs256.verify_token(token, Some(rules))
        }),
        verify("eddsa", &tokens.eddsa, move |token, rules| {
            eddsa.verify_token(token, Some(rules))
        }),
        verify("es256", &tokens.es256, move |token, rules| {
            es256.verify_token(token, Some(rules))
        }),
        verify("rs256", &tokens.rs256, move |token, rules| {
            rs256.verify_token(token, Some(rules))
        }),
    ]
}

fn verify(
    algorithm: &str,
    tokens: &Form,
    verify: impl Fn(&str, VerificationOptions) -> Result<JWTClaims<Others>, jwt_simple::Error> + 'static,
) -> Box<dyn Case> {
    let rules = rules();
    let verify = move |token: &str| verify(token, rules.clone());
    verifying(format!("jwt_simple_{algorithm}"), tokens, verify, inspect)
}
