//! Refuses state-changing requests that a page of a foreign origin sent.
//!
//! A browser adds cookies to every request, whichever page caused it. [`OriginGuardLayer`] goes
//! in front of what trusts them, and judges by the headers that pages cannot forge. It guards
//! every request but `GET`, `HEAD` and `OPTIONS`, and a `GET` that opens a WebSocket. In order:
//!
//! 1. A repeated `Origin`, `Sec-Fetch-Site` or `Referer`: refused.
//! 2. `Origin` is there: it must be on the list, whatever `Sec-Fetch-Site` says. `null` passes
//!    with `Sec-Fetch-Site: same-origin` alone.
//! 3. No `Origin`: `Sec-Fetch-Site` passes as `same-origin` and `none` (typed by the user), and is
//!    refused as `same-site` and `cross-site`.
//! 4. Neither, or an unknown `Sec-Fetch-Site`: the origin of `Referer` must be on the list.
//! 5. Nothing at all: refused when the request carries credentials that browsers add by
//!    themselves, that is a cookie or an `Authorization` that is not a bearer token.
//!
//! No content type, path or `X-Requested-With` exempts a request, and `X-Forwarded-*` is never
//! read. A refusal is 403 with `Vary: Origin, Sec-Fetch-Site`, and the
//! [`Rejection`](crate::Rejection) in the extensions of the response has the
//! [`OriginReason`](crate::OriginReason).
//!
//! # When `tower_http::csrf` is enough
//!
//! `tower_http::csrf::CsrfLayer` does the same job by the same headers and is enough for a service
//! of one origin whose clients are recent browsers. Take this layer where one of its differences
//! matters: an unlisted `Origin` is refused even if `Sec-Fetch-Site` calls it the same, entries
//! are normalised so that none silently never matches, wildcards, `Referer` as the fall-back,
//! cookies without any origin are refused, WebSockets are guarded, and gRPC gets gRPC answers.
//!
//! # Example
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_bearer::OriginGuardLayer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let transfer = service_fn(|_: Request<String>| async {
//!     Ok::<_, std::convert::Infallible>(Response::new("done".to_owned()))
//! });
//! let service = OriginGuardLayer::new(["https://app.example".parse()?]).layer(transfer);
//!
//! let request = |origin: &str| Request::post("/transfer").header("origin", origin).body("".into());
//! let response = service.clone().oneshot(request("https://app.example")?).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! let response = service.oneshot(request("https://evil.example")?).await?;
//! assert_eq!(response.status(), StatusCode::FORBIDDEN);
//! # Ok(())
//! # }
//! ```

mod check;
mod host;
mod layer;
#[allow(
    clippy::module_inception,
    reason = "the file is about the type `Origin`"
)]
mod origin;
mod service;

pub use layer::OriginGuardLayer;
pub use origin::Origin;
pub use service::OriginGuard;
