//! The integration tests, one binary.

mod architecture;
#[cfg(feature = "josekit")]
mod interop;
mod token_codec;
mod token_support;
mod vectors;
