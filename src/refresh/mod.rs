//! The carrier of the refresh cookie and the [`Session`](crate::Session) handle.
//!
//! [`RefreshCookieLayer`](crate::RefreshCookieLayer) never rejects and never waits. It puts a
//! [`Session`](crate::Session) into the request extensions and calls the inner service. It appends the handle's
//! `Set-Cookie` to the response. All store I/O happens in the handle's `async` methods, awaited by the application's
//! own handler or by [`SessionEndpoints`](crate::SessionEndpoints).
//!
//! # Cookies
//!
//! A session has two. The *refresh cookie*, `__Secure-refresh_token` by default, holds the refresh token and changes
//! with each rotation. The *jar cookie* has the same name with `_jar` behind it, and the same attributes. It lasts to
//! the end of the session, idle or not. Its value, 28 characters, is a truncated HMAC-SHA-256 of the session's id (RFC
//! 2104). It shows that a request comes from the cookie jar that the session began in. It opens nothing by itself, and
//! never changes. They come together and are cleared together. [`JarCookie::Off`] leaves the second one out; where
//! tokens travel in bodies there is neither.
//!
//! A browser can send several values of one name. A former path or another host of the domain has set the others. The
//! layer considers at most 16 that have the right length and name a key of the ring. Up to four sessions count. The
//! store says which of them lives: the request acts on that one. Two live ones are ambiguous, and answered 400. Where
//! [`CsrfLayer`](crate::CsrfLayer) has checked the request, its token says which one is meant. Where that one is dead
//! and another lives, nothing is done (403). [`former_path`](RefreshCookieBuilder::former_path) clears what an earlier
//! path has left.
//!
//! # Example
//!
//! Without a web framework: a service that signs in, and the ready-made endpoints for the rest.
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use tower::{Layer, Service, ServiceExt, service_fn};
//! use tower_bearer::{
//!     ClaimsError, ClaimsRequest, KeyRing, MemoryStore, NoClaims, RefreshCookieLayer, Session,
//!     SessionEndpoints, TokenCodec,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let codec = TokenCodec::nested(&KeyRing::generate()?)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .build()?;
//! let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
//! let sessions = RefreshCookieLayer::builder(codec, MemoryStore::new(), claims)
//!     .cookie_path("/auth")
//!     .build()?;
//!
//! let service = sessions.layer(service_fn(|request: Request<String>| async move {
//!     if request.uri().path() != "/auth/login" {
//!         return Ok(SessionEndpoints::new().call(request).await?);
//!     }
//!     // The password was checked here.
//!     let session = Session::from_extensions(request.extensions())?;
//!     let token = session.start("user-1").await?;
//!     let body = serde_json::to_string(&token)?;
//!     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Response::new(body))
//! }));
//!
//! let login = Request::post("/auth/login").body(String::new())?;
//! let response = service.clone().oneshot(login).await?;
//!
//! // As a browser does: what stands before the first `;` of every `Set-Cookie`, the jar cookie's too.
//! let set = response.headers().get_all("set-cookie").iter();
//! let pairs = set.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
//! let cookies = pairs.collect::<Vec<_>>().join("; ");
//!
//! let refresh = Request::post("/auth/refresh").header("cookie", cookies).body(String::new())?;
//! let response = service.clone().oneshot(refresh).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//!
//! let refresh = Request::post("/auth/refresh").body(String::new())?;
//! assert_eq!(service.oneshot(refresh).await?.status(), StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```
//!
//! Outside of it belongs an [`OriginGuardLayer`](crate::OriginGuardLayer), inside a
//! [`CsrfLayer`](crate::CsrfLayer): see [the manual](crate::manual::guards). With axum it is shorter: see
//! [the crate's front page](crate).

pub(crate) mod authenticate;
mod authentication;
mod builder;
mod call;
mod cause;
pub(crate) mod claims;
mod client_settings;
pub(crate) mod config;
mod cookie_settings;
mod elevation;
mod end;
pub(crate) mod ending;
mod future;
mod hand_out;
pub(crate) mod layer;
mod lifetimes;
pub(crate) mod new_session;
pub(crate) mod peek;
mod pending;
pub(crate) mod problem;
#[allow(
    clippy::module_inception,
    reason = "the file is about the method `refresh`"
)]
mod refresh;
mod refuse;
pub(crate) mod revoke;
mod service;
pub(crate) mod session;
pub(crate) mod session_info;
mod spawn;
pub(crate) mod start;
mod store_time;
mod throttle;
pub(crate) mod told;
mod transport;

pub use builder::RefreshCookieBuilder;
pub use claims::ClaimsReason;
pub use cookie_settings::JarCookie;
pub use elevation::Elevation;
pub use future::RefreshCookieFuture;
pub use service::RefreshCookie;
pub use transport::RefreshTransport;

pub use crate::session::{
    ClientFingerprint, FingerprintPolicy, RefreshOutcome, RotationPolicyBuilder,
};
