//! The page of the example `demo` in a real browser: headless Chromium, driven through WebDriver.
//!
//! Each test starts the example, a proxy before it that writes down what passes, and a browser with a
//! fresh profile. Where there is no Chromium they fail and say how to install one.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking, as the tests do"
)]

mod foreign;
mod harness;
mod picture;
#[path = "../common/program.rs"]
mod program;
mod renewal;
mod secrecy;
mod sign_in;
mod tabs;
mod theft;
