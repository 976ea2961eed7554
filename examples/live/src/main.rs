//! A WebSocket and an event stream that end with their access token. A page goes on with the next token.
//!
//! ```sh
//! cargo run -p live
//! ```
//!
//! Open the address that it prints, and sign in. With `ACCESS_TTL=5` (seconds) tokens expire while you look. Both
//! connections end, and the page opens them again with a fresh token.
//!
//! A browser sends no `Authorization` with the handshake of a WebSocket. So the token is the first message, and a later
//! message may bring the next one. The server closes the socket with 4401 when the token expires. The event stream is
//! an answer to a request of the page's `fetch`, which has the header. It ends with the token too.
//!
//! Settings, optional: `ADDR` and `ACCESS_TTL`.

mod feed;
mod socket;

use std::{env, net::SocketAddr, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{self, Html, IntoResponse},
    routing::{get, post},
};
use example_users::{DEMO_EMAIL, DEMO_PASSWORD, Users};
use serde::Deserialize;
use tokio::net::TcpListener;
use tower_bearer::{
    Auth, BearerAuthLayer, ClaimsError, ClaimsRequest, KeyRing, MemoryStore, NoClaims,
    RotationPolicy, SecurityHeadersLayer, Session, rejection::ProblemJson,
};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Verifies tokens: those of requests as a layer, those of messages as a value.
type Bearer = BearerAuthLayer<NoClaims, ProblemJson>;

/// The state of the handlers.
#[derive(Clone)]
struct App {
    users: Users,
    bearer: Bearer,
}

#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

async fn login(
    State(app): State<App>,
    session: Session,
    Json(form): Json<Login>,
) -> response::Result<impl IntoResponse> {
    let user = app.users.check(&form.email, form.password).await;
    let user = user.ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(session.start(&user.id).await?)
}

/// How long a cookie that was replaced is still answered.
const GRACE: Duration = Duration::from_secs(30);

const PAGE: &str = include_str!("../static/index.html");
const SCRIPT: &str = include_str!("../static/app.js");
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

fn app(lifetime: Duration) -> Result<Router, Error> {
    // The grace may not outlast an access token; that only matters for the very short ones.
    let rotation = RotationPolicy::builder()
        .grace(lifetime.min(GRACE))
        .build()?;
    // A restart signs all users out: a service reads its keys with `KeyRing::from_env`.
    let auth = Auth::builder(&KeyRing::generate()?)
        .issuer("https://id.example")
        .audience("live")
        .claims(|_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) })
        .store(MemoryStore::new())
        .tokens(move |tokens| tokens.lifetime(lifetime).leeway(Duration::ZERO))
        .sessions(move |sessions| sessions.rotation(rotation))
        .security_headers(
            // Plain http, on this machine alone: no browser is to remember https for it.
            SecurityHeadersLayer::new()
                .content_security_policy(POLICY.parse()?)?
                .dangerous_without_strict_transport_security(),
        )
        .same_origin()
        // Safari keeps no `Secure` cookie over plain http.
        .dangerous_insecure_cookies()
        .build()?;
    let script = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    let pages = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/app.js", get(move || async move { (script, SCRIPT) }))
        .merge(example_client::router("/tower-bearer"));
    Ok(Router::new()
        .route("/api/feed", get(feed::feed))
        .route_layer(auth.bearer())
        // Outside of the bearer layer: a handshake carries no token. No cookie speaks for it either, so a page of
        // another site that opens the socket has nothing to say.
        .route("/api/socket", get(socket::socket))
        .merge(auth.routes().route("/login", post(login)))
        .merge(pages)
        .layer(auth.headers())
        .with_state(App {
            users: Users::demo()?,
            bearer: auth.bearer(),
        }))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let lifetime = match env::var("ACCESS_TTL") {
        Ok(seconds) => Duration::from_secs(
            seconds
                .parse()
                .map_err(|error| format!("ACCESS_TTL: {error}"))?,
        ),
        Err(_) => Duration::from_secs(900),
    };
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let addr: SocketAddr = addr.parse().map_err(|error| format!("ADDR: {error}"))?;
    let app = app(lifetime)?;
    let listener = TcpListener::bind(addr).await?;
    println!("Open http://{} in a browser.", listener.local_addr()?);
    println!("Sign in as {DEMO_EMAIL} with the password: {DEMO_PASSWORD}");
    Ok(axum::serve(listener, app).await?)
}
