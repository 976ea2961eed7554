//! How to do the usual things.
//!
//! # Signing in
//!
//! Check who is asking, then start the session. The cookie travels with the response, by way of the
//! layer around the handler.
//!
//! ```
//! use axum::{Json, http::StatusCode};
//! use tower_bearer::{AccessToken, Session};
//!
//! # async fn check(_: &str) -> Option<String> { None }
//! async fn login(session: Session, password: String) -> axum::response::Result<Json<AccessToken>> {
//!     let user = check(&password).await.ok_or(StatusCode::UNAUTHORIZED)?;
//!     Ok(Json(session.start(&user).await?))
//! }
//! ```
//!
//! Without axum, take the handle from the request's extensions:
//! [`Session::from_extensions`](crate::Session::from_extensions). The page of the
//! [module `refresh`](crate::refresh) has such a service.
//!
//! # Without axum: hyper and tonic
//!
//! The layers wrap any `tower::Service<http::Request<_>>` whose response body has a `Default`, such as
//! `http_body_util::Full`. hyper takes the whole through `hyper_util::service::TowerToHyperService`:
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use hyper::body::Incoming;
//! use hyper_util::{
//!     rt::{TokioExecutor, TokioIo},
//!     server::conn::auto::Builder,
//!     service::TowerToHyperService,
//! };
//! use tower::{ServiceBuilder, service_fn};
//! use tower_bearer::{BearerAuthLayer, Claims, KeyRing, NoClaims, TokenCodec};
//!
//! async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::io::Error> {
//!     let mut response = Response::new(Full::default());
//!     match Claims::<NoClaims>::from_extensions(request.extensions()) {
//!         Ok(claims) => *response.body_mut() = format!("hello, {}", claims.subject()).into(),
//!         // Only when the layer is missing, which the rejection says.
//!         Err(rejection) => *response.status_mut() = rejection.status(),
//!     }
//!     Ok(response)
//! }
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let codec: TokenCodec = TokenCodec::nested(&KeyRing::from_env()?, "https://id.example", "api")?;
//! let service = ServiceBuilder::new().layer(BearerAuthLayer::new(codec)).service(service_fn(hello));
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! loop {
//!     let (stream, _) = listener.accept().await?;
//!     let service = TowerToHyperService::new(service.clone());
//!     tokio::spawn(async move {
//!         // What goes wrong on one connection concerns nobody else.
//!         let _ = Builder::new(TokioExecutor::new())
//!             .serve_connection(TokioIo::new(stream), service)
//!             .await;
//!     });
//! }
//! # }
//! ```
//!
//! tonic takes the layer as it is, `Server::builder().layer(BearerAuthLayer::new(codec))`. A refused call
//! gets its `grpc-status`; a handler reads the claims from the extensions of its request:
//!
//! ```
//! use tonic::{Request, Status};
//! use tower_bearer::{Claims, NoClaims};
//!
//! fn caller<T>(request: &Request<T>) -> Result<Claims<NoClaims>, Status> {
//!     // Fails only when the layer is missing.
//!     Claims::from_extensions(request.extensions()).map_err(|error| Status::internal(error.to_string()))
//! }
//! # assert_eq!(caller(&Request::new(())).unwrap_err().code(), tonic::Code::Internal);
//! ```
//!
//! # Roles and other claims
//!
//! What is in an access token is decided in one closure, which serves sign-in and refresh alike. A role
//! that is taken away is gone with the next refresh; `Denied` ends the session.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tower_bearer::{ClaimsError, ClaimsRequest, Denied};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Role {
//!     role: String,
//! }
//!
//! # async fn load(_: &str) -> Result<Option<Role>, std::io::Error> { Ok(None) }
//! async fn roles_of(request: ClaimsRequest) -> Result<Role, ClaimsError> {
//!     match load(request.subject()).await {
//!         Ok(Some(role)) => Ok(role),
//!         // The account is gone or disabled: the session ends.
//!         Ok(None) => Err(Denied.into()),
//!         // The database is away: 503, and the session is as good as before.
//!         Err(error) => Err(ClaimsError::unavailable(error)),
//!     }
//! }
//! ```
//!
//! # A second factor
//!
//! Start the session with the first, and call [`Session::elevate`](crate::Session::elevate) after the
//! second: the session is re-seeded, so a refresh token from before the step is worth nothing after it.
//! What was proven can be kept in the session's
//! [context](crate::NewSession::context), which the claims closure gets back at every refresh;
//! [`elevate_with`](crate::Session::elevate_with) replaces it.
//!
//! A token from before the step that comes late is answered 409 `superseded`: see
//! [below](#what-the-page-does-with-a-failure).
//!
//! # What the page does with a failure
//!
//! | status of a refresh | the page |
//! |---|---|
//! | 401 | shows its sign-in form: this alone says that the session is over |
//! | 403 | asks for a [CSRF token](#csrf-tokens) and sends the request once more; a second 403 does not pass by waiting |
//! | 409, 429, 503 | waits as long as `Retry-After` says and sends the same request again, with the cookie that the browser holds by then |
//! | none, or another | tries again a little later |
//!
//! # Ending sessions
//!
//! | the user ... | call |
//! |---|---|
//! | signs out | [`Session::end`](crate::Session::end) |
//! | signs out everywhere | [`Session::end_all`](crate::Session::end_all) |
//! | has changed the password and stays | [`Session::end_others`](crate::Session::end_others) |
//! | ends one entry of the list | [`Session::end_session`](crate::Session::end_session) |
//! | reset the password by mail, or was disabled | [`RefreshCookieLayer::end_all_of`](crate::RefreshCookieLayer::end_all_of) |
//!
//! Each is also an endpoint of [`SessionEndpoints`](crate::SessionEndpoints), but the last. Access tokens
//! that are out live until they expire: see [`threats`](super::threats).
//!
//! # Clients without a cookie jar
//!
//! Give them a layer of their own, with
//! [`transport(RefreshTransport::Body)`](crate::RefreshCookieBuilder::transport) and a path apart from the
//! browsers'. Sign-in then answers `refresh_token` beside the access token, and refresh and sign-out take
//! it as JSON: `{"refresh_token": "..."}`. An answer to a refresh without one means that the token in hand
//! stays the current one. The client keeps it where its platform keeps secrets. Browsers have no such
//! place, which is why a token sealed for one transport does not open in the other.
//!
//! # Guarding state-changing requests by origin
//!
//! Cookies travel with requests that foreign pages cause. Put the guard in front of whatever trusts them
//! and list the pages that may change something, each as the browser's address bar begins:
//!
//! ```
//! use tower_bearer::{Event, EventSink, OriginGuardLayer};
//!
//! let events = EventSink::new(|event: &Event<'_>| match event {
//!     Event::Rejected(rejection) => eprintln!("refused: {:?}", rejection.origin_reason()),
//!     Event::WouldReject(rejection) => eprintln!("would refuse: {:?}", rejection.origin_reason()),
//!     _ => {}
//! });
//! let guard = OriginGuardLayer::new([
//!     "https://app.example".parse()?,
//!     "https://*.preview.example".parse()?,
//! ])
//! .events(events)
//! .report_only();
//! # let _ = guard;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! In front of a service that has users already, start like this: nothing is refused and the log tells
//! what would be. Add what is missing to the list, then take `report_only` out. The rules, and how they
//! differ from `tower_http::csrf`, are on the page of the [module `origin`](crate::origin).
//!
//! # Hearing of thefts
//!
//! ```
//! use tower_bearer::{Event, EventSink};
//!
//! let events = EventSink::new(|event: &Event<'_>| {
//!     if let Event::ReuseDetected { subject, session, .. } = event {
//!         eprintln!("mail to {subject}: session {session} was used on two clients and is closed");
//!     }
//! });
//! # let _ = events;
//! ```
//!
//! Hand it to [`RefreshCookieBuilder::events`](crate::RefreshCookieBuilder::events). It runs on the
//! request's path: pass long work on.
//!
//! # Replacing keys
//!
//! In every list of keys the first one mints and all are accepted. A fleet of servers does not restart
//! in one moment, so keys change in two steps:
//!
//! 1. Put the new key *behind* the old one, everywhere: `REFRESH_SECRET=old,new`. Every server now
//!    understands what the next step will produce.
//! 2. Put it in front, everywhere: `REFRESH_SECRET=new,old`. New tokens use it; old ones stay good.
//! 3. Remove the old one when the last token made with it has expired: the access lifetime and the
//!    leeway for `ACCESS_SECRET` and `ENCRYPTION_KEY`, the absolute lifetime of sessions for
//!    `REFRESH_SECRET`.
//!
//! A server that does not restart calls [`KeyRing::rotate`](crate::KeyRing::rotate): every clone of the
//! ring, and with it every codec and layer, changes at once and without a lock.
//!
//! A service that verifies what another has signed needs public keys only: the issuer's JWK Set goes to
//! [`KeyRing::verifier`](crate::KeyRing::verifier), a public key file to `KeyRingBuilder::pem`.
//!
//! When a key has leaked, skip to the end: the new key alone. Everybody signs in again, the thief does
//! not.
//!
//! # Proxies and server-side rendering
//!
//! **A server that refreshes with the user's cookie must forward the browser's `User-Agent`.** By default
//! that header says which client a request comes from. A renderer that sends its own looks like another
//! client, and the user's next refresh like theft. Where forwarding is not possible, set a
//! [`client_binding`](crate::RefreshCookieBuilder::client_binding) that both sides share.
//!
//! It must also pass the `Set-Cookie` of the answer on to the browser, unchanged.
//!
//! # https alone, and the headers of a page
//!
//! [`RequireHttpsLayer`](crate::RequireHttpsLayer) goes in front of everything,
//! [`SecurityHeadersLayer`](crate::SecurityHeadersLayer) in front of whatever may refuse, so that
//! refusals have the headers too. Behind a proxy that ends TLS and *overwrites* `X-Forwarded-Proto`:
//!
//! ```
//! use axum::{Router, http::header, response::Html, routing::get};
//! use tower::ServiceBuilder;
//! use tower_bearer::{RequireHttpsLayer, SecurityHeadersLayer};
//!
//! # fn app() -> Result<Router, tower_bearer::ConfigError> {
//! let https = RequireHttpsLayer::behind_proxy("x-forwarded-proto")?
//!     .redirect_to("app.example".parse()?);
//! let headers = SecurityHeadersLayer::new()
//!     .content_security_policy("default-src 'self'; frame-ancestors 'none'".parse()?);
//!
//! let app = Router::new()
//!     .route("/", get(|| async { Html("<script src=app.js></script>") }))
//!     // A page with a policy of its own: the layer lets it stand.
//!     .route("/plain", get(|| async {
//!         ([(header::CONTENT_SECURITY_POLICY, "sandbox")], Html("nothing runs here"))
//!     }))
//!     .layer(ServiceBuilder::new().layer(https).layer(headers))
//!     // Behind the call of `layer` means outside of it: the balancer asks over plain http.
//!     .route("/health", get(|| async { "well" }));
//! # Ok(app)
//! # }
//! # app().unwrap();
//! ```
//!
//! A server that ends TLS itself uses [`RequireHttpsLayer::connection`](crate::RequireHttpsLayer::connection)
//! and says where it accepts what the connection speaks: see
//! [`ConnectionScheme`](crate::ConnectionScheme). Without that the answer is 500, which names what is
//! missing.
//!
//! Try a stricter `Content-Security-Policy` first in a handler or proxy that sends it as
//! `Content-Security-Policy-Report-Only`, and a first `Strict-Transport-Security` for minutes: a year
//! cannot be taken back from a browser that does not come by.
//!
//! # CSRF tokens
//!
//! [`CsrfLayer`](crate::CsrfLayer) goes around what works by cookie. An API that takes an access token and
//! no cookie needs none. The [module `csrf`](crate::csrf) says what a token is; here is who does what.
//!
//! ## Single-page applications
//!
//! The page copies the cookie `__Host-csrf` into `X-CSRF-Token`, in every request but `GET`.
//!
//! ```
//! use axum::{Router, routing::get};
//! use tower::ServiceBuilder;
//! use tower_bearer::{
//!     CsrfLayer, CsrfToken, KeyRing, OriginGuardLayer, RefreshCookieLayer, SessionEndpoints,
//! };
//!
//! # fn routes(keys: KeyRing, sessions: RefreshCookieLayer) -> Result<Router, tower_bearer::ConfigError> {
//! let csrf = CsrfLayer::builder(&keys, sessions.csrf_binding()).build()?;
//! let auth = Router::new()
//!     .route("/csrf", get(|csrf: CsrfToken| async move { csrf.masked() }))
//!     .fallback_service(SessionEndpoints::new())
//!     .layer(
//!         ServiceBuilder::new()
//!             .layer(OriginGuardLayer::new(["https://app.example".parse()?]))
//!             .layer(csrf)
//!             .layer(sessions),
//!     );
//! # Ok(auth)
//! # }
//! ```
//!
//! ```js
//! const cookie = () => document.cookie.match(/(?:^|; )__Host-csrf=([^;]+)/)?.[1];
//! const asked = async () => (await fetch("/auth/csrf")).text(); // brings the cookie, too
//!
//! async function change(path, options) {
//!   const send = (token) => fetch(path, { ...options, headers: { ...options.headers, "X-CSRF-Token": token } });
//!   let response = await send(cookie() ?? (await asked()));
//!   if (response.status === 403) response = await send(await asked());
//!   return response;
//! }
//! ```
//!
//! * The cookie is looked at for each request: a sign-in or sign-out in another tab replaces it. Pages that
//!   send such requests one at a time, under a Web Lock, look at it under the lock.
//! * 403 says nothing about the session: 401 alone does. One new token and one more try are enough, after
//!   a restart with other keys for instance.
//! * A page on another host cannot read the cookie, and takes the token from the answer to `/auth/csrf`,
//!   which CORS lets listed origins read. Any other `GET` behind the layer brings the cookie as well.
//! * The layer goes where the browser sends the refresh cookie, which is `/auth`. Around `/` it would take
//!   everybody for nobody.
//!
//! ## Rendered pages
//!
//! A page that the server renders carries the token, masked anew each time: scripts take it from
//! `<meta name="csrf-token">`, forms without a script send it in a hidden field, for which see
//! `CsrfLayer::form_field`. The cookie can then be hidden from scripts with
//! [`http_only`](crate::CsrfBuilder::http_only).
//!
//! ```
//! use axum::response::Html;
//! use tower_bearer::{CsrfToken, Rejection};
//!
//! async fn settings(csrf: CsrfToken) -> Result<Html<String>, Rejection> {
//!     let token = csrf.masked()?; // needs no escaping
//!     Ok(Html(format!(r#"<meta name="csrf-token" content="{token}">..."#)))
//! }
//! ```
//!
//! The layer has to be around such pages, and the session visible there: give the refresh cookie the path
//! `/` with [`host_prefix`](crate::RefreshCookieBuilder::host_prefix), or bind tokens to the session that
//! the pages have anyway.
//!
//! ## Sessions of another kind
//!
//! Their layer goes outside of `CsrfLayer` and leaves the id of a session it has *verified* in the
//! request. Handlers that begin or end a session say so with
//! [`rotate_to`](crate::CsrfToken::rotate_to), and after a privilege change in the same session with
//! [`rotate`](crate::CsrfToken::rotate); otherwise the page's next request is refused.
//!
//! ```
//! use axum::http::{StatusCode, request::Parts};
//! use tower_bearer::{CsrfBinding, CsrfKeys, CsrfLayer, CsrfToken, Rejection};
//!
//! /// What the session layer puts into the extensions of a request.
//! #[derive(Clone)]
//! struct SessionId(String);
//!
//! # fn layer(secret: [u8; 32]) -> Result<CsrfLayer, tower_bearer::ConfigError> {
//! let layer = CsrfLayer::builder(CsrfKeys::new([secret])?, |parts: &Parts| {
//!     match parts.extensions.get::<SessionId>() {
//!         Some(SessionId(id)) => CsrfBinding::session(id),
//!         None => CsrfBinding::ANONYMOUS,
//!     }
//! });
//! # layer.build()
//! # }
//!
//! # async fn begin_session() -> String { String::new() }
//! async fn login(csrf: CsrfToken) -> Result<StatusCode, Rejection> {
//!     let id = begin_session().await;
//!     csrf.rotate_to(CsrfBinding::session(&id))?;
//!     Ok(StatusCode::NO_CONTENT)
//! }
//!
//! async fn logout(csrf: CsrfToken) -> Result<StatusCode, Rejection> {
//!     csrf.rotate_to(CsrfBinding::ANONYMOUS)?;
//!     Ok(StatusCode::NO_CONTENT)
//! }
//! ```
//!
//! ## Native clients
//!
//! They have no cookies that somebody else could use, and no token. Mount
//! [their endpoints](#clients-without-a-cookie-jar) outside of the layer, under a path of their own, with
//! the body as the only transport: an endpoint that also took the cookie would be a way around the check.
//!
//! # Order of layers
//!
//! From the outside in, with the reason why each is outside of the next:
//!
//! 1. [`RequireHttpsLayer`](crate::RequireHttpsLayer): what came over plain http is refused before
//!    anything looks at it, a preflight too.
//! 2. CORS, such as `tower_http::cors::CorsLayer`, where pages of other origins call the service. A
//!    browser's preflight has neither cookies nor tokens, so it is answered before anything asks for
//!    them. And the refusals of all further in get the CORS headers, without which the page could not
//!    read their status.
//! 3. [`SecurityHeadersLayer`](crate::SecurityHeadersLayer): refusals need the headers as well.
//! 4. [`OriginGuardLayer`](crate::OriginGuardLayer): the cheapest check of all, and it says nothing about
//!    tokens to a foreign page.
//! 5. [`CsrfLayer`](crate::CsrfLayer): before the handler runs; and outside of the session, whose sign-in
//!    or sign-out it hears of on the way back, to put the next token into the same response.
//! 6. [`RefreshCookieLayer`](crate::RefreshCookieLayer), or sessions of another kind (which then have to
//!    be outside of `CsrfLayer`, [see above](#csrf-tokens)).
//! 7. [`BearerAuthLayer`](crate::BearerAuthLayer), and the application.
//!
//! The first three go around everything, 4 to 6 around what works by cookie, the last around the API; a
//! service that does not have one of them leaves it out, and the order of the rest stays. A handle whose
//! layer is missing is a loud error: the extractors name the layer, and answer 500.
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Router, http::{HeaderName, Method, header}, routing::get};
//! use tower::ServiceBuilder;
//! use tower_bearer::{
//!     BearerAuthLayer, CsrfLayer, KeyRing, Origin, OriginGuardLayer, RefreshCookieLayer,
//!     RequireHttpsLayer, SecurityHeadersLayer, SessionEndpoints, TokenCodec,
//! };
//! use tower_http::cors::{AllowOrigin, CorsLayer};
//!
//! # fn app(
//! #     keys: KeyRing,
//! #     codec: TokenCodec,
//! #     sessions: RefreshCookieLayer,
//! # ) -> Result<Router, tower_bearer::ConfigError> {
//! // One list, for CORS and for the guard.
//! let origins: [Origin; 2] = ["https://app.example".parse()?, "https://*.app.example".parse()?];
//! let listed = origins.clone();
//! let cors = CorsLayer::new()
//!     .allow_origin(AllowOrigin::predicate(move |origin, _| {
//!         listed.iter().any(|entry| origin.to_str().is_ok_and(|origin| entry.matches(origin)))
//!     }))
//!     .allow_credentials(true)
//!     .allow_methods([Method::GET, Method::POST, Method::DELETE])
//!     .allow_headers([
//!         header::AUTHORIZATION,
//!         header::CONTENT_TYPE,
//!         HeaderName::from_static("x-csrf-token"),
//!     ])
//!     .expose_headers([header::RETRY_AFTER])
//!     .max_age(Duration::from_secs(600));
//!
//! let csrf = CsrfLayer::builder(&keys, sessions.csrf_binding()).build()?;
//! let auth = Router::new().fallback_service(SessionEndpoints::new()).layer(
//!     ServiceBuilder::new()
//!         .layer(OriginGuardLayer::new(origins))
//!         .layer(csrf)
//!         .layer(sessions),
//! );
//! let api = Router::new()
//!     .route("/", get(|| async { "hello" }))
//!     .route_layer(BearerAuthLayer::new(codec));
//! let app: Router = Router::new().nest("/auth", auth).nest("/api", api).layer(
//!     ServiceBuilder::new()
//!         .layer(RequireHttpsLayer::behind_proxy("x-forwarded-proto")?)
//!         .layer(cors)
//!         .layer(SecurityHeadersLayer::new()),
//! );
//! # Ok(app)
//! # }
//! ```
//!
//! The list of the guard and that of CORS are of the same origins here, which is what pages with cookies
//! need. The refresh cookie is `SameSite=Strict`, so of these origins only those of the same site as the
//! service have a session.
//!
//! # Tests
//!
//! Give codec and store one [`ManualClock`](crate::ManualClock), and let hours pass in no time.
//!
//! ```
//! use std::time::Duration;
//! use tower_bearer::{KeyRing, ManualClock, NoClaims, Profile, Timestamp, TokenCodec};
//!
//! let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
//! let codec = TokenCodec::<NoClaims>::builder(Profile::Nested)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .leeway(Duration::ZERO)
//!     .clock(clock.clone())
//!     .build(&KeyRing::generate()?)?;
//! let token = codec.mint("user-1", &NoClaims {})?;
//! assert!(codec.verify(token.as_str()).is_ok());
//! clock.advance(codec.lifetime());
//! assert!(codec.verify(token.as_str()).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
