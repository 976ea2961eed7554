//! One verification as the claims grow. Twice the claims should take twice the time at most.

use std::hint::black_box;

use criterion::{Criterion, Throughput};

use crate::support::profile::Profile;
use crate::support::{
    claims::{codec, minted, payload},
    sessions::NOW,
};

/// Bytes of claims, as JSON: from little more than the registered ones up to six kibibytes.
const SIZES: [usize; 7] = [100, 214, 500, 1000, 2000, 4000, 6144];

pub fn sizes(c: &mut Criterion) {
    let (nested, signed) = (codec(Profile::Nested), codec(Profile::Signed));
    let mut group = c.benchmark_group("token/claims");
    for size in SIZES {
        let token = minted(&nested, size);
        assert_eq!(payload(&minted(&signed, size)), size);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(size.to_string(), |b| {
            b.iter(|| nested.verify_at(black_box(&token), NOW).unwrap());
        });
    }
    group.finish();
}
