//! Refusals in gRPC, for services that use it.
//!
//! A refusal of this crate is an HTTP 4xx or 5xx for every kind of request. A service that serves gRPC puts
//! [`GrpcLayer`](crate::GrpcLayer) outside of its guards. They then answer gRPC requests with HTTP 200 without a
//! body. The headers carry `grpc-status` and `grpc-message` ([gRPC over
//! HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), "Responses").
//!
//! A request counts as gRPC when
//!
//! * its method is `POST`;
//! * it has one `Content-Type`, which is exactly `application/grpc`, `application/grpc-web` or
//!   `application/grpc-web-text`, alone or with `+proto` or `+json` behind it;
//! * it came over HTTP/2 or later, which gRPC-Web alone does not need.
//!
//! Everything else is refused with the plain status. gRPC clients
//! [map](https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md) that to a code themselves. 401 is
//! `UNAUTHENTICATED`, 403 `PERMISSION_DENIED`, 503 `UNAVAILABLE`, 400 `INTERNAL`, most others `UNKNOWN`. tonic
//! reports it as `grpc-status header missing, mapped from HTTP status code 401`. The layer improves on that: the code
//! is exact. A client whose call is a stream learns it when it opens the stream.
//!
//! # Where it goes
//!
//! * **Outside of every guard.** A guard outside of it answers with the plain status.
//! * **Only around gRPC.** In a service that serves pages too, put it around the routes of gRPC alone.
//! * **Never on a service that a proxy asks for permission** (nginx `auth_request`, Traefik
//!   `ForwardAuth`, Caddy `forward_auth`). The client writes the content type, and such a proxy takes
//!   HTTP 200 for permission: [manual](crate::manual::native#a-proxy-that-asks-for-permission).
//!
//! The layer judges a request once and leaves a private mark in its extensions, which no header can
//! write. A mark that is there already counts for nothing.
//!
//! # Example
//!
//! ```
//! use http::{Request, Response, Version};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_bearer::{BearerAuthLayer, GrpcLayer, KeyRing, TokenCodec};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let codec: TokenCodec = TokenCodec::nested(&KeyRing::generate()?)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .build()?;
//! let service = ServiceBuilder::new()
//!     .layer(GrpcLayer::new())
//!     .layer(BearerAuthLayer::new(codec))
//!     .service(service_fn(|_: Request<String>| async {
//!         Ok::<_, std::convert::Infallible>(Response::new(String::new()))
//!     }));
//!
//! // A call without a token.
//! let call = Request::post("/shop.Orders/Place").header("content-type", "application/grpc");
//! let response = service.clone().oneshot(call.version(Version::HTTP_2).body(String::new())?).await?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(response.headers()["grpc-status"], "16"); // UNAUTHENTICATED
//!
//! // No gRPC client sends this.
//! let call = Request::get("/").header("content-type", "application/grpc");
//! let response = service.oneshot(call.version(Version::HTTP_2).body(String::new())?).await?;
//! assert_eq!(response.status(), 401);
//! # Ok(())
//! # }
//! ```

mod decision;
pub(crate) mod layer;
mod service;

pub use service::Grpc;
