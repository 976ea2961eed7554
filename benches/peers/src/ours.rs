//! The cases of tower-bearer and of the floor, and the tokens that all cases share.

use std::{hint::black_box, sync::Arc, time::Duration};

use tower_bearer::{
    AccessToken, Claims, Grant, KeyRing, NoClaims, Profile, SystemClock, TokenCodec,
    TokenCodecBuilder,
};

use crate::{
    case::{Case, case, on_two_threads},
    claims::{AUDIENCE, Custom, ISSUER, LEEWAY, LIFETIME, SESSION, SUBJECT, equal},
    floor::{self, Floor},
    keys,
};

/// One token of each form.
#[derive(Clone)]
pub struct Tokens {
    pub nested: String,
    pub encrypted: String,
    pub hs256: String,
    pub eddsa: String,
    pub es256: String,
    pub rs256: String,
}

impl Tokens {
    pub fn mint() -> Self {
        let shared = keys::shared();
        let signed = |keys: &KeyRing| mint(&codec(Profile::Signed, keys));
        Self {
            nested: mint(&codec(Profile::Nested, &shared)),
            encrypted: mint(&codec(Profile::Encrypted, &shared)),
            hs256: signed(&shared),
            eddsa: signed(&keys::pair(keys::ED25519_JWK)),
            es256: signed(&keys::pair(keys::ES256_JWK)),
            rs256: signed(&keys::pair(keys::RS256_JWK)),
        }
    }
}

/// A codec with the rules of every case, still open.
pub fn builder<C>(profile: Profile) -> TokenCodecBuilder<C> {
    TokenCodec::builder(profile)
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .leeway(Duration::from_secs(LEEWAY))
        .lifetime(Duration::from_secs(LIFETIME))
        .clock(SystemClock)
}

pub fn codec<C>(profile: Profile, keys: &KeyRing) -> TokenCodec<C> {
    builder(profile).build(keys).expect("the codec is complete")
}

/// A token of the usual claims. Each has another `jti`.
pub fn mint(codec: &TokenCodec<Custom>) -> String {
    let minted = codec.mint_at(&grant(&Custom::usual()), codec.clock().now());
    minted.expect("the claims are good").as_str().to_owned()
}

fn grant(custom: &Custom) -> Grant<'_, Custom> {
    Grant {
        subject: SUBJECT,
        session: Some(SESSION),
        custom,
    }
}

pub fn inspect<C>(claims: &Claims<C>) -> Result<(), String> {
    equal("sub", claims.subject(), SUBJECT)?;
    equal("sid", claims.session().unwrap_or_default(), SESSION)
}

fn inspect_floor(claims: &floor::Claims) -> Result<(), String> {
    equal("iss", claims.issuer(), ISSUER)?;
    equal("sub", claims.subject(), SUBJECT)?;
    equal("sid", claims.session(), SESSION)?;
    equal("scope", claims.scope(), crate::claims::SCOPE)?;
    match claims.token_id().len() {
        22 if claims.expires_at() > crate::claims::now() => Ok(()),
        _ => Err("jti or exp is not what was minted".to_owned()),
    }
}

/// Ours and the floor, for everything that is done with the shared keys.
pub fn shared(tokens: &Tokens) -> Vec<Box<dyn Case>> {
    let keys = keys::shared();
    let floor = Arc::new(Floor::new());
    let mut cases = Vec::new();
    let forms = [
        ("nested_hs256", Profile::Nested, &tokens.nested),
        ("encrypted", Profile::Encrypted, &tokens.encrypted),
        ("signed_hs256", Profile::Signed, &tokens.hs256),
    ];
    for (name, profile, token) in forms {
        cases.push(verify(name, codec(profile, &keys), token));
    }
    let (codec, token) = (
        codec::<Custom>(Profile::Nested, &keys),
        tokens.nested.clone(),
    );
    cases.push(case(
        "nested_hs256_custom",
        move || codec.verify(black_box(&token)),
        |claims| inspect(claims).and_then(|()| claims.custom().check()),
    ));
    cases.push(verify_by(
        &floor,
        "floor_nested",
        &tokens.nested,
        Floor::verify_nested,
    ));
    cases.push(verify_by(
        &floor,
        "floor_encrypted",
        &tokens.encrypted,
        Floor::verify_encrypted,
    ));
    cases.push(verify_by(
        &floor,
        "floor_signed",
        &tokens.hs256,
        Floor::verify_signed,
    ));
    cases.extend(minting(&keys, floor));
    cases.push(on_two_threads("nested_hs256", {
        let (codec, token) = (
            self::codec::<NoClaims>(Profile::Nested, &keys),
            tokens.nested.clone(),
        );
        move || codec.verify(black_box(&token))
    }));
    cases
}

/// Signatures of key pairs: what the bare check of the signature costs is in [`crate::bare`].
pub fn pairs(tokens: &Tokens) -> Vec<Box<dyn Case>> {
    let forms = [
        ("eddsa", keys::ED25519_JWK, &tokens.eddsa),
        ("es256", keys::ES256_JWK, &tokens.es256),
        ("rs256", keys::RS256_JWK, &tokens.rs256),
    ];
    let cases = forms.into_iter().map(|(name, jwk, token)| {
        let codec = codec(Profile::Signed, &keys::pair(jwk));
        verify(name, codec, token)
    });
    cases.collect()
}

fn verify(name: &str, codec: TokenCodec<NoClaims>, token: &str) -> Box<dyn Case> {
    let token = token.to_owned();
    case(name, move || codec.verify(black_box(&token)), inspect)
}

/// Not by a pointer to the function: what is called is known when this is compiled, as it is for ours.
fn verify_by(
    floor: &Arc<Floor>,
    name: &str,
    token: &str,
    verify: impl Fn(&Floor, &str) -> Result<floor::Claims, floor::Refused> + 'static,
) -> Box<dyn Case> {
    let (floor, token) = (floor.clone(), token.to_owned());
    case(
        name,
        move || verify(&floor, black_box(&token)),
        inspect_floor,
    )
}

fn minting(keys: &KeyRing, floor: Arc<Floor>) -> [Box<dyn Case>; 2] {
    let (codec, custom) = (codec::<Custom>(Profile::Nested, keys), Custom::usual());
    let verifier = codec.clone();
    let ours = case(
        "mint_nested",
        move || codec.mint_at(black_box(&grant(&custom)), codec.clock().now()),
        {
            let verifier = verifier.clone();
            move |token: &AccessToken| accepted(&verifier, token.as_str())
        },
    );
    let custom = Custom::usual();
    let floor = case(
        "floor_mint",
        move || {
            let grant = floor::Grant {
                subject: SUBJECT,
                session: SESSION,
                custom: &custom,
            };
            floor.mint_nested(black_box(&grant))
        },
        move |token: &String| accepted(&verifier, token),
    );
    [ours, floor]
}

/// A token that was minted is one that tower-bearer takes.
fn accepted(codec: &TokenCodec<Custom>, token: &str) -> Result<(), String> {
    let claims = codec.verify(token).map_err(|error| error.to_string())?;
    inspect(&claims)?;
    claims.custom().check()
}
