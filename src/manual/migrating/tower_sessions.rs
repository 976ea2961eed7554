//! From `tower-sessions`, or from another session behind a cookie.
//!
//! # Whether to move at all
//!
//! A session on the server is asked for with every request, and knows at once when it is over. For pages that
//! the server renders, with one service behind them, that is a good design: stay, and take from this crate what
//! goes in front of it. [`OriginGuardLayer`](crate::OriginGuardLayer) and
//! [`CsrfLayer`](crate::CsrfLayer) work with
//! [sessions of another kind](crate::manual::guards#sessions-of-another-kind), and
//! [`SecurityHeadersLayer`](crate::SecurityHeadersLayer) with everything.
//!
//! Move when the API is called by other origins or by programs, when several services are to know who it is
//! without asking one store for every request, or when sessions are to be listed, ended one by one, and to
//! tell of theft.
//!
//! # Before
//!
//! ```text
//! use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};
//!
//! async fn login(session: Session, Json(form): Json<Login>) -> Result<(), StatusCode> {
//!     let user = check_password(&form).await.ok_or(StatusCode::UNAUTHORIZED)?;
//!     session.cycle_id().await?;
//!     session.insert("user", user).await?;
//!     Ok(())
//! }
//!
//! async fn me(session: Session) -> Result<String, StatusCode> {
//!     let user: Option<String> = session.get("user").await?;
//!     user.ok_or(StatusCode::UNAUTHORIZED)
//! }
//!
//! let layer = SessionManagerLayer::new(MemoryStore::default())
//!     .with_expiry(Expiry::OnInactivity(Duration::days(1)));
//! let app = Router::new().route("/login", post(login)).route("/me", get(me)).layer(layer);
//! ```
//!
//! (The conversions of errors are left out.)
//!
//! # After
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Json, Router, http::StatusCode, routing::{get, post}};
//! # use serde::Deserialize;
//! use tower_bearer::{
//!     AccessToken, BearerAuthLayer, Claims, ClaimsError, ClaimsRequest, KeyRing, MemoryStore, NoClaims,
//!     RefreshCookieLayer, Session, SessionEndpoints, TokenCodec,
//! };
//!
//! # #[derive(Deserialize)]
//! # struct Login {}
//! # async fn check_password(_: &Login) -> Option<String> { None }
//! async fn login(session: Session, Json(form): Json<Login>) -> axum::response::Result<Json<AccessToken>> {
//!     let user = check_password(&form).await.ok_or(StatusCode::UNAUTHORIZED)?;
//!     Ok(Json(session.start(user).await?))
//! }
//!
//! async fn me(claims: Claims<NoClaims>) -> String {
//!     claims.subject().to_owned()
//! }
//!
//! # fn app(keys: KeyRing) -> Result<Router, tower_bearer::ConfigError> {
//! let codec = TokenCodec::nested(&keys)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .build()?;
//! let nothing_more = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
//! let sessions = RefreshCookieLayer::builder(codec.clone(), MemoryStore::new(), nothing_more)
//!     .idle_lifetime(Duration::from_secs(24 * 60 * 60))
//!     .build()?;
//! let auth = Router::new()
//!     .route("/login", post(login))
//!     .merge(SessionEndpoints::new())
//!     .layer(sessions); // and the guards around it, as on the front page
//! let app: Router = Router::new()
//!     .route("/me", get(me))
//!     .route_layer(BearerAuthLayer::new(codec))
//!     .nest("/auth", auth);
//! # Ok(app)
//! # }
//! # app(KeyRing::generate().unwrap()).unwrap();
//! ```
//!
//! The page now sends `Authorization: Bearer …` with its calls of the API, and refreshes: the script of
//! `examples/demo` does both.
//!
//! # What became of what
//!
//! | `tower-sessions` | here |
//! |---|---|
//! | `SessionManagerLayer` around everything | [`RefreshCookieLayer`](crate::RefreshCookieLayer) around `/auth`, [`BearerAuthLayer`](crate::BearerAuthLayer) around the API |
//! | `session.get("user")` | [`Claims::subject`](crate::Claims::subject): no store is asked |
//! | `session.insert(key, value)` | Not offered. What the API needs at each request goes into the [claims](crate::manual::how_to#roles-and-other-claims), 1024 bytes about the sign-in itself into the [context](crate::NewSession::context), and everything else into your database, by subject. A basket before sign-in keeps its old session. |
//! | `session.cycle_id()` at sign-in | [`Session::start`](crate::Session::start): a new session each time |
//! | `session.cycle_id()` after a change of privilege | [`Session::elevate`](crate::Session::elevate) |
//! | `session.flush()` | [`Session::end`](crate::Session::end) |
//! | `Expiry::OnInactivity` | [`idle_lifetime`](crate::refresh::RefreshCookieBuilder::idle_lifetime), beside an absolute one of 7 days. It is counted in refreshes, about one in an access token's life. Those of an open page without a user count too, unless it [says so](crate::manual::how_to#ending-unused-sessions). |
//! | `Expiry::AtDateTime` | [`absolute_lifetime`](crate::refresh::RefreshCookieBuilder::absolute_lifetime), from sign-in on |
//! | `Expiry::OnSessionEnd` | [`NewSession::browser_session`](crate::NewSession::browser_session). Browsers restore such cookies with their windows, so give it a short [`idle`](crate::NewSession::idle) as well. |
//! | `SessionStore` | [`RefreshStore`](crate::store::RefreshStore) |
//! | `with_secure(false)` | [`dangerous_insecure_cookie`](crate::refresh::RefreshCookieBuilder::dangerous_insecure_cookie) |
//! | `with_same_site`, `with_path`, `with_name` | [`same_site_lax`](crate::refresh::RefreshCookieBuilder::same_site_lax), [`cookie_path`](crate::refresh::RefreshCookieBuilder::cookie_path), [`cookie_name`](crate::refresh::RefreshCookieBuilder::cookie_name) |
//! | `with_domain` | Not offered: see [`defaults`](crate::manual::defaults#cookie) |
//! | `with_signed`, `with_private` | The cookie is sealed, always. |
//! | a missing layer | 500 too, and the [`Rejection`](crate::rejection::Rejection) in the response names it |
//! | sign-out takes effect | at once for refreshing; for an access token that is out when it expires, unless [`check`](crate::manual::recipes#refusing-tokens-of-sessions-that-have-ended) is given something to ask |
//!
//! # Both at once
//!
//! The old layer stays around the whole application, and one route takes its session and gives a new one.
//! The names of the two types are the same, so one of them is renamed.
//!
//! ```
//! # /// As much of the other crate as the handler uses.
//! # mod tower_sessions {
//! #     #[derive(Clone)]
//! #     pub struct Session;
//! #     impl Session {
//! #         pub async fn get<T>(&self, _: &str) -> Result<Option<T>, std::io::Error> { Ok(None) }
//! #         pub async fn flush(&self) -> Result<(), std::io::Error> { Ok(()) }
//! #     }
//! #     impl<S: Sync> axum::extract::FromRequestParts<S> for Session {
//! #         type Rejection = ();
//! #         async fn from_request_parts(_: &mut http::request::Parts, _: &S) -> Result<Self, ()> { Ok(Self) }
//! #     }
//! # }
//! use axum::{Json, http::StatusCode};
//! use tower_bearer::{AccessToken, Session};
//! use tower_sessions::Session as OldSession;
//!
//! async fn exchange(old: OldSession, session: Session) -> axum::response::Result<Json<AccessToken>> {
//!     let away = |_| StatusCode::SERVICE_UNAVAILABLE;
//!     let user: Option<String> = old.get("user").await.map_err(away)?;
//!     let user = user.ok_or(StatusCode::UNAUTHORIZED)?;
//!     let token = session.start(user).await?;
//!     // The new session stands; the old one goes now, so that it is exchanged once.
//!     old.flush().await.map_err(away)?;
//!     Ok(Json(token))
//! }
//! # let _: axum::Router = axum::Router::new().route("/exchange", axum::routing::post(exchange));
//! ```
//!
//! Mount it below `/auth`, where the new cookie is sent. It changes something by cookie, so the origin guard and
//! the CSRF layer around `/auth` are what protects it. At its next load the page refreshes; a 401 `no_session`
//! sends it to `/auth/exchange` once, and only a 401 from there to the sign-in form. Two tabs at once: the second
//! finds the old session gone, and refreshes.
//!
//! Routes that still read the old session go on until they are moved. When the last is, leave the layer and the
//! exchange in place for as long as an old session lives, then remove both.
//!
//! # What changes for users
//!
//! * Nothing visible, for who comes by while the old session lives; otherwise one sign-in.
//! * What was kept in the session and moved nowhere is gone: look for `insert` before you start.
//! * A list of their sessions that they can end.
