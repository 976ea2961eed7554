//! Recipes: one situation each. The basics (sign-in, roles, ending sessions) are in
//! [`how_to`](super::how_to), tests in [`testing`](super::testing), keys in [`keys`](super::keys). Three are chapters:
//! [recent authentication and second factors](super::step_up), [callbacks by POST](super::form_post), and
//! [htmx and Turbo](super::htmx_turbo).
//!
//! # Another path, another host
//!
//! The refresh cookie goes to one path of one host. [`mount`](crate::auth::AuthBuilder::mount) says the path once, for
//! the cookie and for the endpoints:
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
//! [`external_prefix`](crate::auth::AuthBuilder::external_prefix) names what a proxy in front takes off the path, and
//! [`former_path`](crate::refresh::RefreshCookieBuilder::former_path) an earlier path, whose cookies are then cleared.
//!
//! **A cookie for a parent host** (`Domain=example.com`) is not offered: the weakest of all hosts below it could read
//! it. Give sessions a host of their own, say `id.example.com`. The pages of `app.example.com` call it with
//! `credentials: "include"`, and CORS and the guard list their origin. The hosts are one *site*, so the cookie is sent.
//!
//! # Pages of another origin
//!
//! With [`Auth`](crate::Auth), `.origins([...]).cors()` (feature `cors`) is all, where `auth.headers()` is around the
//! application. CORS goes outside and the guard inside of it, both with one list: [`guards`](super::guards#order-of-layers)
//! has the code for layers alone, and for pages that send headers of their own. Three cases:
//!
//! | the page is on | the session |
//! |---|---|
//! | the same host | works; no CORS needed |
//! | another host of the same site (`app.example.com`, `id.example.com`) | works, with CORS and `credentials: "include"` |
//! | another site (`app.example`, `id.other`) | no browser sends the cookie, nor should one. Let the user sign in at `id.other` and hand the page a token, which is what OAuth's code flow with PKCE is for (RFC 9700 section 2.1.1); or serve `/auth` on the page's own host through a proxy. |
//!
//! # Several audiences
//!
//! One issuer, two APIs. Each API accepts its own name, so that what is meant for one does not open the other:
//!
//! ```
//! use tower_bearer::{KeyRing, NoClaims, TokenCodec};
//!
//! let keys = KeyRing::generate()?;
//! let orders: TokenCodec = TokenCodec::nested(&keys)
//!     .issuer("https://id.example")
//!     .audience("orders")
//!     .build()?;
//! let billing: TokenCodec = TokenCodec::nested(&keys)
//!     .issuer("https://id.example")
//!     .audience("billing")
//!     .build()?;
//! // In front of what both may use: either name.
//! let shared: TokenCodec = TokenCodec::nested(&keys)
//!     .issuer("https://id.example")
//!     .audience("orders")
//!     .audience("billing")
//!     .build()?;
//!
//! let token = billing.mint("user-1", &NoClaims {})?;
//! assert!(orders.verify(token.as_str()).is_err());
//! assert!(shared.verify(token.as_str()).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A codec mints the audience that was given first. A client that needs both APIs has two tokens: give each API
//! a [`RefreshCookieLayer`](crate::RefreshCookieLayer) of its own path, or mint the second one in a handler that
//! has verified the first, with [`TokenCodec::mint`](crate::TokenCodec::mint).
//!
//! # Short access tokens for what is dangerous
//!
//! A lifetime belongs to a codec. A route behind the ordinary token hands out a short one, which has an
//! audience of its own; the dangerous routes accept nothing else.
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
//! use tower_bearer::{AccessToken, BearerAuthLayer, Claims, KeyRing, NoClaims, TokenCodec};
//!
//! # fn may_administer(_: &str) -> bool { true }
//! async fn admin_token(
//!     State(admin): State<TokenCodec>,
//!     claims: Claims<NoClaims>,
//! ) -> Result<Json<AccessToken>, StatusCode> {
//!     if !may_administer(claims.subject()) {
//!         return Err(StatusCode::FORBIDDEN);
//!     }
//!     admin.mint(claims.subject(), &NoClaims {}).map(Json).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
//! }
//!
//! # fn app(keys: KeyRing) -> Result<Router, tower_bearer::ConfigError> {
//! let everyday: TokenCodec = TokenCodec::nested(&keys)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .build()?;
//! let admin: TokenCodec = TokenCodec::nested(&keys)
//!     .issuer("https://id.example")
//!     .audience("admin")
//!     .lifetime(Duration::from_secs(60))
//!     .leeway(Duration::from_secs(5)) // it would double the lifetime otherwise
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/admin-token", post(admin_token))
//!     .route_layer(BearerAuthLayer::new(everyday))
//!     .with_state(admin.clone())
//!     .merge(
//!         Router::new()
//!             .route("/admin/close-account", post(|| async { "closed" }))
//!             .route_layer(BearerAuthLayer::new(admin)),
//!     );
//! # Ok(app)
//! # }
//! # app(KeyRing::generate().unwrap()).unwrap();
//! ```
//!
//! Where it is the authentication that has to be recent, and not the token: [`step_up`](super::step_up).
//!
//! # A changed password
//!
//! | the password was changed | call |
//! |---|---|
//! | by its owner, who stays signed in here | [`Session::end_others`](crate::Session::end_others), before and after: all others end, this one gets a new token |
//! | by mail, without a session | [`SessionAdmin::end_all`](crate::SessionAdmin::end_all), *after* the new password is stored, or a sign-in with the old one slips in between |
//! | by an administrator, or the account is disabled | the same; and let the claims closure answer [`Denied`](crate::ClaimsError::Denied) |
//! | any of these, where one SQL database has passwords and sessions | `revoke_in` of `tower-bearer-sqlx`, in the transaction that stores the password: both are done, or neither |
//!
//! ```
//! use axum::{Json, http::StatusCode};
//! use serde::Deserialize;
//! use tower_bearer::{AccessToken, Claims, NoClaims, Session, SessionAdmin, SessionError};
//!
//! #[derive(Deserialize)]
//! struct Change {
//!     old: String,
//!     new: String,
//! }
//!
//! # async fn password_is_right(_: &str, _: &str) -> bool { true }
//! # async fn store_password(_: &str, _: &str) -> Result<(), StatusCode> { Ok(()) }
//! // Behind `BearerAuthLayer` too: whose password it is, is known before anything is changed. A wrong one is no 401,
//! // which a page takes for a dead access token: it would refresh and send the password again.
//! async fn change_password(
//!     claims: Claims<NoClaims>,
//!     session: Session,
//!     Json(change): Json<Change>,
//! ) -> axum::response::Result<Json<AccessToken>> {
//!     // Another tab may have signed in as another user by now: the cookie is then that user's.
//!     if claims.session() != session.id().map(|id| id.to_string()).as_deref() {
//!         return Err(StatusCode::CONFLICT.into()); // the page refreshes, and asks again
//!     }
//!     // A second try sends the old password again, and the first one may have stored the new one.
//!     let user = claims.subject();
//!     if !password_is_right(user, &change.old).await && !password_is_right(user, &change.new).await {
//!         return Err(StatusCode::FORBIDDEN.into());
//!     }
//!     // Before, so that nothing is stored while the others cannot be ended; and after, for a sign-in with the
//!     // old password in between.
//!     session.end_others().await?;
//!     store_password(user, &change.new).await?;
//!     Ok(Json(session.end_others().await?))
//! }
//!
//! async fn reset_by_mail(admin: &SessionAdmin, user: &str) -> Result<usize, SessionError> {
//!     Ok(admin.end_all(user, None).await?.len())
//! }
//! # let _ = (axum::routing::post(change_password) as axum::routing::MethodRouter, reset_by_mail);
//! ```
//!
//! Both return an error when the store does not answer, and [`Session::end_others`](crate::Session::end_others) when
//! another tab holds a newer cookie. The user is then told to try once more, and not that all is well. Where the first
//! `end_others` fails, the password is the old one. Behind it the new one may be stored already, and the same request
//! passes the check with that. A link from a mail stays good until `reset_by_mail` has succeeded.
//!
//! # Refusing tokens of sessions that have ended
//!
//! Access tokens live on after a sign-out, 15 minutes by default. Where that is too long and a shorter life too
//! many refreshes, remember what has ended for as long as a token can live, and look there. The sink hears of
//! every session that this process ends:
//!
//! ```
//! use std::{
//!     collections::HashSet,
//!     sync::{Arc, PoisonError, RwLock},
//! };
//! use tower_bearer::{
//!     BearerAuthLayer, Event, EventSink, TokenCodec, TokenContext, bearer::CheckError,
//! };
//!
//! #[derive(Clone, Default)]
//! struct Ended(Arc<RwLock<HashSet<String>>>);
//!
//! impl Ended {
//!     /// For the session layer: `RefreshCookieBuilder::events`.
//!     fn sink(&self) -> EventSink {
//!         let ended = self.0.clone();
//!         EventSink::new(move |event: &Event<'_>| {
//!             if let Event::Revoked { session, .. } = event {
//!                 ended.write().unwrap_or_else(PoisonError::into_inner).insert(session.to_string());
//!             }
//!         })
//!     }
//!
//!     /// For the API.
//!     fn layer(&self, codec: TokenCodec) -> BearerAuthLayer {
//!         let ended = self.0.clone();
//!         BearerAuthLayer::new(codec).check(move |token: &TokenContext| {
//!             let ended = ended.read().unwrap_or_else(PoisonError::into_inner);
//!             match token.session() {
//!                 Some(session) if ended.contains(session) => Err(CheckError::Revoked),
//!                 _ => Ok(()),
//!             }
//!         })
//!     }
//! }
//! # let _ = (Ended::sink, Ended::layer);
//! ```
//!
//! It is one process's knowledge. With several, send what the sink hears to all of them (a Redis channel, say), and
//! clear the set of what is older than lifetime plus leeway. The check runs on the request's path and does not wait: it
//! looks into memory alone. A theft raises `Revoked` too, so its access token ends with it.
//!
//! # A page that lists sessions
//!
//! `GET /auth/sessions` and `DELETE /auth/sessions/{id}` of [`SessionEndpoints`](crate::SessionEndpoints) are
//! enough for a script. A page that the server renders:
//!
//! ```
//! use axum::extract::Path;
//! use tower_bearer::{Session, SessionError, SessionId};
//!
//! # fn escape(text: &str) -> String { text.replace('&', "&amp;").replace('<', "&lt;") }
//! async fn list(session: Session) -> Result<String, SessionError> {
//!     let mut page = String::new();
//!     for info in session.list().await? {
//!         let here = if info.current { " (this one)" } else { "" };
//!         // The client wrote its own name: escape it.
//!         page += &format!("{}{here}, since {}\n", escape(&info.client), info.created_at.as_secs());
//!     }
//!     Ok(page)
//! }
//!
//! async fn end(session: Session, Path(id): Path<SessionId>) -> Result<(), SessionError> {
//!     session.end_session(&id).await // somebody else's session is not found
//! }
//! # let _: axum::Router = axum::Router::new().route("/sessions", axum::routing::get(list)).route("/sessions/{id}", axum::routing::delete(end));
//! ```
//!
//! Both have to lie below the cookie's path. 409 `refresh_first` is for a client with a new name: it asks again after a
//! refresh that [has brought a cookie](super::how_to#ending-sessions). The times of the session that asks are
//! [blurred](crate::SessionInfo), so that a copied cookie does not tell when the owner's browser comes.
//!
//! # Two services, one sign-in
//!
//! *One mints, the other verifies.* Inside of one trust domain both get the same `ACCESS_SECRET` and
//! `ENCRYPTION_KEY`, and the second one no `REFRESH_SECRET`: it cannot touch sessions. It *can* mint, since the
//! secrets are shared. Where that is too much trust, sign with a public-key algorithm; the second service then
//! has the public half alone:
//!
//! ```
//! use tower_bearer::{KeyRing, NoClaims, TokenCodec};
//!
//! # // The key of RFC 8037 appendix A.
//! # let private_jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"ed-1","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
//! // The service that signs in. Its public keys go to /.well-known/jwks.json, or into a file.
//! let keys = KeyRing::builder().jwk(private_jwk).build()?;
//! let minting: TokenCodec = TokenCodec::signed(&keys)
//!     .issuer("https://id.example")
//!     .audience("orders")
//!     .build()?;
//! let published = keys.jwks();
//!
//! // The other one.
//! let verifying: TokenCodec =
//!     TokenCodec::signed(&KeyRing::verifier(&published)?)
//!         .issuer("https://id.example")
//!         .audience("orders")
//!         .build()?;
//! let token = minting.mint("user-1", &NoClaims {})?;
//! assert_eq!(verifying.verify(token.as_str())?.subject(), "user-1");
//! assert!(!verifying.can_mint());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! *Both sign in* and share the sessions: the same keys, the same issuer, the same Redis with the same
//! [prefix](super::operations#settings-of-the-store). The cookie is sealed to its name and to the issuer, and is
//! sent to one host and path: so behind one host name.
//!
//! # Browser and mobile side by side
//!
//! Two layers over one store, two paths. A token that one of them gave out is worth nothing at the other.
//!
//! ```
//! use axum::Router;
//! use tower::ServiceBuilder;
//! use tower_bearer::{
//!     ClaimsError, ClaimsRequest, CsrfLayer, KeyRing, MemoryStore, NoClaims, OriginGuardLayer,
//!     RefreshCookieLayer, SessionEndpoints, TokenCodec, refresh::RefreshTransport,
//!     store::SharedStore,
//! };
//!
//! # fn app(keys: KeyRing) -> Result<Router, tower_bearer::ConfigError> {
//! async fn claims(_: ClaimsRequest) -> Result<NoClaims, ClaimsError> {
//!     Ok(NoClaims {})
//! }
//!
//! let codec = TokenCodec::nested(&keys)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .build()?;
//! let store = SharedStore::new(MemoryStore::new());
//! let browsers = RefreshCookieLayer::new(codec.clone(), store.clone(), claims)?;
//! let native = RefreshCookieLayer::builder(codec, store, claims)
//!     .cookie_path("/native")
//!     .transport(RefreshTransport::Body)
//!     .build()?;
//! let csrf = CsrfLayer::new(&keys)?;
//!
//! let app: Router = Router::new()
//!     .nest("/auth", Router::new().merge(SessionEndpoints::new()).layer(
//!         ServiceBuilder::new()
//!             .layer(OriginGuardLayer::new(["https://app.example".parse()?])?)
//!             .layer(browsers)
//!             .layer(csrf),
//!     ))
//!     // No cookie, no guards: see `how_to`.
//!     .nest("/native", Router::new().merge(SessionEndpoints::new()).layer(native));
//! # Ok(app)
//! # }
//! # app(KeyRing::generate().unwrap()).unwrap();
//! ```
//!
//! The list of sessions, the limit and the sign-out everywhere are the subject's: they see both kinds.
