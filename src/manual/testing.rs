//! Testing: claims without a token, sessions without a server, a browser without a network, and a clock that you move.
//!
//! You want to test your handlers and routes. Add the kit, the module [`test_util`], to the dev-dependencies. Then no
//! program that you ship has it:
//!
//! ```toml
//! [dev-dependencies]
//! tower-bearer = { version = "0.1", features = ["test-util"] }
//! ```
//!
//! # A handler with claims
//!
//! A handler is a function. [`Claims::for_test`] makes its claims:
//!
//! ```
//! # mod tokio { pub use ::tokio::{*, main as test}; } // a test of rustdoc is a program
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
//! #[tokio::test]
//! async fn greets_by_role() {
//!     let claims = Claims::for_test("ann", Role { role: "editor".into() });
//!     assert_eq!(greet(claims).await, "ann is editor");
//! }
//! # greets_by_role();
//! ```
//!
//! # Routes that ask for more than a token
//!
//! [`acting_as`] takes the place of the bearer layer. Scopes, rules and recent sign-ins are checked as usual. [`TestBrowser`]
//! sends the requests. Routes that have the bearer layer inside need a [sign-in](#the-whole-application) instead.
//!
//! ```
//! # mod tokio { pub use ::tokio::{*, main as test}; } // a test of rustdoc is a program
//! use axum::{Router, routing::get};
//! use tower_bearer::{Claims, NoClaims, RequireScopeLayer};
//! use tower_bearer::test_util::{TestBrowser, acting_as};
//!
//! /// The routes of the API. `main` puts `auth.bearer()` around them.
//! fn api() -> Router {
//!     let orders = |claims: Claims<NoClaims>| async move { format!("orders of {}", claims.subject()) };
//!     let read = RequireScopeLayer::new("orders:read".parse().unwrap());
//!     Router::new().route("/orders", get(orders)).route_layer(read)
//! }
//!
//! #[tokio::test]
//! async fn orders_need_their_scope() {
//!     let ann = acting_as("ann", NoClaims {});
//!     for (user, status) in [(ann.clone(), 403), (ann.scope("orders:read"), 200)] {
//!         let mut browser = TestBrowser::new(api().layer(user), "https://app.example");
//!         browser.get("/orders").send().await.expect_status(status);
//!     }
//! }
//! # orders_need_their_scope();
//! ```
//!
//! # A handler with a session
//!
//! [`TestSession`] is a client. It gives the handler the session of its next request, and reports the result:
//!
//! ```
//! # mod tokio { pub use ::tokio::{*, main as test}; } // a test of rustdoc is a program
//! use axum::response::{IntoResponse, Result};
//! use axum::{Json, http::StatusCode};
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
//! #[tokio::test]
//! async fn a_password_starts_a_session() -> Result<(), Box<dyn std::error::Error>> {
//!     let form = |password: &str| Json(Login { email: "ann".into(), password: password.into() });
//!
//!     let mut client = TestSession::anonymous();
//!     let answer = login(client.session(), form("wrong")).await.into_response();
//!     assert_eq!(answer.status(), 401);
//!     assert_eq!(client.subject().await, None);
//!
//!     assert!(login(client.session(), form("correct")).await.is_ok());
//!     assert_eq!(client.started_for().as_deref(), Some("ann"));
//!     assert!(client.set_cookies()[0].contains("HttpOnly"));
//!
//!     // A client that has signed in before.
//!     let mut client = TestSession::started("ann").await;
//!     client.session().end().await?;
//!     assert_eq!(client.ended(), Some(RevokeReason::SignedOut));
//!     Ok(())
//! }
//! # a_password_starts_a_session().unwrap();
//! ```
//!
//! The reports are about the last session that `session` returned.
//!
//! # The whole application
//!
//! [`TestBrowser`] calls the application with all its guards. It keeps cookies as browsers do. Like a script of the
//! page it sends `Origin` and the CSRF token, and with [`bearer`] the access token. An expectation that fails shows
//! the status, a layer's reason, and the cookies that a browser drops. For a refused session the log has the reason.
//!
//! Give the codec, the store and the browser the same [`ManualClock`](crate::ManualClock). Then a test moves time by
//! days:
//!
//! ```
//! # mod tokio { pub use ::tokio::{*, main as test}; } // a test of rustdoc is a program
//! use std::{error::Error, time::Duration};
//!
//! use axum::{Router, routing::{get, post}};
//! use tower_bearer::{
//!     AccessToken, Auth, Claims, Clock, ConfigError, KeyRing, ManualClock, MemoryStore, Session, SessionError,
//!     Timestamp, test_util::TestBrowser,
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
//! /// `main` calls this with its keys and `SystemClock`.
//! fn app(keys: &KeyRing, clock: impl Clock + Clone) -> Result<Router, ConfigError> {
//!     let auth = Auth::builder(keys)
//!         .issuer("https://id.example")
//!         .audience("api")
//!         .tokens(|tokens| tokens.clock(clock.clone()))
//!         .store(MemoryStore::builder().clock(clock).build()?)
//!         .origins(["https://app.example".parse()?])
//!         .build()?;
//!     let api = Router::new().route("/api/profile", get(profile)).route_layer(auth.bearer());
//!     Ok(api.merge(auth.routes().route("/login", post(login))).layer(auth.headers()))
//! }
//!
//! #[tokio::test]
//! async fn a_session_lasts_a_week() -> Result<(), Box<dyn Error>> {
//!     let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
//!     let app = app(&KeyRing::generate()?, clock.clone())?;
//!     let mut browser = TestBrowser::new(app, "https://app.example").clock(clock.clone());
//!
//!     browser.get("/auth/csrf").send().await.expect_status(200);
//!     browser.post("/auth/login").send().await.expect_status(200);
//!     assert_eq!(browser.get("/api/profile").bearer().send().await.text(), "ann");
//!
//!     // The access token lasts 15 minutes, the session goes on.
//!     clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
//!     browser.get("/api/profile").bearer().send().await.expect_status(401);
//!     browser.post("/auth/refresh").send().await.expect_status(200);
//!     browser.get("/api/profile").bearer().send().await.expect_status(200);
//!
//!     // A page of another site is refused. So is another client with a copy of all cookies.
//!     let foreign = browser.post("/auth/refresh").from_foreign_page("https://evil.example");
//!     foreign.send().await.expect_status(403);
//!     let mut thief = browser.clone().user_agent("thief");
//!     thief.get("/auth/sessions").send().await.expect_status(409);
//!
//!     // A sign-out ends the session on the server too.
//!     let stolen = browser.clone();
//!     browser.post("/auth/logout").send().await.expect_status(204);
//!     browser.post("/auth/refresh").send().await.expect_status(401);
//!     stolen.clone().post("/auth/refresh").send().await.expect_status(401);
//!
//!     // The session ends a week after the sign-in, refreshed or not.
//!     browser.post("/auth/login").send().await.expect_status(200);
//!     clock.advance(Duration::from_secs(7 * 24 * 60 * 60));
//!     assert_eq!(browser.jar().header("/auth/refresh", clock.now()), None); // the browser has dropped its cookies
//!     Ok(())
//! }
//! # a_session_lasts_a_week().unwrap();
//! ```
//!
//! JSON is sent with `.json(&body)`. Forms are tested alike, with `.form([...])`: see `tests.rs` in
//! `examples/rendered`. A test that calls a server over sockets, with a client of its own, keeps the cookies in a
//! [`TestJar`].
//!
//! # Tokens without a sign-in
//!
//! Mint a token with the application's codec, `auth.codec()`, or with one that the test builds:
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
//! For tokens of an issuer elsewhere, sign with a key of your own. [`KeyRing::verifier`](crate::KeyRing::verifier)
//! takes its JWK Set, and the codec the real issuer's name. Or serve the set on this machine: `RemoteJwks::new` accepts
//! `http://127.0.0.1:PORT/keys`.
//!
//! # A store that does not answer
//!
//! Wrap [`MemoryStore`](crate::MemoryStore) in a store of your own. While a flag is set, it returns
//! [`StoreError::unavailable`](crate::store::StoreError::unavailable). Start from the wrapper on the page of
//! [`RefreshStore`](crate::store::RefreshStore). Expect 503 with `Retry-After` and without `Set-Cookie`. Then clear
//! the flag, and expect 200 with the same cookie.
//!
//! # Leave to the crate
//!
//! The crate's own tests check exhaustively which old token is theft and which is a slow tab. Test that your event
//! sink gets [`ReuseDetected`](crate::Event::ReuseDetected), and that your page signs in again after a 401.
//!
//! [`test_util`]: https://docs.rs/tower-bearer/latest/tower_bearer/test_util/index.html
//! [`acting_as`]: https://docs.rs/tower-bearer/latest/tower_bearer/test_util/fn.acting_as.html
//! [`bearer`]: https://docs.rs/tower-bearer/latest/tower_bearer/test_util/struct.TestRequest.html#method.bearer
//! [`Claims::for_test`]: https://docs.rs/tower-bearer/latest/tower_bearer/struct.Claims.html#method.for_test
//! [`TestBrowser`]: https://docs.rs/tower-bearer/latest/tower_bearer/test_util/struct.TestBrowser.html
//! [`TestJar`]: https://docs.rs/tower-bearer/latest/tower_bearer/test_util/struct.TestJar.html
//! [`TestSession`]: https://docs.rs/tower-bearer/latest/tower_bearer/test_util/struct.TestSession.html
