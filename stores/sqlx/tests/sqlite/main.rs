//! The store in SQLite: what every store owes, its faults, and the processes of one machine over one file.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking, as the tests do"
)]

mod backing;
mod conformance;
mod everything;
mod faults;
mod health;
mod history;
mod layouts;
mod load;
mod migrations;
mod open;
mod place;
mod processes;
mod purge;
mod revoke_in;
mod swaps;

#[path = "../common/beside_purge.rs"]
mod beside_purge;
#[path = "../../../../tests/it/story/mod.rs"]
mod story;
mod support;
