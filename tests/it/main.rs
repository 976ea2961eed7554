#[cfg(feature = "josekit")]
mod interop;
mod token_codec;
