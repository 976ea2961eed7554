//! Signed CSRF tokens, bound to the session.
//!
//! A browser adds cookies to every request, whichever page caused it. [`CsrfLayer`](crate::CsrfLayer) goes in front
//! of cookie-authenticated routes and requires a token that only the service's own pages know. No foreign page can
//! set the header that carries it. The token is signed and bound to the session, so an attacker's planted token is
//! rejected.
//!
//! | request | what happens |
//! |---|---|
//! | `GET`, `HEAD`, `OPTIONS` | passes, always; where a page asks, a browser without a good cookie gets one |
//! | one `Authorization` of the client's own, and no cookie but this layer's and the jar cookie of a session | passes: a browser has added nothing to it |
//! | everything else | needs the cookie and a token, or is refused with 403 before the handler runs |
//!
//! Browsers add `Basic`, `Digest`, `NTLM` and `Negotiate` to requests by themselves, and no other scheme. A
//! request with one of these needs a token, and so does one without `Authorization`.
//!
//! No path, content type or `X-Requested-With` exempts a request. To this layer a WebSocket upgrade is a `GET`.
//! [`OriginGuardLayer`](crate::OriginGuardLayer), which belongs outside of it, guards those. (Over HTTP/2 a WebSocket
//! begins with `CONNECT`, which this layer rejects: scripts cannot add the header. Put such a route outside the
//! layer, behind the origin guard.) Leave routes that need no token outside the layer too.
//!
//! # The token
//!
//! The cookie is `__Host-csrf`, `Secure`, `SameSite=Lax`, `Path=/`. It holds `v1s.<nonce>.<mac>`: 32 random bytes and
//! an HMAC-SHA-256. The MAC covers them, the class and the session, each with its length in front. Before a sign-in
//! it is `v1a.…`, of no session; neither class passes for the other. A page submits in `X-CSRF-Token` the cookie's
//! text or a masked token. A masked token is `1m.` and the token under a random pad. So a compressed page that
//! carries it does not reveal it (BREACH). The masked form begins with a digit. So no page of another host can run it
//! as a script and read it.
//!
//! | | cookie | submitted |
//! |---|---|---|
//! | in a session | there, once, genuine, of this session | any token of this session (a copy of the cookie where the cookies of several sessions came) |
//! | before | there, once, genuine, of no session | the same token as the cookie's |
//!
//! So each of many tabs can send the form that it was loaded with, whichever answer's cookie came last. Without a
//! session an attacker can have a token made, and a copy of the cookie is asked for.
//!
//! The server stores no tokens. A token is valid as long as its session and its key. A new one ends none of the
//! others. The cookie of a session lasts as long as the session's [refresh cookie](crate::RefreshCookieLayer). Where
//! a refresh makes that one last longer, the response sets this one again too. Issued between two refreshes, it may
//! last one `idle_lifetime` longer. The cookie of no session, and of sessions of another kind, lasts until the
//! browser closes.
//!
//! Where the cookies of several sessions came, one of them may be planted by a sibling host. A copy of the cookie
//! is then asked for as well.
//!
//! # When a browser gets one
//!
//! A browser needs another cookie where its own is missing, invalid here, or of a retired key. It gets one
//!
//! * when a handler takes [`CsrfToken`](crate::CsrfToken) out of the request,
//! * at `GET {base}/csrf` of [`SessionEndpoints`](crate::SessionEndpoints),
//! * when the answer is `text/html`,
//!
//! and with nothing else: a stylesheet stays cachable, and so does an answer of 304. A preflight brings none. A
//! sign-in, a sign-out and a privilege change through [`RefreshCookieLayer`](crate::RefreshCookieLayer) bring the
//! next token in the same response. From then on [`CsrfToken::masked`](crate::CsrfToken::masked) returns it to the
//! handler. For sessions of another kind, call [`CsrfToken::rotate_to`](crate::CsrfToken::rotate_to) at these events.
//!
//! A link on another site leads here without the `SameSite=Strict` cookie of the session. Such a request
//! (`Sec-Fetch-Site: cross-site`) replaces no token of a session. [`CsrfToken::masked`](crate::CsrfToken::masked)
//! returns a copy of the browser's token. So the page can send its form, and the other tabs keep theirs. With
//! sessions of another kind, whose cookie may have come along, it returns a new one. The application prevents that
//! with [`CsrfSession::UNSEEN`].
//!
//! # Single-page applications
//!
//! The page asks `GET {base}/csrf` for a token, or copies the cookie into the header. It asks again when it is
//! rejected: a sign-in or sign-out in another tab brings another token. The script is in the
//! [manual](crate::manual::guards#single-page-applications).
//!
//! # Rendered pages
//!
//! [`CsrfToken::masked`](crate::CsrfToken::masked) goes into `<meta name="csrf-token" content="…">`; scripts send it
//! in the header. The answer then says that no page of another origin may load it. With
//! [`http_only`](CsrfBuilder::http_only) the cookie itself is hidden from scripts.
//!
//! Forms that work without a script carry it in a hidden field: `<input type="hidden" name="csrf_token" value="…">`.
//! [`CsrfLayer::form_field`](crate::CsrfLayer::form_field) makes the layer that reads it, [`CsrfFormLayer`]. It holds
//! the form in memory, up to a limit, and passes it on unchanged. It does not read multipart forms. Their page sends
//! the header, or their handler checks the field: [`CsrfBuilder::handler_verifies`].
//!
//! A form that signs in is loaded without a session. Of several tabs with such a form, the last one loaded can send
//! it. The others are rejected once. A link on the page that loads it anew resolves this. (After a link from another
//! site a reload does not.) The same holds for a browser that sends no `Sec-Fetch-Site`, after a link from another
//! site. Its page looks like one without a session.
//!
//! # Not `tower_http::csrf`
//!
//! `tower_http::csrf::CsrfLayer` has the same name and does another job. It checks `Origin` and `Sec-Fetch-Site`, as
//! [`OriginGuardLayer`](crate::OriginGuardLayer) does here, and uses no tokens. The two kinds complement each other.
//! Headers need no state in the page and cannot be forgotten. Tokens protect where the headers are missing or
//! rewritten on the way. They also protect against a sibling host that the list of origins has to trust.
//!
//! # Where it goes
//!
//! Inside of [`OriginGuardLayer`](crate::OriginGuardLayer) and
//! [`RefreshCookieLayer`](crate::RefreshCookieLayer): see the [order of layers](crate::manual::guards#order-of-layers).
//! The second one opens the refresh cookie once, for this layer and for the handlers. The browser sends
//! that cookie to `/auth` only, so that is where both go.
//!
//! The layer needs a `RefreshCookieLayer` outside of it. Without one, and on paths that its cookie does not reach, it
//! answers every request with 500. Safe requests too: their answer would set a token of no session. The
//! [`Rejection`](crate::rejection::Rejection) says what to change. Sessions of another kind need no such layer: see
//! [`CsrfBuilder::session`].
//!
//! The session layer that a handler uses is the one outside of this layer. With a second one of other settings in
//! between, this layer does not see the handler's changes. The next token then comes when a page next asks.
//!
//! An API that takes bearer tokens and no cookie needs no CSRF token. Neither do clients that carry refresh tokens in
//! [bodies](crate::refresh::RefreshTransport::Body): the layer would reject them.
//!
//! # Example
//!
//! ```
//! use http::{Request, Response, StatusCode, header};
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_bearer::{CsrfLayer, CsrfToken, KeyRing, csrf::CsrfSession};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let page = service_fn(|request: Request<String>| async move {
//!     let token = CsrfToken::from_extensions(request.extensions()).and_then(|csrf| csrf.masked());
//!     let token = token.unwrap_or_default();
//!     Ok::<_, std::convert::Infallible>(Response::new(token))
//! });
//! let keys = KeyRing::generate()?;
//! // Behind a `RefreshCookieLayer` it is `CsrfLayer::new(&keys)?`. Here are no sessions at all.
//! let layer = CsrfLayer::builder(&keys).session(|_| CsrfSession::ANONYMOUS).build()?;
//! let service = layer.layer(page);
//!
//! // The page brings the cookie, and carries a masked copy.
//! let response = service.clone().oneshot(Request::get("/form").body("".into())?).await?;
//! let cookie = response.headers()[header::SET_COOKIE].to_str()?.split(';').next().unwrap_or("").to_owned();
//! let copy = response.into_body();
//!
//! let post = |copy: Option<&str>| {
//!     let request = Request::post("/form").header("cookie", &cookie);
//!     let request = match copy {
//!         Some(copy) => request.header("x-csrf-token", copy),
//!         None => request,
//!     };
//!     request.body(String::new())
//! };
//! let response = service.clone().oneshot(post(Some(&copy))?).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! // A foreign page makes the browser send the cookie, and cannot know the copy.
//! let response = service.oneshot(post(None)?).await?;
//! assert_eq!(response.status(), StatusCode::FORBIDDEN);
//! # Ok(())
//! # }
//! ```

mod answer;
mod builder;
mod config;
pub(crate) mod csrf_token;
mod decision;
mod form;
mod future;
mod header_name;
mod keys;
pub(crate) mod layer;
mod service;
mod token;

pub use builder::CsrfBuilder;
pub use form::{CsrfForm, CsrfFormFuture, CsrfFormLayer};
pub use future::CsrfFuture;
pub use keys::CsrfKeys;
pub use service::Csrf;

pub use crate::csrf_session::CsrfSession;
