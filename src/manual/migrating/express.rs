//! From Express with `jsonwebtoken`: an HS256 token in `localStorage`, refresh tokens in a table.
//!
//! # Before
//!
//! ```js
//! const jwt = require("jsonwebtoken");
//!
//! app.post("/login", async (req, res) => {
//!   const user = await checkPassword(req.body.email, req.body.password);
//!   if (!user) return res.status(401).end();
//!   const accessToken = jwt.sign({ userId: user.id, role: user.role }, SECRET, { expiresIn: "15m" });
//!   const refreshToken = crypto.randomBytes(32).toString("hex");
//!   await db.query("INSERT INTO refresh_tokens (token, user_id) VALUES ($1, $2)", [refreshToken, user.id]);
//!   res.json({ accessToken, refreshToken });          // the page puts both into localStorage
//! });
//!
//! function requireAuth(req, res, next) {
//!   try {
//!     req.user = jwt.verify(req.headers.authorization?.slice("Bearer ".length), SECRET);
//!     next();
//!   } catch {
//!     res.status(401).end();
//!   }
//! }
//!
//! app.get("/me", requireAuth, (req, res) => res.json(req.user));
//! ```
//!
//! # After
//!
//! The names of the JSON stay, so that the page's code for them stays:
//! [`camel_case`](crate::SessionEndpoints::camel_case) does it for the ready-made endpoints, and the
//! sign-in handler writes its own answer. Origin and CSRF layers go around `/auth` as on the
//! [front page](crate).
//!
//! ```
//! use axum::{Json, Router, http::StatusCode, routing::{get, post}};
//! use serde::{Deserialize, Serialize};
//! use serde_json::{Value, json};
//! use tower_bearer::{
//!     BearerAuthLayer, Claims, ClaimsError, ClaimsRequest, KeyRing, MemoryStore, RefreshCookieLayer, Session,
//!     SessionEndpoints, TokenCodec,
//! };
//!
//! #[derive(Serialize, Deserialize)]
//! struct Role {
//!     role: String,
//! }
//!
//! # async fn check_password(_: &str, _: &str) -> Option<String> { None }
//! # async fn role_of(_: &str) -> Option<String> { None }
//! #[derive(Deserialize)]
//! struct Login {
//!     email: String,
//!     password: String,
//! }
//!
//! async fn login(session: Session, Json(form): Json<Login>) -> axum::response::Result<Json<Value>> {
//!     let user = check_password(&form.email, &form.password).await.ok_or(StatusCode::UNAUTHORIZED)?;
//!     let token = session.start(user).await?; // the refresh token leaves as a cookie
//!     let expires_in = token.expires_in().as_secs();
//!     Ok(Json(json!({ "accessToken": token.as_str(), "expiresIn": expires_in })))
//! }
//!
//! async fn me(claims: Claims<Role>) -> Json<Value> {
//!     Json(json!({ "userId": claims.subject(), "role": claims.custom().role }))
//! }
//!
//! // What `jwt.sign` was given, now asked for at sign-in and at every refresh.
//! async fn claims_of(request: ClaimsRequest) -> Result<Role, ClaimsError> {
//!     role_of(request.subject()).await.map(|role| Role { role }).ok_or(ClaimsError::Denied)
//! }
//!
//! # fn app(keys: KeyRing) -> Result<Router, tower_bearer::ConfigError> {
//! let codec = TokenCodec::<Role>::nested(&keys)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .build()?;
//! let sessions = RefreshCookieLayer::new(codec.clone(), MemoryStore::new(), claims_of)?;
//! let auth = Router::new()
//!     .route("/login", post(login))
//!     .merge(SessionEndpoints::new().camel_case(true))
//!     .layer(sessions);
//! let app: Router = Router::new()
//!     .route("/me", get(me))
//!     .route_layer(BearerAuthLayer::new(codec))
//!     .nest("/auth", auth);
//! # Ok(app)
//! # }
//! # app(KeyRing::generate().unwrap()).unwrap();
//! ```
//!
//! # What became of what
//!
//! | Express | here |
//! |---|---|
//! | `jwt.sign(payload, SECRET, { expiresIn })` | [`Session::start`](crate::Session::start); the payload comes from the claims closure, the time from [`lifetime`](crate::token::TokenCodecBuilder::lifetime) |
//! | `jwt.verify(token, SECRET)` | [`BearerAuthLayer`](crate::BearerAuthLayer). The algorithm is the key's, as with `{ algorithms: ["HS256"] }`, which many forget. |
//! | `req.user` | the extractor [`Claims`](crate::Claims) |
//! | `userId` in the payload | `sub`: [`Claims::subject`](crate::Claims::subject), always text |
//! | `clockTolerance`, in seconds | [`leeway`](crate::token::TokenCodecBuilder::leeway), 60 s by default, where Express has 0 |
//! | `audience`, `issuer` options | required by the constructors |
//! | refresh token in JSON and `localStorage` | cookie that no script reads; native clients: [`RefreshTransport::Body`](crate::refresh::RefreshTransport::Body) |
//! | table `refresh_tokens` | [`RefreshStore`](crate::store::RefreshStore), which keeps hashes; `RedisStore` or [your own](crate::manual::stores) over the same database |
//! | `DELETE FROM refresh_tokens WHERE user_id` | [`SessionAdmin::end_all`](crate::SessionAdmin::end_all) |
//! | `TokenExpiredError`, `JsonWebTokenError` | [`Rejection::token_error`](crate::rejection::Rejection::token_error), for logs; the client sees `invalid_token` |
//! | `express-rate-limit` on `/login` | stays yours: put a limit in front of the sign-in route |
//!
//! # Both at once
//!
//! ## Old access tokens at the new service
//!
//! A codec of its own verifies what Express signed: another ring, with the old secret and nothing else.
//! Node takes the *text* of the secret as its bytes, so that is what goes into the key.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tower_bearer::{KeyRing, Timestamp, TokenCodec, token::TokenType};
//!
//! /// The payload that Express signed. `role` is read as before.
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
//!     .dangerous_any_issuer()     // it named none, unless `issuer` was set: then say it
//!     .dangerous_any_audience()   // the same
//!     .subject_optional()         // the user is in `userId`
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
//! What does not pass, whatever the settings:
//!
//! * **A secret of fewer than 32 bytes.** HS256 needs them (RFC 7518 section 3.2), and a short one can be
//!   found by trying. There is no way around it here: leave out step 1, and let Express serve the exchange
//!   below for the old tokens. A longer one made of words (`my-secret-…`) passes with
//!   [`dangerous_weak_secrets`](crate::keys::KeyRingBuilder::dangerous_weak_secrets): it is on its way out.
//! * **Tokens without `exp`**: `jwt.sign` makes them when `expiresIn` is left out.
//! * **A `sub` that is a number.** Numbers of your own, in `userId` for instance, are your type's affair.
//!
//! Which of the two codecs a request is for shows in its form: a nested token has five segments, a signed
//! one three. The same routes behind either layer:
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
//!         // Of a request without a token the new layer says that it lacks one.
//!         let router = if dots == 2 { &old } else { &new };
//!         router.clone().oneshot(request)
//!     })
//! }
//! # use http::StatusCode;
//! # use axum::routing::get;
//! # use serde::{Deserialize, Serialize};
//! # use tower_bearer::{Claims, KeyRing, NoClaims, token::TokenType};
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! # #[derive(Serialize, Deserialize)]
//! # #[serde(rename_all = "camelCase")]
//! # struct Express { user_id: String }
//! # let new = TokenCodec::<NoClaims>::nested(&KeyRing::generate()?)
//! #     .issuer("https://id.example")
//! #     .audience("api")
//! #     .build()?;
//! # let old_keys = KeyRing::generate()?;
//! # let old = TokenCodec::<Express>::signed(&old_keys).token_types([TokenType::Jwt]).dangerous_any_issuer()
//! #     .dangerous_any_audience().subject_optional().build()?;
//! # let news = Router::new().route("/me", get(|c: Claims<NoClaims>| async move { c.subject().to_owned() }));
//! # let olds = Router::new().route("/me", get(|c: Claims<Express>| async move { c.custom().user_id.clone() }));
//! # let app = either((news, new.clone()), (olds, old.clone()));
//! # for (token, expected) in [(new.mint("42", &NoClaims {})?, StatusCode::OK),
//! #     (old.mint("", &Express { user_id: "42".into() })?, StatusCode::OK)] {
//! #     let request = http::Request::get("/me").header("authorization", format!("Bearer {}", token.as_str()));
//! #     let response = app.clone().oneshot(request.body(axum::body::Body::empty())?).await?;
//! #     assert_eq!(response.status(), expected);
//! #     let body = axum::body::to_bytes(response.into_body(), 100).await?;
//! #     assert_eq!(body, "42");
//! # }
//! # let request = http::Request::get("/me").body(axum::body::Body::empty())?;
//! # assert_eq!(app.oneshot(request).await?.status(), StatusCode::UNAUTHORIZED);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Do not stack two layers with [`optional`](crate::BearerAuthLayer::optional) for this: each lets requests
//! *without* a token through, and still refuses a token that it cannot verify, which is the other's.
//!
//! ## New access tokens at the old service
//!
//! Express keeps some routes for a while? Mint [signed tokens](crate::TokenCodec::signed) until it is gone,
//! with a fresh secret that both know, and have Express check everything that it says (tried with
//! `jsonwebtoken` 9):
//!
//! ```js
//! jwt.verify(token, Buffer.from(process.env.ACCESS_SECRET, "base64"), {
//!   algorithms: ["HS256"], issuer: "https://id.example", audience: "api",
//! });
//! ```
//!
//! The buffer matters: [`KeyRing::from_env`](crate::KeyRing::from_env) decodes the variable, and Node would
//! take its text. `sub` is where the user is. Afterwards change to `Nested`; with access tokens of 15 minutes
//! the page meets one 401 at most, and refreshes.
//!
//! ## The exchange
//!
//! The old refresh token is deleted in the same step that starts the session: of two who come with it, one
//! gets a session.
//!
//! ```
//! use axum::{Json, http::StatusCode};
//! use serde::Deserialize;
//! use tower_bearer::{AccessToken, NewSession, Session};
//!
//! #[derive(Deserialize)]
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
//! async fn exchange(
//!     session: Session,
//!     Json(old): Json<Exchange>,
//! ) -> axum::response::Result<Json<AccessToken>> {
//!     let user = take_old_token(&old.refresh_token)
//!         .await
//!         .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?
//!         .ok_or(StatusCode::UNAUTHORIZED)?;
//!     // What begins like this does not count as a fresh sign-in: the claims closure sees the context.
//!     Ok(Json(session.start_with(NewSession::new(user).context(*b"exchanged")).await?))
//! }
//! # let _: axum::Router = axum::Router::new().route("/exchange", axum::routing::post(exchange));
//! ```
//!
//! If the session cannot be started (503), the old token is gone and that user signs in. Put the row aside
//! instead of deleting it where that is too hard.
//!
//! The page, once, before anything else:
//!
//! ```js
//! const refreshToken = localStorage.getItem("refreshToken");
//! if (refreshToken) {
//!   const response = await change("/auth/exchange", {          // sends the CSRF token: see `guards`
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
//! Two tabs that do this at once: one gets 401 and then refreshes with the cookie that the other has brought.
//! So a page takes the 401 of an *exchange* for "refresh now", and only that of a refresh for "sign in".
//!
//! # What changes for users
//!
//! * Nothing visible, for who comes by while the exchange is open.
//! * One sign-in, for who does not.
//! * A second tab, a reload and a lost answer sign nobody out, which a table of one-time tokens does.
//! * Sign-out ends the session on the server; access tokens that are out live for their 15 minutes, as before.
