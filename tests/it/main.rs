//! The integration tests: one binary, one module a subject.

mod architecture;
#[cfg(feature = "josekit")]
mod interop;
mod keys;
mod origin;
mod scenarios;
mod story;
mod support;
mod token_codec;
mod token_support;
mod vectors;
