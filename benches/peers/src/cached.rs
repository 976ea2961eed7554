//! The cache of verified tokens, with a thousand tokens that are all in it and come in a shuffled order.

use std::{hint::black_box, time::Duration};

use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use tower_bearer::{KeyRing, NoClaims, TokenCache, TokenCodec};

use crate::profile::Profile;
use crate::{
    case::{Case, Problem, case},
    keys, ours,
};

/// How many tokens are in use at the same time.
const TOKENS: usize = 1000;
/// Enough for all of them.
const BYTES: usize = 16 * 1024 * 1024;

/// Returns a codec that remembers the tokens it has verified.
pub fn codec(profile: Profile, keys: &KeyRing) -> TokenCodec<NoClaims> {
    let builder = ours::builder(profile, keys).cache(TokenCache::new(BYTES));
    builder.build().expect("the codec is complete")
}

/// Returns the tokens, in an order independent of that of their making.
pub fn tokens(profile: Profile, keys: &KeyRing) -> Vec<String> {
    let codec = ours::codec(profile, keys);
    let mut tokens: Vec<String> = (0..TOKENS).map(|_| ours::mint(&codec)).collect();
    // The same order in every run: it is not what is measured.
    tokens.shuffle(&mut StdRng::seed_from_u64(1));
    tokens
}

pub fn cases() -> [Box<dyn Case>; 2] {
    [
        visiting(
            "cached_eddsa",
            Profile::Signed,
            &keys::pair(keys::ED25519_JWK),
        ),
        visiting("cached_nested", Profile::Nested, &keys::shared()),
    ]
}

fn visiting(name: &str, profile: Profile, keys: &KeyRing) -> Box<dyn Case> {
    let (codec, tokens) = (codec(profile, keys), tokens(profile, keys));
    for token in &tokens {
        codec.verify(token).expect("the token is good");
    }
    let mut next = (0..tokens.len()).cycle();
    let call = move || {
        let at = next.next().unwrap_or_default();
        codec.verify(black_box(&tokens[at]))
    };
    Box::new(Visiting(case(name, call, ours::inspect)))
}

/// A case that visits all tokens before it is timed. The processor's caches then hold the data of a server that answers
/// one request after the other. They do not hold the rest of other cases.
struct Visiting(Box<dyn Case>);

impl Case for Visiting {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn check(&mut self) -> Result<(), Problem> {
        self.0.check()
    }

    fn time(&mut self, calls: u64) -> Result<Duration, Problem> {
        self.0.time(TOKENS as u64)?;
        self.0.time(calls)
    }

    fn allocations(&mut self) -> Result<Option<u64>, Problem> {
        self.0.allocations()
    }
}
