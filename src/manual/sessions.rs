//! Sessions: how long they last, how they end, how users prove themselves again, and how refresh tokens rotate.
//!
//! You want a sign-in that survives a reload and ends when you say so. It begins with
//! [`Session::start`](crate::manual::getting_started#sign-a-user-in). This chapter has the lines for the time after.
//!
//! # Remember me
//!
//! Without the tick, the cookies end with the browser, and the session ends after some hours:
//!
//! ```
//! use std::time::Duration;
//! use tower_bearer::{AccessToken, NewSession, Session, SessionError};
//!
//! async fn begin(session: Session, user: &str, remember_me: bool) -> Result<AccessToken, SessionError> {
//!     let new = NewSession::new(user);
//!     let half_a_day = Duration::from_secs(12 * 60 * 60);
//!     session.start_with(if remember_me { new } else { new.lifetime(half_a_day).browser_session() }).await
//! }
//! # let _ = begin;
//! ```
//!
//! * The layer's [`absolute_lifetime`](crate::refresh::RefreshCookieBuilder::absolute_lifetime) is the default and the
//!   longest lifetime: 7 days. To remember a user for a month, raise it, and give other sign-ins less.
//! * A sign-in with a duration that does not fit is answered 500. The log names the setting.
//! * Browsers that restore windows also restore the cookies of a
//!   [`browser_session`](crate::NewSession::browser_session): give it a short lifetime too.
//! * The token answer has the remaining seconds: `session_expires_in`, and `idle_expires_in` if that is shorter.
//! * It also has the id of the `session`. If a refresh names another session, the page shows its sign-in form. Another
//!   host of the domain may have planted the cookie.
//!
//! # End unused sessions
//!
//! Set [`idle_lifetime`](crate::refresh::RefreshCookieBuilder::idle_lifetime). With the other defaults it must be
//! longer than 16.5 minutes: an access token's life, `M` and `G` together. A refresh counts as use. The timer of an
//! open page refreshes too, so the page tells the server when its user did nothing:
//!
//! ```text
//! POST /auth/refresh
//! X-Session-Activity: passive
//! ```
//!
//! * The page sends the header if no pointer, key, touch or wheel was used since its last answered refresh. Whether the
//!   tab is visible does not matter. CORS must list the header for pages of another origin.
//! * A passive refresh does not move the idle end. Its access token expires there or before. After the idle end, a
//!   refresh is answered 401.
//! * Requests to the API do not count as use: only refreshes reach the session.
//! * If the `idle_expires_in` of a passive answer is at most its `expires_in`, the page refreshes at the first input.
//!   Without input it refreshes when the token expires: the user may have used another tab.
//! * The page counts a video or a long upload as input. A native client omits the header while its user is there.
//!
//! The npm package does all this; its `keepAlive()` is for the video. Try it with
//! `ACCESS_TTL=4 GRACE_SECONDS=1 IDLE_SECONDS=8 cargo run -p demo`.
//!
//! # End sessions
//!
//! | the user ... | call |
//! |---|---|
//! | signs out | [`Session::end`](crate::Session::end) |
//! | signs out everywhere | [`Session::end_all`](crate::Session::end_all) |
//! | changed the password and stays | [`Session::end_others`](crate::Session::end_others) |
//! | ends one entry of the list | [`Session::end_session`](crate::Session::end_session) |
//! | reset the password by mail, or was disabled | [`SessionAdmin::end_all`](crate::SessionAdmin::end_all) |
//! | reported a lost device to the support team | [`SessionAdmin::end`](crate::SessionAdmin::end), from its [`list`](crate::SessionAdmin::list) |
//!
//! [`SessionEndpoints`](crate::SessionEndpoints) has calls for the first two and the fourth. With
//! [`keep_current`](crate::SessionEndpoints::keep_current), `logout-all` does the third instead of the second. **Issued
//! access tokens stay valid until they expire**, 15 minutes by default. [`access_tokens`](crate::manual::access_tokens)
//! has lines that reject them sooner.
//!
//! Every client of the session's cookie jar can sign it out. The other calls need a client that the session
//! [knows](#terms), or that holds its newest token. Another client gets 409 `refresh_first`. It asks
//! again after a refresh that has set a cookie. That can take a minute, one `M`.
//!
//! # Change a password
//!
//! | the password was changed | call |
//! |---|---|
//! | by its owner, who stays signed in here | `end_others`, before and after: this session gets a new token |
//! | by mail, without a session | `SessionAdmin::end_all`, *after* you store the new password. Otherwise a sign-in with the old one can slip in between |
//! | by an administrator, or the account is disabled | the same; the claims function also returns [`Denied`](crate::ClaimsError::Denied) |
//! | any of these, with passwords and sessions in one SQL database | `revoke_in`, in the transaction that stores the password: [the program](https://docs.rs/tower-bearer-sqlx/latest/tower_bearer_sqlx/#in-one-commit-with-a-change-of-your-own) |
//!
//! ```
//! use axum::{Json, http::StatusCode, response::Result};
//! use tower_bearer::{AccessToken, Claims, NoClaims, Session};
//!
//! # async fn password_is_right(_: &str, _: &str) -> bool { true }
//! # async fn store_password(_: &str, _: &str) -> Result<(), StatusCode> { Ok(()) }
//! #[derive(serde::Deserialize)]
//! struct Change { old: String, new: String }
//!
//! // Put the route behind `auth.bearer()` too: the claims name the user.
//! async fn change_password(
//!     claims: Claims<NoClaims>,
//!     session: Session,
//!     Json(change): Json<Change>,
//! ) -> Result<Json<AccessToken>> {
//!     // Another tab may have signed in as another user: the cookie is then that user's.
//!     if claims.session() != session.id().map(|id| id.to_string()).as_deref() {
//!         return Err(StatusCode::CONFLICT.into()); // the page refreshes, and asks again
//!     }
//!     // A repeated request sends the old password again. The first one may have stored the new one.
//!     let user = claims.subject();
//!     if !password_is_right(user, &change.old).await && !password_is_right(user, &change.new).await {
//!         return Err(StatusCode::FORBIDDEN.into()); // after a 401 the page would refresh and send it again
//!     }
//!     session.end_others().await?; // before: if this fails, the password has not changed
//!     store_password(user, &change.new).await?;
//!     Ok(Json(session.end_others().await?)) // after: a sign-in with the old password may have come between
//! }
//! # let _: axum::routing::MethodRouter = axum::routing::post(change_password);
//! ```
//!
//! Without cookies `Session::id` is `None`: see [`native`](crate::manual::native#clients-without-a-cookie-jar). Both
//! calls fail if the store does not answer. `end_others` also fails if another tab holds a newer cookie. Then tell the
//! user to try again. After a failed second call the new password is stored already; the same request passes the check.
//! Keep a mailed link valid until `SessionAdmin::end_all` has succeeded.
//!
//! A slow sign-in with the old password may begin after both calls. A version of the password ends it: that program
//! has one. A rendered page takes the user from `refresh` on this handle, without the comparison.
//!
//! # List sessions
//!
//! Scripts use `GET /auth/sessions` and `DELETE /auth/sessions/{id}`. A rendered page:
//!
//! ```
//! use axum::{Router, extract::Path, routing::{delete, get}};
//! use tower_bearer::{Session, SessionError, SessionId};
//!
//! # fn escape(text: &str) -> String { text.replace('&', "&amp;").replace('<', "&lt;") }
//! async fn list(session: Session) -> Result<String, SessionError> {
//!     let sessions = session.list().await?.into_iter();
//!     let lines = sessions.map(|info| {
//!         let here = if info.current { " (this one)" } else { "" };
//!         // The client wrote its own name: escape it.
//!         format!("{}{here}, since {}\n", escape(&info.client), info.created_at.as_secs())
//!     });
//!     Ok(lines.collect())
//! }
//!
//! async fn end(session: Session, Path(id): Path<SessionId>) -> Result<(), SessionError> {
//!     session.end_session(&id).await // another user's session is not found
//! }
//! # let _: Router = Router::new().route("/sessions", get(list)).route("/sessions/{id}", delete(end));
//! ```
//!
//! Put both routes below the cookie's path. The times of the asking session are [blurred](crate::SessionInfo): a thief
//! does not learn when the owner's browser comes.
//!
//! # Ask for the password again
//!
//! A route whose effect cannot be undone asks for the credentials once more.
//! [`RequireRecentAuth`](crate::RequireRecentAuth) reads from the access token when the user authenticated (RFC 9470).
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Json, Router, http::StatusCode, response::Result, routing::post};
//! use tower_bearer::{AccessToken, Auth, Claims, NoClaims, RequireRecentAuth, Session, refresh::Elevation};
//!
//! # async fn password_is_right(_: &str, _: &str) -> bool { true }
//! #[derive(serde::Deserialize)]
//! struct Password { password: String }
//!
//! async fn step_up(
//!     claims: Claims<NoClaims>,
//!     session: Session,
//!     Json(form): Json<Password>,
//! ) -> Result<Json<AccessToken>> {
//!     if claims.session() != session.id().map(|id| id.to_string()).as_deref() {
//!         return Err(StatusCode::CONFLICT.into()); // as in `change_password`
//!     }
//!     if !password_is_right(claims.subject(), &form.password).await {
//!         return Err(StatusCode::FORBIDDEN.into()); // and not 401
//!     }
//!     Ok(Json(session.elevate_with(Elevation::new().amr(["pwd"])).await?))
//! }
//!
//! # fn app(keys: tower_bearer::KeyRing) -> Result<Router, tower_bearer::ConfigError> {
//! let auth = Auth::builder(&keys) // and the lines of the front page
//! #     .issuer("https://id.example").audience("api").same_origin().store(tower_bearer::MemoryStore::new())
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
//! # app(tower_bearer::KeyRing::generate().unwrap()).unwrap();
//! ```
//!
//! If the user authenticated too long ago, the API answers 401 `insufficient_user_authentication` with `max_age`. A
//! refresh does not help. The page posts `{"password": "..."}` to `/auth/step-up`, with the access token and the CSRF
//! token. Then it repeats its request with the new token. The example `demo` does so.
//!
//! | call | the time of authentication |
//! |---|---|
//! | [`start`](crate::Session::start), [`elevate`](crate::Session::elevate), `elevate_with` | now, or the `auth_time` of [`NewSession`](crate::NewSession::auth_time) and [`Elevation`](crate::refresh::Elevation::auth_time) |
//! | a refresh, `end_others` | unchanged |
//!
//! * A step-up replaces the refresh token, and the old one is rejected. Old access tokens keep their old time. So an
//!   earlier copy gains nothing. A copy of the whole jar made *after* the step-up also has the recent time: keep
//!   `max_age` short.
//! * Name the checked methods with `amr` and `acr`. Those of an earlier authentication do not count.
//!   [`acr_values`](crate::RequireRecentAuth::acr_values) asks for a class too.
//! * If the answer is lost, repeat the call with the same cookie. It returns the same token until the client uses that.
//!   Check the credential again, or accept the check of a moment ago.
//! * Limit the attempts of each subject, as at sign-in.
//! * The time is the store's, in whole seconds. Another service judges it by its own clock, within the codec's
//!   [`leeway`](crate::token::TokenCodecBuilder::leeway). A time that is further in the future does not count.
//! * [`Claims::authenticated_within`](crate::Claims::authenticated_within) lets a handler decide by itself.
//! * Tokens of another issuer need `auth_time` as a number of seconds (RFC 9068 section 2.2.1). Many issuers need a
//!   setting for that. The client takes `max_age` and `acr_values` of the challenge to its issuer (RFC 9470 section 4).
//! * With [`recent_auth_to_end_others`](crate::refresh::RefreshCookieBuilder::recent_auth_to_end_others) the
//!   endpoints demand it before they end other sessions: 403, with the same `code` and `max_age`.
//! * Put `RequireRecentAuth` around your routes that change a password, an address or a factor too.
//!
//! # Ask for a second factor
//!
//! The session keeps the methods, and the claims function reads them at every refresh:
//!
//! ```
//! use tower_bearer::{AccessToken, ClaimsError, ClaimsRequest, NewSession, Session, SessionError, refresh::Elevation};
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Scoped { scope: String }
//!
//! // The end of the sign-in, after it has checked the password.
//! async fn first(session: Session, user: &str) -> Result<AccessToken, SessionError> {
//!     session.start_with(NewSession::new(user).amr(["pwd"])).await
//! }
//!
//! // The end of a `step_up` that checks the code, with the same first check.
//! async fn second(session: Session) -> Result<AccessToken, SessionError> {
//!     session.elevate_with(Elevation::new().amr(["pwd", "otp"])).await
//! }
//!
//! async fn scopes(request: ClaimsRequest) -> Result<Scoped, ClaimsError> {
//!     let second = request.amr().any(|method| method == "otp");
//!     Ok(Scoped { scope: if second { "orders:read orders:pay" } else { "orders:read" }.into() })
//! }
//! # let _ = (first, second, scopes);
//! ```
//!
//! [`RequireScopeLayer`](crate::RequireScopeLayer) around `/orders/pay` answers 403 `insufficient_scope` and names the
//! scope; the page then asks for the code. The earlier access token keeps its rights until it expires.
//!
//! # Issue short access tokens for dangerous routes
//!
//! The lifetime belongs to the codec. An ordinary route issues a short token with an audience of its own, and the
//! dangerous routes accept no other:
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
//! # fn app(keys: KeyRing, everyday: BearerAuthLayer) -> Result<Router, tower_bearer::ConfigError> {
//! let admin: TokenCodec = TokenCodec::nested(&keys)
//!     .issuer("https://id.example")
//!     .audience("admin")
//!     .lifetime(Duration::from_secs(60))
//!     .leeway(Duration::from_secs(5)) // the default of 60 s would double the lifetime
//!     .build()?;
//! let dangerous = Router::new().route("/admin/close-account", post(async || "closed"));
//! let app: Router = Router::new()
//!     .route("/admin-token", post(admin_token))
//!     .route_layer(everyday) // `auth.bearer()`
//!     .with_state(admin.clone())
//!     .merge(dangerous.route_layer(BearerAuthLayer::new(admin)));
//! # Ok(app)
//! # }
//! # let _ = app;
//! ```
//!
//! # Learn of thefts
//!
//! Give [`events`](crate::auth::AuthBuilder::events) a sink. It runs inside the request, so pass long work on.
//!
//! ```
//! use tower_bearer::{Event, EventSink};
//!
//! let events = EventSink::new(|event: &Event<'_>| match event {
//!     Event::ReuseDetected { subject, .. } => eprintln!("mail to {subject}: a session was stolen and is revoked"),
//!     // Perhaps the user's own second window. The client wrote the name: escape it.
//!     Event::NewFingerprint { subject, presented, .. } => eprintln!("mail to {subject}: new client {presented}"),
//!     _ => {}
//! });
//! # let _ = events;
//! ```
//!
//! # Look without a refresh
//!
//! [`Session::peek`](crate::Session::peek) returns the user and the end of the session, and rotates nothing: see
//! [`rendered_pages`](crate::manual::rendered_pages). Scripts call `GET {base}/session`.
//!
//! A server that renders pages looks, and does not refresh: see
//! [`guards`](crate::manual::guards#both-cookies-and-the-user-agent). **If a server must refresh with a user's cookies,
//! it forwards both cookies and the browser's `User-Agent`.** It passes each `Set-Cookie` of the answer on. If it
//! cannot forward the `User-Agent`, set a
//! [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) that both sides share.
//!
//! # How refresh tokens rotate
//!
//! A refresh replaces the token, and a replaced token that comes back means theft (RFC 9700 section 4.14.2). Taken
//! literally, that signs honest users out: two tabs refresh at once, an answer is lost, a browser crashes. So the rule
//! is: **one cookie jar is one client. A client with a new name first shows that it shares the jar. Only then does a
//! rotation give it an access token.** A `User-Agent` is evidence and no identity: millions of browsers share one.
//!
//! The rule leaves some thieves unnoticed, and costs some honest users a sign-in: see
//! [`threats`](crate::manual::threats). `DESIGN.md` has the reason for each line.
//!
//! ## Terms
//!
//! | term | meaning |
//! |---|---|
//! | current, previous | the token that the store expects, and the one that it replaced |
//! | handed out, seen | the server has sent the current token; a request has presented it |
//! | jar cookie | the [second cookie](crate::refresh#cookies), which stays the same for a session |
//! | bound | a known client has shown the jar cookie. From then on every request must |
//! | fingerprint | a salted hash of the `User-Agent`, or of your [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) |
//! | holder | the fingerprint that got the current token |
//! | known | the fingerprint of the sign-in, and each holder whose token came back from a known one |
//! | newcomer | any other fingerprint |
//! | same client | its fingerprint is the holder's, or both are known |
//! | window | open for `G` after the current token was last handed out or first presented |
//! | confirm | 409 `superseded` with the successor as its cookie. The next request gets the access token by line 5 |
//! | `G`, `M` | [grace](crate::refresh::RotationPolicyBuilder::grace), 30 s, and [interval](crate::refresh::RotationPolicyBuilder::interval), 60 s by default |
//!
//! A session records four fingerprints. A fifth displaces the oldest newcomer, else the oldest known one, and never the
//! holder. Line 5 records a newcomer only where that displaces no other newcomer.
//!
//! ## The decision
//!
//! The first line that matches decides.
//!
//! | # | the token | answer | cookie |
//! |---|---|---|---|
//! | 0 | does not open, or its key is unknown | 401; the store is not asked | kept |
//! | 1 | is expired, or its session is, absolute or idle | 401, expired | kept |
//! | 2 | is of a session that the store does not have | 401 | kept |
//! | 3a | was replaced, and another client of the session ended it more than `G` ago | 401, **reuse**, told once | cleared |
//! | 3 | is of a session that has ended otherwise | 401, revoked. 409, superseded, where the same client signed in anew within `G` | cleared; kept after a new sign-in |
//! | 3b | is of a bound session, without the right jar cookie | 401, foreign jar, event | kept |
//! | 4 | is of a subject that the claims function denies | 401, denied; the session ends | cleared |
//! | 5 | is current, handed out less than `M` ago, after an earlier rotation; any fingerprint | 200, *coalesced* | not sent |
//! | 6 | is current otherwise; known or the holder | 200, *rotated* | the successor |
//! | 6b | is current otherwise; a newcomer | 409, *rotated*, confirm | the successor |
//! | 7b | is from before a privilege change, and the session has not rotated since; any fingerprint | window open: 409, superseded. Later: 401, outdated. Event | kept |
//! | 7 | is previous, not the same client, window open | 409, superseded, event | kept |
//! | 8 | is previous, same client, window open, current not seen | 200, *replayed*; a newcomer: confirm | the same successor |
//! | 9 | is previous, same client, window open, current seen | 200, *replayed*; a newcomer: confirm | not sent; a newcomer gets the same successor |
//! | 10 | is previous, same client, window closed; a newcomer only where current is not seen | 200, *recovered*; a newcomer: confirm | a new successor; the old one is burned |
//! | 10b | is previous, window closed; a newcomer, and the holder is known | 409, *recovered*, confirm, event | a new successor |
//! | 10c | is previous, window closed; the holder is another newcomer, which has not shown its token | 200, *recovered*; a newcomer: confirm | a new successor |
//! | 11 | is one write ahead of the store, and proves it | 200, *adopted*; the store gets the lost write | not sent |
//! | 12 | is further ahead of the store | 401, state lost | kept |
//! | 13a | was burned by a recovery within the last `G` | 409, superseded, event | kept |
//! | 13 | is anything else | 401, **reuse** | cleared |
//!
//! "A newcomer" in lines 8 to 10 is a holder that is not known yet. *Reuse* revokes the session and emits
//! [`Event::ReuseDetected`](crate::Event::ReuseDetected). With [`ReusePolicy::Subject`](crate::ReusePolicy::Subject) it
//! revokes all sessions of the subject. Each 401 has the code `invalid_session`. The
//! [`SessionErrorKind`](crate::SessionErrorKind) tells your code the reason.
//!
//! After 255 [`recoveries`](crate::refresh::RotationPolicyBuilder::recoveries) in a row, lines 10 to 10c answer 401,
//! outdated, and keep the cookie. The server judges line 4 last, before it writes.
//!
//! Lines 6, 6b and 10 to 11 begin the idle lifetime anew. Lines 5, 8 and 9 do so if that moves the end by `M` or more.
//! [Passive](#end-unused-sessions) refreshes never do, a sign-in and a privilege change always.
//!
//! With [`RefreshTransport::Body`](crate::refresh::RefreshTransport::Body) there is no line 3b, and line 10c is 13. A
//! newcomer gets its access token at once, without confirmation.
//! [`FingerprintPolicy::Ignored`](crate::refresh::FingerprintPolicy::Ignored) takes every fingerprint for a known one.
//! The jar cookie is then the only evidence, and no [`NewFingerprint`](crate::Event::NewFingerprint) is emitted.
//! [`RotationPolicy::strict`](crate::RotationPolicy::strict) has no lines 5, 6b to 10c and 13a.
