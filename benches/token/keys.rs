//! One verification as the ring grows. How many other keys there are should not matter.

use std::{hint::black_box, ops::Range};

use criterion::Criterion;
use ring::digest::{SHA256, digest};
use tower_bearer::{KeyRing, Profile};

use crate::support::{
    keys::symmetric,
    sessions::NOW,
    tokens::{Custom, codec, custom, minted},
};

const SIZES: [u32; 4] = [1, 10, 100, 1000];

/// Nested tokens of the first keys of the ring and of the last ones. A key that signs and one that
/// encrypts are found for each of them, among as many of both.
pub fn ring_sizes(c: &mut Criterion) {
    for count in SIZES {
        let verifier = codec::<Custom>(Profile::Nested, &ring(0..count));
        for (place, n) in [("first", 0), ("last", count - 1)] {
            let issuer = codec(Profile::Nested, &ring(n..n + 1));
            let token = minted(&issuer, &custom());
            c.bench_function(&format!("token/keys/{count}/{place}"), |b| {
                b.iter(|| verifier.verify_at(black_box(&token), NOW).unwrap());
            });
        }
    }
}

/// A signing key and an encryption key for every number.
fn ring(numbers: Range<u32>) -> KeyRing {
    numbers
        .fold(KeyRing::builder(), |builder, n| {
            let (name, secret) = (format!("2026-{n:04}"), secret(n));
            builder
                .jwk(&symmetric("HS256", &name, &secret))
                .jwk(&symmetric("A256GCM", &name, &secret.map(|byte| !byte)))
        })
        .build()
        .unwrap()
}

/// Looks random enough for the ring to take it.
fn secret(n: u32) -> [u8; 32] {
    let input = [b"bench".as_slice(), &n.to_be_bytes()].concat();
    let digest = digest(&SHA256, &input);
    digest.as_ref().try_into().unwrap()
}
