//! Every example, started as its user starts it. It is asked from outside: by HTTP, by its command line, and by
//! signals. One module an example, each test with programs of its own, so that they run side by side.
//!
//! `demo` is asked through a real nginx and a real HAProxy too, and `forward_auth` through nginx, by
//! `tests/counterparts`.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking, as the tests do"
)]

mod axum;
mod demo;
mod explain;
mod features;
mod forward_auth;
mod hyper;
mod keygen;
mod live;
mod mcp;
mod microservice;
mod native_client;
mod oauth_redirect;
mod proxies;
mod redis;
mod rendered;
mod sqlite;
mod support;
mod tonic;
