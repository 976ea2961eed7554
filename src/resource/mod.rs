//! The protected-resource metadata: where a client learns how to obtain a token (RFC 9728).
//!
//! A client without a token is answered 401, and the challenge names the URL of a JSON document. The document
//! names the authorization servers. That is all a client has to know beforehand, and what the Model Context
//! Protocol asks of a server. [`ResourceMetadata`] is that document, and the tower layer that serves it:
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
//! The document goes *outside* of [`BearerAuthLayer`](crate::BearerAuthLayer): first in a `ServiceBuilder`, and last
//! with axum, whose later layers are the outer ones. With axum it is given to the outermost router by
//! `.layer(document)`, behind every `.nest(...)`: `route_layer` sees the application's own paths alone. The other
//! way round no client could read it. `BearerAuthLayer` then answers the document's path with 500, and the
//! refusal names the mistake.
//!
//! The path is on the resource's host and *before* the resource's own path (RFC 9728 section 3.1). So a proxy that
//! hands `/mcp` to this service hands it `/.well-known/oauth-protected-resource/mcp` as well, as it is.

mod document;
mod service;
mod url;

pub use document::{ResourceMetadata, ResourceMetadataBuilder};
pub use service::ServeMetadata;
pub use url::MetadataUrl;
