//! The tokens that all cases share: a good one of each form, and some that every verifier must refuse.

use std::time::Duration;

use tower_bearer::{KeyRing, TokenCodec};

use crate::profile::Profile;
use crate::{
    claims::{AUDIENCE, Custom, ISSUER, LEEWAY, LIFETIME},
    keys,
    ours::{builder, mint, mint_at},
};

/// Tokens of one form and one key.
#[derive(Clone)]
pub struct Form {
    pub good: String,
    /// Each with what is wrong with it.
    pub bad: Vec<(&'static str, String)>,
}

pub struct Tokens {
    pub nested: Form,
    pub encrypted: Form,
    pub hs256: Form,
    pub eddsa: Form,
    pub es256: Form,
    pub rs256: Form,
}

impl Tokens {
    pub fn mint() -> Self {
        let shared = keys::shared();
        let pair = |jwk| Form::mint(Profile::Signed, &keys::pair(jwk));
        Self {
            nested: Form::mint(Profile::Nested, &shared),
            encrypted: Form::mint(Profile::Encrypted, &shared),
            hs256: Form::mint(Profile::Signed, &shared),
            eddsa: pair(keys::ED25519_JWK),
            es256: pair(keys::ES256_JWK),
            rs256: pair(keys::RS256_JWK),
        }
    }
}

impl Form {
    fn mint(profile: Profile, keys: &KeyRing) -> Self {
        let codec = |issuer, audience| -> TokenCodec<Custom> {
            let builder = profile.codec(keys).issuer(issuer).audience(audience);
            let lifetime = Duration::from_secs(LIFETIME);
            let codec = builder.lifetime(lifetime).build();
            codec.expect("the codec is complete")
        };
        let usual = builder(profile, keys)
            .build()
            .expect("the codec is complete");
        let good = mint(&usual);
        let past = Duration::from_secs(LIFETIME + LEEWAY + 1);
        let expired = mint_at(&usual, usual.clock().now() - past);
        // Another character that is as good, in the middle of what authenticates the token.
        let at = good.len() - 10;
        let bad = vec![
            (
                "of another issuer",
                mint(&codec("https://other.example", AUDIENCE)),
            ),
            (
                "for another audience",
                mint(&codec(ISSUER, "https://other.example")),
            ),
            ("that has expired", expired),
            ("that was changed", changed(&good, at)),
            ("that was cut in half", good[..good.len() / 2].to_owned()),
        ];
        Self { good, bad }
    }
}

/// Returns `token` with another character at `at`, which the alphabet has as well.
pub fn changed(token: &str, at: usize) -> String {
    let other = if token[at..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}
