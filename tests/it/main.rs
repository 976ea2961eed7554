//! The integration tests: one binary, one module a subject.

mod bearer;
mod bearer_cases;
mod headers_prop;
mod origin;
mod readiness;
mod redaction;
mod scope;
mod support;
mod token_codec;
