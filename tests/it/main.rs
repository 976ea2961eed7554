mod claims;
mod own_vectors;
mod token_codec;
mod token_support;
mod vectors;
