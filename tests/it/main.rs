//! The integration tests: one binary, one module a subject.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking, as the tests do"
)]

mod bearer;
mod bearer_cases;
mod headers_prop;
mod origin;
mod readiness;
mod redaction;
mod scope;
mod support;
mod token_codec;
