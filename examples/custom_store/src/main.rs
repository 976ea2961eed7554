//! A store of your own: sessions in SQLite, which outlive the process, even one that is killed.
//!
//! ```sh
//! export $(cargo run -q -p keygen)     # a restart with other keys would end every session
//! cargo run -p custom_store
//! cargo test -p custom_store           # the suite that every store has to pass
//! ```
//!
//! `store.rs` is the store, to be copied. Here is a service over it: sign in, `kill -9` it, start it again,
//! and the cookie works.
//!
//! ```sh
//! url=http://127.0.0.1:3000
//! csrf=$(curl -s -c jar $url/auth/csrf | cut -d '"' -f 4)
//! curl -b jar -c jar -H "Origin: $url" -H "X-CSRF-Token: $csrf" -H 'Content-Type: application/json' \
//!   -d '{"email":"dev@example.com","password":"correct horse battery staple"}' $url/auth/login
//! csrf=$(curl -s -b jar -c jar $url/auth/csrf | cut -d '"' -f 4)
//! curl -b jar -c jar -H "Origin: $url" -H "X-CSRF-Token: $csrf" -X POST $url/auth/refresh
//! ```
//!
//! Settings: the keys as `KeyRing` reads them, and optional `ADDR` and `DATABASE`, a path.

mod store;
#[cfg(test)]
mod tests;

use std::{env, error::Error as _};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use example_users::{DEMO_EMAIL, DEMO_PASSWORD, Users};
use serde::Deserialize;
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_bearer::{
    AccessToken, BearerAuthLayer, Claims, ClaimsError, ClaimsRequest, CsrfLayer, KeyRing, NoClaims,
    OriginGuardLayer, RefreshCookieLayer, Session, SessionEndpoints, TokenCodec, origin::Origin,
};

use crate::store::SqliteStore;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The body of `POST /auth/login`.
#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

async fn login(
    State(users): State<Users>,
    session: Session,
    Json(Login { email, password }): Json<Login>,
) -> axum::response::Result<Json<AccessToken>> {
    let user = users.check(&email, password).await;
    let user = user.ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(Json(session.start(&user.id).await?))
}

fn app(store: SqliteStore, keys: &KeyRing, origin: Origin) -> Result<Router, Error> {
    let users = Users::demo()?;
    let codec: TokenCodec = TokenCodec::nested(keys)
        .issuer("https://id.example")
        .audience("custom_store")
        .build()?;
    let accounts = users.clone();
    let claims = move |request: ClaimsRequest| {
        let account = accounts.by_id(request.subject()).map(|_| NoClaims {});
        async move { account.ok_or(ClaimsError::Denied) }
    };
    let sessions = RefreshCookieLayer::new(codec.clone(), store, claims)?;
    let csrf = CsrfLayer::new(keys)?;
    let auth = Router::new()
        .route("/login", post(login))
        .fallback_service(SessionEndpoints::new())
        .layer(
            ServiceBuilder::new()
                .layer(OriginGuardLayer::new([origin])?)
                .layer(sessions)
                .layer(csrf),
        );
    let whoami = |claims: Claims| async move { claims.subject().to_owned() };
    Ok(Router::new()
        .route("/api/whoami", get(whoami))
        .route_layer(BearerAuthLayer::new(codec))
        .nest("/auth", auth)
        .with_state(users))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.into());
    let database = setting("DATABASE", "sessions.db");
    let store = SqliteStore::open(&database).await.map_err(|error| {
        let why = error.source().map(ToString::to_string);
        format!("DATABASE: `{database}`: {}", why.unwrap_or_default())
    })?;
    let listener = TcpListener::bind(setting("ADDR", "127.0.0.1:3000")).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = app(store, &KeyRing::from_env()?, url.parse()?)?;

    println!("Sessions live in {database}.");
    println!("Open {url} with curl.");
    println!("Sign in as {DEMO_EMAIL} with the password: {DEMO_PASSWORD}");
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}
