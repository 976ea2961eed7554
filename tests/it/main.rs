//! The integration tests: one binary, one module a subject.

mod origin;
mod support;
mod token_codec;
