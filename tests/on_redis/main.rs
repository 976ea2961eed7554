//! The store in Redis, against real servers of every kind and under their faults.
//!
//! Each test starts the servers that it needs. Where there is no `redis-server` they fail and say how
//! to install one.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking, as the tests do"
)]

mod backing;
mod cluster;
mod configuration;
mod conformance;
mod durability;
mod everything;
mod failover;
mod faults;
mod full;
mod harness;
mod history;
mod relatives;
mod runtimes;
mod sign_ins;
mod silence;
mod stage;
mod storm;

#[path = "../it/story/mod.rs"]
mod story;
mod support;
mod transport;
