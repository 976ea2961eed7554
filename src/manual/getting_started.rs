//! First steps: the routes, the sign-in, the roles and the page.
//!
//! You want users to sign in to your service. The program on the [front page](crate) does that, with the commands to
//! try it. This chapter turns it into your program. At the end, a table names the chapter for each further task.
//!
//! # Place your routes
//!
//! | routes | add them to | their handlers take |
//! |---|---|---|
//! | sign-in and all others that need the refresh cookie | `auth.routes()`, below `/auth` | [`Session`](crate::Session) |
//! | your API | a router with `.route_layer(auth.bearer())` | [`Claims`](crate::Claims) |
//! | all of these together | `.layer(auth.headers())`, the last line | |
//!
//! axum applies `.route_layer(auth.bearer())` to the routes that stand before it. **A route that you add after it is
//! open.** If its handler takes `Claims`, it answers 500 instead.
//!
//! `auth.routes()` already contains refresh, sign-out, the list of sessions and the CSRF token.
//! [`SessionEndpoints`](crate::SessionEndpoints) has the calls and the answers.
//!
//! # Sign a user in
//!
//! Check the password first, then start the session. The layer around the handler adds the cookies to the response.
//!
//! ```
//! use axum::{Json, http::StatusCode};
//! use serde::Deserialize;
//! use tower_bearer::{AccessToken, Session};
//!
//! #[derive(Deserialize)]
//! struct Login {
//!     email: String,
//!     password: String,
//! }
//!
//! # async fn check(_: &str, _: &str) -> Option<String> { None }
//! async fn login(session: Session, Json(form): Json<Login>) -> axum::response::Result<Json<AccessToken>> {
//!     let user = check(&form.email, &form.password).await.ok_or(StatusCode::UNAUTHORIZED)?;
//!     Ok(Json(session.start(&user).await?))
//! }
//! # let _: axum::routing::MethodRouter = axum::routing::post(login);
//! ```
//!
//! * `user` is the subject: 1 to 256 bytes that name the user in your database. Use an id that never changes.
//! * The crate stores no passwords and limits no sign-in attempts. Hash passwords slowly, and [limit the
//!   attempts](crate::manual::operations).
//! * [`start_with`](crate::Session::start_with) sets more, for example ["remember
//!   me"](crate::manual::sessions#remember-me).
//! * Without axum, a handler gets its session from
//!   [`Session::from_extensions`](crate::Session::from_extensions): see [`native`](crate::manual::native).
//!
//! # Decide about roles
//!
//! One async function decides the claims of every access token. The crate calls it at sign-in and at each refresh.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tower_bearer::{Claims, ClaimsError, ClaimsRequest, RequireClaimsLayer};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Role {
//!     role: String,
//! }
//!
//! # async fn load(_: &str) -> Result<Option<Role>, std::io::Error> { Ok(None) }
//! // For `Auth::builder(..).claims(roles_of)`.
//! async fn roles_of(request: ClaimsRequest) -> Result<Role, ClaimsError> {
//!     match load(request.subject()).await {
//!         Ok(Some(role)) => Ok(role),
//!         // The account is gone or disabled: the session ends.
//!         Ok(None) => Err(ClaimsError::Denied),
//!         // The database is away: the answer is 503, and the session goes on.
//!         Err(error) => Err(ClaimsError::unavailable(error)),
//!     }
//! }
//!
//! // Around the routes of administrators, inside of `auth.bearer()`. Other users get 403.
//! let admins = RequireClaimsLayer::new(|claims: &Claims<Role>| claims.custom().role == "admin");
//! # let _ = (roles_of, admins);
//! ```
//!
//! If you take a role away, the next refresh leaves it out. Issued access tokens keep it until they expire, 15 minutes
//! by default. At a refresh the function has
//! [7.5 seconds](crate::refresh::RefreshCookieBuilder::claims_timeout). Then the answer is 503.
//!
//! # Write the page
//!
//! The npm package `tower-bearer` does all of this for [pages with scripts](crate::manual::guards). [Pages without
//! scripts](crate::manual::rendered_pages) use forms instead. A page of your own does the following:
//!
//! 1. It asks `GET /auth/csrf` for a token, and sends that in `X-CSRF-Token` with each `POST` and `DELETE` to `/auth`.
//!    A script of the same origin can copy the cookie `__Host-csrf` instead. Sign-in and sign-out
//!    replace the token.
//! 2. It keeps the access token in a variable, and never in `localStorage`.
//! 3. It sends `Authorization: Bearer <token>` to the API.
//! 4. After a reload, and shortly before `expires_in` is over, it sends `POST /auth/refresh`.
//! 5. Where the API answers 401, it looks at the `code` of the answer. For `insufficient_user_authentication` it [asks
//!    for the password](crate::manual::sessions#ask-for-the-password-again). Otherwise it refreshes once and sends the
//!    request again.
//!
//! A failed refresh tells the page the next step by its status:
//!
//! | status of a refresh | the page |
//! |---|---|
//! | 401 | shows its sign-in form: only this status says that the session is over |
//! | 403 | asks for a CSRF token and sends the request once more. Waiting does not cure a second 403 |
//! | 409, 429, 503 | waits as long as `Retry-After` says. Then it sends the same request with the browser's current cookies: a 409 may have set newer ones |
//! | none, or another | tries again a little later |
//!
//! # Choose the path and the host
//!
//! The browser sends the refresh cookie to one path of one host.
//! [`mount`](crate::auth::AuthBuilder::mount) sets the path for the cookie and the endpoints:
//!
//! ```
//! use axum::Router;
//! use tower_bearer::{Auth, KeyRing, MemoryStore};
//!
//! # fn app(keys: KeyRing) -> Result<Router, tower_bearer::ConfigError> {
//! let auth = Auth::builder(&keys)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .store(MemoryStore::new())
//!     .origins(["https://app.example".parse()?])
//!     .mount("/account/session")
//!     .build()?;
//! let app: Router = Router::new().merge(auth.routes());
//! # Ok(app)
//! # }
//! # app(KeyRing::generate().unwrap()).unwrap();
//! ```
//!
//! * If a proxy removes a prefix from the path, name it with
//!   [`external_prefix`](crate::auth::AuthBuilder::external_prefix).
//! * If the path has changed, [`former_path`](crate::refresh::RefreshCookieBuilder::former_path) clears the cookies of
//!   the old path.
//! * The crate offers no cookie for a parent host (`Domain=example.com`), because the weakest host below it could read
//!   the cookie. Give sessions a host of their own, for example `id.example.com`.
//! * Pages of `app.example.com` call that host with `credentials: "include"`. CORS and the guard list their origin:
//!   see [`guards`](crate::manual::guards). Both hosts belong to one *site*, so the browser sends the cookie.
//!
//! # Problems and cures
//!
//! A rejection tells the client a `code` and nothing else. The log has the reason and the cure: enable the feature
//! `tracing`, add `tracing-subscriber`, and begin `main` with `tracing_subscriber::fmt::init();`.
//!
//! | you see | cause | cure |
//! |---|---|---|
//! | 500 with the header `tower-bearer-mistake` | a layer is missing or misplaced, or the claims have the wrong type | do what the `detail` of the body says |
//! | 401 `no_session` in Safari, on plain http | Safari keeps no `Secure` cookie there, also on localhost | [`dangerous_insecure_cookies`](crate::auth::AuthBuilder::dangerous_insecure_cookies) in development |
//! | 401 `no_session` for a page of another site | no browser sends a `SameSite=Strict` cookie there | serve page and session from one [site](crate::manual::guards) |
//! | 403 `foreign_origin` at every sign-in | the page's origin is not in the list | add it to `origins`, or use `same_origin` |
//! | all users sign in again after a restart | `MemoryStore` forgets, or the secrets are new | choose a [store](crate::manual::stores), keep the [secrets](crate::manual::keys) |
//!
//! # Find the next chapter
//!
//! | you want to | chapter |
//! |---|---|
//! | remember users, end sessions, ask for a second factor | [`sessions`](crate::manual::sessions) |
//! | accept tokens of Auth0, Okta, Entra ID, Cognito, Keycloak and others | [`access_tokens`](crate::manual::access_tokens) |
//! | let pages of other origins in, run behind a proxy, use WebSockets | [`guards`](crate::manual::guards) |
//! | render pages on the server, with forms or htmx | [`rendered_pages`](crate::manual::rendered_pages) |
//! | keep sessions in Redis, PostgreSQL or SQLite, or write a store | [`stores`](crate::manual::stores) |
//! | create and replace keys, or react to a leaked one | [`keys`](crate::manual::keys) |
//! | serve mobile applications, command lines or other services | [`native`](crate::manual::native) |
//! | test your handlers | [`testing`](crate::manual::testing) |
//! | measure, alert, and repair at night | [`operations`](crate::manual::operations) |
//! | know which attacks are covered, and every default | [`threats`](crate::manual::threats) |
//! | replace Express sessions, `tower-sessions` or `jsonwebtoken` | [`migrating`](crate::manual::migrating) |
