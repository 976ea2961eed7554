#[cfg(feature = "josekit")]
mod interop;
mod keys;
mod token_codec;
mod token_support;
mod vectors;
