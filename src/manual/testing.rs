//! Testing an application: claims without a token, sessions without a server, a browser without a network, and a clock
//! that you move.
//!
//! The kit is the module [`test_util`], behind the feature `test-util`. It goes among the dev-dependencies, so that no
//! program that you ship has it:
//!
//! ```toml
//! [dev-dependencies]
//! tower-bearer = { version = "0.1", features = ["test-util"] }
//! ```
//!
//! # A handler with claims
//!
//! A handler is a function, and [`Claims::for_test`] makes what it takes:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tower_bearer::Claims;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Role {
//!     role: String,
//! }
//!
//! async fn greet(claims: Claims<Role>) -> String {
//!     format!("{} is {}", claims.subject(), claims.custom().role)
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! // #[tokio::test] async fn ...
//! let claims = Claims::for_test("ann", Role { role: "editor".into() });
//! assert_eq!(greet(claims).await, "ann is editor");
//! # });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Routes that ask for more than a token
//!
//! [`acting_as`] stands in place of the bearer layer. Scopes, rules and recent sign-ins are judged as ever. Where the bearer
//! layer is in the routes already, test with a [browser](#the-whole-application).
//!
//! ```
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use tower::ServiceExt;
//! use tower_bearer::{Claims, NoClaims, RequireScopeLayer, test_util::acting_as};
//!
//! /// The routes of the API. `main` puts `auth.bearer()` around them.
//! fn api() -> Router {
//!     let orders = |claims: Claims<NoClaims>| async move { format!("orders of {}", claims.subject()) };
//!     let read = RequireScopeLayer::new("orders:read".parse().unwrap());
//!     Router::new().route("/orders", get(orders)).route_layer(read)
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let request = || Request::get("/orders").body(Body::empty()).unwrap();
//! let ann = acting_as("ann", NoClaims {});
//! assert_eq!(api().layer(ann.clone()).oneshot(request()).await?.status(), 403);
//! assert_eq!(api().layer(ann.scope("orders:read")).oneshot(request()).await?.status(), 200);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A handler with a session
//!
//! [`TestSession`] is a client. It gives the handler the session of its next request, and tells what became of it:
//!
//! ```
//! use axum::{Json, http::StatusCode, response::Result};
//! use serde::Deserialize;
//! use tower_bearer::{AccessToken, RevokeReason, Session, test_util::TestSession};
//!
//! #[derive(Deserialize)]
//! struct Login {
//!     email: String,
//!     password: String,
//! }
//!
//! async fn login(session: Session, Json(form): Json<Login>) -> Result<AccessToken> {
//!     match form.password == "correct" {
//!         true => Ok(session.start(form.email).await?),
//!         false => Err(StatusCode::UNAUTHORIZED.into()),
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let form = |password: &str| Json(Login { email: "ann".into(), password: password.into() });
//!
//! let mut client = TestSession::anonymous();
//! assert!(login(client.session(), form("wrong")).await.is_err());
//! assert_eq!(client.subject().await, None);
//!
//! assert!(login(client.session(), form("correct")).await.is_ok());
//! assert_eq!(client.started_for().as_deref(), Some("ann"));
//! assert!(client.set_cookies()[0].contains("HttpOnly"));
//!
//! // One that has signed in before.
//! let mut client = TestSession::started("ann").await;
//! client.session().end().await?;
//! assert_eq!(client.ended(), Some(RevokeReason::SignedOut));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The whole application
//!
//! [`TestBrowser`] asks the application itself, guards and all. It keeps cookies as browsers do, and sends what a script of
//! the page sends: `Origin`, the CSRF token, and the access token where the test says [`bearer`]. A request that fails
//! shows why: the status, the reason of the layer that refused it, and cookies that a browser drops.
//!
//! Give codec, store and browser one [`ManualClock`](crate::ManualClock), and days pass in no time:
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Router, routing::{get, post}};
//! use tower_bearer::{
//!     AccessToken, Auth, Claims, ConfigError, KeyRing, ManualClock, MemoryStore, Session, SessionError, Timestamp,
//!     test_util::TestBrowser,
//! };
//!
//! async fn login(session: Session) -> Result<AccessToken, SessionError> {
//!     session.start("ann").await
//! }
//!
//! async fn profile(claims: Claims) -> String {
//!     claims.subject().to_owned()
//! }
//!
//! /// As `main` builds it, with the clock of the test.
//! fn app(clock: &ManualClock) -> Result<Router, ConfigError> {
//!     let auth = Auth::builder(&KeyRing::generate()?)
//!         .issuer("https://id.example")
//!         .audience("api")
//!         .tokens(|tokens| tokens.clock(clock.clone()))
//!         .store(MemoryStore::builder().clock(clock.clone()).build()?)
//!         .origins(["https://app.example".parse()?])
//!         .build()?;
//!     let api = Router::new().route("/api/profile", get(profile)).route_layer(auth.bearer());
//!     Ok(api.merge(auth.routes().route("/login", post(login))).layer(auth.headers()))
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
//! let mut browser = TestBrowser::new(app(&clock)?, "https://app.example").clock(clock.clone());
//!
//! browser.get("/auth/csrf").send().await.expect_status(200);
//! browser.post("/auth/login").send().await.expect_status(200);
//! assert_eq!(browser.get("/api/profile").bearer().send().await.text(), "ann");
//!
//! // The access token lasts 15 minutes, the session goes on.
//! clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
//! browser.get("/api/profile").bearer().send().await.expect_status(401);
//! browser.post("/auth/refresh").send().await.expect_status(200);
//! browser.get("/api/profile").bearer().send().await.expect_status(200);
//!
//! // A page of another site, and a copy of all cookies in the hands of another client.
//! let foreign = browser.post("/auth/refresh").from_foreign_page("https://evil.example");
//! foreign.send().await.expect_status(403);
//! let mut thief = browser.clone().user_agent("thief");
//! thief.get("/auth/sessions").send().await.expect_status(409);
//!
//! // Signed out, on the server too.
//! let stolen = browser.clone();
//! browser.post("/auth/logout").send().await.expect_status(204);
//! browser.post("/auth/refresh").send().await.expect_status(401);
//! stolen.clone().post("/auth/refresh").send().await.expect_status(401);
//!
//! // A week after the sign-in it is over, however often it was refreshed.
//! browser.post("/auth/login").send().await.expect_status(200);
//! clock.advance(Duration::from_secs(7 * 24 * 60 * 60));
//! assert_eq!(browser.jar().header("/auth/refresh", tower_bearer::Clock::now(&clock)), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Tests that ask a server over sockets, with a client of their own, take its cookies from a [`TestJar`].
//!
//! # Tokens without the kit
//!
//! A test that sends a token without signing in mints it with the application's codec, `auth.codec()`, or one that it
//! builds:
//!
//! ```
//! use tower_bearer::{KeyRing, NoClaims, TokenCodec};
//!
//! let codec: TokenCodec = TokenCodec::nested(&KeyRing::generate()?)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .build()?;
//! let token = codec.mint("ann", &NoClaims {})?;
//! // `Authorization: Bearer` with `token.as_str()`; of a TestBrowser, `.bearer_token(token.as_str())`.
//! assert_eq!(codec.verify(token.as_str())?.subject(), "ann");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a store that is down does
//!
//! Put a store of your own in front of [`MemoryStore`](crate::MemoryStore) that answers
//! [`StoreError::unavailable`](crate::store::StoreError::unavailable) while a flag is set: the wrapper on the page of
//! [`RefreshStore`](crate::store::RefreshStore) is the beginning of it. What to expect: 503 with `Retry-After` and no
//! `Set-Cookie`; the same cookie works when the flag is down again.
//!
//! # What not to test
//!
//! Which old token is theft and which is a slow tab is tested in this crate, exhaustively. Test that *you* hear of
//! [`ReuseDetected`](crate::Event::ReuseDetected), and that your page signs in again after a 401.
//!
//! [`test_util`]: https://docs.rs/tower-bearer/latest/tower_bearer/test_util/index.html
//! [`acting_as`]: https://docs.rs/tower-bearer/latest/tower_bearer/test_util/fn.acting_as.html
//! [`bearer`]: https://docs.rs/tower-bearer/latest/tower_bearer/test_util/struct.TestRequest.html#method.bearer
//! [`Claims::for_test`]: https://docs.rs/tower-bearer/latest/tower_bearer/struct.Claims.html#method.for_test
//! [`TestBrowser`]: https://docs.rs/tower-bearer/latest/tower_bearer/test_util/struct.TestBrowser.html
//! [`TestJar`]: https://docs.rs/tower-bearer/latest/tower_bearer/test_util/struct.TestJar.html
//! [`TestSession`]: https://docs.rs/tower-bearer/latest/tower_bearer/test_util/struct.TestSession.html
