//! htmx and Turbo: rendered pages whose requests a library sends.
//!
//! Both fetch from the page's own origin, so [`OriginGuardLayer`](crate::OriginGuardLayer) lets them in. They still need the
//! token for [`CsrfLayer`](crate::CsrfLayer), in `X-CSRF-Token`. The layers stand as for all
//! [rendered pages](super::guards#rendered-pages): the session's cookie has to reach the page.
//!
//! A token is good for every tab of its session, and until that ends: pages need no new one after each request. It
//! changes with a sign-in and a sign-out, and the answer to those has the new cookie. So read the cookie
//! for each request, and fall back on the page where there is none to read.
//!
//! ```
//! use axum::response::Html;
//! use tower_bearer::{CsrfToken, rejection::Rejection};
//!
//! async fn page(csrf: CsrfToken) -> Result<Html<String>, Rejection> {
//!     let token = csrf.masked()?; // also brings the cookie; needs no escaping
//!     Ok(Html(format!(
//!         r#"<!doctype html>
//!         <meta name="csrf-param" content="__Host-csrf=">
//!         <meta name="csrf-token" content="{token}">
//!         <script src="/library.js"></script><script src="/csrf.js"></script>
//!         <p id="reload" hidden><a href="">Please load this page again.</a></p>..."#
//!     )))
//! }
//! # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(page));
//! ```
//!
//! Forms with the hidden field of [`CsrfFormLayer`](crate::csrf::CsrfFormLayer) work with either library as they do without:
//! both send the fields.
//!
//! # htmx
//!
//! A listener adds the header (htmx 2; in htmx 4 the event is another one):
//!
//! ```js
//! // csrf.js
//! const token = () =>
//!   document.cookie.match(/(?:^|; )__Host-csrf=([^;]+)/)?.[1] ??
//!   document.querySelector('meta[name="csrf-token"]').content;
//!
//! document.addEventListener("htmx:configRequest", ({ detail }) => {
//!   if (detail.verb !== "get") detail.headers["X-CSRF-Token"] = token();
//! });
//! document.addEventListener("htmx:responseError", ({ detail }) => {
//!   // Another session by now, or other keys. A reload by itself could go round for ever.
//!   if (detail.xhr.status === 403) document.querySelector("#reload").hidden = false;
//! });
//! ```
//!
//! * htmx 2 sends to the page's own origin alone (`selfRequestsOnly`). Where that is switched off, as it was in htmx 1,
//!   look at the address before you add the token.
//! * `<body hx-headers='{"X-CSRF-Token": "…"}'>` needs no script. But `hx-boost` does not replace the attributes of
//!   `<html>` and `<body>`, so after a sign-in they hold the token from before.
//! * Where the cookie is [`http_only`](crate::csrf::CsrfBuilder::http_only), answer a sign-in and a sign-out with the header
//!   `HX-Redirect: /`: the browser loads the page anew, and the `<meta>` with it. A swap of a part leaves the head alone.
//! * The default policy of [`SecurityHeadersLayer`](crate::SecurityHeadersLayer) allows neither inline styles nor `eval`:
//!   `<meta name="htmx-config" content='{"includeIndicatorStyles":false,"allowEval":false}'>`, and the style of
//!   indicators in your own sheet.
//!
//! # Turbo
//!
//! Turbo 8 sends `X-CSRF-Token` of itself, with each form submission that is not a GET, links with
//! `data-turbo-method` among them. It takes the value of the cookie that `<meta name="csrf-param">` names, else the content
//! of `<meta name="csrf-token">`. It looks for a cookie that *begins* with that name: hence the `=` above, without which
//! a cookie `__Host-csrf-other` would do. Your own `fetch` calls add the header themselves.
//!
//! ```js
//! addEventListener("turbo:submit-end", ({ detail }) => {
//!   if (detail.fetchResponse?.statusCode === 403) document.querySelector("#reload").hidden = false;
//! });
//! ```
//!
//! * With `csrf-param` there is nothing to do after a sign-in: the cookie is the new one.
//! * Where the cookie is `http_only`, leave `csrf-param` out. Each page that Turbo renders brings its `<meta>` along;
//!   frames and streams do not, so answer a sign-in with a redirect to a page. A page from Turbo's cache may hold the
//!   token of the session before: `<meta name="turbo-cache-control" content="no-cache">` keeps pages with forms
//!   out of it.
//! * Turbo wants a redirect as the answer to a form: 303, as axum's `Redirect::to` sends it.
//! * Turbo inserts an inline `<style>` for its progress bar as soon as it is loaded. The default policy of
//!   [`SecurityHeadersLayer`](crate::SecurityHeadersLayer) blocks it: the console says so, the bar stays invisible, and all
//!   else works. Write its rules into your own sheet:
//!
//! ```css
//! .turbo-progress-bar { position: fixed; top: 0; left: 0; z-index: 9999; height: 3px; background: #06c; }
//! ```
//!
//! * A policy with a nonce, made anew for each answer by a handler, lets Turbo's `<style>` in instead: the nonce stands in
//!   `style-src`, and in `<meta name="csp-nonce" content="…">` in front of Turbo's script.
//!
//! Seen in the sources: [htmx 2.0.10](https://github.com/bigskysoftware/htmx/blob/v2.0.10/src/htmx.js) and its
//! [notes on CSRF](https://htmx.org/docs/#csrf-prevention),
//! [Turbo 8.0.23](https://github.com/hotwired/turbo/blob/v8.0.23/src/core/drive/form_submission.js) and its
//! [progress bar](https://github.com/hotwired/turbo/blob/v8.0.23/src/core/drive/progress_bar.js).
