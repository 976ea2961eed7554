//! Native clients and services: refresh tokens in bodies, hyper and tonic, calls between services, proxies that ask.
//!
//! You want mobile applications beside the browsers. Give them a second layer over the same store, on a path of its
//! own:
//!
//! ```
//! use axum::{Router, routing::post};
//! use tower_bearer::{AccessToken, Auth, ClaimsError, ClaimsRequest, ConfigError, KeyRing, MemoryStore, NoClaims};
//! use tower_bearer::{RefreshCookieLayer, Session, SessionEndpoints, refresh::RefreshTransport, store::SharedStore};
//!
//! async fn login(session: Session) -> axum::response::Result<AccessToken> {
//!     Ok(session.start("user-1").await?) // after the password was checked
//! }
//!
//! async fn claims(_: ClaimsRequest) -> Result<NoClaims, ClaimsError> {
//!     Ok(NoClaims {})
//! }
//!
//! fn app(keys: &KeyRing) -> Result<Router, ConfigError> {
//!     let store = SharedStore::new(MemoryStore::new());
//!     let auth = Auth::builder(keys)
//!         .issuer("https://id.example")
//!         .audience("api")
//!         .store(store.clone())
//!         .origins(["https://app.example".parse()?])
//!         .claims(claims)
//!         .build()?;
//!     let native = RefreshCookieLayer::builder(auth.codec().clone(), store, claims)
//!         .cookie_path("/native")
//!         .transport(RefreshTransport::Body)
//!         .build()?;
//!     let apps = Router::new().merge(SessionEndpoints::new()).route("/login", post(login)).layer(native);
//!     Ok(Router::new()
//!         .merge(auth.routes().route("/login", post(login))) // browsers, below /auth
//!         .nest("/native", apps))
//! }
//! # app(&KeyRing::generate().unwrap()).unwrap();
//! ```
//!
//! A token of one layer is rejected by the other. The list of sessions, the session limit and sign-out everywhere cover
//! both.
//!
//! **Use the body as the only transport, and no guards.** These clients send no cookies that a page could use. An
//! endpoint that also took the cookie would bypass the CSRF check.
//!
//! # Clients without a cookie jar
//!
//! The example `native_client` has the client's part. The client:
//!
//! * gets `refresh_token` beside the access token at sign-in, and keeps it in the platform's secret store. Browsers
//!   have no such store;
//! * calls each [endpoint](crate::SessionEndpoints) by `POST` with `{"refresh_token": "..."}`. The list is
//!   `POST /native/sessions`, and `POST /native/sessions/{id}/end` ends one session;
//! * keeps its newest token after an answer without a token;
//! * sends a `User-Agent` without its own version. The name is the only evidence here: a lost answer just before an
//!   update looks like theft after it. Or set a
//!   [`client_fingerprint`](crate::refresh::RefreshCookieBuilder::client_fingerprint) without the version;
//! * is never asked to confirm: each successful answer has an access token.
//!
//! For your own routes the client sends its token too, and the handler gives it to
//! [`present`](crate::Session::present). At a second sign-in that ends the first session.
//! [`Session::id`](crate::Session::id) is `None` there. To change a password or to step up, compare the claims with the
//! id from [`peek`](crate::Session::peek).
//!
//! ## Applications and extensions
//!
//! The page of an application is of another *site* than the service. Browsers send it no `SameSite` cookies (RFC
//! 6265bis section 5.2). Use the body as transport. Keep the refresh token in the platform's secret store, outside of
//! the web view. CORS needs the page's origin; the native layer needs no guard.
//!
//! | page | the service sees | entries |
//! |---|---|---|
//! | Capacitor | `Origin: capacitor://localhost` on iOS, `https://localhost` on Android, `http://localhost` in older projects | `Origin::custom_scheme("capacitor://localhost")?`, `"https://localhost".parse()?` |
//! | Tauri | `Origin: tauri://localhost`. On Windows and Android `http://tauri.localhost`, or `https` with `useHttpsScheme` | `Origin::custom_scheme("tauri://localhost")?` and the others |
//! | Electron | the origin of a scheme registered as `standard`, such as `app://-` of electron-serve | `Origin::custom_scheme("app://-")?`; `file://` cannot be listed |
//! | Chromium extension | `Origin: chrome-extension://<id>`. With a host permission `Sec-Fetch-Site: none` and **the session cookie**, else `cross-site` and no session cookie | in the guard's list `Origin::custom_scheme("chrome-extension://<id>")?` |
//! | Firefox extension | `moz-extension://<uuid>`, another one in each browser | none: body transport |
//!
//! `https://localhost` is any program that listens on the user's machine. A listed extension acts as the user wherever
//! it has the permission. A content script sends its page's headers.
//!
//! # Without axum: hyper and tonic
//!
//! The layers wrap each `tower::Service<http::Request<_>>` whose response body has a `Default`. hyper takes the service
//! through `TowerToHyperService`:
//!
//! ```
//! use http::{Request, Response};
//! use hyper::body::Incoming;
//! use hyper_util::{rt::{TokioExecutor, TokioIo}, server::conn::auto::Builder, service::TowerToHyperService};
//! use tower::{ServiceBuilder, service_fn};
//! use tower_bearer::{BearerAuthLayer, Claims, NoClaims, TokenCodec};
//!
//! async fn hello(request: Request<Incoming>) -> Result<Response<String>, std::io::Error> {
//!     let mut response = Response::new(String::new());
//!     match Claims::<NoClaims>::from_extensions(request.extensions()) {
//!         Ok(claims) => *response.body_mut() = format!("hello, {}", claims.subject()),
//!         Err(rejection) => *response.status_mut() = rejection.status(), // only if the layer is missing
//!     }
//!     Ok(response)
//! }
//!
//! async fn serve(codec: TokenCodec) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//!     let service = ServiceBuilder::new().layer(BearerAuthLayer::new(codec)).service(service_fn(hello));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     loop {
//!         let (stream, _) = listener.accept().await?;
//!         let service = TowerToHyperService::new(service.clone());
//!         tokio::spawn(async move {
//!             // An error of one connection does not concern the others.
//!             let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
//!         });
//!     }
//! }
//! # let _ = serve;
//! ```
//!
//! Sessions without axum are in the modules [`refresh`](crate::refresh) and [`auth`](crate::auth).
//!
//! tonic takes the layers with a [`GrpcLayer`](crate::GrpcLayer) outside. A rejected call then has its `grpc-status`,
//! and a rejected stream fails when it opens. A handler reads the claims from its request:
//!
//! ```
//! use tonic::{Request, Status, transport::Server};
//! use tower_bearer::{BearerAuthLayer, Claims, GrpcLayer, NoClaims, TokenCodec};
//!
//! fn caller<T>(request: &Request<T>) -> Result<Claims<NoClaims>, Status> {
//!     // Fails only if the layer is missing.
//!     Claims::from_extensions(request.extensions()).map_err(|error| Status::internal(error.to_string()))
//! }
//!
//! # fn server(codec: TokenCodec) {
//! let server = Server::builder().layer(GrpcLayer::new()).layer(BearerAuthLayer::new(codec));
//! # let _ = server;
//! # }
//! # assert_eq!(caller(&Request::new(())).unwrap_err().code(), tonic::Code::Internal);
//! ```
//!
//! # Calling the next service for the user
//!
//! Send the user's own token if the next service is one of its audiences:
//!
//! ```
//! use http::{HeaderValue, StatusCode};
//! use tower_bearer::Claims;
//!
//! fn authorization(claims: &Claims) -> Result<HeaderValue, StatusCode> {
//!     match claims.audiences().any(|audience| audience == "orders") {
//!         true => Ok(claims.token().authorization()), // sensitive: `Debug` of a request hides it
//!         false => Err(StatusCode::FORBIDDEN),
//!     }
//! }
//! # use tower_bearer::{KeyRing, NoClaims, TokenCodec};
//! # let keys = KeyRing::generate()?;
//! # let codec: TokenCodec = TokenCodec::signed(&keys).issuer("https://id.example").audience("orders").build()?;
//! # let token = codec.mint("user-1", &NoClaims {})?;
//! # let value = authorization(&codec.verify(token.as_str())?).unwrap();
//! # assert!(value.is_sensitive() && value.to_str()?.ends_with(token.as_str()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! * Send it only to hosts from the configuration, never to an address from a request. Turn redirects off, or check
//!   that the client drops `Authorization` when the host changes.
//! * The next service can do all that the user may do. If that is too much, mint a token for one audience, fewer scopes
//!   and a minute. Tokens of an issuer elsewhere are exchanged there (RFC 8693).
//! * The token expires. A job that continues without the user needs its own credential.
//!
//! # A proxy that asks for permission
//!
//! You want nginx, Traefik or Caddy to protect an application that knows no tokens. The proxy keeps the client's
//! request and asks this service with the client's headers. The *status* of the answer decides:
//!
//! | answer | nginx `auth_request` | Traefik `ForwardAuth` | Caddy `forward_auth` |
//! |---|---|---|---|
//! | 2xx | passes | passes | passes |
//! | 401 | 401, with our `WWW-Authenticate` | our answer | our answer |
//! | 403 | 403 | our answer | our answer |
//! | other, or none | 500 | our answer, or 5xx | our answer, or 5xx |
//!
//! ```
//! use axum::{Router, http::{HeaderValue, StatusCode}, response::IntoResponse, routing::any};
//! use tower_bearer::{BearerAuthLayer, Claims, TokenCodec};
//!
//! /// The layer has verified the token. The header names its subject.
//! async fn check(claims: Claims) -> Result<impl IntoResponse, StatusCode> {
//!     // Before the status: a tuple of a status and an invalid text answers without the header.
//!     let subject = HeaderValue::from_str(claims.subject()).map_err(|_| StatusCode::FORBIDDEN)?;
//!     Ok((StatusCode::NO_CONTENT, [("x-auth-subject", subject)]))
//! }
//!
//! fn service(codec: TokenCodec) -> Router {
//!     Router::new().route("/check", any(check)).layer(BearerAuthLayer::new(codec))
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use tower::ServiceExt;
//! # use tower_bearer::{KeyRing, NoClaims};
//! # let codec: TokenCodec = TokenCodec::signed(&KeyRing::generate()?).issuer("i").audience("a").build()?;
//! # for (subject, status) in [("alice", 204), ("a\nb", 403)] {
//! #     let token = codec.mint(subject, &NoClaims {})?;
//! #     let request = http::Request::get("/check")
//! #         .header("authorization", format!("Bearer {}", token.as_str()))
//! #         .body(axum::body::Body::empty())?;
//! #     let response = service(codec.clone()).oneshot(request).await?;
//! #     assert_eq!(response.status(), status);
//! #     assert_eq!(response.headers().contains_key("x-auth-subject"), status == 204);
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! A rejection of a guard is always a 4xx or 5xx. Around the check there must be:
//!
//! * **no [`GrpcLayer`](crate::GrpcLayer)**: it rejects with HTTP 200, and the client writes the content type. gRPC
//!   clients understand 401 and 403;
//! * **no [`optional`](crate::BearerAuthLayer::optional), no [`preflight`](crate::BearerAuthLayer::preflight)**: they
//!   pass requests without a token. Answer preflights at the proxy;
//! * **no origin guard, no CSRF layer**: most proxies ask by `GET`, which these pass. They belong in front of the
//!   application;
//! * **no [`redirect_to`](crate::RequireHttpsLayer::redirect_to)**: nginx turns a 3xx into 500. Let the proxy redirect;
//! * **no rules over the client's path**: only a header of the proxy names it. Ask for scopes by paths of your own,
//!   such as `/check/admin`;
//! * **no cache in the proxy**: a stored 2xx outlives the token.
//!
//! **A client can write `X-Auth-Subject` too.** The proxy must replace it, also with nothing. Only the proxy may reach
//! the application. CGI names make `X_Auth_Subject` the same header: nginx drops it, other proxies need a rule.
//!
//! | header of the client | to the service | to the application |
//! |---|---|---|
//! | `Authorization` | passed | removed, unless the application verifies it |
//! | `X-Auth-Subject` | not read | replaced by the service's |
//! | `X-Forwarded-*` | overwritten by the proxy | overwritten by the proxy |
//! | `Content-Type`, `Content-Length`, `Cookie` | not passed | passed |
//!
//! ## nginx
//!
//! ```text
//! server {
//!     listen 443 ssl;                                   # and the certificate
//!     large_client_header_buffers 4 16k;
//!
//!     location / {
//!         auth_request /_check;
//!         auth_request_set $auth_subject $upstream_http_x_auth_subject;
//!         proxy_set_header X-Auth-Subject $auth_subject;   # empty means: not sent
//!         proxy_set_header Authorization "";
//!         proxy_set_header Host $host;
//!         proxy_set_header X-Forwarded-Proto $scheme;
//!         proxy_pass http://127.0.0.1:8080;             # the application
//!     }
//!
//!     location = /_check {
//!         internal;
//!         proxy_pass http://127.0.0.1:3000/check;       # the service
//!         proxy_pass_request_body off;
//!         proxy_pass_request_headers off;
//!         proxy_set_header Authorization $http_authorization;
//!     }
//! }
//! ```
//!
//! nginx rejects with 500 for each other status: 400 for a malformed header, 503 for missing keys. Leave `proxy_method`
//! alone. Never add `satisfy any`: one check of several is then enough.
//!
//! ## Traefik
//!
//! ```yaml
//! http:
//!   middlewares:
//!     check:
//!       forwardAuth:
//!         address: "http://127.0.0.1:3000/check"
//!         trustForwardHeader: false            # drops the client's X-Forwarded-*
//!         authRequestHeaders: ["Authorization"]
//!         authResponseHeaders: ["X-Auth-Subject"]   # replaces the client's
//!     strip:
//!       headers:
//!         customRequestHeaders:
//!           Authorization: ""                  # empty means: removed
//!   routers:
//!     app:
//!       rule: "Host(`app.example`)"
//!       entryPoints: ["websecure"]
//!       tls: {}
//!       middlewares: ["check", "strip"]        # in this order
//!       service: app
//!   services:
//!     app:
//!       loadBalancer:
//!         servers:
//!           - url: "http://127.0.0.1:8080"
//! ```
//!
//! ## Caddy
//!
//! ```text
//! app.example {
//!     route {                                  # keeps the order as it is written
//!         request_header -X-Auth-Subject
//!         forward_auth 127.0.0.1:3000 {
//!             uri /check
//!             copy_headers X-Auth-Subject
//!             header_up -Content-Type
//!             header_up -Cookie
//!         }
//!         request_header -Authorization
//!         reverse_proxy 127.0.0.1:8080
//!     }
//! }
//! ```
//!
//! Keep the first `request_header`: several Caddy versions since 2.10 keep the client's header where the answer has
//! none (GHSA-7r4p-vjf4-gxv4). Without `route`, Caddy runs `forward_auth` first.
//!
//! ## Trying it
//!
//! Ask through the proxy without a token and expect 401 each time. Then send a token and a forged `X-Auth-Subject`: the
//! application must see the token's subject.
//!
//! ```sh
//! for type in application/json application/grpc application/grpc-web+proto application/grpcfoo; do
//!   for method in GET POST; do
//!     curl --silent --output /dev/null --write-out "%{http_code} $method $type\n" \
//!       --request $method --header "Content-Type: $type" https://app.example/
//!   done
//! done
//! ```
//!
//! ## A redirect to the sign-in page
//!
//! The bearer layer never redirects. Pages behind a proxy that adds `Authorization` may need it. Their service can
//! redirect in a handler behind an [`optional`](crate::BearerAuthLayer::optional) layer. Or a layer *outside* of the
//! guard turns the rejection into a redirect. In axum that is `.layer(axum::middleware::map_response(to_sign_in))`:
//!
//! ```
//! use axum::response::{IntoResponse, Redirect, Response};
//! use tower_bearer::rejection::{Rejection, RejectionKind::MissingCredentials};
//!
//! async fn to_sign_in(response: Response) -> Response {
//!     match response.extensions().get().map(Rejection::kind) {
//!         Some(MissingCredentials) => Redirect::to("/sign-in").into_response(),
//!         _ => response,
//!     }
//! }
//! # use axum::{Router, body::Body, http::Request, middleware::map_response, routing::get};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keys = tower_bearer::KeyRing::generate()?;
//! # let codec: tower_bearer::TokenCodec =
//! #     tower_bearer::TokenCodec::nested(&keys).issuer("https://id.example").audience("api").build()?;
//! # let pages: Router = Router::new()
//! #     .route("/account", get(async || "yours"))
//! #     .layer(tower_bearer::BearerAuthLayer::new(codec))
//! #     .layer(map_response(to_sign_in));
//! # let response = tower::ServiceExt::oneshot(pages, Request::get("/account").body(Body::empty())?).await?;
//! # assert_eq!(response.status(), 303);
//! # Ok(())
//! # }
//! ```
