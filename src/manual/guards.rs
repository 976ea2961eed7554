//! Guards and browsers: the layers of routes that a cookie authenticates, their order, pages, proxies and WebSockets.
//!
//! You want your own pages to act for the user, and pages of attackers to fail. [`Auth`](crate::Auth) has the guards:
//!
//! ```
//! use axum::{Router, routing::{get, post}};
//! use tower_bearer::{Auth, ConfigError, KeyRing, MemoryStore, RequireHttpsLayer};
//!
//! # async fn login() {} async fn orders() {}
//! fn app(keys: &KeyRing) -> Result<Router, ConfigError> {
//!     let auth = Auth::builder(keys)
//!         .issuer("https://id.example")
//!         .audience("api")
//!         .store(MemoryStore::new())
//!         .origins(["https://app.example".parse()?, "https://*.preview.example".parse()?])
//!         .build()?;
//!     Ok(Router::new()
//!         .merge(auth.routes().route("/login", post(login))) // by cookie: origin guard, session, CSRF token
//!         .route("/api/orders", get(orders).layer(auth.bearer())) // by access token: needs no guard
//!         .layer(auth.headers())
//!         .layer(RequireHttpsLayer::behind_proxy("x-forwarded-proto")?)
//!         .route("/health", get(async || "well"))) // outside: the load balancer asks over plain http
//! }
//! # app(&KeyRing::generate().unwrap()).unwrap();
//! ```
//!
//! # The page
//!
//! The npm package `tower-bearer` is in the repository's folder `client`. It holds the access token in memory,
//! refreshes it, sends the CSRF token, and shares one session among all tabs.
//!
//! ```js
//! import { createSession } from "tower-bearer";
//!
//! const session = createSession();               // the endpoints are below /auth
//! session.subscribe(() => draw(session.state));  // `status` is `unknown`, `in` or `out`
//! session.resume().catch(console.debug);         // finds the session after a reload
//! await session.signIn({ email, password });     // POST /auth/login
//! const answer = await session.fetch("/api/orders");
//! ```
//!
//! Draw a page without a user for `unknown`. Without `resume()` the status stays `unknown` until the user signs in. The
//! package's README has React, Vue, options and events. The example `demo` is a whole page.
//!
//! In development Vite proxies `/auth` and `/api`. The service then sets
//! [`same_origin`](crate::auth::AuthBuilder::same_origin), and
//! [`dangerous_insecure_cookies`](crate::auth::AuthBuilder::dangerous_insecure_cookies) for Safari on localhost.
//!
//! **Pages of another origin.**
//!
//! | the page is on | the session |
//! |---|---|
//! | the same host | works without CORS |
//! | another host of the same site: `app.example.com`, `id.example.com` | works with [`cors`](crate::auth::AuthBuilder::cors) and `credentials: "include"` |
//! | another site: `app.example`, `id.other` | fails: browsers send no cookie. Serve `/auth` on the page's host through a proxy, or use OAuth's code flow with PKCE (RFC 9700 section 2.1.1). |
//!
//! With the package, `/auth` is always on the page's own origin. Only the API may be elsewhere: name it in the option
//! `api`. CORS must expose `WWW-Authenticate`, as `cors()` does, or the page cannot recognise an expired token.
//!
//! **A page without access tokens** (backend for frontend, RFC 10017 section 6.1). Put each route behind
//! [`Auth::guards`](crate::Auth::guards) and call [`Session::peek`](crate::Session::peek) in the handler. Mount no
//! bearer layer and no [`SessionEndpoints`](crate::SessionEndpoints), since `POST /auth/refresh` returns access tokens
//! to scripts. The store is asked at each request, so a revoked session ends at once.
//! [`rendered_pages`](super::rendered_pages) has the sign-out. Never put the access token into a cookie: each route
//! would become a target of CSRF.
//!
//! # Origins
//!
//! Try a list on a running service first. This guard rejects nothing and reports what it would reject:
//!
//! ```
//! use tower_bearer::{Event, EventSink, OriginGuardLayer};
//!
//! let events = EventSink::new(|event: &Event<'_>| {
//!     if let Event::WouldReject(rejection) = event {
//!         eprintln!("would reject {:?}: {:?}", rejection.foreign_origin(), rejection.origin_reason());
//!     }
//! });
//! let guard = OriginGuardLayer::new(["https://app.example".parse()?])?.events(events).report_only();
//! # let _ = guard;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! With `Auth` it is [`origin_guard`](crate::auth::AuthBuilder::origin_guard). Add the missing origins, then remove
//! `report_only`. An entry trusts every page of that origin. The module [`origin`](crate::origin) has the rules, the
//! [choice between a list and `same_origin`](crate::origin#a-list-or-the-own-origin), and a rule for [service
//! workers](crate::origin#service-workers).
//!
//! # CSRF tokens
//!
//! The module [`csrf`](crate::csrf) describes tokens and cookies. Forms are in
//! [`rendered_pages`](super::rendered_pages).
//!
//! ## Single-page applications
//!
//! A page without the npm package sends the token in each request to `/auth` other than `GET`:
//!
//! ```js
//! const cookie = () => document.cookie.match(/(?:^|; )__Host-csrf=([^;]+)/)?.[1];
//! const asked = async () => {
//!   const response = await fetch("/auth/csrf", { cache: "no-store" }); // sets the cookie, too
//!   if (!response.ok) throw new Error(`no CSRF token: ${response.status}`);
//!   return (await response.json()).csrf_token;
//! };
//! async function change(path, options) {
//!   const send = (token) => fetch(path, { ...options, headers: { ...options.headers, "X-CSRF-Token": token } });
//!   const response = await send(cookie() ?? (await asked()));
//!   return response.status === 403 ? send(await asked()) : response;
//! }
//! ```
//!
//! * Read the cookie at each request: a sign-in in another tab replaces it. Under a Web Lock, read it under the lock.
//! * 403 says nothing about the session; only 401 does. One new token and one more try are enough.
//! * A page on another host cannot read the cookie. It takes the token from the answer to `/auth/csrf`.
//! * The token is for the session of the refresh cookie, live or not. So sign-in works beside a dead cookie, and
//!   sign-out works in an outage. The endpoint answers 503 only for cookies of several sessions and no answer from the
//!   store.
//!
//! ## Sessions of another kind
//!
//! Their layer stands outside of `CsrfLayer` and puts the *verified* session id into the request. A handler that begins
//! a session calls [`csrf.rotate_to(CsrfSession::session(&id))?`](crate::CsrfToken::rotate_to). One that ends it passes
//! `CsrfSession::ANONYMOUS`. After a privilege change in the same session it calls
//! [`rotate`](crate::CsrfToken::rotate). Otherwise the page's next request is rejected.
//!
//! ```
//! use axum::http::request::Parts;
//! use tower_bearer::{ConfigError, CsrfLayer, csrf::{CsrfKeys, CsrfSession}};
//!
//! /// The session layer puts it into the extensions of a request.
//! #[derive(Clone)]
//! struct SessionId(String);
//! fn layer(secret: [u8; 32]) -> Result<CsrfLayer, ConfigError> {
//!     let session = |parts: &Parts| match parts.extensions.get::<SessionId>() {
//!         Some(SessionId(id)) => CsrfSession::session(id),
//!         None => CsrfSession::ANONYMOUS,
//!     };
//!     CsrfLayer::builder(CsrfKeys::new([secret])?).session(session).build()
//! }
//! # layer(std::array::from_fn(|i| (i * 37 + 11) as u8)).unwrap();
//! ```
//!
//! # https and headers
//!
//! [`headers`](crate::headers) describes both layers. A server that ends TLS itself uses
//! [`connection`](crate::RequireHttpsLayer::connection) and sets a
//! [`ConnectionScheme`](crate::headers::ConnectionScheme) where it accepts. A handler may send its own
//! `Content-Security-Policy`; the layer keeps it. Try a stricter policy as `Content-Security-Policy-Report-Only`. Begin
//! `Strict-Transport-Security` with minutes: you cannot shorten it for a browser that does not return.
//!
//! # Behind a proxy
//!
//! | the proxy | otherwise |
//! |---|---|
//! | passes `Origin`, `Referer`, `Sec-Fetch-Site` | 403 `ForeignOrigin`, reason `Missing` |
//! | passes `User-Agent` | all browsers share one name; a thief with the cookies looks like the user |
//! | passes `Cookie` and `Authorization`, header lines of 8 KiB | 400 or 431 from the proxy; 401 |
//! | passes `Host` | `same_origin` rejects requests without `Sec-Fetch-Site`, see below |
//! | *overwrites* `X-Forwarded-Proto`, or appends and the layer has [`last`](crate::RequireHttpsLayer::last) | the layer rejects lists; a header that is passed on was written by the client |
//! | passes every `Set-Cookie`, also of a 409 | no user stays signed in |
//! | caches nothing below `/auth` | users receive each other's sessions |
//! | keeps the path, or [`external_prefix`](crate::auth::AuthBuilder::external_prefix) names the removed part | the cookie's path misses the endpoints |
//!
//! A proxy may repeat a `POST`: refreshes are answered alike, your own handlers may not be. This crate reads no client
//! address; a rate limit before sign-in needs the real one. For nginx:
//!
//! ```text
//! large_client_header_buffers 4 16k;            # in `server`, the other lines in `location /`
//! proxy_pass http://127.0.0.1:3000;
//! proxy_set_header Host $host;                  # `$http_host` where the address has a port
//! proxy_set_header X-Forwarded-Proto $scheme;   # overwrites
//! proxy_next_upstream off;
//! ```
//!
//! * `same_origin` works behind each proxy below for requests with `Sec-Fetch-Site`. These lack it: WebSocket
//!   handshakes of Chromium, plain http to other hosts than loopback, old browsers (Safari before 16.4). For these pass
//!   `Host`, or use a list.
//! * Only the proxy that ends TLS writes `X-Forwarded-Proto`. An inner nginx sends `$http_x_forwarded_proto`; with
//!   `$scheme` every request is rejected, or redirected for ever.
//! * Test it: `curl -i -H 'X-Forwarded-Proto: https' http://app.example/` must not reach the application. Only the
//!   proxy may reach the service.
//! * A prefix stands at the *end* of a [protected-resource document's path](crate::resource#behind-a-proxy).
//!
//! Each row takes `same_origin()` or a list, and `behind_proxy("x-forwarded-proto")?`. No proxy here is documented to
//! change `Origin`, `Referer`, `Cookie` or `Sec-Fetch-Site`.
//!
//! | program | the service sees | more lines |
//! |---|---|---|
//! | nginx | `Host` of the upstream; `X-Forwarded-Proto` as the client sent it | above |
//! | HAProxy | `Host` as sent; `X-Forwarded-Proto` as the client sent it | `http-request set-header X-Forwarded-Proto https if { ssl_fc }`, and `http if !{ ssl_fc }` |
//! | Caddy | `Host` as sent, from 2.11 the upstream's for TLS upstreams; `X-Forwarded-Proto` overwritten unless `trusted_proxies` | none |
//! | Traefik | `Host` as sent; `X-Forwarded-Proto` overwritten unless `trustedIPs`, `wss` for WebSockets | none |
//! | Cloudflare | all as sent; `X-Forwarded-Proto` overwritten | encrypt the way to the service too |
//! | AWS ALB | `Host` with a port, until `routing.http.preserve_host_header.enabled`; `X-Forwarded-Proto` | none |
//! | Fly.io | `X-Forwarded-Proto`; `X-Forwarded-SSL: on` or `off` | none, or `behind_proxy("x-forwarded-ssl")?.value("on")?` |
//! | Vite, `server.proxy` | `Host` of the target for a string rule, of the page for an object without `changeOrigin` | in a list `"http://localhost:*"` and `"http://127.0.0.1:*"`, never in production. With `same_origin()` WebSockets need an object rule. No `RequireHttpsLayer`. Never `rewriteWsOrigin`: it hides foreign pages |
//! | Capacitor, Tauri, Electron, browser extensions | another origin, mostly no cookie | [`native`](super::native#applications-and-extensions) |
//!
//! ## Both cookies and the `User-Agent`
//!
//! A session has [two cookies](crate::refresh#cookies). A renderer, backend for frontend, gateway or delivery network
//! between the browser and the service must:
//!
//! 1. forward **both cookies**. With the refresh cookie alone the service answers 401 and emits
//!    [`ForeignJar`](crate::Event::ForeignJar). Sign-out then ends nothing, and sign-in replaces nothing. Only if the
//!    program passes one cookie, set [`JarCookie::Off`](crate::refresh::JarCookie::Off): a stolen refresh cookie then
//!    works alone;
//! 2. forward the browser's **`User-Agent`**. Another name costs a round trip (409) and emits
//!    [`NewFingerprint`](crate::Event::NewFingerprint). If it cannot forward the name, both sides share a
//!    [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint);
//! 3. return every **`Set-Cookie`** to the browser, unchanged.
//!
//! A renderer must not refresh; the page's script does. In the service's process (Leptos, Dioxus) it calls
//! [`peek`](crate::Session::peek). As its own service (Next, Nuxt) it asks `GET /auth/session` with both headers and
//! `cache: "no-store"`. For 401 and 409 it draws no user, for 503 it tries later. Its page is `Cache-Control: private`.
//! It asks the API by cookie too, never with an access token. Next's server components cannot set cookies; the page's
//! script then does rule 3. Browsers send the cookie to `/auth` only, unless you set
//! [`everywhere`](crate::auth::AuthBuilder::everywhere). Routes of `auth.routes()` are then whole paths.
//!
//! **Rolling deploys.** A changed `client_fingerprint` needs a new
//! [`fingerprint_version`](crate::refresh::RefreshCookieBuilder::fingerprint_version). No user is then signed out, also
//! on the way back. Until all instances agree, `peek`, the list, `DELETE` and `elevate` may answer 409 `refresh_first`.
//!
//! **A gateway that signs requests in** (oauth2-proxy) may remove its cookie and add `Authorization`. A forged request
//! then looks exempt to [`CsrfLayer`](crate::csrf). Put the guards into the gateway, or let it pass its cookie on.
//! Where [`session_cookies`](crate::csrf::CsrfBuilder::session_cookies) is set, name that cookie. Give the origin guard
//! [`missing_origin(MissingOrigin::Refuse)`](crate::OriginGuardLayer::missing_origin).
//!
//! # WebSockets
//!
//! Browsers send no `Authorization` in a handshake, and logs keep tokens in URLs. So the first message is the token:
//!
//! ```
//! use axum::extract::{State, ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade}};
//! use axum::{Router, response::Response, routing::get};
//! use tokio::time::{Duration, timeout};
//! use tower_bearer::{Auth, BearerAuthLayer, ConfigError, NoClaims, OriginGuardLayer, rejection::ProblemJson};
//!
//! type Bearer = BearerAuthLayer<NoClaims, ProblemJson>;
//! async fn upgrade(State(bearer): State<Bearer>, upgrade: WebSocketUpgrade) -> Response {
//!     upgrade.max_message_size(8192).on_upgrade(|socket| talk(socket, bearer))
//! }
//!
//! async fn talk(mut socket: WebSocket, bearer: Bearer) {
//!     let first = timeout(Duration::from_secs(5), socket.recv()).await;
//!     let Ok(Some(Ok(Message::Text(token)))) = first else { return };
//!     let why = match bearer.connect(&token) {
//!         Ok(connection) => tokio::select! {
//!             why = connection.ended() => why, // the token has expired
//!             () = serve(&mut socket, connection.claims().subject()) => return,
//!         },
//!         Err(why) => why,
//!     };
//!     let frame = CloseFrame { code: why.close_code(), reason: "".into() }; // 4401: connect with a fresh token
//!     let _ = socket.send(Message::Close(Some(frame))).await;
//! }
//!
//! /// Beside the routes behind `auth.bearer()`, and not among them.
//! fn sockets(auth: &Auth) -> Result<Router, ConfigError> {
//!     let guard = OriginGuardLayer::new(["https://app.example".parse()?])?;
//!     Ok(Router::new().route("/api/socket", get(upgrade)).layer(guard).with_state(auth.bearer()))
//! }
//! # async fn serve(_: &mut WebSocket, _: &str) {}
//! # let _ = sockets;
//! ```
//!
//! * The origin guard is required where a cookie authenticates the handshake. With the token it is a second defence.
//! * The socket ends at expiry plus leeway, 60 seconds by default. A service that verifies its own tokens may set
//!   `.tokens(|tokens| tokens.leeway(Duration::ZERO))`. [`renew`](crate::bearer::Connection::renew) takes the next
//!   token.
//! * The page takes `await session.token({ atLeast: 1000 })` and sends it. It closes the socket when `session.state`
//!   names another session. After 4401 it connects again; within two seconds of the last try it first calls
//!   `session.resume()`. It stops at `SignedOut`, and waits after other errors. The example `live` has both sides.
//! * Native clients set the header: put the bearer layer around their route.
//!   [`OriginGuardLayer::check`](crate::OriginGuardLayer::check) judges handshakes outside of tower.
//!
//! **Event streams, downloads, streaming gRPC.** `EventSource` sends no `Authorization`; `session.fetch` does. End the
//! stream with its token: `.take_until(async move { connection.ended().await })`, where `connection` is
//! [`bearer.connection(claims)`](crate::BearerAuthLayer::connection). The page then opens it again.
//!
//! # Answers of your own
//!
//! A refusal is `application/problem+json` (RFC 9457) with a [`code`](crate::Problem).
//! [`AuthBuilder::refusals`](crate::auth::AuthBuilder::refusals) writes all of them in another format; a
//! [`RefusalLayer`](crate::RefusalLayer) does it around layers of your own. `rejection_response` changes one layer's
//! answers. Status, challenge and cookies stay. Pages act on the status of a
//! [`SessionError`](crate::SessionError::response): keep it when you change its body.
//!
//! ## One error type for all handlers
//!
//! One type for all errors (a box, `anyhow::Error`) must look for this crate's errors. Otherwise "not signed in"
//! becomes a 500. The error may lie below others, as their `source()`:
//!
//! ```
//! use std::{error::Error, iter::successors};
//! use axum::{http::StatusCode, response::{IntoResponse, Response}};
//! use tower_bearer::{Problem, SessionError, rejection::Rejection};
//!
//! struct AppError(Box<dyn Error + Send + Sync>);
//! impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for AppError {
//!     fn from(error: E) -> Self {
//!         Self(error.into())
//!     }
//! }
//! impl IntoResponse for AppError {
//!     fn into_response(self) -> Response {
//!         let causes = || successors(Some(&*self.0 as &(dyn Error + 'static)), |&error| error.source());
//!         for cause in causes() {
//!             let session = cause.downcast_ref().map(SessionError::response); // 401, 409, 503, ...
//!             if let Some(refusal) = session.or_else(|| cause.downcast_ref().map(Rejection::response)) {
//!                 return refusal.into_response();
//!             }
//!         }
//!         causes().for_each(|cause| eprintln!("{cause}")); // your log; the client learns nothing of it
//!         Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server is at fault").into_response()
//!     }
//! }
//! # assert_eq!(AppError::from("no disk").into_response().status(), 500);
//! # let refused = AppError::from(tower_bearer::Session::from_extensions(&Default::default()).unwrap_err());
//! # assert_eq!(refused.into_response().extensions().get::<Problem>().unwrap().code(), "layer_missing");
//! ```
//!
//! # When the answer is 403
//!
//! The line `rejected`, the event and the response's [`Rejection`](crate::rejection::Rejection) have the reason; the
//! client does not. `InsufficientScope` and `Forbidden` come from no guard: the token lacks the right.
//!
//! | [kind](crate::rejection::Rejection::kind) and reason, in the line `foreign_origin`, `unlisted_origin` | usual cause |
//! |---|---|
//! | `ForeignOrigin`: `UnlistedOrigin`, `UnlistedReferer` | A foreign page, or a page that the list lacks: [`foreign_origin`](crate::rejection::Rejection::foreign_origin). With `same_origin` also your page, where [a proxy changes `Host`](#behind-a-proxy). |
//! | `ForeignOrigin`: `CrossSite`, `Null` | A foreign page, or one in a sandbox. |
//! | `ForeignOrigin`: `Repeated` | A proxy or program adds a second `Origin`, `Sec-Fetch-Site` or `Referer`. |
//! | `ForeignOrigin`: `Missing` | A proxy or a browser's add-on removes headers. Or a program sends a cookie: let it send `Origin`. |
//! | `CsrfFailed`: `CookieMissing` | The page has not asked for a token. Or plain http: browsers keep the cookie at most on localhost, Safari never. |
//! | `CsrfFailed`: `CookieMalformed`, `TokenMalformed` | Once: older cookies (`v1.`) and tokens (`m1.`) after an upgrade. Always: a script sends something else, or a part. |
//! | `CsrfFailed`: `CookieDuplicate` | With [`dangerous_insecure_cookie`](crate::csrf::CsrfBuilder::dangerous_insecure_cookie) a sibling host can plant a second cookie. |
//! | `CsrfFailed`: `TokenDuplicate` | A library and the page both add the header or field. |
//! | `CsrfFailed`: `TokenMissing` | No header, no field, or no [`CsrfFormLayer`](crate::csrf::CsrfFormLayer). For multipart send the header or call [`CsrfToken::verify`](crate::CsrfToken::verify). |
//! | `CsrfFailed`: `SignatureInvalid`, `TokenMismatch` | Once: new keys, a sign-in or sign-out in another tab, sign-in forms in several tabs, cookies of several sessions. Always: the refresh cookie does not come (see the log line), or `rotate_to` is not called. |
//! | `CsrfFailed`: `Unverified` | A handler behind [`handler_verifies`](crate::csrf::CsrfBuilder::handler_verifies) did not call `verify`. |
//! | `ContentTooLarge`: `BodyTooLarge` (413) | A form above [`body_limit`](crate::csrf::CsrfFormLayer::body_limit). |
//! | `InsecureTransport` | Plain http, or a proxy that does not overwrite the header. One that appends needs [`last`](crate::RequireHttpsLayer::last), one that writes `on` needs [`value`](crate::RequireHttpsLayer::value). |
//!
//! # Order of layers
//!
//! [`Auth`](crate::Auth) puts 3 to 8 in this order. From the outside in:
//!
//! 1. [`GrpcLayer`](crate::GrpcLayer), around gRPC routes only: refusals further in become gRPC.
//! 2. [`RequireHttpsLayer`](crate::RequireHttpsLayer) rejects plain http first, preflights too.
//! 3. CORS answers preflights, which carry no cookie and no token. It adds its headers to refusals, so that pages read
//!    their status.
//! 4. [`SecurityHeadersLayer`](crate::SecurityHeadersLayer): refusals need the headers as well.
//! 5. [`OriginGuardLayer`](crate::OriginGuardLayer) is the cheapest check, and tells foreign pages nothing about
//!    tokens.
//! 6. [`RefreshCookieLayer`](crate::RefreshCookieLayer), or [your session layer](#sessions-of-another-kind), opens the
//!    cookie once. It rejects nothing and asks no store.
//! 7. [`CsrfLayer`](crate::CsrfLayer) checks the token before the handler runs. Sign-in and sign-out set the next one.
//! 8. [`BearerAuthLayer`](crate::BearerAuthLayer), inside of it [scopes](crate::RequireScopeLayer),
//!    [claims](crate::RequireClaimsLayer) and [recent authentication](crate::RequireRecentAuth).
//!
//! 2 to 4 go around everything, 5 to 7 around cookie routes, 8 around the API. Leave out layers that you do not need.
//! An extractor without its layer answers 500, and the [`Rejection`](crate::rejection::Rejection) names the layer.
//!
//! ```
//! use axum::{Router, http::{HeaderName, Method, header}, routing::get};
//! use tower::ServiceBuilder;
//! use tower_bearer::{BearerAuthLayer, ConfigError, CsrfLayer, KeyRing, OriginGuardLayer, RefreshCookieLayer};
//! use tower_bearer::{RequireHttpsLayer, SecurityHeadersLayer, SessionEndpoints, TokenCodec, origin::Origin};
//! use tower_http::cors::{AllowOrigin, CorsLayer};
//!
//! fn app(keys: &KeyRing, codec: TokenCodec, sessions: RefreshCookieLayer) -> Result<Router, ConfigError> {
//!     // One list, for CORS and for the guard. Only origins of the service's own site have a session.
//!     let origins: [Origin; 2] = ["https://app.example".parse()?, "https://*.app.example".parse()?];
//!     let listed = origins.clone();
//!     let name = HeaderName::from_static;
//!     let cors = CorsLayer::new()
//!         .allow_origin(AllowOrigin::predicate(move |origin, _| {
//!             listed.iter().any(|entry| origin.to_str().is_ok_and(|origin| entry.matches(origin)))
//!         }))
//!         .allow_credentials(true)
//!         .allow_methods([Method::GET, Method::POST, Method::DELETE])
//!         // gRPC-Web also needs `x-grpc-web`, `x-user-agent` and `grpc-timeout`.
//!         .allow_headers(["authorization", "content-type", "x-csrf-token", "x-session-activity"].map(name))
//!         // All that scripts read: the list replaces that of an answer from further in.
//!         .expose_headers([header::RETRY_AFTER, header::WWW_AUTHENTICATE, name("grpc-message"), name("grpc-status")])
//!         .max_age(std::time::Duration::from_secs(600));
//!     let guards = ServiceBuilder::new()
//!         .layer(OriginGuardLayer::new(origins)?)
//!         .layer(sessions)
//!         .layer(CsrfLayer::new(keys)?);
//!     let api = Router::new().route("/", get(async || "hello")).route_layer(BearerAuthLayer::new(codec));
//!     let around = ServiceBuilder::new()
//!         .layer(RequireHttpsLayer::behind_proxy("x-forwarded-proto")?)
//!         .layer(cors)
//!         .layer(SecurityHeadersLayer::new());
//!     let auth = Router::new().merge(SessionEndpoints::new()).layer(guards);
//!     Ok(Router::new().nest("/auth", auth).nest("/api", api).layer(around))
//! }
//! # let _ = app;
//! ```
