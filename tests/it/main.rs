//! The integration tests: one binary, one module a subject.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, in its helpers too"
)]

mod architecture;
mod claims;
#[cfg(feature = "josekit")]
mod interop;
mod keys;
mod origin;
mod own_vectors;
mod scenarios;
mod support;
mod token_codec;
mod token_support;
mod vectors;
