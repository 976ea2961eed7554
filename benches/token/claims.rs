//! One verification as the claims grow. Twice the claims should take twice the time at most.

use std::hint::black_box;

use base64_simd::URL_SAFE_NO_PAD;
use criterion::{Criterion, Throughput};
use serde::{Deserialize, Serialize};
use tower_bearer::{Grant, Profile, TokenCodec};

use crate::support::{keys, sessions::NOW};

/// Bytes of claims, as JSON: from little more than the registered ones up to six kibibytes.
const SIZES: [usize; 7] = [100, 214, 500, 1000, 2000, 4000, 6144];
/// What the shortest claims here take.
const LEAST: usize = 96;
/// What a role takes, with quotes and comma.
const ROLE: usize = 19;

/// What makes tokens large where they are.
#[derive(Serialize, Deserialize)]
struct Roles {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
}

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

/// With short names, so that there is room for the shortest claims.
fn codec(profile: Profile) -> TokenCodec<Roles> {
    let builder = TokenCodec::builder(profile).issuer("i").audience("a");
    let builder = builder.max_token_bytes(16 * 1024);
    builder.build(&keys::shared()).unwrap()
}

/// A token with `size` bytes of claims: as many roles as fit, and what is left in the subject.
fn minted(codec: &TokenCodec<Roles>, size: usize) -> String {
    let more = size - LEAST;
    let count = more.saturating_sub(r#","roles":[]"#.len()) / ROLE;
    let roles: Vec<_> = (0..count).map(|n| format!("projects:{n:07}")).collect();
    let used = if count == 0 { 0 } else { 10 + count * ROLE };
    let token = codec.mint_at(
        &Grant {
            subject: &"u".repeat(1 + more - used),
            session: None,
            custom: &Roles { roles },
        },
        NOW,
    );
    token.unwrap().as_str().to_owned()
}

/// The bytes of claims in a signed token.
fn payload(token: &str) -> usize {
    let payload = token.split('.').nth(1).unwrap();
    URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap().len()
}
