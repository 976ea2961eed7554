#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
#![cfg_attr(
    not(test),
    warn(clippy::todo, clippy::unimplemented, clippy::unreachable)
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
mod axum;
mod background;
pub mod bearer;
mod binding;
mod clock;
mod config;
mod cookie;
mod credentials;
pub mod csrf;
mod current_session;
mod event;
pub mod grpc;
mod guard;
pub mod headers;
mod host;
#[cfg(feature = "jwks")]
mod jwks;
mod keys;
pub mod manual;
mod observe;
pub mod origin;
mod random;
pub mod refresh;
mod rejection;
mod secret;
mod session;
mod store;
mod token;

#[doc(inline)]
pub use bearer::{
    BearerAuth, BearerAuthLayer, CheckError, Realm, RequireScope, RequireScopeLayer,
    ResourceMetadata, Scope,
};
pub use binding::CsrfBinding;
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use config::ConfigError;
#[doc(inline)]
pub use csrf::{
    Csrf, CsrfBuilder, CsrfForm, CsrfFormFuture, CsrfFormLayer, CsrfFuture, CsrfKeys, CsrfLayer,
    CsrfToken,
};
pub use event::{Event, EventSink};
#[doc(inline)]
pub use grpc::{Grpc, GrpcLayer};
pub use guard::GuardFuture;
#[doc(inline)]
pub use headers::{
    ConnectionScheme, ContentSecurityPolicy, HttpsHost, ReferrerPolicy, RequireHttps,
    RequireHttpsLayer, SecurityHeaders, SecurityHeadersFuture, SecurityHeadersLayer,
    StrictTransportSecurity,
};
#[cfg(feature = "jwks")]
pub use jwks::{JwksError, JwksErrorKind, JwksHealth, RemoteJwks, RemoteJwksBuilder};
pub use keys::{KeyRing, KeyRingBuilder, SignatureAlgorithm, UnusableKey, UnusableReason};
#[cfg(feature = "metrics")]
pub use observe::describe_metrics;
#[doc(inline)]
pub use origin::{MissingOrigin, Origin, OriginGuard, OriginGuardLayer};
#[doc(inline)]
pub use refresh::{
    ClaimsError, ClaimsReason, ClaimsRequest, EndpointsFuture, NewSession, RefreshCookie,
    RefreshCookieBuilder, RefreshCookieFuture, RefreshCookieLayer, RefreshTransport, Session,
    SessionEndpoints, SessionInfo,
};
pub use rejection::{
    CsrfReason, CustomRejection, DefaultRejection, OriginReason, Rejection, RejectionKind,
    RejectionResponse,
};
pub use session::{
    ClientBinding, RefreshOutcome, ReusePolicy, RevokeReason, RotationPolicy,
    RotationPolicyBuilder, SessionError, SessionErrorKind, SessionId, SessionKey, SessionRecord,
    SessionState, SubjectTag,
};
#[cfg(feature = "store-tests")]
pub use store::conformance;
pub use store::{Inserted, Loaded, RefreshStore, SharedStore, StoreError, StoreErrorKind, Swap};
#[cfg(feature = "memory")]
pub use store::{MemoryStore, MemoryStoreBuilder};
#[cfg(feature = "redis")]
pub use store::{RedisHealth, RedisStore, RedisStoreBuilder};
#[cfg(feature = "cache")]
pub use token::TokenCache;
pub use token::{
    AccessToken, Claims, Grant, MintError, NoClaims, TokenCodec, TokenCodecBuilder, TokenContext,
    TokenError, TokenErrorKind,
};
