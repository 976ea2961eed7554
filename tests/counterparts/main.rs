//! This crate beside software of others. It runs behind nginx, next to two other verifiers, and with an issuer that is
//! not ours. It is also an issuer for verifiers that are not ours.
//!
//! `scripts/install-counterparts` installs what is needed. Where it is missing the tests fail and say so.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking, as the tests do"
)]

mod discovery;
mod installed;
mod issuer;
mod nginx;
mod process;
#[path = "../common/program.rs"]
mod program;
#[path = "../common/proxies.rs"]
mod proxies;
mod published;
mod rotation;
mod sets;
