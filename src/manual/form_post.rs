//! Callbacks that come by POST: OpenID Connect's `form_post`, SAML.
//!
//! A provider may answer with a page that submits a form to your callback ([OAuth 2.0 Form Post Response
//! Mode](https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html); SAML's POST binding does likewise).
//! The form stands on the provider's page, so the guards see what they are there to refuse:
//!
//! | | what the callback gets |
//! |---|---|
//! | `Origin` | the provider's, or `null` where its page has `Referrer-Policy: no-referrer` (Fetch, "append a request `Origin` header") |
//! | `Sec-Fetch-Site` | `cross-site` |
//! | cookies | those with `SameSite=None` alone; `Lax` travels with safe methods only (RFC 6265bis section 5.2) |
//! | CSRF token | none |
//!
//! Ask for `response_mode=query` with `response_type=code` and PKCE where the provider lets you: the example
//! `oauth_redirect` is that. Else give the POST a route of its own, outside of
//! [`OriginGuardLayer`](crate::OriginGuardLayer) and [`CsrfLayer`](crate::CsrfLayer), that can do nothing else. Never list the
//! provider as an origin for it: all of its pages could then call your endpoints.
//!
//! The `state` protects such a route: it belongs to one browser. A POST without the cookie of its `state` must sign no
//! user in, or an attacker signs the reader in with the attacker's own code.
//!
//! # A code: hand over to a GET
//!
//! The route decides nothing. Its 303 makes the browser go on with GET, and to that navigation belongs the `Lax`
//! cookie of the `state`. The callback is the one that
//! [`query`](https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html) would have called.
//!
//! ```
//! use axum::{Router, extract::DefaultBodyLimit, response::Redirect, routing::{get, post}};
//! use form_urlencoded::Serializer;
//! use tower_bearer::OriginGuardLayer;
//!
//! /// The fields of RFC 6749 section 4.1.2 and RFC 9207, and no others.
//! async fn hand_over(body: String) -> Redirect {
//!     let known = |name: &str| ["code", "error", "iss", "state"].contains(&name);
//!     let fields = form_urlencoded::parse(body.as_bytes()).filter(|(name, _)| known(name));
//!     let query = Serializer::new(String::new()).extend_pairs(fields).finish();
//!     Redirect::to(&format!("/auth/callback?{query}"))
//! }
//!
//! # async fn callback() {}
//! # fn app() -> Router {
//! let pages = Router::new()
//!     .route("/auth/callback", get(callback)) // finds the cookie of the state: see `oauth_redirect`
//!     .layer(OriginGuardLayer::same_origin()); // and the session's layers
//! Router::new()
//!     .route("/auth/form-post", post(hand_over))
//!     .layer(DefaultBodyLimit::max(4096)) // it becomes a header line
//!     .merge(pages)
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use axum::{body::Body, http::Request};
//! # use tower::ServiceExt;
//! # for origin in ["https://provider.example", "null"] {
//! #     let request = |path: &str| Request::post(path)
//! #         .header("host", "app.example")
//! #         .header("origin", origin)
//! #         .header("sec-fetch-site", "cross-site")
//! #         .body(Body::from("state=a%26b&code=c%0D%0Ad&user=eve&iss=https%3A%2F%2Fprovider.example"));
//! #     let answer = app().oneshot(request("/auth/form-post")?).await?;
//! #     assert_eq!(answer.status(), 303);
//! #     let to = "/auth/callback?state=a%26b&code=c%0D%0Ad&iss=https%3A%2F%2Fprovider.example";
//! #     assert_eq!(answer.headers()["location"], to);
//! #     assert_eq!(app().oneshot(request("/auth/callback")?).await?.status(), 403);
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! The code is now in an address, where `form_post` had kept it out of histories and logs. It is good once, and with
//! PKCE for this browser's verifier alone; keep queries of this route out of your logs all the same.
//!
//! # A token or an assertion: a cookie of its own
//!
//! An ID token and a SAML response do not belong into an address, and may be longer than one. Then the route itself
//! needs the cookie of the `state` (for SAML: of the request's id, which `InResponseTo` repeats), and that cookie
//! alone is `SameSite=None`:
//!
//! ```text
//! Set-Cookie: __Host-signing-in-<hash of state>=<state>.<nonce>; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=600
//! ```
//!
//! ```
//! use axum::{Router, http::{HeaderMap, StatusCode}, response::Redirect, routing::post};
//! use tower_bearer::{RefreshCookieLayer, Session};
//!
//! # struct Answer { state: String, subject: String }
//! # fn verify(_: &str) -> Option<Answer> { None }
//! # fn began_here(_: &HeaderMap, _: &str) -> bool { false }
//! async fn signed_answer(
//!     session: Session,
//!     headers: HeaderMap,
//!     body: String,
//! ) -> axum::response::Result<Redirect> {
//!     // Signature, issuer, audience, times, nonce: by a library for the protocol.
//!     let answer = verify(&body).ok_or(StatusCode::BAD_REQUEST)?;
//!     if !began_here(&headers, &answer.state) {
//!         return Ok(Redirect::to("/?over")); // a reload, or another browser's sign-in
//!     }
//!     session.start(answer.subject).await?;
//!     Ok(Redirect::to("/"))
//! }
//!
//! # fn app(sessions: RefreshCookieLayer, guarded: Router) -> Router {
//! // `guarded` has the same session layer, behind its guards.
//! Router::new().route("/auth/assertion", post(signed_answer)).layer(sessions).merge(guarded)
//! # }
//! # let _ = app;
//! ```
//!
//! * The refresh cookie does not come with this POST, `Strict` or `Lax`. So a session that this browser has is not
//!   ended by the new one; its cookie is replaced, and it lasts until its own end. Where that matters, hand over to
//!   a page of your own that posts on: from there all cookies come.
//! * The page behind the 303 is still part of the provider's navigation, so its session cookie has to be
//!   [`same_site_lax`](crate::refresh::RefreshCookieBuilder::same_site_lax), as in `oauth_redirect`.
//! * The new session's CSRF token comes with that page, or from `GET /auth/csrf`.
