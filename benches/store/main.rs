//! The cost of the stores: time for a rotation, memory for a session, and how long a read may wait.
//!
//! Criterion measures what it can. The rest are reports. They run once, print a few lines and are chosen by the same
//! filter as the benches. Without `cargo bench`'s own argument, as under `cargo test`, everything runs once at a small
//! size. That shows that it runs.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]

mod memory;
mod refresh;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each bench uses a part of it")]
mod support;

use criterion::{criterion_group, criterion_main};

// A store's reports come before its criterion benches, and all of them before the next store's. Memory is best counted
// in a process that has not used much of it yet.
criterion_group!(
    benches,
    memory::reports,
    memory::load_swap,
    refresh::after_rotations
);
criterion_main!(benches);
