//! Response headers that harden a page, and the refusal of plain http.
//!
//! # [`SecurityHeadersLayer`](crate::SecurityHeadersLayer)
//!
//! Adds four headers to every response that does not have them yet:
//!
//! | header | default | changed by |
//! |---|---|---|
//! | `Strict-Transport-Security` | `max-age=31536000` | [`strict_transport_security`](crate::SecurityHeadersLayer::strict_transport_security) |
//! | `Content-Security-Policy` | `default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'` | [`content_security_policy`](crate::SecurityHeadersLayer::content_security_policy) |
//! | `X-Content-Type-Options` | `nosniff` | a handler |
//! | `Referrer-Policy` | `same-origin` | [`referrer_policy`](crate::SecurityHeadersLayer::referrer_policy) |
//!
//! The [manual](crate::manual::threats#response-headers) has the reasons. It also has the two cases where one is
//! left out: over plain http, and in a 304. A header that the inner service has set itself stays as it is. So a
//! handler can send a policy of its own, for instance one with a nonce. Refusals of layers further in get the headers
//! too.
//!
//! # [`RequireHttpsLayer`](crate::RequireHttpsLayer)
//!
//! Refuses with 403 what did not come over TLS, before anything reads a credential. How it knows
//! is said once, and nothing else is believed:
//!
//! * [`connection`](crate::RequireHttpsLayer::connection): by the [`ConnectionScheme`] that the server's own code put
//!   into the extensions of the request. The scheme in the request target (`:scheme` in HTTP/2, the absolute form in
//!   HTTP/1.1) is *not* read. A client writes any scheme, right or wrong, on any connection. RFC 9113 section 8.3.1
//!   lets it differ from the connection's own.
//! * [`behind_proxy`](crate::RequireHttpsLayer::behind_proxy): by a header that the proxy in front overwrites. It
//!   holds `https` or `wss`, or [a word of its own](crate::RequireHttpsLayer::value). Proxies that append write a
//!   list. [`last`](crate::RequireHttpsLayer::last) takes the nearest proxy's word from it,
//!   [`first`](crate::RequireHttpsLayer::first) the outermost's.
//!
//! Any listener on the network has read a credential that came over plain http. An answer or a redirect would hide
//! the mistake of the client that sent it. So nothing is redirected unless
//! [`redirect_to`](crate::RequireHttpsLayer::redirect_to) is set. Even then only `GET` and `HEAD` are redirected. A
//! request with an `Authorization`, or a cookie that may be this crate's, is not.
//!
//! There are no exempt paths. The health check of a load balancer that speaks plain http is a route *outside* of the
//! layer. In axum, add it to the router behind the call of `layer`.
//!
//! # Order
//!
//! `RequireHttps` goes in front of everything, and `SecurityHeaders` in front of every layer that may refuse. The
//! rest is in the [manual](crate::manual::guards#order-of-layers). With `RequireHttps` in front,
//! `Strict-Transport-Security` never leaves over plain http (RFC 6797 section 7.2). Without it, the header is left
//! out where a [`ConnectionScheme`] says so and is sent otherwise. Browsers ignore it over plain http (RFC 6797
//! section 8.1).
//!
//! # Example
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_bearer::{RequireHttpsLayer, SecurityHeadersLayer, headers::ConnectionScheme};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = ServiceBuilder::new()
//!     .layer(RequireHttpsLayer::connection().redirect_to("app.example".parse()?))
//!     .layer(SecurityHeadersLayer::new())
//!     .service(service_fn(|_: Request<String>| async {
//!         Ok::<_, std::convert::Infallible>(Response::new("hello".to_owned()))
//!     }));
//!
//! // The code that accepts connections knows which of them use TLS.
//! let mut request = Request::get("/").body(String::new())?;
//! request.extensions_mut().insert(ConnectionScheme::Https);
//! let response = service.clone().oneshot(request).await?;
//! assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
//! assert_eq!(response.headers()["x-content-type-options"], "nosniff");
//!
//! let mut request = Request::get("/start?from=mail").body(String::new())?;
//! request.extensions_mut().insert(ConnectionScheme::Http);
//! let response = service.clone().oneshot(request).await?;
//! assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
//! assert_eq!(response.headers()["location"], "https://app.example/start?from=mail");
//!
//! let mut request = Request::post("/login").body("password=...".to_owned())?;
//! request.extensions_mut().insert(ConnectionScheme::Http);
//! let response = service.oneshot(request).await?;
//! assert_eq!(response.status(), StatusCode::FORBIDDEN);
//! # Ok(())
//! # }
//! ```

mod config;
mod content_security_policy;
mod future;
pub(crate) mod layer;
mod referrer_policy;
pub(crate) mod require_https;
mod scheme;
mod service;
mod strict_transport_security;

pub use content_security_policy::ContentSecurityPolicy;
pub use future::SecurityHeadersFuture;
pub use referrer_policy::ReferrerPolicy;
pub use require_https::{HttpsHost, RequireHttps};
pub use scheme::ConnectionScheme;
pub use service::SecurityHeaders;
pub use strict_transport_security::StrictTransportSecurity;
