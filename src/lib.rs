#![doc = include_str!("../README.md")]
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

// What an application names. What it names once in a hundred, or only to write a store, a builder's type or an
// answer of its own, has its one path in a module.
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
