//! Bearer access tokens and rotating refresh cookies as tower layers.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod background;
mod clock;
mod config;
mod cookie;
mod event;
mod guard;
mod keys;
mod missing;
mod refresh;
mod rejection;
mod secret;
mod session;
mod store;
mod token;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use config::ConfigError;
pub use event::{Event, EventSink};
pub use keys::{ContentEncryption, KeyManagement, KeyRing, KeyRingBuilder, SignatureAlgorithm};
pub use missing::MissingLayer;
pub use refresh::{
    ClaimsError, ClaimsReason, ClaimsRequest, Denied, EndpointsFuture, NewSession, RefreshCookie,
    RefreshCookieBuilder, RefreshCookieFuture, RefreshCookieLayer, Session, SessionEndpoints,
    SessionInfo,
};
pub use rejection::Rejection;
pub use session::{
    ClientBinding, ReusePolicy, RevokeReason, RotationPolicy, RotationPolicyBuilder, SessionError,
    SessionErrorKind, SessionId, SessionKey, SessionPolicy, SessionRecord, SessionState,
    SubjectTag,
};
#[cfg(feature = "store-tests")]
pub use store::conformance;
pub use store::{Inserted, Loaded, RefreshStore, SharedStore, StoreError, StoreErrorKind, Swap};
#[cfg(feature = "memory")]
pub use store::{MemoryStore, MemoryStoreBuilder};
pub use token::{
    AccessToken, Claims, Grant, MintError, NoClaims, Profile, TokenCodec, TokenCodecBuilder,
    TokenContext, TokenError, TokenErrorKind,
};
