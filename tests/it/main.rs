mod claims;
mod token_codec;
mod token_support;
mod vectors;
