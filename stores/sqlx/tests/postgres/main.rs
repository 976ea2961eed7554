//! The store in PostgreSQL, against real servers and under their faults.
//!
//! Where there is no PostgreSQL the tests fail and say how to install it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking, as the tests do"
)]

mod accounts;
mod backing;
mod cancellation;
mod conformance;
mod disk;
mod durability;
mod failover;
mod faults;
mod left_open;
mod load;
mod locks;
mod losses;
mod migrations;
mod operator;
mod purging;
mod races;
mod records;
mod round_trips;
mod rules;
mod stage;
mod storm;
mod support;
mod transactions;

#[path = "../common/beside_purge.rs"]
mod beside_purge;
#[path = "../../../../tests/it/story/mod.rs"]
mod story;
