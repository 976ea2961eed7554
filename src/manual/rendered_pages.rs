//! An application whose pages the server renders: sign-in and sign-out are forms, and no script is needed.
//!
//! ```
//! use std::collections::HashMap;
//!
//! use axum::{Form, Router, extract::State, http::StatusCode, response::{Html, IntoResponse, Redirect}};
//! use axum::{response::Result, routing::{get, post}};
//! use tower_bearer::{Auth, ConfigError, CsrfToken, KeyRing, Session, TokenCodec, store::RefreshStore};
//!
//! async fn home(State(codec): State<TokenCodec>, session: Session, csrf: CsrfToken) -> Result<Html<String>> {
//!     // Before `masked`: the token is of no session where this one turns out to be over.
//!     let user = match session.refresh().await {
//!         Ok(token) => Some(codec.verify(token.as_str()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?),
//!         Err(error) => match error.status() {
//!             StatusCode::UNAUTHORIZED => None,
//!             // It may have the next cookie: after an update of the browser, or in a tab that wants the desktop site.
//!             late @ StatusCode::CONFLICT => return Err((late, [("refresh", "1")], "One moment.").into()),
//!             _ => return Err(error.into()), // 429 or 503: the session is as good as before
//!         },
//!     };
//!     let token = csrf.masked()?;
//!     let field = format!(r#"<input type="hidden" name="csrf_token" value="{token}">"#);
//!     Ok(Html(match user.as_ref().map(|claims| claims.subject()) {
//!         // An id of our own making. A name that a user has chosen has to be escaped.
//!         Some(id) => format!(
//!             r#"You are {id}. <form method="post" action="/sign-out">{field}<button>Sign out</button></form>"#
//!         ),
//!         None => format!(
//!             r#"<form method="post" action="/sign-in">{field}<input name="name">
//!                <input name="password" type="password"><button>Sign in</button></form>"#
//!         ),
//!     }))
//! }
//!
//! async fn sign_in(session: Session, Form(form): Form<HashMap<String, String>>) -> Result<Redirect> {
//!     let id = user_with(&form).await.ok_or(StatusCode::UNAUTHORIZED)?; // the password is checked here
//!     session.start(id).await?;
//!     Ok(Redirect::to("/")) // with the cookies of the new session, that of its CSRF token among them
//! }
//!
//! async fn sign_out(session: Session) -> Result<Redirect> {
//!     session.end().await?;
//!     Ok(Redirect::to("/"))
//! }
//!
//! fn app(keys: &KeyRing, store: impl RefreshStore) -> Result<Router, ConfigError> {
//!     let auth = Auth::builder(keys)
//!         .issuer("https://id.example")
//!         .audience("api")
//!         .store(store)
//!         .origins(["https://app.example".parse()?])
//!         .everywhere() // the cookie comes with every page, and every page is guarded
//!         .csrf(|csrf| csrf.http_only())
//!         .build()?;
//!     let pages = auth.routes().form_field("csrf_token")?;
//!     let pages = pages.route("/", get(home)).route("/sign-in", post(sign_in)).route("/sign-out", post(sign_out));
//!     Ok(Router::new().merge(pages).layer(auth.headers()).with_state(auth.codec().clone()))
//! }
//! # async fn user_with(form: &HashMap<String, String>) -> Option<&'static str> {
//! #     (form.get("password")? == "right").then_some("user-1")
//! # }
//! #
//! # /// A browser without scripts.
//! # struct Browser(Router, HashMap<String, String>, &'static str);
//! #
//! # impl Browser {
//! #     async fn send(&mut self, method: &str, path: &str, body: String) -> (u16, String) {
//! #         use tower::ServiceExt;
//! #         let jar: Vec<_> = self.1.iter().map(|(name, value)| format!("{name}={value}")).collect();
//! #         let request = http::Request::builder().method(method).uri(path)
//! #             .header("cookie", jar.join("; "))
//! #             .header("user-agent", self.2)
//! #             .header("origin", "https://app.example")
//! #             .header("sec-fetch-site", "same-origin")
//! #             .header("content-type", "application/x-www-form-urlencoded");
//! #         let response = self.0.clone().oneshot(request.body(axum::body::Body::from(body)).unwrap()).await.unwrap();
//! #         for line in response.headers().get_all("set-cookie") {
//! #             let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
//! #             match rest.split(';').next().unwrap() {
//! #                 "" => self.1.remove(name),
//! #                 value => self.1.insert(name.into(), value.into()),
//! #             };
//! #         }
//! #         let status = response.status().as_u16();
//! #         let bytes = axum::body::to_bytes(response.into_body(), 65536).await.unwrap();
//! #         (status, String::from_utf8(bytes.into()).unwrap())
//! #     }
//! #     /// Opens the page, which says `text`, and returns the field of its form.
//! #     async fn open(&mut self, text: &str) -> String {
//! #         let (status, page) = self.send("GET", "/", String::new()).await;
//! #         assert!(status == 200 && page.contains(text), "{status} {page}");
//! #         let token = page.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
//! #         format!("csrf_token={token}&password=")
//! #     }
//! #     async fn post(&mut self, path: &str, form: String) -> u16 {
//! #         self.send("POST", path, form).await.0
//! #     }
//! # }
//! #
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! # let keys = KeyRing::generate()?;
//! # let app = app(&keys, tower_bearer::MemoryStore::new())?;
//! # let mut browser = Browser(app, HashMap::new(), "Browser 1");
//! # let form = browser.open("Sign in").await;
//! # assert_eq!(browser.post("/sign-in", "password=right".into()).await, 403);
//! # assert_eq!(browser.post("/sign-in", form.clone() + "wrong").await, 401);
//! # assert_eq!(browser.post("/sign-in", form + "right").await, 303);
//! # // A newer version of the browser.
//! # browser.2 = "Browser 2";
//! # assert_eq!(browser.send("GET", "/", String::new()).await.0, 409);
//! # let form = browser.open("You are user-1.").await;
//! # let left = browser.1.clone();
//! # assert_eq!(browser.post("/sign-out", String::new()).await, 403);
//! # assert_eq!(browser.post("/sign-out", form).await, 303);
//! # let form = browser.open("Sign in").await;
//! # assert_eq!(browser.post("/sign-in", form + "right").await, 303);
//! # // The cookies of a session that is over.
//! # browser.1 = left;
//! # let form = browser.open("Sign in").await;
//! # assert_eq!(browser.post("/sign-in", form + "right").await, 303);
//! # browser.open("You are user-1.").await;
//! # Ok(())
//! # }
//! ```
//!
//! # How a page learns its user
//!
//! Two calls say who is signed in. The page above calls [`Session::refresh`](crate::Session::refresh), because no
//! script keeps its session going. Where a script refreshes, the server only looks, with
//! [`Session::peek`](crate::Session::peek).
//!
//! | | `refresh` | `peek` |
//! |---|---|---|
//! | asks | the store and the claims closure: roles of this moment | the store |
//! | the cookie | replaced about once in an [interval](crate::refresh::RotationPolicyBuilder::interval), however many pages are opened | stays |
//! | the idle end | moves, unless the request [is passive](super::how_to#ending-unused-sessions) | stays |
//! | a session that was ended elsewhere | is over at once | is over at once |
//! | a replaced token | is judged by [the decision](super::rotation#the-decision) | is judged likewise; 409 `refresh_first` where `refresh` would recover or confirm, and at lines 7 and 7b for a client that is not the session's own |
//!
//! Tabs that open together, and answers that get lost, are [provided for](super::rotation).
//! Where the cookies of several sessions came, a form's text goes with no cookie until `GET {base}/csrf` was asked:
//! see [`masked`](crate::CsrfToken::masked).
//! [`Session::id`](crate::Session::id) asks no store: it names the session of the cookie, dead or alive. That is enough
//! for a log, and not for a page of the user's.
//!
//! # A renderer beside an API
//!
//! Where a script of the page refreshes, the server that renders only looks: [`Session::peek`](crate::Session::peek),
//! or `GET /auth/session` where the renderer is a service of its own. It names the user and rotates nothing, so that
//! two servers never compete for the next cookie.
//!
//! ```
//! use tower_bearer::{Session, SessionError};
//!
//! async fn greeting(session: Session) -> Result<String, SessionError> {
//!     match session.peek().await {
//!         Ok(peeked) => Ok(format!("You are {}.", peeked.subject)),
//!         // 401: no user. 409: a refresh of the script that brings a cookie settles it, a minute after a rotation at
//!         // the latest. The page is drawn without a user until then.
//!         Err(error) if matches!(error.status().as_u16(), 401 | 409) => Ok("Welcome.".to_owned()),
//!         Err(later) => Err(later),
//!     }
//! }
//! # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(greeting));
//! ```
//!
//! * A service of its own forwards every cookie of the path and the `User-Agent`, as they came, and any `Set-Cookie` of
//!   the answer: an old token that comes from elsewhere ends the session here too.
//! * The claims closure is not asked. A user whom it would refuse is named until the next refresh; end the sessions of
//!   such a user with [`end_all`](crate::SessionAdmin::end_all).
//! * A look is no use of the session: the idle end stays where it is.
//!
//! # Around it
//!
//! * A link from another site comes without the `SameSite=Strict` cookie: the page then shows the form for signing in.
//!   With [`same_site_lax`](crate::refresh::RefreshCookieBuilder::same_site_lax) it knows its user there too.
//! * A refused form gets a problem document with 403 or 413. Give people a page instead, with a link to the one before:
//!   `.refusals(HeaderValue::from_static("text/html"), |problem| ...)`. [A reload](super::guards#rendered-pages) may
//!   not be enough.
//! * Files for the page, such as `/app.css`, are routes of the outer router. So are those of an API that takes access
//!   tokens.
//! * `RequireHttpsLayer` goes around the whole: see the [order of layers](super::guards#order-of-layers).
