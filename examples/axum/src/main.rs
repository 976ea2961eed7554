use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tower::ServiceBuilder;
use tower_bearer::{
    AccessToken, BearerAuthLayer, Claims, ClaimsError, ClaimsRequest, CsrfLayer, KeyRing,
    MemoryStore, OriginGuardLayer, RefreshCookieLayer, SecurityHeadersLayer, Session,
    SessionEndpoints, TokenCodec,
};

/// What your access tokens say beyond `sub`, `exp` and the other registered claims.
#[derive(Serialize, Deserialize)]
struct Role {
    role: String,
}

#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

/// Your own password check; the session layer does the rest.
async fn login(
    session: Session,
    Json(form): Json<Login>,
) -> axum::response::Result<Json<AccessToken>> {
    let user = check_password(&form.email, &form.password)
        .await
        .ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(Json(session.start(&user).await?))
}

async fn profile(claims: Claims<Role>) -> String {
    format!("{} is {}", claims.subject(), claims.custom().role)
}

/// Called at sign-in and at every refresh. `ClaimsError::Denied` ends the session.
async fn roles(request: ClaimsRequest) -> Result<Role, ClaimsError> {
    println!("minting for {}", request.subject());
    Ok(Role {
        role: "reader".into(),
    })
}

async fn check_password(email: &str, password: &str) -> Option<String> {
    (email == "dev@example.com" && !password.is_empty()).then(|| "user-1".into())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = KeyRing::from_env()?;
    let codec = TokenCodec::<Role>::nested(&keys)
        .issuer("https://id.example")
        .audience("api")
        .build()?;
    let sessions = RefreshCookieLayer::new(codec.clone(), MemoryStore::new(), roles)?;
    let csrf = CsrfLayer::new(&keys)?;

    let auth = Router::new()
        .route("/login", post(login))
        .merge(SessionEndpoints::new()) // csrf, refresh, logout, logout-all, sessions
        .layer(
            ServiceBuilder::new()
                .layer(OriginGuardLayer::new(["https://app.example".parse()?])?)
                .layer(sessions)
                .layer(csrf),
        );
    let app = Router::new()
        .route("/api/profile", get(profile))
        .route_layer(BearerAuthLayer::new(codec))
        .nest("/auth", auth)
        .layer(SecurityHeadersLayer::new());

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}
