//! Moving a service that has users already.
//!
//! You want to leave Express with `jsonwebtoken`, `tower-sessions` or the crate `jsonwebtoken`. Few users should
//! notice. Build the new service as in [getting started](super::getting_started). Then take three steps.
//!
//! # The three steps
//!
//! 1. **Accept both.** Deploy the new layers beside the old credentials. The server issues no new credential yet, so
//!    you can still go back.
//! 2. **Exchange.** A route takes an old credential and starts a session. The page calls it once, at its next load.
//! 3. **Close.** When the last old credential has expired, remove the route and the old layers. Users who did not
//!    come back sign in.
//!
//! Count sign-ins and 401s an hour before step 1. Both rise a little in step 2. Many more 401s mean that the page
//! does not store the new credential. Many more sign-ins mean that the exchange fails. In step 3 count requests to
//! the closed route before you delete the code.
//!
//! # The exchange and thieves
//!
//! An exchange turns a stolen access token of 15 minutes into a session of 7 days. So:
//!
//! * Exchange the old long-lived credential, and delete it in the same step. A thief and the user then cannot both
//!   exchange it.
//! * Where only access tokens exist, open the route for days, not for months. A [context](crate::NewSession::context)
//!   marks these sessions: the claims closure can withhold rights from them.
//! * Log each exchange. [`Event::Started`](crate::Event::Started) has session and subject.
//!
//! Or skip step 2. Every user then signs in once.
//!
//! # From Express
//!
//! Before: `jwt.sign` with HS256, tokens in `localStorage`, refresh tokens in a table. The page's names stay with
//! [`camel_case`](crate::SessionEndpoints::camel_case), and the sign-in handler writes its own answer:
//!
//! ```
//! use axum::{Json, http::StatusCode, routing::post};
//! use serde_json::{Value, json};
//! use tower_bearer::{Auth, Claims, KeyRing, MemoryStore, NoClaims, Session};
//!
//! # #[derive(serde::Deserialize)]
//! # struct Login {}
//! # async fn check_password(_: &Login) -> Option<String> { None }
//! async fn login(session: Session, Json(form): Json<Login>) -> axum::response::Result<Json<Value>> {
//!     let user = check_password(&form).await.ok_or(StatusCode::UNAUTHORIZED)?;
//!     let token = session.start(user).await?; // the refresh token leaves as a cookie
//!     let expires_in = token.expires_in().as_secs();
//!     Ok(Json(json!({ "accessToken": token.as_str(), "expiresIn": expires_in })))
//! }
//!
//! async fn me(claims: Claims<NoClaims>) -> Json<Value> {
//!     Json(json!({ "userId": claims.subject() }))
//! }
//!
//! # fn auth(keys: &KeyRing) -> Result<(), tower_bearer::ConfigError> {
//! let auth: Auth = Auth::builder(keys)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .store(MemoryStore::new())
//!     .origins(["https://app.example".parse()?])
//!     .endpoints(|endpoints| endpoints.camel_case(true))
//!     .build()?;
//! let app: axum::Router = axum::Router::new()
//!     .route("/me", axum::routing::get(me))
//!     .route_layer(auth.bearer())
//!     .merge(auth.routes().route("/login", post(login)))
//!     .layer(auth.headers());
//! # let _ = app;
//! # Ok(())
//! # }
//! # auth(&KeyRing::generate().unwrap()).unwrap();
//! ```
//!
//! | Express | here |
//! |---|---|
//! | `jwt.sign` | [`Session::start`](crate::Session::start); the claims closure gives the payload |
//! | `jwt.verify` | [`BearerAuthLayer`](crate::BearerAuthLayer); the key fixes the algorithm |
//! | `req.user`, `userId` | [`Claims`](crate::Claims), [`Claims::subject`](crate::Claims::subject): always text |
//! | `clockTolerance`, default 0 | [`leeway`](crate::token::TokenCodecBuilder::leeway), default 60 s |
//! | refresh token in JSON | an `HttpOnly` cookie; [native clients](super::native) get it in the body |
//! | table `refresh_tokens` | [`RefreshStore`](crate::store::RefreshStore), which keeps hashes: [`stores`](super::stores) |
//! | `DELETE … WHERE user_id` | [`SessionAdmin::end_all`](crate::SessionAdmin::end_all) |
//! | `TokenExpiredError` | [`Rejection::token_error`](crate::rejection::Rejection::token_error) for logs; the client gets `invalid_token` |
//! | `express-rate-limit` | still yours: limit the sign-in route |
//!
//! ## Old access tokens at the new service
//!
//! A second codec verifies the tokens of Express. Node takes the *text* of the secret as its bytes.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tower_bearer::{KeyRing, Timestamp, TokenCodec, token::TokenType};
//!
//! #[derive(Serialize, Deserialize)]
//! #[serde(rename_all = "camelCase")]
//! struct Old {
//!     user_id: String,
//!     role: String,
//! }
//!
//! # fn secret() -> String { "f3c1a94be2d7460985bb1c3de07aa2f64d5e9c18".into() }
//! let old_keys = KeyRing::builder().access_secret(secret().as_bytes()).build()?;
//! let old: TokenCodec<Old> = TokenCodec::signed(&old_keys)
//!     .token_types([TokenType::Jwt]) // what `jsonwebtoken` writes
//!     .dangerous_any_issuer()        // unless Express sets `issuer`: then name it
//!     .dangerous_any_audience()      // likewise
//!     .subject_optional()            // the user is in `userId`
//!     .build()?;
//!
//! // Made by jsonwebtoken 9 on Node: jwt.sign({ userId: "42", role: "editor", … }, SECRET)
//! let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9\
//!     .eyJ1c2VySWQiOiI0MiIsInJvbGUiOiJlZGl0b3IiLCJpYXQiOjE4MDAwMDAwMDAsImV4cCI6MTgwMDAwMDkwMH0\
//!     .yC2KatcbudjwBzLxKxuxbmX18btRi-9zgwX3Z_NO7_U";
//! let claims = old.verify_at(token, Timestamp::from_secs(1_800_000_010))?;
//! assert_eq!((claims.custom().user_id.as_str(), claims.custom().role.as_str()), ("42", "editor"));
//! assert!(old.verify_at(token, Timestamp::from_secs(1_800_001_000)).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The server rejects these tokens under any settings:
//!
//! * tokens under a secret of fewer than 32 bytes (RFC 7518 section 3.2). Skip step 1, and let Express serve the
//!   exchange. [`dangerous_weak_secrets`](crate::keys::KeyRingBuilder::dangerous_weak_secrets) accepts a longer
//!   secret made of words;
//! * tokens without `exp`, and tokens whose `sub` is a number.
//!
//! A signed token has three segments, a nested one five. So one function sends each request to its layer. Two
//! `optional` layers do not work: each rejects the other's tokens.
//!
//! ```
//! use axum::{Router, extract::Request, http::header};
//! use serde::de::DeserializeOwned;
//! use tower::ServiceExt;
//! use tower_bearer::{BearerAuthLayer, TokenCodec};
//!
//! fn either<N, O>(new: (Router, TokenCodec<N>), old: (Router, TokenCodec<O>)) -> Router
//! where
//!     N: DeserializeOwned + Send + Sync + 'static,
//!     O: DeserializeOwned + Send + Sync + 'static,
//! {
//!     let new = new.0.layer(BearerAuthLayer::new(new.1));
//!     let old = old.0.layer(BearerAuthLayer::new(old.1));
//!     Router::new().fallback(move |request: Request| {
//!         let token = request.headers().get(header::AUTHORIZATION);
//!         let dots = token.map_or(0, |t| t.as_bytes().iter().filter(|b| **b == b'.').count());
//!         // The new layer answers a request without a token.
//!         let router = if dots == 2 { &old } else { &new };
//!         router.clone().oneshot(request)
//!     })
//! }
//! # use axum::{http::StatusCode, routing::get};
//! # use serde::{Deserialize, Serialize};
//! # use tower_bearer::{Claims, KeyRing, NoClaims, token::TokenType};
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! # #[derive(Serialize, Deserialize)]
//! # #[serde(rename_all = "camelCase")]
//! # struct Express { user_id: String }
//! # let keys = KeyRing::generate()?;
//! # let new = TokenCodec::<NoClaims>::nested(&keys).issuer("https://id.example").audience("api").build()?;
//! # let old_keys = KeyRing::generate()?;
//! # let old = TokenCodec::<Express>::signed(&old_keys).token_types([TokenType::Jwt]).dangerous_any_issuer()
//! #     .dangerous_any_audience().subject_optional().build()?;
//! # let news = Router::new().route("/me", get(|c: Claims<NoClaims>| async move { c.subject().to_owned() }));
//! # let olds = Router::new().route("/me", get(|c: Claims<Express>| async move { c.custom().user_id.clone() }));
//! # let app = either((news, new.clone()), (olds, old.clone()));
//! # for token in [new.mint("42", &NoClaims {})?, old.mint("", &Express { user_id: "42".into() })?] {
//! #     let request = http::Request::get("/me").header("authorization", format!("Bearer {}", token.as_str()));
//! #     let response = app.clone().oneshot(request.body(axum::body::Body::empty())?).await?;
//! #     assert_eq!(response.status(), StatusCode::OK);
//! #     assert_eq!(axum::body::to_bytes(response.into_body(), 100).await?, "42");
//! # }
//! # let request = http::Request::get("/me").body(axum::body::Body::empty())?;
//! # assert_eq!(app.oneshot(request).await?.status(), StatusCode::UNAUTHORIZED);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## New access tokens at the old service
//!
//! Does Express keep some routes for a while? Issue [signed](crate::TokenCodec::signed) tokens until then, with a new
//! shared secret. [`KeyRing::from_env`](crate::KeyRing::from_env) decodes the variable, so Node must too:
//!
//! ```js
//! jwt.verify(token, Buffer.from(process.env.ACCESS_SECRET, "base64"), {
//!   algorithms: ["HS256"], issuer: "https://id.example", audience: "api",
//! });
//! ```
//!
//! Later change to nested tokens. The page gets at most one 401, and refreshes.
//!
//! ## Exchange of old refresh tokens
//!
//! ```
//! use axum::{Json, http::StatusCode};
//! use tower_bearer::{AccessToken, NewSession, Session};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(rename_all = "camelCase")]
//! struct Exchange {
//!     refresh_token: String,
//! }
//!
//! /// `DELETE FROM refresh_tokens WHERE token = $1 AND expires_at > now() RETURNING user_id`
//! async fn take_old_token(token: &str) -> Result<Option<String>, std::io::Error> {
//!     # let _ = token;
//!     # Ok(None)
//! }
//!
//! async fn exchange(session: Session, Json(old): Json<Exchange>) -> axum::response::Result<Json<AccessToken>> {
//!     let user = take_old_token(&old.refresh_token)
//!         .await
//!         .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?
//!         .ok_or(StatusCode::UNAUTHORIZED)?;
//!     Ok(Json(session.start_with(NewSession::new(user).context(*b"exchanged")).await?))
//! }
//! # let _: axum::Router = axum::Router::new().route("/exchange", axum::routing::post(exchange));
//! ```
//!
//! If the store fails here (503), the old token is gone and that user signs in. The page runs this once, before
//! anything else, with a `fetch` that sends the [CSRF token](super::guards):
//!
//! ```js
//! const refreshToken = localStorage.getItem("refreshToken");
//! if (refreshToken) {
//!   const response = await change("/auth/exchange", {
//!     method: "POST",
//!     headers: { "Content-Type": "application/json" },
//!     body: JSON.stringify({ refreshToken }),
//!   });
//!   if (response.ok || response.status === 401) {
//!     localStorage.removeItem("refreshToken");
//!     localStorage.removeItem("accessToken");
//!   }
//! }
//! ```
//!
//! Of two tabs one gets 401, and then refreshes with the other's cookie. So after a 401 of the *exchange* the page
//! refreshes. After a 401 of a refresh it shows the sign-in form.
//!
//! # From tower-sessions
//!
//! A service that renders its pages and has one store can stay. [`OriginGuardLayer`](crate::OriginGuardLayer),
//! [`CsrfLayer`](crate::CsrfLayer) and [`SecurityHeadersLayer`](crate::SecurityHeadersLayer) work with its
//! [sessions](super::guards). Move when programs or other origins call the API, or when several services need the
//! user without one store. Move also to list sessions, revoke them one by one and detect theft.
//!
//! | `tower-sessions` | here |
//! |---|---|
//! | `SessionManagerLayer` | [`Auth::routes`](crate::Auth::routes) for `/auth`, [`Auth::bearer`](crate::Auth::bearer) for the API |
//! | `session.get("user")` | [`Claims::subject`](crate::Claims::subject), without a store |
//! | `session.insert(key, value)` | Not offered. Use claims, 1024 bytes of [context](crate::NewSession::context), or your database. A basket before the sign-in keeps its old session. |
//! | `cycle_id()` at sign-in, later | [`Session::start`](crate::Session::start), [`Session::elevate`](crate::Session::elevate) |
//! | `flush()` | [`Session::end`](crate::Session::end); issued access tokens stay valid until they expire |
//! | `OnInactivity` | [`idle_lifetime`](crate::refresh::RefreshCookieBuilder::idle_lifetime), counted in refreshes |
//! | `AtDateTime` | [`absolute_lifetime`](crate::refresh::RefreshCookieBuilder::absolute_lifetime), from the sign-in |
//! | `OnSessionEnd` | [`browser_session`](crate::NewSession::browser_session). Browsers restore such cookies: set a short [`idle`](crate::NewSession::idle) too. |
//! | `SessionStore` | [`RefreshStore`](crate::store::RefreshStore) |
//! | `with_secure(false)` | [`dangerous_insecure_cookies`](crate::auth::AuthBuilder::dangerous_insecure_cookies) |
//! | `with_same_site`, `with_path`, `with_name` | [`same_site_lax`](crate::refresh::RefreshCookieBuilder::same_site_lax), [`mount`](crate::auth::AuthBuilder::mount), [`cookie_name`](crate::refresh::RefreshCookieBuilder::cookie_name) |
//! | `with_domain` | not offered |
//! | `with_signed`, `with_private` | always sealed |
//!
//! The old layer stays around the whole application. Mount the exchange below `/auth`, behind the guards:
//!
//! ```
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
//!     // The new session exists. End the old one, so that it is exchanged once.
//!     old.flush().await.map_err(away)?;
//!     Ok(Json(token))
//! }
//! # let _: axum::Router = axum::Router::new().route("/exchange", axum::routing::post(exchange));
//! ```
//!
//! At its next load the page refreshes. After a 401 `no_session` it calls `/auth/exchange` once. After a 401 from
//! there it refreshes again, since another tab may have exchanged, and then shows the sign-in form. Data that only
//! the old session held is lost: search for `insert` first.
//!
//! # From jsonwebtoken
//!
//! Step 1 is another verifier for the same tokens. It accepts every issued token, and issues better ones under the
//! same secret. No user is signed out.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tower_bearer::{KeyRing, Timestamp, TokenCodec, token::TokenType};
//!
//! // The codec reads `sub` and `exp`.
//! #[derive(Serialize, Deserialize)]
//! struct Role {
//!     role: String,
//! }
//!
//! # fn secret() -> String { "f3c1a94be2d7460985bb1c3de07aa2f64d5e9c18".into() }
//! let keys = KeyRing::builder().access_secret(secret().as_bytes()).build()?;
//! let codec: TokenCodec<Role> = TokenCodec::signed(&keys)
//!     .issuer("https://id.example") // written into new tokens ...
//!     .audience("api")
//!     .dangerous_any_issuer()       // ... and not required until the old ones have expired
//!     .dangerous_any_audience()
//!     .token_types([TokenType::AccessToken, TokenType::Jwt])
//!     .build()?;
//!
//! // Header::default(), `sub`, `exp` and `role`, under the same secret:
//! let old = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9\
//!     .eyJzdWIiOiI0MiIsImV4cCI6MTgwMDAwMDkwMCwicm9sZSI6ImVkaXRvciJ9\
//!     ._RrgHGn9gbBcAbYTpaw7OJ8zKO-33jQm_MTlkQQMEFk";
//! assert_eq!(codec.verify_at(old, Timestamp::from_secs(1_800_000_000))?.custom().role, "editor");
//! let new = codec.mint("42", &Role { role: "editor".into() })?;
//! assert_eq!(codec.verify(new.as_str())?.issuer(), Some("https://id.example"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Does another service go on issuing the tokens? Set `TokenType::Jwt`, its issuer and its audience, and stop here.
//!
//! After one lifetime of an old token, remove `token_types` and both `dangerous_` calls. Then add sessions with
//! [`Auth`](crate::Auth), and call [`Session::start`](crate::Session::start) in place of `encode`. The ring then needs a
//! [`refresh_secret`](crate::keys::KeyRingBuilder::refresh_secret) too. For the exchange, note that one access token can
//! be exchanged more than once:
//!
//! ```
//! use axum::{Json, Router, routing::post};
//! use tower_bearer::{AccessToken, BearerAuthLayer, Claims, NewSession, Session, SessionError, TokenCodec};
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Role {}
//!
//! async fn exchange(session: Session, old: Claims<Role>) -> Result<Json<AccessToken>, SessionError> {
//!     Ok(Json(session.start_with(NewSession::new(old.subject()).context(*b"exchanged")).await?))
//! }
//!
//! /// Goes below `/auth`, inside of the session layer and the guards.
//! fn routes(codec: TokenCodec<Role>) -> Router {
//!     Router::new().route("/exchange", post(exchange)).route_layer(BearerAuthLayer::new(codec))
//! }
//! # let _ = routes;
//! ```
//!
//! | `jsonwebtoken` | here |
//! |---|---|
//! | `DecodingKey::from_secret(bytes)` | [`access_secret`](crate::keys::KeyRingBuilder::access_secret), at least 32 bytes |
//! | `from_base64_secret(text)` | the decoded bytes; [`KeyRing::from_env`](crate::KeyRing::from_env) decodes |
//! | `from_rsa_pem` and the like | [`pem`](crate::keys::KeyRingBuilder::pem), for one algorithm |
//! | `from_jwk`, `JwkSet` | [`jwk`](crate::keys::KeyRingBuilder::jwk), [`KeyRing::verifier`](crate::KeyRing::verifier) |
//! | `decode_header` for the key | not needed: the ring finds keys by `kid` |
//! | `Validation::new(algorithm)` | the key's own; [`algorithms`](crate::token::TokenCodecBuilder::algorithms) narrows it |
//! | `leeway = 60` | [`leeway`](crate::token::TokenCodecBuilder::leeway), the same default |
//! | `set_issuer`, `set_audience` | required |
//! | `validate_nbf`, default off | always |
//! | `required_spec_claims` | `exp` always, `sub` unless [`subject_optional`](crate::token::TokenCodecBuilder::subject_optional) |
//! | claims type with `sub`, `exp` | methods of [`Claims`](crate::Claims); [minting](crate::TokenCodec::mint_at) rejects a type that repeats them |
//! | `Extension<Claims>` | [`Claims<C>`](crate::Claims); `Option<Claims<C>>` behind `optional` |
//! | `ErrorKind` | [`TokenErrorKind`](crate::TokenErrorKind), in the event and the response's extensions |
//! | 401 | 401 with `WWW-Authenticate`, 400 for no bearer token |
//! | `strip_prefix("Bearer ")` | the scheme in any case (RFC 9110 section 11.1) |
