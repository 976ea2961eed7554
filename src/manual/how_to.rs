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
//! # Remember me
//!
//! "Remember me" is a checkbox of the sign-in form, and two settings of one sign-in. Without the tick the cookies end
//! with the browser, and the session after some hours:
//!
//! ```
//! use std::time::Duration;
//! use axum::{Json, response::Result};
//! use tower_bearer::{AccessToken, NewSession, Session};
//!
//! async fn begin(session: Session, user: &str, remember_me: bool) -> Result<Json<AccessToken>> {
//!     let new = match remember_me {
//!         true => NewSession::new(user),
//!         false => NewSession::new(user).lifetime(Duration::from_secs(12 * 60 * 60)).browser_session(),
//!     };
//!     Ok(Json(session.start_with(new).await?))
//! }
//! # let _ = begin;
//! ```
//!
//! * [`lifetime`](crate::NewSession::lifetime) and [`idle`](crate::NewSession::idle) say how long this one session
//!   lasts. The layer's settings are the default, and its
//!   [`absolute_lifetime`](crate::refresh::RefreshCookieBuilder::absolute_lifetime) is the longest that any session
//!   gets: 7 days unless you raise it. For "remember me" of a month raise it first, and give the others less.
//! * A sign-in with a duration that does not fit is answered 500. The line of the log names the setting.
//! * [`browser_session`](crate::NewSession::browser_session) leaves `Max-Age` out. Rotation keeps it so, and the CSRF
//!   cookie follows. A browser that restores its windows restores such cookies too, so a short lifetime belongs beside
//!   it.
//! * The token answer says how long the session goes on, in seconds: `session_expires_in`, and `idle_expires_in` where
//!   the idle lifetime is shorter.
//! * It also names its `session`. A refresh that suddenly names another one than the page's own is no refresh: another
//!   host of the domain may have planted the cookie. The page of the demo shows the sign-in.
//!
//! # Ending unused sessions
//!
//! [`idle_lifetime`](crate::refresh::RefreshCookieBuilder::idle_lifetime) ends a session that is not used. An open page
//! refreshes by a timer, and the server cannot tell that from a user. So the page says it:
//!
//! ```text
//! POST /auth/refresh
//! X-Session-Activity: passive
//! ```
//!
//! * It sends the header where there was no input since the last refresh that was answered: no pointer, key, touch or
//!   wheel. Whether the tab is visible does not matter. A page in another origin needs the header in its CORS list.
//! * Such a refresh gives a token as long as the session lasts, and moves nothing. The token ends with the idle lifetime
//!   at the latest. Then a passive refresh is answered 401, and the page shows the sign-in. Requests of the API do not
//!   count: only refreshes reach the session.
//! * Where a passive answer's `idle_expires_in` is no more than its `expires_in`, the next refresh would come too late for
//!   a user that comes back. So the first input refreshes at once. Without input the page waits for the end of the token,
//!   and asks once more: another tab may have been in use.
//! * Without the header every refresh counts. A native client leaves it out while its user is there.
//! * A video or a long upload is use without input. The page counts it as such.
//! * The token answer's `idle_expires_in` says how much time is left: for a warning before the end.
//!
//! The npm package `tower-bearer` does so: it listens for input, and its `keepAlive()` is for the video.
//! `ACCESS_TTL=4 GRACE_SECONDS=1 IDLE_SECONDS=8 cargo run -p demo` shows it within seconds.
//!
//! # Looking without refreshing
//!
//! [`Session::peek`](crate::Session::peek) says whose session the cookies are and until when. It rotates nothing, asks
//! no claims closure and mints no token. A server that renders pages calls it: see
//! [`rendered_pages`](super::rendered_pages#how-a-page-learns-its-user). For scripts it is `GET {base}/session`.
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
//! # Several issuers
//!
//! One API often takes tokens of more than one issuer: its own and a partner's, or the old provider's and the new one's.
//! Each issuer gets a codec with keys and rules of its own, and [`Verifiers`](crate::Verifiers) puts them side by side:
//!
//! ```
//! use axum::{Router, http::StatusCode, routing::get};
//! use tower_bearer::{BearerAuthLayer, ConfigError, TokenCodec, Verifiers, jwks::RemoteIssuer};
//!
//! fn of(issuer: &RemoteIssuer) -> Result<TokenCodec, ConfigError> {
//!     issuer.codec().audience("https://api.example").build()
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ConfigError> {
//! let staff = RemoteIssuer::discover("https://staff.example")?;
//! let partners = RemoteIssuer::discover("https://partners.example")?;
//! let layer = BearerAuthLayer::new(Verifiers::new([of(&staff)?, of(&partners)?])?);
//! // Ready when the keys of both are there. Name `staff` alone where partners may be away at the start.
//! let ready = async move || match [&staff, &partners].iter().all(|issuer| issuer.health().is_ready()) {
//!     true => StatusCode::OK,
//!     false => StatusCode::SERVICE_UNAVAILABLE,
//! };
//! let app: Router = Router::new()
//!     .route("/orders", get(async || "orders"))
//!     .route_layer(layer)
//!     .route("/ready", get(ready));
//! # let _ = app;
//! # Ok(())
//! # }
//! ```
//!
//! * The key of one never vouches for the other: `iss` says who judges, and that codec verifies everything itself.
//! * An issuer that is away is 503 for its own tokens. The others' go on.
//! * A handler asks [`Claims::issuer`](crate::Claims::issuer) whose token it is. A subject is unique within its issuer
//!   alone: keep accounts by both.
//! * An issuer with two names is one codec: [`also_issuer`](crate::token::TokenCodecBuilder::also_issuer).
//! * Your own sessions beside them: `Verifiers::new([auth.codec().clone(), partners])`.
//!
//! # Clients that find their way: MCP
//!
//! A client of the Model Context Protocol knows the URL of a server and nothing else. The challenge of a 401 names a
//! document, and that names the authorization server (RFC 9728):
//!
//! ```
//! use axum::{Router, routing::post};
//! use tower_bearer::{BearerAuthLayer, ConfigError, TokenCodec, resource::ResourceMetadata};
//!
//! # fn app(codec: TokenCodec) -> Result<Router, ConfigError> {
//! let document = ResourceMetadata::builder("https://api.example/mcp")
//!     .authorization_server("https://id.example")
//!     .build()?;
//! let app = Router::new()
//!     .route("/mcp", post(async || "..."))
//!     .route_layer(BearerAuthLayer::new(codec).resource_metadata(document.url()))
//!     .merge(document.routes()); // outside of the layer: a client without a token reads it
//! # Ok(app)
//! # }
//! # let _ = app;
//! ```
//!
//! The module [`resource`](crate::resource) says where it stands, what a proxy needs, and which lines of CORS let a
//! client in a browser read the challenge. `examples/mcp` is a whole server, with a client that prints each step.
//!
//! # Calling the next service for the user
//!
//! A service that calls another one for its user may send the user's own token, where the next service is among the
//! token's audiences. [`Claims::token`](crate::Claims::token) has it:
//!
//! ```
//! use http::{HeaderValue, StatusCode};
//! use tower_bearer::Claims;
//!
//! fn authorization(claims: &Claims) -> Result<HeaderValue, StatusCode> {
//!     // A token that is not for the next service is refused there, if that checks; do not send it at all.
//!     match claims.audiences().any(|audience| audience == "orders") {
//!         true => Ok(claims.token().authorization()), // sensitive: `Debug` of a request hides it
//!         false => Err(StatusCode::FORBIDDEN),
//!     }
//! }
//! # use tower_bearer::{KeyRing, NoClaims, TokenCodec};
//! # let keys = KeyRing::generate()?;
//! # let codec: TokenCodec = TokenCodec::signed(&keys).issuer("https://id.example").audience("orders").build()?;
//! # let token = codec.mint("user-1", &NoClaims {})?;
//! # let value = authorization(&codec.verify(token.as_str())?).unwrap();
//! # assert!(value.is_sensitive() && value.to_str()?.ends_with(token.as_str()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! * Send it to hosts that the configuration names, and never to an address that a request has brought. Turn off
//!   redirects in the client, or check that it drops `Authorization` when the host changes.
//! * The next service can do with the token whatever the user may do here. Where that is too much, mint another one
//!   for it, for one audience, fewer scopes and a minute; with tokens of an issuer elsewhere, exchange the token there
//!   (RFC 8693).
//! * The token ends when it ends: a job that goes on without the user needs a credential of its own.
//!
//! # A second factor
//!
//! Start the session with the first, and call [`Session::elevate`](crate::Session::elevate) after the second
//! ([code](super::step_up#a-second-factor)): the session gets a new token, and one from before the step is
//! worth nothing after it. Where the answer is lost, the same call with the same cookie gives the same new token, as
//! long as that one has not come back. Check the second factor again, or accept what was accepted a moment ago. [`elevate_with`](crate::Session::elevate_with)
//! notes how the user has authenticated, and replaces the session's [context](crate::NewSession::context). The claims
//! closure gets both back at every refresh. A route may also ask that it was [recently](super::step_up).
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
//! | 409, 429, 503 | waits as long as `Retry-After` says and sends the same request again, with the cookie that the browser holds by then; a 409 may have brought a newer one |
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
//! | reset the password by mail, or was disabled | [`SessionAdmin::end_all`](crate::SessionAdmin::end_all) |
//! | has told the support team of a lost device | [`SessionAdmin::end`](crate::SessionAdmin::end), from its [`list`](crate::SessionAdmin::list) |
//!
//! Each is also an endpoint of [`SessionEndpoints`](crate::SessionEndpoints), but the last two. Access tokens
//! that are out live until they expire: see [`threats`](super::threats).
//!
//! Each client of the session's cookie jar may sign it out. The others are for a client that is known to the session or
//! holds its newest token. Another one is answered 409 `refresh_first`. It refreshes, and asks again once a refresh has
//! brought a cookie. Within a minute of a rotation ([`interval`](crate::refresh::RotationPolicyBuilder::interval)) none
//! comes, and the client stays as new as it was.
//!
//! # Clients without a cookie jar
//!
//! Give them a layer of their own, with
//! [`transport(RefreshTransport::Body)`](crate::refresh::RefreshCookieBuilder::transport) and a path apart from the
//! browsers'. Sign-in then answers `refresh_token` beside the access token, and each call of
//! [`SessionEndpoints`](crate::SessionEndpoints) is a `POST` that takes it as JSON: `{"refresh_token": "..."}`. The list
//! is `POST /native/sessions` there, and `POST /native/sessions/{id}/end` ends one of it. After an answer without a new
//! token the client goes on with the newest that it has. It keeps that where its platform keeps secrets. Browsers have no such place, which is why a token sealed for one
//! transport does not open in the other.
//!
//! There is no cookie jar, so the client's name alone is evidence. A client leaves its own version out of `User-Agent`
//! here, or the layer gets a [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) without
//! it. Otherwise an answer that is lost just before an update looks like theft after it. No client is asked to confirm:
//! each answer that succeeds has an access token. A second sign-in ends the first session where the handler has given
//! the old token to [`present`](crate::Session::present). The example `native_client` shows the client's whole part.
//!
//! # Hearing of thefts
//!
//! ```
//! use tower_bearer::{Event, EventSink};
//!
//! let events = EventSink::new(|event: &Event<'_>| {
//!     match event {
//!         Event::ReuseDetected { subject, session, .. } => {
//!             eprintln!("mail to {subject}: session {session} was in two hands and is closed");
//!         }
//!         // Perhaps the user's own second window. A client wrote the name: escape it.
//!         Event::NewFingerprint { subject, presented, .. } => {
//!             eprintln!("mail to {subject}: a browser that calls itself {presented} uses your session");
//!         }
//!         _ => {}
//!     }
//! });
//! # let _ = events;
//! ```
//!
//! Hand it to [`RefreshCookieBuilder::events`](crate::refresh::RefreshCookieBuilder::events). It runs on the
//! request's path: pass long work on. The other events are in [`runbooks`](super::runbooks#what-to-watch).
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
//! **A server that refreshes with the user's cookies must forward both cookies and the browser's `User-Agent`.** A
//! renderer that sends its own name is a [newcomer](super::deployments#both-cookies-and-the-user-agent), and one that
//! sends the refresh cookie alone gets 401. Where forwarding the name is not possible, set a
//! [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) that both sides share. A renderer
//! that only wants to know its user [looks](#looking-without-refreshing), and changes no cookie.
//!
//! It must also send on every cookie that it was sent, since a session [has two](crate::refresh#cookies), and pass every
//! `Set-Cookie` of the answer on to the browser, unchanged.
//!
//! # Tests
//!
//! Give codec and store one [`ManualClock`](crate::ManualClock), and let days pass in no time: see
//! [`testing`](super::testing).
