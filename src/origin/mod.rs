//! Refuses state-changing requests that a page of a foreign origin sent.
//!
//! A browser adds cookies to every request, whichever page caused it. [`OriginGuardLayer`](crate::OriginGuardLayer)
//! goes in front of cookie-authenticated routes, and judges by the headers that pages cannot forge. It guards every
//! request whose method is not exactly `GET`, `HEAD` or `OPTIONS`, and a `GET` that opens a WebSocket. In this order:
//!
//! 1. A repeated `Origin`, `Sec-Fetch-Site` or `Referer`: refused.
//! 2. `Origin: null` passes with `Sec-Fetch-Site: same-origin`, and with `none`. Browsers send that for a form without
//!    a page, as when a tab is restored. No page can cause it.
//! 3. Any other `Origin` must be on the list, whatever `Sec-Fetch-Site` says. Without a list,
//!    [`same_origin`](crate::OriginGuardLayer::same_origin) judges by both.
//! 4. No `Origin`: `Sec-Fetch-Site` passes as `same-origin` and `none` (no page caused the request),
//!    and is refused as `same-site` and `cross-site`.
//! 5. Neither, or an unknown `Sec-Fetch-Site`: the origin of `Referer` must be on the list.
//! 6. Without any of these headers, the request is refused when it carries credentials that browsers add by themselves.
//!    These are a cookie other than `__Host-csrf`, `__Host-Http-csrf` and a [jar cookie](crate::refresh#cookies) of the
//!    default name. They are also an `Authorization` of `Basic`, `Digest`, `NTLM` or `Negotiate`.
//!
//! A header that is there and empty is not an absent one. No content type, path or `X-Requested-With` exempts a
//! request, and `X-Forwarded-*` is never read. Entries of the list are normalised when they are parsed ([`Origin`]).
//! The values of a request are compared unchanged, because browsers write an origin in one way only.
//!
//! A refusal is 403 with `Vary: Origin, Sec-Fetch-Site`, or `grpc-status: 7` to a gRPC or gRPC-Web
//! client behind a [`GrpcLayer`](crate::GrpcLayer). The [`Rejection`](crate::rejection::Rejection) in the extensions
//! of the response has the [`OriginReason`](crate::rejection::OriginReason). [`OriginGuardLayer::report_only`](crate::OriginGuardLayer::report_only) tries a list without
//! refusing; [`OriginGuardLayer::check`](crate::OriginGuardLayer::check) gives the bare verdict.
//!
//! # A list, or the own origin
//!
//! A list holds without the help of `Sec-Fetch-Site` and of `Host`.
//! [`same_origin`](crate::OriginGuardLayer::same_origin) needs no list and relies on both:
//!
//! | | a list | `same_origin` |
//! |---|---|---|
//! | a page of a foreign or a sibling host | refused, unless [a service worker of the application](#service-workers) sends its request anew | the same |
//! | a page on plain `http` of the same host, which an attacker on the network writes | refused | refused where the browser sends `Sec-Fetch-Site`, or the request says `https` itself (`:scheme` of HTTP/2). Otherwise it passes, since `Host` names no scheme. Chromium opens WebSockets without `Sec-Fetch-Site` |
//! | a foreign name that resolves to this server (DNS rebinding) | refused | passes over plain `http`: browsers send no `Sec-Fetch-Site` there, and `Origin` and `Host` agree. Over `https` the certificate stops it. Such a page has none of the user's cookies; it matters to a server that trusts its network |
//! | a browser with a wrong `Sec-Fetch-Site`. Safari sent one until 2026 when a reload sent a foreign form again ([WebKit 60289](https://github.com/WebKit/WebKit/pull/60289)) | refused | passes |
//! | the own page, behind a proxy that changes `Host` or the port | passes if listed | passes, unless the browser sends no `Sec-Fetch-Site`: an old one, any over plain `http`, and Chromium with a WebSocket |
//! | the own page, through a development server on another port | passes if listed | the same |
//!
//! Browsers send `Sec-Fetch-Site` to `https`, and to loopback hosts such as `localhost` (W3C Fetch
//! Metadata, section "Sec-Fetch-Site"; Secure Contexts). A development server is listed as
//! `http://localhost:5173`, or as `http://localhost:*` ([`Origin`]), where the service runs on a
//! developer's machine.
//!
//! The second rule has a limit. A user may restore a tab that a foreign form opened, and agree to send the form again.
//! The browser may then send it as `null` with `none`. A CSRF token refuses it all the same.
//!
//! # Service workers
//!
//! A form of a foreign page that posts to the application is a navigation. The application's own service worker sees it
//! first. A worker that builds a request of its own from it launders it: `fetch(event.request, { headers })` in
//! Chromium, `fetch(new Request(event.request))` in Firefox. The form then arrives with the own `Origin`,
//! `Sec-Fetch-Site: same-origin` and the `SameSite=Strict` cookies. This was measured with Chromium 156 and Firefox ESR
//! 153. No guard that reads headers can tell; only a CSRF token stops it. So a worker leaves requests other than `GET`
//! alone, and never rebuilds a navigation.
//!
//! # WebSockets
//!
//! A handshake is a `GET`, so it looks safe. It carries cookies, and CORS does not apply to it. The messages that
//! follow it are no requests, so no guard sees them. A `GET` counts as a handshake when
//!
//! * a member of `Upgrade` is named `websocket`, in any case and on any line. A version (`websocket/13`) or other text
//!   may follow the name;
//! * or there is a `Sec-WebSocket-Key`. A proxy may have removed `Upgrade`, a header for one hop. The server behind it
//!   may not require that header. Whether there is a `Connection: Upgrade` does not matter for the same reason.
//!
//! Pages cannot set any of these headers, so no other `GET` of a browser is affected. Over HTTP/2 and HTTP/3 a
//! handshake is an extended `CONNECT` (RFC 8441, RFC 9220), which is no safe method. Upgrades to other protocols are
//! not guarded: browsers do not ask for them. Other connections that a `GET` opens are not guarded either. CORS
//! protects an event stream (`text/event-stream`), since a foreign page cannot read it. A `GET` handler that changes
//! something is beyond any guard of this kind.
//!
//! # When `tower_http::csrf` is enough
//!
//! `tower_http::csrf::CsrfLayer` does the same job by the same headers. It is enough for a service with one host name
//! and current browsers, without WebSockets, over https alone. It differs in this; a test runs both over the same table
//! of requests and knows every difference:
//!
//! | | `tower_http::csrf` 0.7 | this layer |
//! |---|---|---|
//! | `Sec-Fetch-Site: same-origin` or `none` beside a foreign `Origin` | passes | a list refuses it; [`same_origin`](crate::OriginGuardLayer::same_origin) takes `same-origin` alone, and a well-formed `Origin` |
//! | `Origin` on the request's own host | passes without `Sec-Fetch-Site`, whatever the scheme | passes if listed, or with `same_origin` |
//! | the same beside an unknown `Sec-Fetch-Site` | refused | as if that were absent |
//! | own host | compared byte by byte | case, default port and form of an address do not matter; `Host` and `:authority` must agree |
//! | repeated headers | the first line counts | refused |
//! | empty `Origin` or `Sec-Fetch-Site` | as if absent | there, and nothing that is known |
//! | neither `Origin` nor `Sec-Fetch-Site` | passes | by `Referer`, else by whether there are credentials |
//! | WebSocket handshake | a safe `GET` | guarded |
//! | method override headers | not known | guarded if [declared](crate::OriginGuardLayer::method_override) |
//! | entries | an entry that is not written as browsers write it never matches | normalised, or an error |
//! | wildcards, any port, custom schemes | none | all three |
//! | white space around a value that was set in the process | part of it | not part of it |
//! | gRPC | 403 | a gRPC status behind [`GrpcLayer`](crate::GrpcLayer), else 403 |
//! | exemptions | by a predicate | none |
//!
//! # Example
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_bearer::OriginGuardLayer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let transfer = service_fn(|_: Request<String>| async {
//!     Ok::<_, std::convert::Infallible>(Response::new("done".to_owned()))
//! });
//! let service = OriginGuardLayer::new(["https://app.example".parse()?])?.layer(transfer);
//!
//! let request = |origin: &str| Request::post("/transfer").header("origin", origin).body("".into());
//! let response = service.clone().oneshot(request("https://app.example")?).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! let response = service.oneshot(request("https://evil.example")?).await?;
//! assert_eq!(response.status(), StatusCode::FORBIDDEN);
//! # Ok(())
//! # }
//! ```

mod config;
mod decision;
pub(crate) mod layer;
#[allow(
    clippy::module_inception,
    reason = "the file is about the type `Origin`"
)]
mod origin;
mod parse;
mod service;

pub use config::MissingOrigin;
pub use origin::Origin;
pub use service::OriginGuard;
