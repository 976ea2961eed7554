use axum::response::{IntoResponse, Result};
use axum::{Json, Router, http::StatusCode, routing};
use serde::{Deserialize, Serialize};
use tower_bearer::{Auth, Claims, ClaimsError, ClaimsRequest, KeyRing, Session};
use tower_bearer_sqlx::SqliteStore;

#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

#[derive(Serialize, Deserialize)]
struct Role {
    role: String,
}

/// The claims of access tokens, asked for at every refresh too. `ClaimsError::Denied` ends the session.
async fn roles(_: ClaimsRequest) -> Result<Role, ClaimsError> {
    let role = "reader".into(); // your own query
    Ok(Role { role })
}

async fn login(session: Session, form: Json<Login>) -> Result<impl IntoResponse> {
    let known = form.email == "dev@example.com" && !form.password.is_empty(); // your own check
    let user = known.then_some("user-1").ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(session.start(user).await?)
}

async fn profile(claims: Claims<Role>) -> String {
    format!("{} is {}", claims.subject(), claims.custom().role)
}

async fn accounts(claims: Claims<Role>) -> Result<&'static str> {
    let admin = claims.custom().role == "admin";
    Ok(admin.then_some("accounts").ok_or(StatusCode::FORBIDDEN)?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let auth = Auth::builder(&KeyRing::from_env()?)
        .issuer("https://id.example")
        .audience("api")
        .claims(roles)
        .store(SqliteStore::open("sessions.db").await?)
        .origins(["https://app.example".parse()?])
        .mount("/auth")
        .build()?;
    let app = Router::new()
        .route("/api/profile", routing::get(profile))
        .route("/api/accounts", routing::get(accounts))
        .route_layer(auth.bearer())
        .merge(auth.routes().route("/login", routing::post(login)))
        .layer(auth.headers());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
