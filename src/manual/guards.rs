//! What goes in front of requests that work by cookie, and in which order.
//!
//! # Origins
//!
//! Cookies travel with requests that foreign pages cause. Put the guard in front of whatever trusts them
//! and list the pages that may change something, each as the browser's address bar begins:
//!
//! ```
//! use tower_bearer::{Event, EventSink, OriginGuardLayer};
//!
//! let events = EventSink::new(|event: &Event<'_>| {
//!     let (what, rejection) = match event {
//!         Event::Rejected(rejection) => ("refused", rejection),
//!         Event::WouldReject(rejection) => ("would refuse", rejection),
//!         _ => return,
//!     };
//!     eprintln!("{what} {:?}: {:?}", rejection.foreign_origin(), rejection.origin_reason());
//! });
//! let guard = OriginGuardLayer::new([
//!     "https://app.example".parse()?,
//!     "https://*.preview.example".parse()?,
//! ])?
//! .events(events)
//! .report_only();
//! # let _ = guard;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! In front of a service that has users already, start like this: nothing is refused and the log tells
//! what would be, and where it comes from. Add what is missing to the list, then take `report_only` out.
//! The rules, and how they differ from `tower_http::csrf`, are on the page of the
//! [module `origin`](crate::origin).
//!
//! A list stops attackers whom other checks do not: one on the network who writes the page on plain
//! `http` of your own host, pages on sibling hosts, and any page where the browser sends no
//! `Sec-Fetch-Site`. The page of a development server has an origin of its own: list
//! `http://localhost:5173`, or `http://localhost:*`, in the configuration of developers' machines alone.
//! [`same_origin`](crate::OriginGuardLayer::same_origin) needs no list and believes the browser's
//! `Sec-Fetch-Site`, so it works behind proxies that change `Host`, for requests that have that header: see
//! [`deployments`](super::deployments). [A table](crate::origin#a-list-or-the-own-origin) says what it does not stop,
//! and [a paragraph](crate::origin#service-workers) what a service worker must not do.
//!
//! # CSRF tokens
//!
//! [`CsrfLayer`](crate::CsrfLayer) goes around what works by cookie. An API that takes an access token and
//! no cookie needs none. The [module `csrf`](crate::csrf) says what a token is, and why this is not
//! `tower_http::csrf`; here is who does what.
//!
//! ## Single-page applications
//!
//! The page asks `GET /auth/csrf` for a token and sends it in `X-CSRF-Token`, in every request to `/auth` but `GET`. A
//! copy of the cookie `__Host-csrf` does as well, and saves the question.
//!
//! ```
//! use axum::Router;
//! use tower::ServiceBuilder;
//! use tower_bearer::{
//!     CsrfLayer, KeyRing, OriginGuardLayer, RefreshCookieLayer, SessionEndpoints,
//! };
//!
//! # fn routes(keys: KeyRing, sessions: RefreshCookieLayer) -> Result<Router, tower_bearer::ConfigError> {
//! let csrf = CsrfLayer::new(&keys)?;
//! let auth = Router::new()
//!     .merge(SessionEndpoints::new()) // `GET /csrf` is one of them
//!     .layer(
//!         ServiceBuilder::new()
//!             .layer(OriginGuardLayer::new(["https://app.example".parse()?])?)
//!             .layer(sessions)
//!             .layer(csrf),
//!     );
//! # Ok(auth)
//! # }
//! ```
//!
//! ```js
//! const cookie = () => document.cookie.match(/(?:^|; )__Host-csrf=([^;]+)/)?.[1];
//! const asked = async () => {
//!   const response = await fetch("/auth/csrf", { cache: "no-store" }); // brings the cookie, too
//!   if (!response.ok) throw new Error(`no CSRF token: ${response.status}`);
//!   return (await response.json()).csrf_token;
//! };
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
//!   which CORS lets listed origins read.
//! * The answer is for the session of the refresh cookie, dead or alive, so that a sign-in works beside a dead cookie
//!   and a sign-out while the store is away. 503 is answered only where the cookies of several sessions came and the
//!   store does not say which one lives.
//! * The layer goes where the browser sends the refresh cookie, which is `/auth`, and inside of the layer
//!   that opens it. Elsewhere it would replace the token by one for no session, so it answers 500 there.
//!   The header `tower-bearer-mistake` and the [`Rejection`](crate::rejection::Rejection) name the cure.
//! * A router or proxy may take leading segments off the path: a rest of the cookie's path will do. For a proxy,
//!   [`external_prefix`](crate::refresh::RefreshCookieBuilder::external_prefix) names them, since the cookie needs them.
//!
//! ## Rendered pages
//!
//! A page that the server renders carries the token, masked anew each time: scripts take it from
//! `<meta name="csrf-token">`, forms without a script send it in a hidden field. Every answer of `text/html` brings the
//! cookie to a browser that has none. A form takes another layer,
//! [`CsrfFormLayer`](crate::csrf::CsrfFormLayer), whose page has a form and its handler. The cookie can then be hidden from scripts with
//! [`http_only`](crate::csrf::CsrfBuilder::http_only).
//!
//! ```
//! use axum::response::Html;
//! use tower_bearer::{CsrfToken, rejection::Rejection};
//!
//! async fn settings(csrf: CsrfToken) -> Result<Html<String>, Rejection> {
//!     let token = csrf.masked()?; // needs no escaping
//!     Ok(Html(format!(r#"<meta name="csrf-token" content="{token}">..."#)))
//! }
//! ```
//!
//! * The extractor and [`CsrfToken::from_extensions`](crate::CsrfToken::from_extensions) say that a page asks, so that
//!   the cookie comes along. `Extension<CsrfToken>` brings no cookie by itself.
//! * Call `masked` before the answer's head leaves. A body that calls it later comes without the headers that protect
//!   the token, and without a new cookie.
//! * A page with a form is `Cache-Control: no-store`, as the layer makes it unless the handler says `private`. A page that
//!   is kept and asked for again is answered 304, which brings no cookie.
//!
//! [`rendered_pages`](super::rendered_pages) has a whole application of this kind.
//!
//! In a session each of many tabs can send the form that it was loaded with: any token of the session passes. Three cases
//! remain:
//!
//! * A form without a session, such as that of a sign-in, in several tabs: the one loaded last can be sent. An attacker
//!   can have a token of no session made, so that a copy of the cookie is asked for.
//! * A browser without `Sec-Fetch-Site` (Safari before 16.4, or any browser over plain http to another host than localhost) that follows a link from a mail:
//!   the session's `SameSite=Strict` cookie is kept back, and nothing tells that request from one without a session. The page gets a
//!   token of no session, in place of the one that the other tabs have.
//! * Any browser that follows a link from elsewhere, has the session, and has lost the CSRF cookie or holds a worthless
//!   one. The session's cookie is kept back, so its page gets a token of no session, or a copy of the worthless one.
//!
//! A link on the page that leads to itself heals all three, and so does the address, typed again. Offer one where a form
//! was refused: `<a href="">`. A reload is no cure after a link from another site: it says
//! `Sec-Fetch-Site: cross-site` once more and comes without the `Strict` cookie (seen in Chromium with the browser's own
//! reload, in Firefox with `location.reload()` too). With [`same_site_lax`](crate::refresh::RefreshCookieBuilder::same_site_lax) the session's
//! cookie comes along, and the last two cases do not arise.
//!
//! The layer has to be around such pages, and the session visible there: give the refresh cookie the path
//! `/` with [`host_prefix`](crate::refresh::RefreshCookieBuilder::host_prefix)
//! ([`cookie_path("/")`](crate::refresh::RefreshCookieBuilder::cookie_path) in development over plain http), or bind tokens to the session that
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
//! use tower_bearer::{
//!     CsrfLayer, CsrfToken,
//!     csrf::{CsrfKeys, CsrfSession},
//!     rejection::Rejection,
//! };
//!
//! /// What the session layer puts into the extensions of a request.
//! #[derive(Clone)]
//! struct SessionId(String);
//!
//! # fn layer(secret: [u8; 32]) -> Result<CsrfLayer, tower_bearer::ConfigError> {
//! let layer = CsrfLayer::builder(CsrfKeys::new([secret])?).session(|parts: &Parts| {
//!     match parts.extensions.get::<SessionId>() {
//!         Some(SessionId(id)) => CsrfSession::session(id),
//!         None => CsrfSession::ANONYMOUS,
//!     }
//! });
//! # layer.build()
//! # }
//!
//! # async fn begin_session() -> String { String::new() }
//! async fn login(csrf: CsrfToken) -> Result<StatusCode, Rejection> {
//!     let id = begin_session().await;
//!     csrf.rotate_to(CsrfSession::session(&id))?;
//!     Ok(StatusCode::NO_CONTENT)
//! }
//!
//! async fn logout(csrf: CsrfToken) -> Result<StatusCode, Rejection> {
//!     csrf.rotate_to(CsrfSession::ANONYMOUS)?;
//!     Ok(StatusCode::NO_CONTENT)
//! }
//! ```
//!
//! ## Native clients
//!
//! They have no cookies that somebody else could use, and need no CSRF token. Mount
//! [their endpoints](super::how_to#clients-without-a-cookie-jar) outside of the layer, under a path of their own, with
//! the body as the only transport: an endpoint that also took the cookie would be a way around the check.
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
//!     .content_security_policy("default-src 'self'; frame-ancestors 'none'".parse()?)?;
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
//! [`ConnectionScheme`](crate::headers::ConnectionScheme). Without that the answer is 500, and the event names what
//! is missing.
//!
//! Try a stricter `Content-Security-Policy` first in a handler or proxy that sends it as
//! `Content-Security-Policy-Report-Only`, and a first `Strict-Transport-Security` for minutes: a year
//! cannot be taken back from a browser that does not come by.
//!
//! # When the answer is 403
//!
//! The client is not told why; [above](#single-page-applications) is what a page does. The reason is in the
//! event that each layer sends to its sink, such as [`CsrfBuilder::events`](crate::csrf::CsrfBuilder::events),
//! and in the extensions of the response: both have the [`Rejection`](crate::rejection::Rejection).
//!
//! | [kind](crate::rejection::Rejection::kind) and reason | what is usually behind it |
//! |---|---|
//! | `ForeignOrigin`: `UnlistedOrigin`, `UnlistedReferer` | A foreign page, or one that the list lacks: see [`foreign_origin`](crate::rejection::Rejection::foreign_origin). With `same_origin` also the own page, where a proxy changes `Host` and the browser sends no [`Sec-Fetch-Site`](super::deployments). |
//! | `ForeignOrigin`: `CrossSite`, `Null` | A foreign page, or one in a sandbox. |
//! | `ForeignOrigin`: `Repeated` | A proxy or program that adds a second `Origin`, `Sec-Fetch-Site` or `Referer`. |
//! | `ForeignOrigin`: `Missing` | A proxy that takes headers off, or a program that has a cookie: let it send `Origin`. |
//! | `CsrfFailed`: `CookieMissing` | A page that has not asked for a token yet. Or plain http, over which browsers keep the cookie on localhost at most, and Safari nowhere. |
//! | `CsrfFailed`: `CookieMalformed`, `TokenMalformed` | Once after an upgrade: cookies (`v1.`) and tokens (`m1.`) of an older form, until a page asks anew. Always: a script that sends something else, or a part of it. |
//! | `CsrfFailed`: `CookieDuplicate` | Two cookies of the name: without the prefix ([`dangerous_insecure_cookie`](crate::csrf::CsrfBuilder::dangerous_insecure_cookie)) a sibling host can plant one. |
//! | `CsrfFailed`: `TokenDuplicate` | The header or the field comes twice: a library adds what the page adds as well. |
//! | `CsrfFailed`: `TokenMissing` | A script without the header, or a form without the field or without [`CsrfFormLayer`](crate::csrf::CsrfFormLayer). A multipart form sends the header, or its handler calls [`CsrfToken::verify`](crate::CsrfToken::verify). |
//! | `CsrfFailed`: `SignatureInvalid`, `TokenMismatch` | Once: other keys, a sign-in or sign-out in another tab, one of several tabs with a form for signing in, or the cookies of several sessions beside a token that is no copy of the cookie's. Always, and the line speaks of a refresh cookie that did not come: the browser does not keep or send it. Always: a session of another kind does not call [`rotate_to`](crate::CsrfToken::rotate_to). |
//! | `CsrfFailed`: `Unverified` | A handler behind [`handler_verifies`](crate::csrf::CsrfBuilder::handler_verifies) answered without [`CsrfToken::verify`](crate::CsrfToken::verify). |
//! | `ContentTooLarge`: `BodyTooLarge`, answered 413 | A form above [`body_limit`](crate::csrf::CsrfFormLayer::body_limit). |
//! | `InsecureTransport` | Plain http, or a proxy that does not overwrite the header. One that appends, or writes `on`, needs [`last`](crate::RequireHttpsLayer::last) or [`value`](crate::RequireHttpsLayer::value). |
//!
//! # Order of layers
//!
//! [`Auth`](crate::Auth) puts 3 to 8 in this order. An application that puts its layers together itself does the same.
//! From the outside in, with the reason why each is outside of the next:
//!
//! 1. [`GrpcLayer`](crate::GrpcLayer), around the routes of gRPC alone: the refusals of all further in can then
//!    be gRPC.
//! 2. [`RequireHttpsLayer`](crate::RequireHttpsLayer): what came over plain http is refused before
//!    anything looks at it, a preflight too.
//! 3. CORS, such as `tower_http::cors::CorsLayer`, where pages of other origins call the service. A
//!    browser's preflight has neither cookies nor tokens, so it is answered before anything asks for
//!    them. And the refusals of all further in get the CORS headers, without which the page could not
//!    read their status.
//! 4. [`SecurityHeadersLayer`](crate::SecurityHeadersLayer): refusals need the headers as well.
//! 5. [`OriginGuardLayer`](crate::OriginGuardLayer): the cheapest check of all, and it says nothing about
//!    tokens to a foreign page.
//! 6. [`RefreshCookieLayer`](crate::RefreshCookieLayer): it opens the cookie once, for all further in. It
//!    rejects nothing and asks no store. The layer of sessions of another kind stands
//!    here instead: [see above](#sessions-of-another-kind).
//! 7. [`CsrfLayer`](crate::CsrfLayer): it checks the token of that session before the handler runs. A
//!    sign-in or sign-out by the handler brings the next token in the same response.
//! 8. [`BearerAuthLayer`](crate::BearerAuthLayer), inside of it what asks for more
//!    ([scopes](crate::RequireScopeLayer), [claims](crate::RequireClaimsLayer), a
//!    [recent authentication](crate::RequireRecentAuth)), and the application.
//!
//! 2 to 4 go around everything, 5 to 7 around what works by cookie, the last around the API; a
//! service that does not have one of them leaves it out, and the order of the rest stays. An extractor
//! whose layer is missing answers 500, with a [`Rejection`](crate::rejection::Rejection) in the extensions of the
//! response that names the layer.
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Router, http::{HeaderName, Method, header}, routing::get};
//! use tower::ServiceBuilder;
//! use tower_bearer::{
//!     BearerAuthLayer, CsrfLayer, KeyRing, OriginGuardLayer, RefreshCookieLayer,
//!     RequireHttpsLayer, SecurityHeadersLayer, SessionEndpoints, TokenCodec, origin::Origin,
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
//!         HeaderName::from_static("x-session-activity"),
//!     ])
//!     // All of them here: the list replaces that of an answer from further in.
//!     .expose_headers([
//!         header::RETRY_AFTER,
//!         header::WWW_AUTHENTICATE,
//!         HeaderName::from_static("grpc-message"),
//!         HeaderName::from_static("grpc-status"),
//!     ])
//!     .max_age(Duration::from_secs(600));
//!
//! let csrf = CsrfLayer::new(&keys)?;
//! let auth = Router::new().merge(SessionEndpoints::new()).layer(
//!     ServiceBuilder::new()
//!         .layer(OriginGuardLayer::new(origins)?)
//!         .layer(sessions)
//!         .layer(csrf),
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
//! A script reads no header of an answer from elsewhere that is not exposed: neither the challenge, nor when to try
//! again, nor the status of gRPC-Web. A gRPC-Web client also sends `X-Grpc-Web`, `X-User-Agent` and `Grpc-Timeout`,
//! which then belong among the allowed headers.
//!
//! A page elsewhere needs both, CORS to read the answers and the guard to be let in; hence the one list. The
//! refresh cookie is `SameSite=Strict`, so of the listed origins only those of the same site as the service
//! have a session.
