//! The front door: [`Auth`](crate::Auth) puts together what has to agree.
//!
//! One builder makes the layers of this crate. They share one set of keys, one mount path, one
//! sink, one format of refusals and one list of origins. The builder only connects layers: each
//! also works alone, and an [`Auth`](crate::Auth) combines with layers that the application made.
//!
//! | part | goes around | what it is |
//! |---|---|---|
//! | [`Auth::headers`](crate::Auth::headers) | everything | CORS where [`AuthBuilder::cors`] asks for it, [`SecurityHeadersLayer`](crate::SecurityHeadersLayer), [`RefusalLayer`](crate::RefusalLayer) |
//! | [`Auth::guards`](crate::Auth::guards) | what works by cookie | [`RefusalLayer`](crate::RefusalLayer), [`OriginGuardLayer`](crate::OriginGuardLayer), [`RefreshCookieLayer`](crate::RefreshCookieLayer), [`CsrfLayer`](crate::CsrfLayer), in this order |
//! | [`Auth::endpoints`](crate::Auth::endpoints) | | [`SessionEndpoints`](crate::SessionEndpoints), which stand inside of the guards |
//! | [`Auth::bearer`](crate::Auth::bearer) | the API | [`BearerAuthLayer`](crate::BearerAuthLayer) |
//!
//! With the feature `axum`, `Auth::routes` has the guards and the endpoints in one.
//!
//! # Example
//!
//! Without a framework. [The crate's front page](crate) has the program for axum.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{Layer, Service, ServiceExt, service_fn};
//! use tower_bearer::{Auth, KeyRing, MemoryStore, Session};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let auth = Auth::builder(&KeyRing::generate()?)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .store(MemoryStore::new())
//!     .origins(["https://app.example".parse()?])
//!     .build()?;
//!
//! let endpoints = auth.endpoints::<Full<Bytes>>();
//! let service = auth.guards().layer(service_fn(move |request: Request<String>| {
//!     let mut endpoints = endpoints.clone();
//!     async move {
//!         if request.uri().path() != "/auth/login" {
//!             return Ok(endpoints.call(request).await?);
//!         }
//!         // The password was checked here.
//!         let token = Session::from_extensions(request.extensions())?.start("user-1").await?;
//!         let body = Full::from(serde_json::to_string(&token)?);
//!         Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Response::new(body))
//!     }
//! }));
//! let login = Request::post("/auth/login").header("origin", "https://app.example").body(String::new())?;
//! assert_eq!(service.oneshot(login).await?.status(), 403); // it has no CSRF token
//! # Ok(())
//! # }
//! ```

mod build;
mod builder;
#[cfg_attr(feature = "cors", path = "cors/enabled.rs")]
#[cfg_attr(not(feature = "cors"), path = "cors/disabled.rs")]
mod cors;
#[cfg(not(all(feature = "axum", feature = "cors")))]
mod features;
mod guards;
mod headers;
pub(crate) mod parts;
#[cfg(feature = "axum")]
mod routes;

pub use builder::AuthBuilder;
#[cfg(feature = "cors")]
pub use cors::{AuthCors, AuthCorsFuture};
pub use guards::{AuthGuards, Guarded};
pub use headers::AuthHeaders;
#[cfg(feature = "axum")]
pub use routes::AuthRoutes;
