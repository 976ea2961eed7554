//! The integration tests: one binary, one module a subject.

mod bearer_cases;
mod origin;
mod support;
mod token_codec;
