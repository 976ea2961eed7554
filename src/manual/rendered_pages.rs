//! Rendered pages: sign-in and sign-out are forms, and no script is needed.
//!
//! You want pages that your server renders. The session cookie goes to every page, and each form carries a CSRF token:
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Form, Router, extract::FromRequestParts, http::{HeaderValue, Method, StatusCode, request::Parts}};
//! use axum::{response::{Html, IntoResponse, Redirect, Response, Result}, routing::{get, post}};
//! use tower_bearer::{Auth, ConfigError, CsrfToken, KeyRing, NewSession, Session, TokenCodec, store::RefreshStore};
//!
//! /// The id of the user who is signed in. A handler that takes it runs with a live session only.
//! struct User(String);
//!
//! impl FromRequestParts<TokenCodec> for User {
//!     type Rejection = Response;
//!
//!     async fn from_request_parts(parts: &mut Parts, codec: &TokenCodec) -> Result<Self, Response> {
//!         let session = Session::from_extensions(&parts.extensions).map_err(IntoResponse::into_response)?;
//!         let error = match session.refresh().await.map(|token| codec.verify(token.as_str())) {
//!             Ok(Ok(claims)) => return Ok(Self(claims.subject().to_owned())),
//!             Ok(Err(_)) => return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
//!             Err(error) => error,
//!         };
//!         let from_elsewhere = parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
//!         Err(match error.status() {
//!             // A link in a web mail: the browser keeps its cookie back, and sends it with the next click.
//!             StatusCode::UNAUTHORIZED if from_elsewhere && !session.has_cookie() => {
//!                 Html(r#"<a href="">Continue</a>"#).into_response()
//!             }
//!             StatusCode::UNAUTHORIZED => Redirect::to("/sign-in").into_response(),
//!             // The browser may have the next cookie by now: after its update, or from another tab. The header makes
//!             // it ask again by GET, so a POST would lose its form.
//!             late @ StatusCode::CONFLICT if parts.method == Method::GET => {
//!                 (late, [("refresh", "1")], "One moment.").into_response()
//!             }
//!             _ => error.into_response(), // 429 or 503, or 409 for a POST: the session is as good as before
//!         })
//!     }
//! }
//!
//! async fn home(User(id): User, csrf: CsrfToken) -> Result<Html<String>> {
//!     let field = field(&csrf)?;
//!     Ok(Html(format!( // `id` is your own. Escape a name that a user has chosen.
//!         r#"You are {id}. <form method="post" action="/note">{field}<input name="note"><button>Save</button></form>
//!            <form method="post" action="/sign-out">{field}<button>Sign out</button></form>
//!            <form method="post" action="/sign-out-everywhere">{field}<button>Sign out everywhere</button></form>"#
//!     )))
//! }
//!
//! fn field(csrf: &CsrfToken) -> Result<String> {
//!     let token = csrf.masked()?; // needs no escaping
//!     Ok(format!(r#"<input type="hidden" name="csrf_token" value="{token}">"#))
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct Note { note: String }
//!
//! async fn save(User(id): User, Form(form): Form<Note>) -> Redirect {
//!     store_note(id, form.note).await;
//!     Redirect::to("/")
//! }
//!
//! fn sign_in_form(csrf: &CsrfToken, message: &str) -> Result<Html<String>> {
//!     let field = field(csrf)?;
//!     Ok(Html(format!(
//!         r#"{message} <form method="post" action="/sign-in">{field}<input name="name">
//!            <input name="password" type="password"><input name="remember" type="checkbox">
//!            <button>Sign in</button></form>"#
//!     )))
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct SignIn { name: String, password: String, remember: Option<String> } // only a ticked box is sent
//!
//! async fn sign_in(session: Session, csrf: CsrfToken, Form(form): Form<SignIn>) -> Result<Response> {
//!     let Some(id) = user_with(&form).await else {
//!         let page = sign_in_form(&csrf, "Name or password is wrong.")?;
//!         return Ok((StatusCode::UNAUTHORIZED, page).into_response());
//!     };
//!     let mut new = NewSession::new(id);
//!     if form.remember.is_none() {
//!         new = new.browser_session().lifetime(Duration::from_secs(12 * 60 * 60));
//!     }
//!     session.start_with(new).await?;
//!     Ok(Redirect::to("/").into_response()) // 303, with the cookies of the session and of its CSRF token
//! }
//!
//! async fn sign_out(session: Session) -> Result<Redirect> {
//!     session.end().await?;
//!     Ok(Redirect::to("/sign-in"))
//! }
//!
//! async fn sign_out_everywhere(session: Session) -> Result<Redirect> {
//!     session.end_all().await?;
//!     Ok(Redirect::to("/sign-in"))
//! }
//!
//! fn app(keys: &KeyRing, store: impl RefreshStore) -> Result<Router, ConfigError> {
//!     let auth = Auth::builder(keys)
//!         .issuer("https://id.example")
//!         .audience("api")
//!         .store(store)
//!         .same_origin() // forms come from pages of this service
//!         .everywhere() // the cookie comes with every page, and every page is guarded
//!         .csrf(|csrf| csrf.http_only())
//!         .refusals(HeaderValue::from_static("text/html; charset=utf-8"), |problem| {
//!             let text = match problem.code() {
//!                 "csrf" => "This page was out of date",
//!                 "superseded" => "Please go back, and send the form again",
//!                 "refresh_first" => "Please try again in a minute",
//!                 _ => problem.title(), // needs no escaping
//!             };
//!             format!(r#"<p>{text}. <a href="/">Back</a></p>"#)
//!         })
//!         .build()?;
//!     let pages = auth.routes().form_field("csrf_token")?.route("/", get(home)).route("/note", post(save));
//!     let pages = pages.route("/sign-in", get(async |csrf: CsrfToken| sign_in_form(&csrf, "")).post(sign_in));
//!     let pages = pages.route("/sign-out", post(sign_out)).route("/sign-out-everywhere", post(sign_out_everywhere));
//!     Ok(Router::new().merge(pages).layer(auth.headers()).with_state(auth.codec().clone()))
//! }
//! # async fn user_with(form: &SignIn) -> Option<&'static str> {
//! #     (form.name == "ann" && form.password == "right").then_some("user-1")
//! # }
//! # async fn store_note(id: String, note: String) { assert_eq!((&*id, &*note), ("user-1", "milk")); }
//! # use tower_bearer::test_util::{TestBrowser, TestResponse};
//! # /// Opens the page, which says `text`, and returns the token of its form.
//! # async fn open(browser: &mut TestBrowser, path: &str, text: &str) -> String {
//! #     let page = browser.get(path).send().await.expect_status(200);
//! #     assert!(page.text().contains(text), "{page:?}");
//! #     page.text().split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
//! # }
//! # async fn sent(browser: &mut TestBrowser, path: &str, token: &str, password: &str) -> TestResponse {
//! #     let form = [("csrf_token", token), ("name", "ann"), ("password", password), ("note", "milk")];
//! #     browser.post(path).form(form).send().await
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! # let app = app(&KeyRing::generate()?, tower_bearer::MemoryStore::new())?;
//! # let browser = &mut TestBrowser::new(app, "https://app.example").user_agent("Browser 1");
//! # assert_eq!(browser.get("/").send().await.expect_status(303).header("location"), Some("/sign-in"));
//! # assert!(browser.get("/").header("sec-fetch-site", "cross-site").send().await.text().contains("Continue"));
//! # let token = open(browser, "/sign-in", "Sign in").await;
//! # let refused = sent(browser, "/sign-in", "", "right").await.expect_status(403);
//! # assert_eq!(refused.header("content-type"), Some("text/html; charset=utf-8"));
//! # assert!(refused.text().contains("This page was out of date. <a"));
//! # assert!(sent(browser, "/sign-in", &token, "wrong").await.expect_status(401).text().contains("is wrong. <form"));
//! # sent(browser, "/sign-in", &token, "right").await.expect_status(303);
//! # // A newer version of the browser.
//! # let browser = &mut browser.clone().user_agent("Browser 2");
//! # assert_eq!(browser.get("/").send().await.expect_status(409).header("refresh"), Some("1"));
//! # let token = open(browser, "/", "You are user-1.").await;
//! # sent(browser, "/note", &token, "").await.expect_status(303);
//! # let left = &mut browser.clone();
//! # sent(browser, "/sign-out", "", "").await.expect_status(403);
//! # sent(browser, "/sign-out", &token, "").await.expect_status(303);
//! # sent(browser, "/sign-out", &token, "").await.expect_status(403); // from another tab
//! # browser.get("/").send().await.expect_status(303);
//! # let token = open(browser, "/sign-in", "Sign in").await;
//! # sent(browser, "/sign-in", &token, "right").await.expect_status(303);
//! # // The cookies of a session that is over.
//! # let token = open(left, "/sign-in", "Sign in").await;
//! # sent(left, "/sign-in", &token, "right").await.expect_status(303);
//! # open(left, "/", "You are user-1.").await;
//! # // The next version of the browser begins with a form.
//! # let token = open(browser, "/sign-in", "Sign in").await;
//! # let browser = &mut browser.clone().user_agent("Browser 3");
//! # assert!(sent(browser, "/sign-out-everywhere", &token, "").await.expect_status(409).text().contains("a minute"));
//! # let again = sent(browser, "/note", &token, "").await.expect_status(409);
//! # assert!(again.text().contains("send the form again") && again.header("refresh").is_none());
//! # sent(browser, "/note", &token, "").await.expect_status(303);
//! # // After a recent rotation a page loads, and does not rotate.
//! # let token = open(left, "/", "You are user-1.").await;
//! # let next = &mut left.clone().user_agent("Browser 3");
//! # open(next, "/", "You are user-1.").await;
//! # sent(next, "/sign-out-everywhere", &token, "").await.expect_status(409);
//! # sent(next, "/sign-out", &token, "").await.expect_status(303);
//! # left.get("/").send().await.expect_status(303);
//! # let token = open(browser, "/", "You are user-1.").await;
//! # sent(browser, "/sign-out-everywhere", &token, "").await.expect_status(303);
//! # browser.get("/").send().await.expect_status(303);
//! # Ok(())
//! # }
//! ```
//!
//! `user_with` checks the password, and `store_note` is yours too. The rest is that of the [front page](crate): the
//! feature `axum`, the secrets, `main`. Its `app` becomes `app(&KeyRing::from_env()?, MemoryStore::new())?`.
//! `examples/rendered` adds a template library and a list of the sessions. The section
//! [Remember me](super::sessions#remember-me) has the settings behind the checkbox.
//!
//! * After a browser update, "Sign out everywhere" is answered 409 `refresh_first` for up to a minute, also after a
//!   reload. "Sign out" works at once.
//! * Files such as `/app.css`, and an API with access tokens, are routes of the outer router.
//! * Safari keeps no `Secure` cookie over plain http. In development
//!   [`dangerous_insecure_cookies`](crate::auth::AuthBuilder::dangerous_insecure_cookies) helps.
//!
//! # How a page learns its user
//!
//! Call [`Session::refresh`](crate::Session::refresh) where no script keeps the session going, in a POST too. Call
//! [`Session::peek`](crate::Session::peek) where a script refreshes, and on public pages.
//!
//! | | `refresh` | `peek` |
//! |---|---|---|
//! | asks | the store and the claims closure, so roles are current | the store |
//! | the cookie | is replaced about once in an [interval](crate::refresh::RotationPolicyBuilder::interval) | stays |
//! | the idle end | moves, unless the request [is passive](super::sessions#end-unused-sessions) | stays |
//! | a session that was ended elsewhere | is refused at once | is refused at once |
//! | a replaced token | is judged by [the decision](super::sessions#the-decision) | likewise, or answered 409 `refresh_first`: see the errors of [`peek`](crate::Session::peek) |
//!
//! A server that renders beside an API peeks, so that two servers never compete for the next cookie:
//!
//! ```
//! use tower_bearer::{Session, SessionError};
//!
//! async fn greeting(session: Session) -> Result<String, SessionError> {
//!     match session.peek().await {
//!         Ok(peeked) => Ok(format!("You are {}.", peeked.subject)),
//!         // 409 ends with the next refresh of the script that sets a cookie, a minute after a rotation at the latest.
//!         Err(error) if matches!(error.status().as_u16(), 401 | 409) => Ok("Welcome.".to_owned()),
//!         Err(later) => Err(later),
//!     }
//! }
//! # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(greeting));
//! ```
//!
//! * A renderer that is a service of its own asks `GET /auth/session`. It forwards every cookie of the path and the
//!   `User-Agent` unchanged, and passes on any `Set-Cookie`. An old token from elsewhere revokes the session here too.
//! * `peek` names a user whom the claims closure would refuse, until the next refresh.
//!   [`end_all`](crate::SessionAdmin::end_all) revokes the sessions of such a user.
//!
//! # Forms
//!
//! * Call [`masked`](crate::CsrfToken::masked) before the head of the answer leaves: it sets headers and the cookie.
//! * Call it after `refresh`, as `home` does. `refresh` may find that the session has ended, and its token with it.
//! * The extractor [`CsrfToken`](crate::CsrfToken) brings the cookie to the browser. `Extension<CsrfToken>` does not.
//! * A page with a form is `no-store`, unless the handler says `private`. A page answered 304 gets no cookie.
//! * [`CsrfFormLayer`](crate::csrf::CsrfFormLayer) has the rules for bodies, multipart forms and the limit of 64 KiB.
//! * A refused form gets 403 or 413. Without [`refusals`](crate::auth::AuthBuilder::refusals) the page is JSON.
//!
//! A token is valid in every tab of its session. Four cases remain:
//!
//! * The user signs out in one tab. The forms of the others are then refused with 403, sign-out included.
//! * Several tabs have a form without a session, such as the sign-in. Only the tab that was loaded last can send it.
//! * A browser without `Sec-Fetch-Site` follows a link from another site. Its page replaces the token of the other
//!   tabs. That is Safari before 16.4, and any browser over plain http to another host than localhost.
//! * A browser that has lost the CSRF cookie, or holds a worthless one, follows such a link. Its page gets a token of
//!   no session, or a copy of the worthless one.
//!
//! A link to the same page heals all four: `<a href="">`.
//!
//! `kept.rs` of the example shows a refused form again with its text. This middleware asks for the page of the form.
//! It wraps the router as a whole: behind `Router::layer` its `GET` would run the POST handler, without a CSRF check.
//!
//! # Links from mail and `SameSite`
//!
//! A link on another site, such as a web mail, comes without the `SameSite=Strict` cookie. The page sees no session.
//! The browser still has the cookie, and sends it with the next request from your own page.
//!
//! | you write | the user sees |
//! |---|---|
//! | nothing | the sign-in form, though signed in |
//! | the case `from_elsewhere`, as above | one click more |
//! | [`same_site_lax`](crate::refresh::RefreshCookieBuilder::same_site_lax) | the page. No GET may change anything then. |
//!
//! A reload is no cure: it is `cross-site` again. The browser's own reload shows it in Chromium and Firefox,
//! `location.reload()` in Firefox. With `same_site_lax` the last two cases of forms do not arise.
//!
//! # The default policy and existing pages
//!
//! [`Auth::headers`](crate::Auth::headers) allows pages their own files alone. Existing pages lose:
//!
//! | lost | cure |
//! |---|---|
//! | inline `<script>`, `onclick`, `<style>`, `style=` | files, served by the outer router |
//! | scripts, images and fonts of other hosts | your own policy |
//! | a form that posts elsewhere; in some browsers also a redirect elsewhere after a form | list the site in `form-action` |
//! | being shown in a frame | `frame-ancestors` |
//!
//! ```
//! use tower_bearer::{ConfigError, SecurityHeadersLayer};
//!
//! /// For `Auth::builder(..).security_headers(..)`.
//! fn headers() -> Result<SecurityHeadersLayer, ConfigError> {
//!     let policy = "default-src 'self'; img-src 'self' https://images.example; base-uri 'none'; \
//!                   form-action 'self'; frame-ancestors 'none'; object-src 'none'";
//!     SecurityHeadersLayer::new().content_security_policy(policy.parse()?)
//! }
//! # headers().unwrap();
//! ```
//!
//! A handler may send a policy of its own, with a new nonce for each answer. Try a stricter one as
//! `Content-Security-Policy-Report-Only` first. [Guards](super::guards#order-of-layers) has the order of layers.
//!
//! # htmx
//!
//! Forms with the hidden field work as they are. Other requests send the token in `X-CSRF-Token`. The page has it in
//! `<meta name="csrf-token" content="{token}">`, and a listener adds it (htmx 2; htmx 4 has another event):
//!
//! ```js
//! const token = () =>
//!   document.cookie.match(/(?:^|; )__Host-csrf=([^;]+)/)?.[1] ??
//!   document.querySelector('meta[name="csrf-token"]').content;
//!
//! document.addEventListener("htmx:configRequest", ({ detail }) => {
//!   if (detail.verb !== "get") detail.headers["X-CSRF-Token"] = token();
//! });
//! document.addEventListener("htmx:responseError", ({ detail }) => {
//!   // Another session, or other keys. Offer a link: an automatic reload could loop.
//!   if (detail.xhr.status === 403) document.querySelector("#reload").hidden = false;
//! });
//! ```
//!
//! * htmx 2 sends to its own origin alone (`selfRequestsOnly`). Where that is off, as in htmx 1, check the address.
//! * `hx-headers` on `<body>` needs no script. `hx-boost` keeps it, so after a sign-in the token is old.
//! * A sign-in and a sign-out change the token. With an [`http_only`](crate::csrf::CsrfBuilder::http_only) cookie,
//!   answer them with `HX-Redirect: /`, which loads a new `<meta>`.
//! * For the default policy: `<meta name="htmx-config" content='{"includeIndicatorStyles":false,"allowEval":false}'>`,
//!   and the style of indicators in a file.
//!
//! # Turbo
//!
//! Turbo 8 sends `X-CSRF-Token` itself, with every submission that is not a GET. It takes the cookie whose name begins
//! as `<meta name="csrf-param" content="__Host-csrf=">` says, else `<meta name="csrf-token">`. Keep the `=`: without
//! it `__Host-csrf-other` would do.
//!
//! * Your own `fetch` calls add the header. At `turbo:submit-end` with 403, show a link to the page.
//! * With an `http_only` cookie leave `csrf-param` out. Answer a sign-in with a redirect: frames and streams bring no
//!   `<meta>`. `<meta name="turbo-cache-control" content="no-cache">` keeps old tokens out of Turbo's cache.
//! * Turbo wants 303 after a form, as axum's `Redirect::to` sends.
//! * The default policy blocks the inline style of the progress bar. Write its rules into a file:
//!   `.turbo-progress-bar { position: fixed; top: 0; left: 0; z-index: 9999; height: 3px; background: #06c; }`.
//!   Or send a nonce in `style-src`, and in `<meta name="csp-nonce">` in front of Turbo's script.
//!
//! # Callbacks by POST
//!
//! OpenID Connect's `form_post` and SAML answer with a form on the provider's page. Its POST has the provider's
//! `Origin` or `null`, and `Sec-Fetch-Site: cross-site`. `SameSite=None` cookies alone come along (RFC 6265bis section
//! 5.2), and no CSRF token. The guards refuse it.
//!
//! Ask for `response_mode=query` and PKCE where you can, as the example `oauth_redirect` does. Otherwise give the POST
//! a route outside of the guards, which can do nothing else. Never list the provider as an origin: all its pages could
//! then call your endpoints. A **code** goes on to a GET, to which the `Lax` cookie of the `state` comes:
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
//! #         .header("host", "app.example").header("origin", origin).header("sec-fetch-site", "cross-site")
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
//! Keep queries of this route out of your logs. The code works once, and with PKCE for this browser's verifier alone.
//!
//! An **ID token or SAML response** does not belong in an address. Its route needs the cookie of the `state`. With
//! SAML it is the cookie of the request id, which `InResponseTo` repeats. This cookie alone is `SameSite=None`:
//!
//! ```text
//! Set-Cookie: __Host-signing-in-<hash of state>=<state>.<nonce>; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=600
//! ```
//!
//! * Verify signature, issuer, audience, times and nonce with a library for the protocol. Then call
//!   [`Session::start`](crate::Session::start).
//! * Without that cookie sign no user in: an attacker could sign the reader in as the attacker. Redirect instead.
//! * The layer of the [sessions](crate::Auth::sessions) goes around this route too.
//! * The refresh cookie does not come with this POST. The new session replaces the cookie, and the old session lasts
//!   until its own end. Where that matters, hand over to a page of your own that posts on.
//! * The page behind the 303 belongs to the provider's navigation: it needs `same_site_lax`. It brings the CSRF token.
