//! The integration tests: one binary, one module a subject.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking, as the tests do"
)]

mod admin;
mod allocations;
mod architecture;
mod backing;
mod bearer;
mod bearer_cases;
mod chapters;
mod claims;
mod config_errors;
mod cors;
mod csrf;
mod csrf_form;
mod debug_of_everything;
mod front_door;
mod grpc;
mod headers;
mod headers_prop;
mod history;
#[cfg(feature = "josekit")]
mod interop;
mod issuers;
mod jwks;
mod keys;
mod keys_pem;
mod openapi;
mod origin;
mod origin_against_tower_http;
mod origin_answers;
mod origin_corpus;
mod origin_prop;
mod origin_rows;
mod own_vectors;
mod problems;
mod readiness;
mod recent_auth;
mod redaction;
mod refusals;
mod require_claims;
mod require_https;
mod resource;
mod scenarios;
mod scope;
mod session_refused;
mod sockets;
mod store;
mod story;
mod support;
mod test_util;
mod token_cache;
mod token_codec;
mod token_headers;
mod token_settings;
mod token_support;
mod vectors;
mod verifiers;
