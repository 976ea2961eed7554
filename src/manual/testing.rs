//! Testing an application: tokens and sessions of your own making, and a clock that you move.
//!
//! # A handler with claims
//!
//! Claims come out of a codec and nowhere else, so a test has one. It takes microseconds. A handler is a function:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tower_bearer::{Claims, KeyRing, TokenCodec};
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
//! /// The claims that a test wants.
//! fn claims_of(subject: &str, role: &str) -> Result<Claims<Role>, Box<dyn std::error::Error>> {
//!     let codec = TokenCodec::nested(&KeyRing::generate()?)
//!         .issuer("https://id.example")
//!         .audience("api")
//!         .build()?;
//!     let token = codec.mint(subject, &Role { role: role.into() })?;
//!     Ok(codec.verify(token.as_str())?)
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! assert_eq!(greet(claims_of("ann", "editor")?).await, "ann is editor");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Routes with their guard
//!
//! Build the application with a codec that the test has too, and send requests with `oneshot`:
//!
//! ```
//! use axum::{Router, body::Body, http::{Request, StatusCode}, routing::get};
//! use tower::ServiceExt;
//! use tower_bearer::{BearerAuthLayer, Claims, KeyRing, NoClaims, TokenCodec};
//!
//! fn app(codec: TokenCodec) -> Router {
//!     let me = |claims: Claims<NoClaims>| async move { claims.subject().to_owned() };
//!     Router::new().route("/me", get(me)).route_layer(BearerAuthLayer::new(codec))
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let codec: TokenCodec = TokenCodec::nested(&KeyRing::generate()?)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .build()?;
//! let token = codec.mint("ann", &NoClaims {})?;
//! let request = Request::get("/me").header("authorization", format!("Bearer {}", token.as_str()));
//! let response = app(codec.clone()).oneshot(request.body(Body::empty())?).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//!
//! let response = app(codec).oneshot(Request::get("/me").body(Body::empty())?).await?;
//! assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Sessions, and days in no time
//!
//! A [`Session`](crate::Session) comes from its layer, because it is that layer's keys and store. Give codec and
//! store one [`ManualClock`](crate::ManualClock): the codec judges access tokens by it, the store sessions.
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Json, Router, body::Body, http::{Request, StatusCode, header}, routing::post};
//! use tower::ServiceExt;
//! use tower_bearer::{
//!     AccessToken, ClaimsError, ClaimsRequest, KeyRing, ManualClock, MemoryStore, NoClaims,
//!     RefreshCookieLayer, Session, SessionEndpoints, SessionError, Timestamp, TokenCodec,
//! };
//!
//! async fn login(session: Session) -> Result<Json<AccessToken>, SessionError> {
//!     Ok(Json(session.start("ann").await?))
//! }
//!
//! /// Sends a request as one browser does; answers its status and the new cookie, if any.
//! async fn send(app: &Router, path: &str, cookie: &str) -> (StatusCode, Option<String>) {
//!     let request = Request::post(path).header("user-agent", "test").header("cookie", cookie);
//!     let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
//!     let cookie = response.headers().get(header::SET_COOKIE).and_then(|c| c.to_str().ok());
//!     (response.status(), cookie.and_then(|c| c.split(';').next()).map(str::to_owned))
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
//! let codec = TokenCodec::nested(&KeyRing::generate()?)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .clock(clock.clone())
//!     .build()?;
//! let store = MemoryStore::builder().clock(clock.clone()).build()?;
//! let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
//! let sessions = RefreshCookieLayer::new(codec, store, claims)?;
//! let auth = Router::new()
//!     .route("/login", post(login))
//!     .merge(SessionEndpoints::new())
//!     .layer(sessions.clone());
//! let app = Router::new().nest("/auth", auth);
//!
//! let (status, first) = send(&app, "/auth/login", "").await;
//! let first = first.unwrap();
//! assert_eq!(status, StatusCode::OK);
//!
//! clock.advance(Duration::from_secs(14 * 60));
//! let (status, second) = send(&app, "/auth/refresh", &first).await;
//! let second = second.unwrap();
//! assert_eq!(status, StatusCode::OK);
//!
//! // A second tab that was under way gets the same token, sealed anew: the cookie's text differs.
//! assert_eq!(send(&app, "/auth/refresh", &first).await.0, StatusCode::OK);
//!
//! // A week after the sign-in it is over, however often it was refreshed.
//! clock.advance(Duration::from_secs(7 * 24 * 60 * 60));
//! assert_eq!(send(&app, "/auth/refresh", &second).await.0, StatusCode::UNAUTHORIZED);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With the guards around it, a request that carries the refresh cookie needs an `Origin` and a CSRF token. The test
//! then does as a page does: it asks for the token and sends it back. Or it tests the routes inside of the guards, and
//! the guards in a test of their own.
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
