//! The cost of minting and verifying, beside the cost of the bare `ring` primitives over the very same bytes. These are
//! base64, AEAD and MAC or signature, and nothing else.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]

mod cache;
mod claims;
mod floor;
mod keys;
mod profiles;
#[path = "../settings.rs"]
mod settings;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each bench uses a part of it")]
mod support;

use criterion::{criterion_group, criterion_main};

criterion_group! {
    name = benches;
    config = settings::criterion();
    targets = profiles::shared, profiles::public_key, keys::ring_sizes, claims::sizes,
        cache::verify
}
criterion_main!(benches);
