//! Sets and headers that were changed at random, judged by the crate and by a second, simpler reading.
//!
//! It runs for two seconds a test, and for as many as `TOWER_BEARER_MUTATION_SECONDS` says.
//! `scripts/test --long` runs it for half an hour in a release build.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod headers;
mod sets;

use std::{
    env,
    time::{Duration, Instant},
};

use rand::{Rng as _, RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ring::signature::{Ed25519KeyPair, KeyPair};
use tower_bearer::{KeyRing, ManualClock, Timestamp, TokenCodec};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A source of changes, which a failure names so that it can be seen again.
struct Changes {
    rng: ChaCha8Rng,
    seed: u64,
}

impl Changes {
    fn any(&mut self, below: usize) -> usize {
        self.rng.random_range(0..below.max(1))
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.any(from.len())]
    }

    /// Changes a few bytes or puts in a few pieces.
    fn bytes(&mut self, text: &mut Vec<u8>, pieces: &[&[u8]]) {
        for _ in 0..self.any(4) {
            let at = self.any(text.len() + 1);
            match self.any(6) {
                0 if at < text.len() => text[at] ^= 1 << self.any(8),
                1 if at < text.len() => drop(text.remove(at)),
                2 => text.insert(at, self.rng.next_u32() as u8),
                3 => {
                    let end = (at + self.any(40)).min(text.len());
                    text.drain(at..end);
                }
                4 => {
                    let end = (at + self.any(40)).min(text.len());
                    let again = text[at..end].to_vec();
                    let to = self.any(text.len() + 1);
                    text.splice(to..to, again);
                }
                _ => {
                    let piece = self.pick(pieces);
                    text.splice(at..at, piece.iter().copied());
                }
            }
        }
    }
}

/// Runs `once` for the time that is set, each time with other changes, and says how often.
#[allow(
    clippy::disallowed_methods,
    reason = "how long to go on is no part of what is tested"
)]
fn for_a_while(name: &str, mut once: impl FnMut(&mut Changes) -> bool) {
    let seconds = env::var("TOWER_BEARER_MUTATION_SECONDS").map_or(2, |s| s.parse().unwrap());
    let (begin, limit) = (Instant::now(), Duration::from_secs(seconds));
    let first = rand::random::<u64>();
    let (mut runs, mut accepted, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
    while begin.elapsed() < limit {
        let seed = first.wrapping_add(runs);
        let mut changes = Changes {
            rng: ChaCha8Rng::seed_from_u64(seed),
            seed,
        };
        let start = Instant::now();
        accepted += u64::from(once(&mut changes));
        slowest = slowest.max(start.elapsed());
        runs += 1;
    }
    println!("{name}: {runs} runs, {accepted} accepted, the slowest {slowest:?}, seed {first}");
    // Both ends are reached, or nothing is tested.
    assert!(accepted > 0 && accepted < runs);
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

/// The `x` of that key.
fn public(seed: u8) -> String {
    base64(pair(seed).public_key())
}

/// A token with this header text, signed by that key.
fn signed(header: impl AsRef<[u8]>, seed: u8) -> String {
    let claims = r#"{"iss":"i","aud":"a","sub":"alice","exp":1800000600,"iat":1800000000}"#;
    let input = format!("{}.{}", base64(header), base64(claims));
    let signature = pair(seed).sign(input.as_bytes());
    format!("{input}.{}", base64(signature))
}

/// A codec that takes the tokens of [`signed`].
fn codec(ring: &KeyRing) -> TokenCodec {
    TokenCodec::signed(ring)
        .issuer("i")
        .audience("a")
        .clock(ManualClock::new(NOW))
        .build()
        .unwrap()
}
