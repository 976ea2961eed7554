//! An application whose pages the server renders. Sign-in, sign-out and everything else are forms; there is no script.
//!
//! ```sh
//! cargo run -p example-rendered
//! ```
//!
//! | page | shows | file |
//! |---|---|---|
//! | `/` | a public page that greets its reader, without a use of the session | `home.rs` |
//! | `/sign-in` | the form, with "Remember me" | `sign_in.rs` |
//! | `/notes` | a private page, and a form that changes something | `notes.rs` |
//! | `/sessions` | the user's sessions, to sign out of one or of all | `sessions.rs` |
//!
//! `user.rs` asks for a session in front of private pages. It also has the page that a link from a mail leads to.
//! `kept.rs` shows a form again, with its text, where its CSRF token has expired. `tests.rs` tests all of it.
//!
//! Settings, optional: `ADDR`, and `INSECURE_COOKIE=1` for Safari, which keeps no `Secure` cookie over plain http.

mod home;
mod kept;
mod notes;
mod page;
mod sessions;
mod sign_in;
#[cfg(test)]
mod tests;
mod user;

use std::{env, error::Error, time::Duration};

use axum::{
    Router,
    http::{HeaderValue, header},
    middleware,
    routing::get,
};
use example_users::{DEMO_EMAIL, DEMO_PASSWORD, Users};
use tower_bearer::{Auth, KeyRing, MemoryStore, TokenCodec, auth::AuthBuilder};

/// The state of the handlers.
#[derive(Clone)]
struct App {
    users: Users,
    notes: notes::Notes,
    codec: TokenCodec,
}

/// How long a remembered session lasts.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The application. `main` and the tests give it keys and a store.
fn app(auth: AuthBuilder) -> Result<Router, Box<dyn Error>> {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let auth = auth
        .issuer("https://app.example")
        .audience("pages")
        .same_origin() // in production: `.origins(["https://app.example".parse()?])`
        .everywhere() // every page gets the session cookie, and every page is guarded
        .csrf(|csrf| csrf.http_only()) // the forms have the token, and no script needs the cookie
        .sessions(|sessions| sessions.absolute_lifetime(REMEMBERED))
        .refusals(html, page::refusal)
        .build()?;
    let pages = auth
        .routes()
        .form_field(page::CSRF_FIELD)?
        .route("/", get(home::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/notes", get(notes::show).post(notes::add))
        .route("/sessions", get(sessions::show).post(sessions::end));
    let app = App {
        users: Users::demo()?,
        notes: notes::Notes::default(),
        codec: auth.codec().clone(),
    };
    // A layer of the router would stand behind its choice between GET and POST. This one asks for both.
    let pages = Router::new()
        .fallback_service(Router::from(pages).with_state(app))
        .layer(middleware::from_fn(kept::show_again));
    let css = ([(header::CONTENT_TYPE, "text/css")], page::STYLE);
    Ok(Router::new()
        .route("/style.css", get(|| async move { css }))
        .merge(pages)
        .layer(auth.headers()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let keys = KeyRing::generate()?; // yours outlive the process: `KeyRing::from_env`
    let auth = Auth::builder(&keys).store(MemoryStore::new());
    let auth = match env::var("INSECURE_COOKIE").as_deref() {
        Ok("1") => auth.dangerous_insecure_cookies(), // on a developer's machine alone
        _ => auth,
    };
    let app = app(auth)?;
    let listener = tokio::net::TcpListener::bind(addr).await?;
    println!("Open http://{} in a browser.", listener.local_addr()?);
    println!("Sign in as {DEMO_EMAIL} with the password: {DEMO_PASSWORD}");
    Ok(axum::serve(listener, app).await?)
}
