//! The carrier of the refresh cookie, the [`Session`] handle and the ready-made endpoints.
//!
//! [`RefreshCookieLayer`] never rejects and never waits: it puts a [`Session`] into the request
//! extensions, calls the inner service, and appends the handle's `Set-Cookie` on the way out. All
//! store I/O happens in the handle's `async` methods, awaited by the application's own handler or
//! by [`SessionEndpoints`].

mod builder;
mod claims;
mod end;
mod endpoints;
mod future;
mod info;
mod layer;
mod presented;
mod problem;
mod renew;
mod revoke;
mod service;
mod session;
mod shared;
mod start;
mod throttle;
mod wear;

pub use builder::RefreshCookieBuilder;
pub use claims::{ClaimsError, ClaimsReason, ClaimsRequest, Denied};
pub use endpoints::{EndpointsFuture, SessionEndpoints};
pub use future::RefreshCookieFuture;
pub use info::SessionInfo;
pub use layer::RefreshCookieLayer;
#[cfg(feature = "axum")]
pub(crate) use problem::problem;
pub use service::RefreshCookie;
pub use session::Session;
pub use start::NewSession;
