//! A token that is remembered, beside the same token verified. A thousand distinct tokens are in use, and the reading
//! of the clock is included.

use std::hint::black_box;

use criterion::{BatchSize, Criterion};
use tower_bearer::TokenCache;

use crate::support::profile::Profile;
use crate::support::{
    keys,
    tokens::{Custom, SHARED, builder, codec, custom, minted_at},
};

const TOKENS: usize = 1000;
const BYTES: usize = 16 * 1024 * 1024;

pub fn verify(c: &mut Criterion) {
    let shared = SHARED.map(|(name, profile)| (name, profile, keys::shared()));
    let eddsa = ("signed_eddsa", Profile::Signed, keys::of(keys::EDDSA_JWK));
    for (name, profile, keys) in shared.into_iter().chain([eddsa]) {
        let plain = codec::<Custom>(profile, &keys);
        let cached = builder::<Custom>(profile, &keys).cache(TokenCache::new(BYTES));
        let cached = cached.build().unwrap();
        // Each has another `jti`.
        let mint = |_| minted_at(&plain, &custom(), plain.clock().now());
        let tokens: Vec<String> = (0..TOKENS).map(mint).collect();
        for token in &tokens {
            cached.verify(token).unwrap();
        }
        assert_eq!(cached.cache().unwrap().len(), TOKENS);
        let mut at = 0;
        // All of them in turn, in an order that is not that of memory.
        let mut next = || {
            at = (at + 389) % TOKENS;
            tokens[at].as_str()
        };
        c.bench_function(&format!("token/cache/{name}/off"), |b| {
            b.iter(|| plain.verify(black_box(next())).unwrap());
        });
        c.bench_function(&format!("token/cache/{name}/hit"), |b| {
            b.iter(|| cached.verify(black_box(next())).unwrap());
        });
        c.bench_function(&format!("token/cache/{name}/miss"), |b| {
            // Verified for the first time, each of them.
            b.iter_batched(
                || mint(0),
                |token| cached.verify(black_box(&token)).unwrap(),
                BatchSize::SmallInput,
            );
        });
    }
}
