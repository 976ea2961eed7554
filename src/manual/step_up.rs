//! Asking again: a recent authentication, and a second factor.
//!
//! A session lasts for days, and its browser may be left open, or lent, or copied. So a route that does what cannot be
//! undone asks for the credentials once more. The session remembers when and how its user authenticated.
//! [`RequireRecentAuth`] stands in front of the route and judges by the token, without a look at the store. The answer
//! is the challenge of RFC 9470.
//!
//! [`RequireRecentAuth`]: crate::RequireRecentAuth
//!
//! # A recent authentication
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Json, Router, http::StatusCode, routing::post};
//! use serde::Deserialize;
//! use tower_bearer::{
//!     AccessToken, Auth, Claims, KeyRing, MemoryStore, NoClaims, RequireRecentAuth, Session, refresh::Elevation,
//! };
//!
//! #[derive(Deserialize)]
//! struct Password {
//!     password: String,
//! }
//!
//! # async fn password_is_right(_: &str, _: &str) -> bool { true }
//! // Behind `auth.bearer()` too: the claims say whose password it has to be.
//! async fn step_up(
//!     claims: Claims<NoClaims>,
//!     session: Session,
//!     Json(form): Json<Password>,
//! ) -> axum::response::Result<Json<AccessToken>> {
//!     // Another tab may have signed in as another user by now: the cookie is then that user's.
//!     if claims.session() != session.id().map(|id| id.to_string()).as_deref() {
//!         return Err(StatusCode::CONFLICT.into()); // the page refreshes, and asks again
//!     }
//!     // No 401, which a page takes for a dead access token.
//!     if !password_is_right(claims.subject(), &form.password).await {
//!         return Err(StatusCode::FORBIDDEN.into());
//!     }
//!     Ok(Json(session.elevate_with(Elevation::new().amr(["pwd"])).await?))
//! }
//!
//! # fn app(keys: KeyRing) -> Result<Router, tower_bearer::ConfigError> {
//! let auth = Auth::builder(&keys)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .store(MemoryStore::new())
//!     .same_origin()
//!     .authentication_in_tokens(true)
//!     .build()?;
//! let recent = RequireRecentAuth::max_age(Duration::from_secs(300));
//! let api = Router::new()
//!     .route("/account/delete", post(async || "deleted").layer(recent))
//!     .route("/orders", post(async || "ordered"))
//!     .route_layer(auth.bearer());
//! let app: Router = Router::new()
//!     .merge(auth.routes().route("/step-up", post(step_up).layer(auth.bearer())))
//!     .nest("/api", api)
//!     .layer(auth.headers());
//! # Ok(app)
//! # }
//! # app(KeyRing::generate().unwrap()).unwrap();
//! ```
//!
//! | what happens | the time of the authentication |
//! |---|---|
//! | [`start`](crate::Session::start) | now, or [`auth_time`](crate::NewSession::auth_time) of the provider that has signed the user in |
//! | [`elevate`](crate::Session::elevate), [`elevate_with`](crate::Session::elevate_with) | now, or [`Elevation::auth_time`](crate::refresh::Elevation::auth_time) |
//! | a refresh, [`end_others`](crate::Session::end_others) | as it was |
//!
//! * A step-up gives the session a new refresh token. The one from before is worth nothing. An access token from before
//!   stays as old as it was. So a thief with a copy gains nothing by the owner's password.
//! * A copy of the whole jar that was made *after* the step-up has the recent authentication as well, for as long as it
//!   is recent. Keep the time short.
//! * Say what was checked, with [`Elevation::amr`](crate::refresh::Elevation::amr) and
//!   [`acr`](crate::refresh::Elevation::acr). After `elevate` alone no methods and no class are known. Those of an
//!   earlier authentication never count for a later one.
//! * Limit the tries of each subject, as at the sign-in.
//! * The time is the store's, in whole seconds. A service elsewhere judges by its own clock: within the codec's
//!   [`leeway`](crate::token::TokenCodecBuilder::leeway) a time of the future counts as now, and later ones as none.
//!
//! ## The page
//!
//! The answer to a token that is too old is a 401 with
//! `WWW-Authenticate: Bearer realm="api", error="insufficient_user_authentication", ..., max_age="300"`, and a
//! problem document of the same `code`, with `max_age`. A refresh does not help. A page that refreshes at each 401
//! looks at the code first. Then it asks for the password, and posts it to `/auth/step-up` with the access token and
//! the CSRF token. It goes on with the token of the answer, and sends the first request again. The example `demo` does
//! it with `begin` of the npm package: `stepUp` of its `session.js`, and `recently` of its `recent.js`.
//!
//! ## Handlers that decide by themselves
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::http::StatusCode;
//! use tower_bearer::{Claims, Clock, SystemClock};
//!
//! async fn pay(claims: Claims, cents: u64) -> Result<(), StatusCode> {
//!     let recent = || claims.authenticated_within(Duration::from_secs(300), SystemClock.now());
//!     match cents < 5_000 || recent() {
//!         true => Ok(()),
//!         false => Err(StatusCode::FORBIDDEN),
//!     }
//! }
//! # let _ = pay;
//! ```
//!
//! ## Tokens of an issuer elsewhere
//!
//! The layer reads `auth_time`, `amr` and `acr` of any token (RFC 9068 section 2.2.1). Many issuers put them into ID
//! tokens only, and have a setting or a mapper for access tokens. A token without `auth_time` is as good as before, and
//! not recent. So is one whose `auth_time` is a text, negative, in milliseconds, or in the future. The client takes
//! `max_age` and `acr_values` of the challenge to its issuer, which authenticates the user again (RFC 9470 section 4).
//! [`acr_values`](crate::RequireRecentAuth::acr_values) asks for a class as well:
//!
//! ```
//! use std::time::Duration;
//! use tower_bearer::RequireRecentAuth;
//!
//! let recent = RequireRecentAuth::max_age(Duration::from_secs(300)).acr_values(["phr".parse()?, "phrh".parse()?]);
//! # let _ = recent;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! # Ending other sessions
//!
//! A stranger at an open browser could sign its owner out everywhere. With
//! [`recent_auth_to_end_others`](crate::refresh::RefreshCookieBuilder::recent_auth_to_end_others) the session endpoints
//! answer 403 `insufficient_user_authentication` with `max_age` to the end of all sessions, or of another one. The page
//! steps up, and asks again. Its own session a client always ends. Each layer of the application's that changes a
//! password or a factor asks as well: ASVS 5.0, 7.5.1 to 7.5.3.
//!
//! # A second factor
//!
//! The session keeps what the user has shown, the claims closure reads it at every refresh, and a scope or a claim
//! tells the API.
//!
//! ```
//! use axum::{Json, http::StatusCode};
//! use serde::{Deserialize, Serialize};
//! use tower_bearer::{AccessToken, Claims, ClaimsError, ClaimsRequest, NewSession, Session, refresh::Elevation};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Scoped {
//!     scope: String,
//! }
//!
//! # async fn password_is_right(_: &str) -> bool { true }
//! # async fn code_is_right(_: &str, _: &str) -> bool { true }
//! async fn login(session: Session, password: String) -> axum::response::Result<Json<AccessToken>> {
//!     if !password_is_right(&password).await {
//!         return Err(StatusCode::UNAUTHORIZED.into());
//!     }
//!     Ok(Json(session.start_with(NewSession::new("user-1").amr(["pwd"])).await?))
//! }
//!
//! // Behind `BearerAuthLayer` too: the claims say whose code it has to be. A `Session` alone says nothing
//! // about who is asking before one of its methods has looked.
//! async fn second_factor(
//!     claims: Claims<Scoped>,
//!     session: Session,
//!     code: String,
//! ) -> axum::response::Result<Json<AccessToken>> {
//!     // Another tab may have signed in as another user by now: the cookie is then that user's.
//!     if claims.session() != session.id().map(|id| id.to_string()).as_deref() {
//!         return Err(StatusCode::CONFLICT.into()); // the page refreshes, and asks again
//!     }
//!     // No 401, which a page takes for a dead access token: it would refresh and send the code again.
//!     if !code_is_right(claims.subject(), &code).await {
//!         return Err(StatusCode::FORBIDDEN.into());
//!     }
//!     // The session goes on under a new refresh token; the one from before is worth nothing.
//!     Ok(Json(session.elevate_with(Elevation::new().amr(["pwd", "otp"])).await?))
//! }
//!
//! async fn scopes(request: ClaimsRequest) -> Result<Scoped, ClaimsError> {
//!     let scope = match request.amr().any(|method| method == "otp") {
//!         true => "orders:read orders:pay",
//!         false => "orders:read",
//!     };
//!     Ok(Scoped { scope: scope.into() })
//! }
//! # let _ = (axum::routing::post(login) as axum::routing::MethodRouter, axum::routing::post(second_factor) as axum::routing::MethodRouter, scopes);
//! ```
//!
//! [`RequireScopeLayer`](crate::RequireScopeLayer) around `/orders/pay` answers 403 `insufficient_scope` and
//! names the scope; the page then asks for the code. Limit the tries of each subject: a code has a million values.
//! The access token from before the step still works, with the rights from before, until it expires.
