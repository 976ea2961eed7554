//! The protected-resource metadata: where a client learns how to obtain a token (RFC 9728).
//!
//! A client without a token is answered 401, and the challenge names the URL of a JSON document. The document names the
//! authorization servers. A client has to know no more beforehand, and the Model Context Protocol asks no more of a
//! server. [`ResourceMetadata`] is that document, and the tower layer that serves it:
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_bearer::{BearerAuthLayer, KeyRing, NoClaims, TokenCodec, resource::ResourceMetadata};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let document = ResourceMetadata::builder("https://api.example/mcp")
//!     .authorization_server("https://id.example")
//!     .scopes(["tools:read", "tools:write"])
//!     .build()?;
//! let codec: TokenCodec<NoClaims> = TokenCodec::signed(&KeyRing::generate()?)
//!     .issuer("https://id.example")
//!     .audience(document.resource())
//!     .build()?;
//!
//! let service = ServiceBuilder::new()
//!     .layer(document.clone()) // outside: a client asks for it before it has a token
//!     .layer(BearerAuthLayer::new(codec).resource_metadata(document.url()))
//!     .service(service_fn(|_: Request<String>| async {
//!         Ok::<_, std::convert::Infallible>(Response::new(String::new()))
//!     }));
//!
//! let refused = service.clone().oneshot(Request::get("/mcp").body(String::new())?).await?;
//! assert_eq!(
//!     refused.headers()["www-authenticate"],
//!     "Bearer realm=\"api\", \
//!      resource_metadata=\"https://api.example/.well-known/oauth-protected-resource/mcp\""
//! );
//! let path = "/.well-known/oauth-protected-resource/mcp";
//! let answer = service.oneshot(Request::get(path).body(String::new())?).await?;
//! assert_eq!(answer.status(), StatusCode::OK);
//! assert_eq!(answer.body(), document.json());
//! # Ok(())
//! # }
//! ```
//!
//! # Where it stands
//!
//! *Outside* of [`BearerAuthLayer`](crate::BearerAuthLayer): a client asks for the document before it has a token.
//! The other way round `BearerAuthLayer` answers the document's path with 500, and the refusal names the mistake.
//!
//! | stack | the line | where |
//! |---|---|---|
//! | tower | `.layer(document)` | first in the `ServiceBuilder` |
//! | axum | `.merge(document.routes())`, with the feature `axum` | in the outermost router, behind `.route_layer(...)` |
//! | axum | `.layer(document)` | in the outermost router, last |
//! | a router or a body of another kind | [`path`](ResourceMetadata::path), [`response`](ResourceMetadata::response) | before the layer is asked |
//!
//! Three wirings of axum lose the document without an error. So ask for it once with `curl` where it will run:
//!
//! * `.route_layer(document)` sees the application's own paths alone: 404.
//! * Within `.nest("/v1", ...)` a layer or route sees only paths below `/v1`: 404.
//! * A router with `.layer(document)` is merged into one with a fallback of its own. The fallback then answers: a
//!   single-page application answers with its page and 200. Merge `document.routes()` instead.
//!
//! # Behind a proxy
//!
//! The path is on the resource's host and *before* the resource's own path (RFC 9728 section 3.1). So a proxy that
//! takes a prefix off hands the document's path on as it is. With `https://api.example/notes/mcp`, nginx has:
//!
//! ```nginx
//! location /notes/ {
//!     proxy_pass http://127.0.0.1:3000/;   # /notes/mcp is /mcp here
//! }
//! location /.well-known/oauth-protected-resource/notes/ {
//!     proxy_pass http://127.0.0.1:3000;    # no slash behind it: the path stays
//! }
//! ```
//!
//! # Clients in browsers
//!
//! The document is readable for every page. `/mcp` is your own route. A page reads its challenge, and so finds the
//! document, with CORS outside of all layers. This is for clients of any origin, which send no cookies:
//!
//! ```
//! use axum::http::{HeaderName, Method, header};
//! use tower_http::cors::{Any, CorsLayer};
//!
//! let cors = CorsLayer::new()
//!     .allow_origin(Any)
//!     .allow_methods([Method::GET, Method::POST, Method::DELETE])
//!     .allow_headers([
//!         header::AUTHORIZATION,
//!         header::CONTENT_TYPE,
//!         HeaderName::from_static("last-event-id"),
//!         HeaderName::from_static("mcp-protocol-version"),
//!         HeaderName::from_static("mcp-session-id"),
//!     ])
//!     .expose_headers([header::WWW_AUTHENTICATE, HeaderName::from_static("mcp-session-id")]);
//! # let _ = cors;
//! ```
//!
//! With axum it is the last `.layer(cors)` of the outermost router.

mod document;
#[cfg(feature = "axum")]
mod routes;
mod service;
mod url;

pub use document::{ResourceMetadata, ResourceMetadataBuilder};
pub use service::ServeMetadata;
pub use url::MetadataUrl;
