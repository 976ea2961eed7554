//! Signed double-submit CSRF tokens, bound to the session.
//!
//! A browser adds cookies to every request, whichever page caused it. [`CsrfLayer`](crate::CsrfLayer) goes in front
//! of what trusts them and asks for something that only the service's own pages can know: a copy
//! of a cookie, in a header that no foreign page can set. The cookie is signed and bound to the
//! session, so that an attacker who plants both is refused.
//!
//! | request | what happens |
//! |---|---|
//! | `GET`, `HEAD`, `OPTIONS` | passes, always; a browser without a good cookie gets one |
//! | exactly one bearer token and no cookie at all | passes: nothing in it was added by a browser |
//! | everything else | needs the cookie and its copy, or is refused with 403 before the handler runs |
//!
//! A link on another site leads here without the `SameSite=Strict` cookie of the session. Such a request
//! (`Sec-Fetch-Site: cross-site`) replaces no token, so that the other tabs keep theirs;
//! [`CsrfToken::masked`](crate::CsrfToken::masked) gives a copy of the one that the browser has. With sessions of another kind,
//! whose cookie may have come along, it gives a new one.
//!
//! No path, content type or `X-Requested-With` exempts a request, and a WebSocket upgrade is a `GET`
//! to this layer: [`OriginGuardLayer`](crate::OriginGuardLayer), which belongs outside of it, guards
//! those. (Over HTTP/2 a WebSocket begins with `CONNECT`, which is refused here: scripts cannot add the
//! header. Put such a route outside the layer, behind the origin guard.) Routes that need no token are
//! left outside the layer too.
//!
//! # The token
//!
//! The cookie is `__Host-csrf`, `Secure`, `SameSite=Lax`, `Path=/`, until the browser closes. It holds
//! `v1.<nonce>.<mac>`: 32 random bytes and an HMAC-SHA-256 over them, the class and the session, each
//! with its length in front. The class is `sess` in a session and `anon` before; neither
//! passes for the other. The copy comes in `X-CSRF-Token`, as it is or masked: `m1.` and the token
//! under a random pad, so that a compressed page that carries it does not give it away (BREACH).
//!
//! Nothing is kept on the server. A token is good as long as its session and its key. An older token of the *same* session stays
//! authentic after a newer one was given out; an attacker who could plant it reads the session's tokens anyway,
//! and other tabs go on working.
//!
//! A sign-in, a sign-out and a privilege change through [`RefreshCookieLayer`](crate::RefreshCookieLayer)
//! bring the next token in the very same response, and [`CsrfToken::masked`](crate::CsrfToken::masked) gives it to the handler that
//! did so from there on. Sessions of another kind call
//! [`CsrfToken::rotate_to`](crate::CsrfToken::rotate_to) where they do these things.
//!
//! # Single-page applications
//!
//! The page copies the cookie into the header, and asks for a token when it is refused. It has to: the
//! cookie lasts until the browser closes, so it outlives sessions, keys and age limits, and the answer to
//! another tab may put an older one in its place. Routes and script are in the
//! [manual](crate::manual::guards#single-page-applications).
//!
//! # Rendered pages
//!
//! [`CsrfToken::masked`](crate::CsrfToken::masked) goes into `<meta name="csrf-token" content="…">`; scripts send it in the header.
//! With [`http_only`](CsrfBuilder::http_only) the cookie itself is hidden from scripts.
//!
//! Forms that work without a script carry it in a hidden field:
//! `<input type="hidden" name="csrf_token" value="…">`. [`CsrfLayer::form_field`](crate::CsrfLayer::form_field) makes the layer that
//! reads it: [`CsrfFormLayer`], which holds the form in memory, up to a limit, and hands it on as it was.
//! It does not read multipart forms. Their page sends the header, or their handler checks the field:
//! [`CsrfBuilder::handler_verifies`].
//!
//! # Not `tower_http::csrf`
//!
//! `tower_http::csrf::CsrfLayer` has the same name and does another job: it looks at `Origin` and
//! `Sec-Fetch-Site`, as [`OriginGuardLayer`](crate::OriginGuardLayer) does here, and knows no tokens. The
//! two kinds complete each other. Headers need no state in the page and cannot be forgotten; tokens hold
//! where the headers are missing, are rewritten on the way, or come from a sibling host that the list of
//! origins has to trust.
//!
//! # Where it goes
//!
//! Inside of [`OriginGuardLayer`](crate::OriginGuardLayer) and
//! [`RefreshCookieLayer`](crate::RefreshCookieLayer): see the [order of layers](crate::manual::guards#order-of-layers).
//! The second one opens the refresh cookie once, for this layer and for the handlers. The browser sends
//! that cookie to `/auth` only, so that is where both go.
//!
//! Where `RefreshCookieLayer` is not outside, and on paths that its cookie does not reach, every request is
//! answered 500, a safe one too: its answer would put a token of no session into the browser. The
//! [`Rejection`](crate::rejection::Rejection) says what to change. Sessions of another kind need no such layer:
//! see [`CsrfBuilder::session`].
//!
//! The session layer that a handler uses is the one outside of this layer. With a second one of other settings
//! in between, this layer does not see what the handler does, and the next token comes with the next safe
//! request.
//!
//! An API that takes bearer tokens and no cookie needs no CSRF token, nor do clients that carry refresh
//! tokens in [bodies](crate::refresh::RefreshTransport::Body): the layer would refuse them.
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

mod builder;
mod config;
pub(crate) mod csrf_token;
mod decision;
mod form;
mod future;
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
