//! Proxies, WebSockets, event streams, and answers of your own.
//!
//! # Behind a proxy
//!
//! A proxy in front has to leave some things alone. Here is what goes wrong when it does not. The table in
//! [`deployments`](super::deployments) has what each of them does unasked.
//!
//! | the proxy | or else |
//! |---|---|
//! | passes `User-Agent` on | every browser has the same name: a thief with the cookie jar is not told from the user |
//! | passes `Origin`, `Referer` and `Sec-Fetch-Site` on | 403 `ForeignOrigin`, reason `Missing` |
//! | passes `Cookie` and `Authorization` on, and takes header lines of 8 KiB | 400 or 431 of the proxy's own; 401 |
//! | passes `Host` on | [`OriginGuardLayer::same_origin`](crate::OriginGuardLayer::same_origin) refuses requests without `Sec-Fetch-Site`: of old browsers, over plain http, and WebSockets of Chromium; a list does not look at `Host` |
//! | *overwrites* `X-Forwarded-Proto`, or appends and the layer says [`last`](crate::RequireHttpsLayer::last) | [`RequireHttpsLayer`](crate::RequireHttpsLayer) refuses lists; a header that is only passed on is the client's own word |
//! | passes every `Set-Cookie` line on, also of a 409 | no user stays signed in |
//! | caches nothing below `/auth` | the layers say `no-store`; a proxy that is told to cache all the same hands sessions around |
//! | does not send a `POST` again by itself | harmless for refreshes, which are answered alike; your own handlers may mind |
//! | shows the same path as the browser does, or the builder is told the browser's | the cookie goes to another path than the endpoints have |
//!
//! For nginx:
//!
//! ```text
//! large_client_header_buffers 4 16k;                 # in `server`
//!
//! location / {
//!     proxy_pass http://127.0.0.1:3000;
//!     proxy_set_header Host $host;
//!     proxy_set_header X-Forwarded-Proto $scheme;   # overwrites
//!     proxy_next_upstream off;
//! }
//! ```
//!
//! Client addresses are used by nothing here. A rate limit in front of the sign-in route needs the real one.
//!
//! **A proxy that asks the service for permission** (`auth_request`, `ForwardAuth`, `forward_auth`) is a
//! chapter of its own: [`forward_auth`](super::forward_auth).
//!
//! **A renderer that refreshes for the user** is a proxy too: see
//! [`how_to`](super::how_to#proxies-and-server-side-rendering).
//!
//! # WebSockets
//!
//! A browser cannot set a header on a WebSocket handshake, and a token in the query ends up in logs. So:
//!
//! 1. Put [`OriginGuardLayer`](crate::OriginGuardLayer) around the route: it guards handshakes too. It is needed where a
//!    cookie speaks for the handshake, and a second wall where only the token does. No bearer layer goes there.
//! 2. Upgrade, and let the first message be the access token. [`BearerAuthLayer::connect`](crate::BearerAuthLayer::connect)
//!    verifies it as the layer verifies a request, its [`check`](crate::BearerAuthLayer::check) included. Close the socket
//!    where the token is refused or does not come within seconds.
//! 3. A socket outlives its token. [`Connection::ended`](crate::bearer::Connection::ended) completes when the token expires:
//!    close with code 4401, and the client connects again with a fresh token. Or it sends its next token before, for
//!    [`renew`](crate::bearer::Connection::renew).
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{
//!     Router,
//!     extract::{State, ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade}},
//!     response::Response,
//!     routing::get,
//! };
//! use tokio::time::timeout;
//! use tower_bearer::{Auth, BearerAuthLayer, ConfigError, NoClaims, OriginGuardLayer, rejection::ProblemJson};
//!
//! type Bearer = BearerAuthLayer<NoClaims, ProblemJson>;
//!
//! async fn upgrade(State(bearer): State<Bearer>, upgrade: WebSocketUpgrade) -> Response {
//!     upgrade.max_message_size(8192).on_upgrade(|socket| talk(socket, bearer))
//! }
//!
//! async fn talk(mut socket: WebSocket, bearer: Bearer) {
//!     let first = timeout(Duration::from_secs(5), socket.recv()).await;
//!     let Ok(Some(Ok(Message::Text(token)))) = first else { return };
//!     let why = match bearer.connect(&token) {
//!         Ok(connection) => tokio::select! {
//!             why = connection.ended() => why,
//!             () = serve(&mut socket, connection.claims().subject()) => return,
//!         },
//!         Err(why) => why,
//!     };
//!     let frame = CloseFrame { code: why.close_code(), reason: "".into() };
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
//! The end comes with the codec's leeway, of 60 seconds by default: a service that mints and verifies by itself may set
//! `.tokens(|tokens| tokens.leeway(Duration::ZERO))`.
//!
//! The page's half, with the npm package:
//!
//! ```js
//! async function talk() {
//!   const token = await session.token({ atLeast: 1000 });
//!   const { session: own } = session.state;
//!   const socket = new WebSocket(url);
//!   socket.onopen = () => socket.send(token);
//!   // The server learns of a sign-out when the token ends. Another user must not see what goes on here.
//!   const stop = session.subscribe(() => session.state.session !== own && socket.close());
//!   const { code } = await new Promise((done) => (socket.onclose = done));
//!   stop();
//!   return code;
//! }
//!
//! for (;;) {
//!   const since = Date.now();
//!   try {
//!     const code = await talk();
//!     if (code === 4401 && Date.now() - since > 2_000) continue; // it has expired: the next one is fresh
//!     if (code === 4401) await session.resume();                 // refused at once: the same token would be again
//!   } catch (error) {
//!     if (error instanceof SignedOut) break;                     // any other error passes: the network is away
//!   }
//!   await pause(1000 + 1000 * Math.random());
//! }
//! ```
//!
//! The example `live` has both halves whole. Native clients can set the header; for them the bearer layer goes around the
//! route as usual. Handshakes that do not come through tower are judged by
//! [`OriginGuardLayer::check`](crate::OriginGuardLayer::check).
//!
//! # Event streams
//!
//! `EventSource` sends no `Authorization`, `fetch` does:
//!
//! ```js
//! const response = await session.fetch("/api/feed");
//! const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
//! for (let chunk; !(chunk = await reader.read()).done; ) show(chunk.value);
//! // The stream has ended, as it does with its token: open it again.
//! ```
//!
//! The guard has verified the token when the stream begins, and sees nothing of what comes after. End it with
//! the token:
//!
//! ```
//! use std::{convert::Infallible, time::Duration};
//!
//! use axum::{Router, extract::State, response::sse::{Event, Sse}, routing::get};
//! use futures_util::{Stream, StreamExt, stream};
//! use tower_bearer::{BearerAuthLayer, Claims, NoClaims, TokenCodec};
//!
//! async fn feed(
//!     State(bearer): State<BearerAuthLayer>,
//!     claims: Claims<NoClaims>,
//! ) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
//!     let connection = bearer.connection(claims);
//!     let news = stream::unfold((), |()| async {
//!         tokio::time::sleep(Duration::from_secs(1)).await;
//!         Some((Ok(Event::default().data("tick")), ()))
//!     });
//!     Sse::new(news.take_until(async move { connection.ended().await }))
//! }
//!
//! fn routes(codec: TokenCodec) -> Router {
//!     let bearer = BearerAuthLayer::new(codec);
//!     Router::new().route("/api/feed", get(feed)).route_layer(bearer.clone()).with_state(bearer)
//! }
//! # let _ = routes;
//! ```
//!
//! The same goes for long downloads and for streaming calls of gRPC.
//!
//! # Answers of your own
//!
//! A refusal is `application/problem+json` (RFC 9457) with a [`code`](crate::Problem): that of the front door, of the session
//! endpoints, of extractors, and of every layer over a body of axum. One function writes all of them in another format:
//! [`AuthBuilder::refusals`](crate::auth::AuthBuilder::refusals), or a [`RefusalLayer`](crate::RefusalLayer) around layers
//! of your own making. Status, challenge, cookies and the other headers stay as they are.
//!
//! ```
//! use axum::{Router, http::HeaderValue, routing::get};
//! use tower_bearer::{BearerAuthLayer, NoClaims, RefusalLayer, TokenCodec};
//!
//! # fn app(codec: TokenCodec) -> Router {
//! let json = HeaderValue::from_static("application/json");
//! let refusals = RefusalLayer::new().format(json, |problem| {
//!     format!(r#"{{"error":"{}","message":"{}"}}"#, problem.code(), problem.title())
//! });
//! let app: Router = Router::new()
//!     .route("/profile", get(|| async { "hello" }))
//!     .layer(BearerAuthLayer::<NoClaims>::new(codec))
//!     .layer(refusals);
//! # app
//! # }
//! ```
//!
//! A layer whose answers are to differ from all others has `rejection_response`. It makes the body, and the status where
//! it is a 4xx or a 5xx; any other status becomes the rejection's own. It is asked whatever the content type of the
//! request. The answers of gRPC behind a [`GrpcLayer`](crate::GrpcLayer) have no body, and stay as they are.
//!
//! ## A redirect to the sign-in page
//!
//! A refusal is never a redirect, but for plain http that
//! [`redirect_to`](crate::RequireHttpsLayer::redirect_to) sends to https: a proxy or a script, which go by the
//! status, would take it for something else. A browser that opens a page sends no `Authorization`, so what follows
//! is for pages behind a proxy that adds it. Their service answers with a redirect in its handlers, behind an
//! [`optional`](crate::BearerAuthLayer::optional) layer. Or it has a layer *outside* that makes one of the
//! refusals of its pages, by the [`Rejection`](crate::rejection::Rejection) in the extensions of the response:
//!
//! ```
//! use axum::{Router, response::{IntoResponse, Redirect, Response}, routing::get};
//! use tower::ServiceBuilder;
//! use tower_bearer::{
//!     BearerAuthLayer, TokenCodec,
//!     rejection::{Rejection, RejectionKind},
//! };
//!
//! fn to_sign_in(response: Response) -> Response {
//!     let rejection = response.extensions().get::<Rejection>();
//!     match rejection.map(Rejection::kind) {
//!         Some(RejectionKind::MissingCredentials) => Redirect::to("/sign-in").into_response(),
//!         _ => response,
//!     }
//! }
//!
//! fn pages(codec: TokenCodec) -> Router {
//!     Router::new().route("/account", get(|| async { "yours" })).layer(
//!         ServiceBuilder::new().map_response(to_sign_in).layer(BearerAuthLayer::new(codec)),
//!     )
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use tower::ServiceExt;
//! # let keys = tower_bearer::KeyRing::generate()?;
//! # let pages = pages(TokenCodec::nested(&keys)
//! #     .issuer("https://id.example")
//! #     .audience("api")
//! #     .build()?);
//! # let request = axum::http::Request::get("/account").body(axum::body::Body::empty())?;
//! # assert_eq!(pages.oneshot(request).await?.status(), 303);
//! # Ok(())
//! # }
//! ```
//!
//! ## One error type for all handlers
//!
//! Where every handler ends its calls with `?`, one type stands for all errors: a box, or `anyhow::Error`. Its answer
//! has to look for what this crate has put in, or "not signed in" becomes a 500. The error may lie below a few
//! others, each of them the `source()` of the next:
//!
//! ```
//! use std::{error::Error, iter::successors};
//!
//! use axum::{http::StatusCode, response::{IntoResponse, Response}};
//! use tower_bearer::{AccessToken, Problem, Session, SessionError, rejection::Rejection};
//!
//! struct AppError(Box<dyn Error + Send + Sync>);
//!
//! impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for AppError {
//!     fn from(error: E) -> Self {
//!         Self(error.into())
//!     }
//! }
//!
//! impl IntoResponse for AppError {
//!     fn into_response(self) -> Response {
//!         let Self(error) = self;
//!         let outermost: &(dyn Error + 'static) = &*error;
//!         for cause in successors(Some(outermost), |&error| error.source()) {
//!             if let Some(refused) = cause.downcast_ref::<SessionError>() {
//!                 return refused.response().into_response(); // 401, 409, 503, ...
//!             }
//!             if let Some(refused) = cause.downcast_ref::<Rejection>() {
//!                 return refused.response().into_response();
//!             }
//!         }
//!         eprintln!("{error}"); // your log; the client learns nothing of it
//!         let status = StatusCode::INTERNAL_SERVER_ERROR;
//!         Problem::new(status, "internal", "The server is at fault").into_response()
//!     }
//! }
//!
//! async fn renew(session: Session) -> Result<AccessToken, AppError> {
//!     Ok(session.refresh().await.map_err(Renewal)?)
//! }
//!
//! /// As `anyhow::Context` puts an error around another one.
//! #[derive(Debug)]
//! struct Renewal(SessionError);
//! # impl std::fmt::Display for Renewal {
//! #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
//! #         f.write_str("the session was not renewed")
//! #     }
//! # }
//! # impl Error for Renewal {
//! #     fn source(&self) -> Option<&(dyn Error + 'static)> {
//! #         Some(&self.0)
//! #     }
//! # }
//! # use axum::{Router, body::Body, http::Request, routing::post};
//! # use tower::ServiceExt;
//! # use tower_bearer::{Auth, KeyRing, MemoryStore};
//! #
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn Error>> {
//! # let auth = Auth::builder(&KeyRing::generate()?)
//! #     .issuer("https://id.example")
//! #     .audience("api")
//! #     .store(MemoryStore::new())
//! #     .same_origin()
//! #     .build()?;
//! # async fn broken() -> Result<(), AppError> { Err("no disk".into()) }
//! # async fn unguarded() -> Result<(), AppError> {
//! #     Ok(Session::from_extensions(&Default::default()).map(drop)?)
//! # }
//! # let app = Router::new()
//! #     .route("/renew", post(renew))
//! #     .layer(auth.sessions().clone())
//! #     .route("/broken", post(broken))
//! #     .route("/unguarded", post(unguarded));
//! # for (path, status, code) in [
//! #     ("/renew", 401, "no_session"),
//! #     ("/broken", 500, "internal"),
//! #     ("/unguarded", 500, "layer_missing"),
//! # ] {
//! #     let response = app.clone().oneshot(Request::post(path).body(Body::empty())?).await?;
//! #     assert_eq!(response.status(), status, "{path}");
//! #     let problem = response.extensions().get::<Problem>().ok_or("no problem")?;
//! #     assert_eq!(problem.code(), code, "{path}");
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! Without a cookie `renew` answers 401 `no_session`, as `/auth/refresh` does, and with a challenge. Where the body is
//! another one, [`SessionError::status`](crate::SessionError::status) has the status by itself.
//!
//! ## Extractors and sessions
//!
//! Where the layer is in place the extractors do not fail. (Behind an
//! [`optional`](crate::BearerAuthLayer::optional) layer take `Option<Claims<C>>` and answer yourself.)
//!
//! What a [`Session`](crate::Session) returns is an error like any other. Keep the status that
//! `SessionError` would have given, since [pages act on it](super::how_to#what-the-page-does-with-a-failure), and
//! change the rest:
//!
//! ```
//! use axum::response::{Html, IntoResponse, Response};
//! use tower_bearer::{SessionError, SessionErrorKind};
//!
//! struct Page(SessionError);
//!
//! impl IntoResponse for Page {
//!     fn into_response(self) -> Response {
//!         let text = match self.0.kind() {
//!             SessionErrorKind::Unavailable => "Please try again in a moment.",
//!             _ => "Please sign in again.",
//!         };
//!         let (mut parts, _) = self.0.into_response().into_parts();
//!         parts.headers.remove("content-type");
//!         parts.headers.remove("content-length");
//!         (parts, Html(text)).into_response()
//!     }
//! }
//! # use axum::http::StatusCode;
//! ```
