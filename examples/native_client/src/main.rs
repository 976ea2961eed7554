//! A client without a browser: the refresh token travels in JSON and lies in a file of its own.
//!
//! ```sh
//! cargo run -p native_client &                # the server
//! cargo run -p native_client -- sign-in       # asks for the password
//! cargo run -p native_client -- whoami        # as often as you like, days later too
//! cargo run -p native_client -- sessions      # and `end ID` ends one of them
//! cargo run -p native_client -- sign-out
//! ```
//!
//! Here is the server. The client, and what it owes to the protocol, is in `client.rs`, to be copied.
//!
//! Settings, all optional: `ADDR` of the server; `SERVER`, its address, and `TOKEN_FILE` of the client.

mod client;

use std::env;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use example_users::{DEMO_EMAIL, DEMO_PASSWORD, Users};
use serde::Deserialize;
use tokio::net::TcpListener;
use tower_bearer::{
    AccessToken, BearerAuthLayer, Claims, ClaimsError, ClaimsRequest, KeyRing, MemoryStore,
    NoClaims, RefreshCookieLayer, Session, SessionEndpoints, TokenCodec, refresh::RefreshTransport,
};

use crate::client::Client;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The body of `POST /native/login`.
#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

/// The same as for browsers; the answer has a `refresh_token` beside the access token.
async fn login(
    State(users): State<Users>,
    session: Session,
    Json(Login { email, password }): Json<Login>,
) -> axum::response::Result<Json<AccessToken>> {
    let user = users.check(&email, password).await;
    let user = user.ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(Json(session.start(&user.id).await?))
}

fn app() -> Result<Router, Error> {
    let users = Users::demo()?;
    let keys = KeyRing::generate()?; // yours outlive the process: `KeyRing::from_env`
    let codec: TokenCodec = TokenCodec::nested(&keys)
        .issuer("https://id.example")
        .audience("native_client")
        .build()?;
    let accounts = users.clone();
    let claims = move |request: ClaimsRequest| {
        let account = accounts.by_id(request.subject()).map(|_| NoClaims {});
        async move { account.ok_or(ClaimsError::Denied) }
    };
    // Browsers, if there are any, have a layer and a path of their own. Each transport rejects the tokens of the other.
    // No cookie is ever read here, so a foreign page can use none. So neither `OriginGuardLayer` nor `CsrfLayer` has
    // anything to guard.
    let sessions = RefreshCookieLayer::builder(codec.clone(), MemoryStore::new(), claims)
        .transport(RefreshTransport::Body)
        .cookie_path("/native")
        .build()?;
    let native = Router::new()
        .route("/login", post(login))
        .fallback_service(SessionEndpoints::new())
        .layer(sessions);
    let whoami = |claims: Claims| async move { claims.subject().to_owned() };
    Ok(Router::new()
        .route("/api/whoami", get(whoami))
        .route_layer(BearerAuthLayer::new(codec))
        .nest("/native", native)
        .with_state(users))
}

async fn serve(addr: &str) -> Result<(), Error> {
    let listener = TcpListener::bind(addr).await?;
    println!("Open http://{} with the client.", listener.local_addr()?);
    println!("Sign in as {DEMO_EMAIL} with the password: {DEMO_PASSWORD}");
    axum::serve(listener, app()?)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.into());
    let server = setting("SERVER", "http://127.0.0.1:3000");
    let client = Client::new(server, setting("TOKEN_FILE", "native_client.token"))?;
    match env::args().nth(1).as_deref() {
        None => serve(&setting("ADDR", "127.0.0.1:3000")).await?,
        Some("sign-in") => {
            // A terminal would show it: yours turns the echo off, or better sends the user to a browser
            // (RFC 8252).
            println!("The password of {DEMO_EMAIL}:");
            let mut password = String::new();
            std::io::stdin().read_line(&mut password)?;
            client.sign_in(DEMO_EMAIL, password.trim_end()).await?;
            println!("signed in");
        }
        Some("whoami") => println!("{}", client.get("/api/whoami").await?),
        Some("sessions") => println!("{}", client.ask("/sessions").await?),
        Some("end") => {
            let id = env::args().nth(2).ok_or("usage: native_client end ID")?;
            client.ask(&format!("/sessions/{id}/end")).await?;
        }
        Some("sign-out") => client.sign_out().await?,
        Some(_) => {
            return Err("usage: native_client [sign-in|whoami|sessions|end ID|sign-out]".into());
        }
    }
    Ok(())
}
