#![doc = include_str!("../README.md")]
//!
//! # Features
//!
//! | feature | adds | brings in |
//! |---|---|---|
//! | `memory`, on by default | `MemoryStore`, for one process | dashmap |
//! | `axum` | extractors, errors as responses, the session endpoints as routes | axum, without its server |
//! | `cors` | `.cors()` of [`Auth`](crate::Auth), for pages of other origins | tower-http |
//! | `cache` | `TokenCache` for verified tokens, worth it with public-key algorithms | quick_cache |
//! | `jwks` | `RemoteIssuer` and `RemoteJwks`: the keys of another issuer | hyper-util, hyper-rustls |
//! | `redis` | `RedisStore`, on one server or behind Sentinel | redis, rustls |
//! | `redis-cluster` | `RedisStore` over Redis Cluster; includes `redis` | crc16 |
//! | `redis-connection` | `RedisStore::with_connection`, over your own connection; includes `redis` | nothing |
//! | `metrics` | counters and histograms for your recorder | metrics |
//! | `tracing` | lines and spans for your subscriber | tracing |
//! | `josekit` | keys that wrap keys: `A256KW`, `RSA-OAEP-256`, `ECDH-ES+A256KW` | josekit, OpenSSL |
//! | `vendored-openssl` | builds OpenSSL from source | a C toolchain, two minutes |
//! | `store-tests` | the conformance suite for your own [`RefreshStore`](crate::store::RefreshStore) | nothing |
//! | `test-util` | claims, sessions and a browser for handler tests; includes `memory` | nothing |
//!
//! A feature adds API and changes no existing code. One exception: with `axum`, rejections with axum's body type
//! carry `application/problem+json`. Without the feature that body is empty.
//!
//! **OpenSSL.** Default features do not link it: `ring` signs and encrypts. The feature `josekit` links the system's
//! OpenSSL and needs its headers (`apt install libssl-dev pkg-config`). josekit never sees a token as the client sent
//! it: the crate checks lengths first, and `ring` opens the content.
//!
//! A higher minimum Rust version is a minor release, and stands in the change log.
#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
#![cfg_attr(
    not(test),
    warn(clippy::todo, clippy::unimplemented, clippy::unreachable)
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod admin;
mod answer;
pub mod auth;
mod authorization;
#[cfg(feature = "axum")]
mod axum;
pub mod bearer;
mod caching;
mod clock;
mod config;
mod cookie;
pub mod csrf;
mod csrf_session;
mod current_session;
pub mod endpoints;
mod event;
mod fixed_id;
pub mod future;
pub mod grpc;
mod header_owner;
pub mod headers;
mod host;
#[cfg(feature = "jwks")]
pub mod jwks;
pub mod keys;
pub mod manual;
pub mod origin;
mod problem;
mod random;
pub mod refresh;
pub mod refusal;
pub mod rejection;
mod request;
pub mod resource;
mod secret;
mod session;
pub mod store;
mod telemetry;
#[cfg(feature = "test-util")]
pub mod test_util;
pub mod token;

// The names that every application uses. Rare ones have their one path in a module. They serve a store, a builder's
// type or an answer of your own.
pub use admin::session_admin::SessionAdmin;
pub use auth::parts::Auth;
pub use bearer::{
    layer::BearerAuthLayer, recent_auth::RequireRecentAuth, require_claims::RequireClaimsLayer,
    scope::RequireScopeLayer,
};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use config::ConfigError;
pub use csrf::{csrf_token::CsrfToken, layer::CsrfLayer};
pub use endpoints::service::SessionEndpoints;
pub use event::{Event, EventSink};
pub use grpc::layer::GrpcLayer;
pub use headers::{layer::SecurityHeadersLayer, require_https::layer::RequireHttpsLayer};
pub use keys::{algorithm::SignatureAlgorithm, key_ring::KeyRing};
pub use origin::layer::OriginGuardLayer;
pub use problem::Problem;
pub use refresh::{
    claims::{ClaimsError, ClaimsRequest},
    layer::RefreshCookieLayer,
    new_session::NewSession,
    peek::PeekedSession,
    session::Session,
    session_info::SessionInfo,
};
pub use refusal::layer::RefusalLayer;
pub use session::{
    ReusePolicy, RevokeReason, RotationPolicy, SessionError, SessionErrorKind, SessionId,
};
#[cfg(feature = "memory")]
pub use store::memory::MemoryStore;
#[cfg(feature = "redis")]
pub use store::redis::RedisStore;
#[cfg(feature = "metrics")]
pub use telemetry::describe_metrics;
#[cfg(feature = "cache")]
pub use token::cache::TokenCache;
pub use token::{
    claims::{Claims, NoClaims, TokenContext},
    codec::TokenCodec,
    error::{TokenError, TokenErrorKind},
    token_response::AccessToken,
    verifiers::Verifiers,
};
