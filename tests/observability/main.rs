//! The output of the features `metrics` and `tracing`, compared with the manual.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking, as the tests do"
)]

mod day;
mod manual;
mod metrics;
mod mistakes;
mod refusals;
mod traces;

#[allow(dead_code, reason = "each of the test programs uses a part of it")]
#[path = "../it/support/faults.rs"]
mod faults;
#[allow(dead_code, reason = "each of the test programs uses a part of it")]
#[path = "../it/support/world.rs"]
mod world;
