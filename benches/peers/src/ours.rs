//! The cases of tower-bearer and of the floor.

use std::{hint::black_box, sync::Arc, time::Duration};

use tower_bearer::{
    AccessToken, Claims, KeyRing, NoClaims, Timestamp, TokenCodec,
    token::{Grant, TokenCodecBuilder},
};

use crate::profile::Profile;
use crate::{
    case::{Case, case, on_two_threads, verifying},
    claims::{AUDIENCE, Custom, ISSUER, LEEWAY, LIFETIME, SCOPE, SESSION, SUBJECT, equal, now},
    floor::{self, Floor},
    keys,
    tokens::{Form, Tokens},
};

/// Returns a codec with the rules of every case, still open. It reads the system's clock, as by default.
pub fn builder<C>(profile: Profile, keys: &KeyRing) -> TokenCodecBuilder<C> {
    profile
        .codec(keys)
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .leeway(Duration::from_secs(LEEWAY))
        .lifetime(Duration::from_secs(LIFETIME))
}

pub fn codec<C>(profile: Profile, keys: &KeyRing) -> TokenCodec<C> {
    builder(profile, keys)
        .build()
        .expect("the codec is complete")
}

/// Returns a token of the usual claims. Each has another `jti`.
pub fn mint(codec: &TokenCodec<Custom>) -> String {
    mint_at(codec, codec.clock().now())
}

pub fn mint_at(codec: &TokenCodec<Custom>, now: Timestamp) -> String {
    let minted = codec.mint_at(&grant(&Custom::usual()), now);
    minted.expect("the claims are good").as_str().to_owned()
}

fn grant(custom: &Custom) -> Grant<'_, Custom> {
    Grant::new(SUBJECT, custom).session(SESSION)
}

/// Returns our cases and those of the floor, for the shared keys.
pub fn shared(tokens: &Tokens) -> Vec<Box<dyn Case>> {
    let keys = keys::shared();
    let floor = Arc::new(Floor::new());
    let parallel = codec::<NoClaims>(Profile::Nested, &keys);
    let codec_of = |profile| codec(profile, &keys);
    let mut cases = vec![
        verify("nested_hs256", codec_of(Profile::Nested), &tokens.nested),
        on_two_threads("nested_hs256", &tokens.nested, move |token| {
            parallel.verify(token)
        }),
        verify("encrypted", codec_of(Profile::Encrypted), &tokens.encrypted),
        verify("signed_hs256", codec_of(Profile::Signed), &tokens.hs256),
        custom(codec(Profile::Nested, &keys), &tokens.nested),
        verify_by(&floor, "nested", &tokens.nested, Floor::verify_nested),
        verify_by(
            &floor,
            "encrypted",
            &tokens.encrypted,
            Floor::verify_encrypted,
        ),
        verify_by(&floor, "signed", &tokens.hs256, Floor::verify_signed),
    ];
    cases.extend(minting(codec(Profile::Nested, &keys), floor));
    cases
}

/// Returns the cases for signatures of key pairs. [`crate::bare`] has the cost of the signature's check alone.
pub fn pairs(tokens: &Tokens) -> Vec<Box<dyn Case>> {
    let forms = [
        ("eddsa", keys::ED25519_JWK, &tokens.eddsa),
        ("es256", keys::ES256_JWK, &tokens.es256),
        ("rs256", keys::RS256_JWK, &tokens.rs256),
    ];
    let cases = forms
        .into_iter()
        .map(|(name, jwk, tokens)| verify(name, codec(Profile::Signed, &keys::pair(jwk)), tokens));
    cases.collect()
}

fn verify(name: &str, codec: TokenCodec<NoClaims>, tokens: &Form) -> Box<dyn Case> {
    verifying(name, tokens, move |token| codec.verify(token), inspect)
}

/// With the application's claims in an owned structure.
fn custom(codec: TokenCodec<Custom>, tokens: &Form) -> Box<dyn Case> {
    let verify = move |token: &str| codec.verify(token);
    verifying("nested_hs256_custom", tokens, verify, |claims| {
        inspect(claims)?;
        claims.custom().check()
    })
}

/// The function is not called by a pointer. The compiler knows the callee, as it does for ours.
fn verify_by(
    floor: &Arc<Floor>,
    name: &str,
    tokens: &Form,
    verify: impl Fn(&Floor, &str) -> Result<floor::Claims, floor::Refused> + 'static,
) -> Box<dyn Case> {
    let floor = floor.clone();
    let verify = move |token: &str| verify(&floor, token);
    verifying(format!("floor_{name}"), tokens, verify, inspect_floor)
}

fn minting(codec: TokenCodec<Custom>, floor: Arc<Floor>) -> [Box<dyn Case>; 2] {
    let (custom, of_floor) = (Custom::usual(), Custom::usual());
    let (verifier, of_both) = (codec.clone(), codec.clone());
    let ours = move || codec.mint_at(black_box(&grant(&custom)), codec.clock().now());
    let floors = move || {
        floor.mint_nested(black_box(&floor::Grant {
            subject: SUBJECT,
            session: SESSION,
            custom: &of_floor,
        }))
    };
    [
        case("mint_nested", ours, move |token: &AccessToken| {
            accepted(&verifier, token.as_str())
        }),
        case("floor_mint", floors, move |token: &String| {
            accepted(&of_both, token)
        }),
    ]
}

/// A token that was minted is one that tower-bearer takes.
fn accepted(codec: &TokenCodec<Custom>, token: &str) -> Result<(), String> {
    let claims = codec.verify(token).map_err(|error| error.to_string())?;
    inspect(&claims)?;
    claims.custom().check()
}

pub fn inspect<C>(claims: &Claims<C>) -> Result<(), String> {
    equal("sub", claims.subject(), SUBJECT)?;
    equal("sid", claims.session().unwrap_or_default(), SESSION)
}

fn inspect_floor(claims: &floor::Claims) -> Result<(), String> {
    equal("iss", claims.issuer(), ISSUER)?;
    equal("sub", claims.subject(), SUBJECT)?;
    equal("sid", claims.session(), SESSION)?;
    equal("scope", claims.scope(), SCOPE)?;
    match claims.token_id().len() {
        22 if claims.expires_at() > now() => Ok(()),
        _ => Err("jti or exp is not what was minted".to_owned()),
    }
}
