//! Access tokens.

use std::hint::black_box;

use ring::hmac;
use serde::{Serialize, de::DeserializeOwned};
use tower_bearer::{NoClaims, TokenCodec};

use crate::support::profile::Profile;
use crate::{
    case::Case,
    support::{
        keys::{self, EDDSA_JWK, ES256_JWK, RS256_JWK},
        sessions::NOW,
        tokens::{Custom, codec, custom, grant, minted, tampered},
    },
};

/// A nested token, verified.
pub const NESTED: &str = "token/verify/nested_hs256";
/// The MAC of the token inside that one, with a prepared key, and nothing else.
pub const ONE_HMAC: &str = "ring/hmac_sha256";

pub fn cases() -> Vec<Case> {
    let shared = keys::shared();
    let nested = codec(Profile::Nested, &shared);
    let encrypted = codec(Profile::Encrypted, &shared);
    let signed = codec(Profile::Signed, &shared);
    let bare = codec(Profile::Nested, &shared);
    let public = |jwk| codec(Profile::Signed, &keys::of(jwk));
    let foreign = codec(
        Profile::Nested,
        &keys::pair(keys::OTHER_HS256, keys::A256GCM),
    );
    let token = minted(&nested, &custom());
    vec![
        verify(NESTED, &nested, &custom()),
        one_hmac(&minted(&signed, &custom())),
        verify("token/verify/nested_hs256/no_claims", &bare, &NoClaims {}),
        verify("token/verify/encrypted", &encrypted, &custom()),
        verify("token/verify/signed_hs256", &signed, &custom()),
        verify("token/verify/signed_eddsa", &public(EDDSA_JWK), &custom()),
        verify("token/verify/signed_es256", &public(ES256_JWK), &custom()),
        verify("token/verify/signed_rs256", &public(RS256_JWK), &custom()),
        refuse("token/refuse/shape", &nested, token.replacen('.', "", 1)),
        refuse("token/refuse/tag", &nested, tampered(&token)),
        refuse("token/refuse/mac", &nested, minted(&foreign, &custom())),
        mint("token/mint/nested_hs256", nested),
        mint("token/mint/encrypted", encrypted),
        mint("token/mint/signed_hs256", signed),
    ]
}

fn verify<C>(name: &'static str, codec: &TokenCodec<C>, custom: &C) -> Case
where
    C: Serialize + DeserializeOwned + 'static,
{
    let (codec, token) = (codec.clone(), minted(codec, custom));
    let verify = move || black_box(codec.verify_at(black_box(&token), NOW)).is_ok();
    Case::new(name, verify)
}

fn refuse(name: &'static str, codec: &TokenCodec<Custom>, token: String) -> Case {
    let codec = codec.clone();
    let verify = move || black_box(codec.verify_at(black_box(&token), NOW)).is_err();
    Case::new(name, verify)
}

fn mint(name: &'static str, codec: TokenCodec<Custom>) -> Case {
    let custom = custom();
    let mint = move || black_box(codec.mint_at(black_box(&grant(&custom)), NOW)).is_ok();
    Case::new(name, mint)
}

fn one_hmac(signed: &str) -> Case {
    let key = hmac::Key::new(hmac::HMAC_SHA256, keys::HS256);
    let input = signed[..signed.rfind('.').unwrap()].to_owned();
    let sign = move || black_box(hmac::sign(&key, black_box(input.as_bytes())));
    Case::new(ONE_HMAC, move || !sign().as_ref().is_empty())
}
