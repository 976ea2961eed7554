//! Bearer tokens in front of a service (RFC 6750).
//!
//! [`BearerAuthLayer`](crate::BearerAuthLayer) reads the `Authorization` header, verifies the token
//! and puts its claims into the request extensions. The other layers go inside of it.
//! [`RequireScopeLayer`](crate::RequireScopeLayer) requires scopes, and
//! [`RequireClaimsLayer`](crate::RequireClaimsLayer) a role or another rule over the claims.
//! [`RequireRecentAuth`](crate::RequireRecentAuth) requires a recent authentication. None of them
//! waits for anything: a request is passed on or answered at once.
//!
//! | situation | status | `WWW-Authenticate` | `grpc-status` behind [`GrpcLayer`](crate::GrpcLayer) |
//! |---|---|---|---|
//! | no `Authorization`, an empty one, another scheme | 401 | `Bearer realm="api"` | 16 |
//! | not `Bearer`, spaces, one token; or two header lines | 400 | `error="invalid_request"` | 3 |
//! | the token is not acceptable, or revoked | 401 | `error="invalid_token"` | 16 |
//! | the user authenticated too long ago, or in another way | 401 | `error="insufficient_user_authentication"`, `max_age` | 16 |
//! | a scope is lacking | 403 | `error="insufficient_scope"` | 7 |
//! | the application's rule does not accept the claims | 403 | none | 7 |
//! | the issuer's keys or the revocation state are unavailable | 503 | none, but `Retry-After` | 14 |
//! | the server is at fault | 500 | none | 13 |
//!
//! Every refusal carries `Cache-Control: no-store`. Its extensions hold the
//! [`Rejection`](crate::rejection::Rejection) for the layers further out. Where a
//! [`GrpcLayer`](crate::GrpcLayer) stands outside, a gRPC request gets a gRPC answer. That is HTTP
//! 200 with the status in the headers and without a challenge. A plain 401 makes a streaming call
//! look successful until its first message. The layer takes tokens from the header alone. It never
//! reads the query or the body, where logs and caches keep them.
//!
//! A CORS layer belongs outside: browsers send preflight requests without credentials. So does the document that
//! tells clients where to go for a token, [`ResourceMetadata`](crate::resource::ResourceMetadata).
//!
//! # Example
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_bearer::{BearerAuthLayer, Claims, KeyRing, RequireScopeLayer, TokenCodec};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = KeyRing::generate()?;
//! let codec = TokenCodec::nested(&keys)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .build()?;
//! let token = codec.mint("alice", &tower_bearer::NoClaims {})?;
//!
//! let hello = service_fn(|request: Request<String>| async move {
//!     let claims = Claims::<tower_bearer::NoClaims>::from_extensions(request.extensions());
//!     let name = claims.map(|c| c.subject().to_owned()).unwrap_or_default();
//!     Ok::<_, std::convert::Infallible>(Response::new(name))
//! });
//! let service = BearerAuthLayer::new(codec).realm("orders".parse()?).layer(hello);
//!
//! let request = Request::builder()
//!     .header("authorization", format!("Bearer {}", token.as_str()))
//!     .body(String::new())?;
//! let response = service.clone().oneshot(request).await?;
//! assert_eq!(response.body(), "alice");
//!
//! let response = service.oneshot(Request::new(String::new())).await?;
//! assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"orders\"");
//! # let _ = RequireScopeLayer::new("orders:write".parse()?);
//! # Ok(())
//! # }
//! ```

mod challenge;
mod claims;
mod config;
mod connection;
mod decision;
pub(crate) mod layer;
pub(crate) mod recent_auth;
pub(crate) mod require_claims;
mod revocation;
pub(crate) mod scope;
mod service;

pub use challenge::{Acr, Realm, Scope};
pub use connection::Connection;
pub use recent_auth::RecentAuth;
pub use require_claims::RequireClaims;
pub use revocation::CheckError;
pub use scope::RequireScope;
pub use service::BearerAuth;
