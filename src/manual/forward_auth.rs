//! A proxy that asks this service whether a request may pass: nginx, Traefik, Caddy.
//!
//! The proxy keeps the client's request, and sends the service a request of its own with the client's
//! headers. The *status* of the answer decides:
//!
//! | the service answers | nginx `auth_request` | Traefik `ForwardAuth` | Caddy `forward_auth` |
//! |---|---|---|---|
//! | 2xx | lets the request pass | lets it pass | lets it pass |
//! | 401 | 401, with our `WWW-Authenticate` | our answer | our answer |
//! | 403 | 403 | our answer | our answer |
//! | any other status, or none | 500 | our answer, or 5xx | our answer, or 5xx |
//!
//! So a refusal must never be a 2xx. The guards see to that: a refusal is a 4xx or a 5xx, also where a
//! [`rejection_response`](super::connections#answers-of-your-own) says otherwise. Two things are left to
//! the application: what its own handler answers, and what it puts around the guards.
//!
//! # The service
//!
//! ```
//! use axum::{
//!     Router,
//!     http::{HeaderValue, StatusCode},
//!     response::IntoResponse,
//!     routing::any,
//! };
//! use tower_bearer::{BearerAuthLayer, Claims, TokenCodec};
//!
//! /// The layer has verified the token, so the answer is yes. The header says whose it is.
//! async fn check(claims: Claims) -> Result<impl IntoResponse, StatusCode> {
//!     // A subject that no header can hold is refused: a yes must name its client.
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
//! # let codec: TokenCodec = TokenCodec::signed(&KeyRing::generate()?)
//! #     .issuer("i")
//! #     .audience("a")
//! #     .build()?;
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
//! A value for a header has to be a `HeaderValue` before the status is chosen: a tuple of
//! a status and a text that no header can hold is answered with the status, and without the header.
//!
//! * **No [`GrpcLayer`](crate::GrpcLayer).** It answers a refused gRPC call with HTTP 200, as gRPC wants
//!   it. The client writes the content type, and the proxy takes 200 for a yes. Applications behind the
//!   proxy may speak gRPC all the same: their clients understand 401 and 403.
//! * **No [`optional`](crate::BearerAuthLayer::optional) and no
//!   [`preflight`](crate::BearerAuthLayer::preflight).** They pass requests on without a token, and a
//!   handler that does not look for one says yes. Answer CORS preflights at the proxy.
//! * **No origin guard and no CSRF layer.** Most proxies ask with `GET`, which they let pass; some ask with the
//!   client's method. They belong in front of the application.
//! * **No [`redirect_to`](crate::RequireHttpsLayer::redirect_to).** Have the proxy redirect. nginx makes a
//!   500 of any 3xx.
//! * **A path is the proxy's word.** The request has the path of the check. Which one the client wants is
//!   in a header that the proxy writes: `X-Forwarded-Uri`, or the one that you name in nginx. Ask for a
//!   scope by a path of its own, `/check/admin`, rather than by rules over that header.
//! * **No cache in the proxy.** Every answer of a guard says `no-store`; a yes that is kept outlives the
//!   token.
//!
//! # Which headers pass
//!
//! The service needs `Authorization` and no more. The application gets what the service says of the
//! client, in a header such as `X-Auth-Subject`. **A client can write that header too**, so the proxy
//! must replace the client's, also where the service says nothing. And the application must be reached
//! through the proxy alone. One that reads headers by the names of CGI takes `X_Auth_Subject` for the same
//! header: nginx drops names with an underscore, other proxies have to be told.
//!
//! | header | from the client to the service | from the client to the application |
//! |---|---|---|
//! | `Authorization` | passed | removed, unless the application verifies the token itself |
//! | `X-Auth-Subject` | no matter: the service does not read it | replaced by the service's |
//! | `X-Forwarded-*` | overwritten by the proxy | overwritten by the proxy |
//! | `Content-Type`, `Content-Length`, `Cookie` | not passed: the check has no body and no session | passed |
//!
//! # nginx
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
//! nginx knows three answers: yes, 401 and 403. Whatever else the service says reaches the client as 500,
//! a 400 for a malformed header and a 503 for keys that have not come among them. The request is refused
//! in each case. Leave `proxy_method` alone, and do not put `satisfy any` beside it: then one check of
//! several is enough.
//!
//! # Traefik
//!
//! ```yaml
//! http:
//!   middlewares:
//!     check:
//!       forwardAuth:
//!         address: "http://127.0.0.1:3000/check"
//!         trustForwardHeader: false            # the client's X-Forwarded-* count for nothing
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
//! # Caddy
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
//! The first `request_header` is needed: since Caddy 2.10, several versions keep the client's own header
//! where the service's answer has none (GHSA-7r4p-vjf4-gxv4). Without `route`, Caddy runs `forward_auth`
//! in front of it.
//!
//! # Trying it
//!
//! Before the first user, ask through the proxy without a token, and expect 401 each time:
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
//! Then with a token and a forged `X-Auth-Subject`: the application must see the token's subject.
