//! How to do the usual things. More of them, one situation each, are in [`recipes`](super::recipes). What goes in front of requests that work by cookie, and the order of all
//! layers, is in [`guards`](super::guards).
//!
//! # Signing in
//!
//! Check who is asking, then start the session. The cookie travels with the response, by way of the
//! layer around the handler.
//!
//! ```
//! use axum::{Json, http::StatusCode};
//! use tower_bearer::{AccessToken, Session};
//!
//! # async fn check(_: &str) -> Option<String> { None }
//! async fn login(session: Session, password: String) -> axum::response::Result<Json<AccessToken>> {
//!     let user = check(&password).await.ok_or(StatusCode::UNAUTHORIZED)?;
//!     Ok(Json(session.start(&user).await?))
//! }
//! ```
//!
//! Without axum, take the handle from the request's extensions:
//! [`Session::from_extensions`](crate::Session::from_extensions). The page of the
//! [module `refresh`](crate::refresh) has such a service.
//!
//! # Without axum: hyper and tonic
//!
//! The layers wrap any `tower::Service<http::Request<_>>` whose response body has a `Default`, such as
//! `String`. hyper takes the whole through `hyper_util::service::TowerToHyperService`:
//!
//! ```
//! use http::{Request, Response};
//! use hyper::body::Incoming;
//! use hyper_util::{
//!     rt::{TokioExecutor, TokioIo},
//!     server::conn::auto::Builder,
//!     service::TowerToHyperService,
//! };
//! use tower::{ServiceBuilder, service_fn};
//! use tower_bearer::{BearerAuthLayer, Claims, KeyRing, NoClaims, TokenCodec};
//!
//! async fn hello(request: Request<Incoming>) -> Result<Response<String>, std::io::Error> {
//!     let mut response = Response::new(String::new());
//!     match Claims::<NoClaims>::from_extensions(request.extensions()) {
//!         Ok(claims) => *response.body_mut() = format!("hello, {}", claims.subject()),
//!         // Only when the layer is missing, which the rejection says.
//!         Err(rejection) => *response.status_mut() = rejection.status(),
//!     }
//!     Ok(response)
//! }
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let codec: TokenCodec = TokenCodec::nested(&KeyRing::from_env()?)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .build()?;
//! let service = ServiceBuilder::new().layer(BearerAuthLayer::new(codec)).service(service_fn(hello));
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! loop {
//!     let (stream, _) = listener.accept().await?;
//!     let service = TowerToHyperService::new(service.clone());
//!     tokio::spawn(async move {
//!         // What goes wrong on one connection concerns nobody else.
//!         let _ = Builder::new(TokioExecutor::new())
//!             .serve_connection(TokioIo::new(stream), service)
//!             .await;
//!     });
//! }
//! # }
//! ```
//!
//! tonic takes the layers as they are, with [`GrpcLayer`](crate::GrpcLayer) outside. A refused call then gets
//! its `grpc-status`, and a stream when it is opened:
//!
//! ```
//! use tonic::transport::Server;
//! use tower_bearer::{BearerAuthLayer, GrpcLayer, TokenCodec};
//!
//! # fn server(codec: TokenCodec) {
//! let server = Server::builder().layer(GrpcLayer::new()).layer(BearerAuthLayer::new(codec));
//! # let _ = server;
//! # }
//! ```
//!
//! A handler reads the claims from the extensions of its request:
//!
//! ```
//! use tonic::{Request, Status};
//! use tower_bearer::{Claims, NoClaims};
//!
//! fn caller<T>(request: &Request<T>) -> Result<Claims<NoClaims>, Status> {
//!     // Fails only when the layer is missing.
//!     Claims::from_extensions(request.extensions()).map_err(|error| Status::internal(error.to_string()))
//! }
//! # assert_eq!(caller(&Request::new(())).unwrap_err().code(), tonic::Code::Internal);
//! ```
//!
//! # Roles and other claims
//!
//! What is in an access token is decided in one closure, which serves sign-in and refresh alike. A role
//! that is taken away is gone with the next refresh; `ClaimsError::Denied` ends the session.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tower_bearer::{ClaimsError, ClaimsRequest};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Role {
//!     role: String,
//! }
//!
//! # async fn load(_: &str) -> Result<Option<Role>, std::io::Error> { Ok(None) }
//! async fn roles_of(request: ClaimsRequest) -> Result<Role, ClaimsError> {
//!     match load(request.subject()).await {
//!         Ok(Some(role)) => Ok(role),
//!         // The account is gone or disabled: the session ends.
//!         Ok(None) => Err(ClaimsError::Denied),
//!         // The database is away: 503, and the session is as good as before.
//!         Err(error) => Err(ClaimsError::unavailable(error)),
//!     }
//! }
//! ```
//!
//! [`RequireClaimsLayer`](crate::RequireClaimsLayer) around a route answers 403 where the role is not enough:
//!
//! ```
//! use tower_bearer::{Claims, RequireClaimsLayer};
//! # struct Role { role: String }
//!
//! let admins = RequireClaimsLayer::new(|claims: &Claims<Role>| claims.custom().role == "admin");
//! # let _ = admins;
//! ```
//!
//! # A second factor
//!
//! Start the session with the first, and call [`Session::elevate`](crate::Session::elevate) after the
//! second ([code](super::recipes#step-up-a-second-factor)): the session is re-seeded, so a refresh token from before the step is worth nothing after it.
//! What was proven can be kept in the session's
//! [context](crate::NewSession::context), which the claims closure gets back at every refresh;
//! [`elevate_with`](crate::Session::elevate_with) replaces it.
//!
//! A token from before the step that comes late is answered 409 `superseded`: see
//! [below](#what-the-page-does-with-a-failure).
//!
//! # What the page does with a failure
//!
//! | status of a refresh | the page |
//! |---|---|
//! | 401 | shows its sign-in form: this alone says that the session is over |
//! | 403 | asks for a [CSRF token](super::guards#csrf-tokens) and sends the request once more; a second 403 does not pass by waiting |
//! | 409, 429, 503 | waits as long as `Retry-After` says and sends the same request again, with the cookie that the browser holds by then |
//! | none, or another | tries again a little later |
//!
//! # Ending sessions
//!
//! | the user ... | call |
//! |---|---|
//! | signs out | [`Session::end`](crate::Session::end) |
//! | signs out everywhere | [`Session::end_all`](crate::Session::end_all) |
//! | has changed the password and stays | [`Session::end_others`](crate::Session::end_others) |
//! | ends one entry of the list | [`Session::end_session`](crate::Session::end_session) |
//! | reset the password by mail, or was disabled | [`RefreshCookieLayer::end_all_of`](crate::RefreshCookieLayer::end_all_of) |
//!
//! Each is also an endpoint of [`SessionEndpoints`](crate::SessionEndpoints), but the last. Access tokens
//! that are out live until they expire: see [`threats`](super::threats).
//!
//! # Clients without a cookie jar
//!
//! Give them a layer of their own, with
//! [`transport(RefreshTransport::Body)`](crate::refresh::RefreshCookieBuilder::transport) and a path apart from the
//! browsers'. Sign-in then answers `refresh_token` beside the access token, and refresh and sign-out take
//! it as JSON: `{"refresh_token": "..."}`. An answer to a refresh without one means that the token in hand
//! stays the current one. The client keeps it where its platform keeps secrets. Browsers have no such
//! place, which is why a token sealed for one transport does not open in the other.
//!
//! A client that sends its own version in `User-Agent` leaves it out here, or the layer gets a
//! [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) without it: an answer that is lost just before
//! an update looks like theft after it. A second sign-in ends the first session where the handler has given the
//! old token to [`present`](crate::Session::present). The example `native_client` shows the client's whole part.
//!
//! # Hearing of thefts
//!
//! ```
//! use tower_bearer::{Event, EventSink};
//!
//! let events = EventSink::new(|event: &Event<'_>| {
//!     if let Event::ReuseDetected { subject, session, .. } = event {
//!         eprintln!("mail to {subject}: session {session} was used on two clients and is closed");
//!     }
//! });
//! # let _ = events;
//! ```
//!
//! Hand it to [`RefreshCookieBuilder::events`](crate::refresh::RefreshCookieBuilder::events). It runs on the
//! request's path: pass long work on.
//!
//! # Replacing keys
//!
//! In two steps, so that no instance meets a token that it does not know: the new key *behind* the old one everywhere
//! (`REFRESH_SECRET=old,new`), then in front (`new,old`), and the old one goes when its last token has expired. When a key
//! has leaked: the new one alone. The chapter [`keys`](super::keys) has the steps with their times.
//!
//! A service that verifies what another has signed needs public keys only. From the URL of the issuer's
//! JWK Set, `RemoteJwks` keeps them current: see [`remote_keys`](super::remote_keys). A JWK Set in hand goes
//! to [`KeyRing::verifier`](crate::KeyRing::verifier), a public key file to `KeyRingBuilder::pem`.
//!
//! # Proxies and server-side rendering
//!
//! **A server that refreshes with the user's cookie must forward the browser's `User-Agent`.** By default
//! that header says which client a request comes from. A renderer that sends its own looks like another
//! client, and the user's next refresh like theft. Where forwarding is not possible, set a
//! [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) that both sides share.
//!
//! It must also pass the `Set-Cookie` of the answer on to the browser, unchanged.
//!
//! # Tests
//!
//! Give codec and store one [`ManualClock`](crate::ManualClock), and let days pass in no time: see
//! [`testing`](super::testing).
