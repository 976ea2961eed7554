//! The page of the example `demo` in a real browser, driven through WebDriver. It is headless Chromium, and where
//! browsers differ Firefox and WebKitGTK too.
//!
//! Each test starts the example, a proxy before it that records the traffic, and a browser with a fresh profile. Where
//! there is no such browser they fail and say how to install it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking, as the tests do"
)]

mod agents;
mod crash;
mod engines;
mod foreign;
mod forms;
mod harness;
mod live;
mod package;
mod picture;
#[path = "../it/support/redis/port.rs"]
mod port;
#[path = "../common/program.rs"]
mod program;
mod react;
mod remember;
mod renewal;
mod second_profile;
mod secrecy;
mod sibling;
mod sign_in;
mod step_up;
mod tabs;
mod theft;
