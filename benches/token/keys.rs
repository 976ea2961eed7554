//! One verification as the ring grows. How many other keys there are should not matter.

use std::hint::black_box;

use criterion::Criterion;

use crate::support::profile::Profile;
use crate::support::{
    keys::numbered,
    sessions::NOW,
    tokens::{Custom, codec, custom, minted},
};

const SIZES: [u32; 4] = [1, 10, 100, 1000];

/// Nested tokens of the first keys of the ring and of the last ones. A key that signs and one that
/// encrypts are found for each of them, among as many of both.
pub fn ring_sizes(c: &mut Criterion) {
    for count in SIZES {
        let verifier = codec::<Custom>(Profile::Nested, &numbered(0..count));
        for (place, n) in [("first", 0), ("last", count - 1)] {
            let issuer = codec(Profile::Nested, &numbered(n..n + 1));
            let token = minted(&issuer, &custom());
            c.bench_function(&format!("token/keys/{count}/{place}"), |b| {
                b.iter(|| verifier.verify_at(black_box(&token), NOW).unwrap());
            });
        }
    }
}
