//! A page that signs in, calls an API and stays signed in, with the whole token lifecycle behind it.
//!
//! ```sh
//! cargo run --example axum_spa
//! ```
//!
//! Settings, all optional: `ADDR`, `ACCESS_TTL` (seconds), `ALLOWED_ORIGINS` (comma-separated),
//! `INSECURE_COOKIE=1` (plain http on another host than localhost), and the keys as `KeyRing` reads
//! them (`ACCESS_SECRET`, `REFRESH_SECRET`, `ENCRYPTION_KEY`; see the example `keygen`).

mod page;
mod problem;
mod settings;
mod users;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State, rejection::JsonRejection},
    http::{HeaderName, HeaderValue, header},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_bearer::{
    AccessToken, BearerAuthLayer, Claims, ClaimsRequest, Event, EventSink, KeyRing, MemoryStore,
    OriginGuardLayer, Profile, RefreshCookieLayer, Session, SessionEndpoints, TokenCodec,
};

use crate::{
    problem::Problem,
    settings::Settings,
    users::{User, Users},
};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What our access tokens say beyond whom they speak for.
#[derive(Serialize, Deserialize)]
struct Role {
    role: String,
}

#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

/// Checks the password; the rest is the layer's. The cookie travels with the response.
async fn login(
    State(users): State<Users>,
    session: Session,
    form: Result<Json<Login>, JsonRejection>,
) -> Result<Json<AccessToken>, Problem> {
    let Json(Login { email, password }) = form?;
    let user = users.check(&email, password).await;
    let user = user.ok_or(Problem::WrongCredentials)?;
    Ok(Json(session.start(&user.id).await?))
}

#[derive(Serialize)]
struct Profile_ {
    #[serde(flatten)]
    user: User,
    token_role: String,
    token_expires_at: u64,
}

/// Needs an access token: the layer around the route has verified it.
async fn profile(
    State(users): State<Users>,
    claims: Claims<Role>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<Profile_>), Problem> {
    let user = users.by_id(claims.subject()).ok_or(Problem::NoSuchUser)?;
    let body = Profile_ {
        user: user.clone(),
        token_role: claims.custom().role.clone(),
        token_expires_at: claims.expires_at().as_secs(),
    };
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(([no_store], Json(body)))
}
