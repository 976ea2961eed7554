//! A page that signs in, calls an API and stays signed in, with the whole token lifecycle behind it.
//!
//! ```sh
//! cargo run -p demo
//! ```
//!
//! Settings, all optional: `ADDR`, `ACCESS_TTL` (seconds), `ALLOWED_ORIGINS` (comma-separated: this
//! service's own, and those of pages elsewhere that may call it), `INSECURE_COOKIE` (see below),
//! `TRUSTED_PROTO_HEADER=x-forwarded-proto` (behind a proxy that overwrites it: plain http is refused),
//! `PUBLIC_PATH=/app` (behind a proxy that takes this off the paths), and the keys as `KeyRing` reads them
//! (`ACCESS_SECRET`, `REFRESH_SECRET`, `ENCRYPTION_KEY`; see the example `keygen`). Started with
//! `--features redis` it takes `REDIS_URL` too: sessions live there instead of in this process.
//!
//! Without `ALLOWED_ORIGINS` only the service's own page may use the cookies, and a proxy in front may change
//! `Host` and port. With it, pages of the list may, and no others.
//!
//! Safari keeps no `Secure` cookie over plain http, not even on localhost. So the cookies go without it where
//! the demo listens on loopback and no setting names https or another machine; it prints that. Where a proxy on
//! this machine ends TLS, `TRUSTED_PROTO_HEADER` or a listed origin of `https` says so, and they have it.
//! `INSECURE_COOKIE=1` drops it there too, and `INSECURE_COOKIE=0` keeps it everywhere.
//!
//! With `REDIS_URL` and keys of your own a restart signs nobody out, and several of these processes are
//! one service. A Redis that does not answer keeps it from starting no more than from running: it says
//! so, and answers 503 to sign-in and refresh until Redis is there. Access tokens work meanwhile.

mod cors;
mod decisions;
mod journal;
mod page;
mod problem;
mod report;
mod settings;
mod store;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State, rejection::JsonRejection},
    http::{HeaderName, HeaderValue, header},
    middleware,
    response::IntoResponse,
    routing::{get, post},
};
use example_users::{DEMO_EMAIL, DEMO_PASSWORD, User, Users};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_bearer::{
    BearerAuthLayer, Claims, ClaimsError, CsrfLayer, KeyRing, OriginGuardLayer, RefreshCookieLayer,
    RequireHttpsLayer, RotationPolicy, SecurityHeadersLayer, Session, SessionEndpoints, TokenCodec,
    store::SharedStore,
};

use crate::{journal::Journal, problem::Problem, settings::Settings};

/// Anything that keeps the process from starting.
type Error = Box<dyn std::error::Error + Send + Sync>;

/// What our access tokens say beyond whom they speak for.
#[derive(Serialize, Deserialize)]
struct Role {
    role: String,
}

/// The body of `POST /auth/login`.
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
) -> Result<impl IntoResponse, Problem> {
    let Json(Login { email, password }) = form?;
    let user = users.check(&email, password).await;
    let user = user.ok_or(Problem::WrongCredentials)?;
    let token = session.start(&user.id).await;
    let token = token.map_err(|error| Problem::Session(error.into_response().into()))?;
    Ok(Json(token))
}

/// Who the token says is asking.
#[derive(Serialize)]
struct Me {
    #[serde(flatten)]
    user: User,
    session: Option<String>,
    expires_at: u64,
}

/// Needs an access token: the layer around the route has verified it.
async fn profile(
    State(users): State<Users>,
    claims: Claims<Role>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<Me>), Problem> {
    let mut user = users
        .by_id(claims.subject())
        .cloned()
        .ok_or(Problem::NoSuchUser)?;
    // What counts is the role the token was minted with; a new one comes with the next refresh.
    user.role = claims.custom().role.clone();
    let me = Me {
        user,
        session: claims.session().map(str::to_owned),
        expires_at: claims.expires_at().as_secs(),
    };
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(([no_store], Json(me)))
}

fn app(
    settings: &Settings,
    keys: &KeyRing,
    store: SharedStore,
    insecure_cookie: bool,
    journal: Journal,
) -> Result<Router, Error> {
    let users = Users::demo()?;
    let codec = TokenCodec::<Role>::nested(keys)
        .issuer("https://id.example")
        .audience("demo")
        .lifetime(settings.access_ttl)
        // One process mints and verifies: there is no other clock to be lenient with.
        .leeway(Duration::ZERO)
        .build()?;

    // The grace may not outlast an access token; that only matters for the very short ones.
    let rotation = RotationPolicy::builder()
        .grace(settings.access_ttl.min(Duration::from_secs(30)))
        .build()?;
    let events = report::sink(journal.clone());
    // Serves sign-in and every refresh: an account that is gone ends its sessions here.
    let (accounts, owners) = (users.clone(), journal.clone());
    let mut sessions = RefreshCookieLayer::builder(codec.clone(), store, move |request| {
        owners.learn(&request.session().to_string(), request.subject());
        let role = accounts.by_id(request.subject()).map(|user| Role {
            role: user.role.clone(),
        });
        async move { role.ok_or(ClaimsError::Denied) }
    })
    .external_prefix(&settings.public_path)
    .rotation(rotation)
    .events(events.clone());
    if insecure_cookie {
        sessions = sessions.dangerous_insecure_cookie();
    }
    let sessions = sessions.build()?;
    let mut csrf = CsrfLayer::builder(keys).events(events.clone());
    if insecure_cookie {
        csrf = csrf.dangerous_insecure_cookie();
    }
    let guard = match &settings.allowed_origins {
        Some(origins) => OriginGuardLayer::new(origins.iter().cloned())
            .map_err(|error| format!("ALLOWED_ORIGINS: {error}"))?,
        None => OriginGuardLayer::same_origin(),
    };

    // What works by cookie. The browser sends it here only, so here is where the guards go.
    let auth = Router::new()
        .route("/login", post(login))
        .layer(DefaultBodyLimit::max(4096))
        .fallback_service(SessionEndpoints::new())
        .layer(
            ServiceBuilder::new()
                // Outermost, for the journal's sake: it refuses nothing and asks no store.
                .layer(sessions)
                // Around the guards, so that it sees what they refuse.
                .layer(middleware::from_fn_with_state(
                    journal.clone(),
                    decisions::watch,
                ))
                .layer(guard.events(events))
                .layer(csrf.build()?),
        );
    // What works by access token, which no browser adds by itself.
    let api = Router::new()
        .route("/profile", get(profile))
        .merge(decisions::router(journal))
        .route_layer(BearerAuthLayer::new(codec));
    let mut headers = SecurityHeadersLayer::new().content_security_policy(page::POLICY.parse()?)?;
    if settings.trusted_proto_header.is_none() {
        // This process speaks plain http: no browser is to remember https for a developer's localhost.
        headers = headers.dangerous_without_strict_transport_security();
    }
    let app = page::router()
        .nest("/auth", auth)
        .nest("/api", api)
        .layer(
            ServiceBuilder::new()
                .layer(cors::layer(
                    settings.allowed_origins.clone().unwrap_or_default(),
                ))
                .layer(headers),
        )
        .with_state(users);
    Ok(match settings.trusted_proto_header.as_deref() {
        Some(header) => app.layer(
            RequireHttpsLayer::behind_proxy(header)
                .map_err(|error| format!("TRUSTED_PROTO_HEADER: `{header}`: {error}"))?,
        ),
        None => app,
    })
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let settings = Settings::from_env()?;
    let listener = TcpListener::bind(settings.addr).await?;
    let listening = listener.local_addr()?;
    let keys = settings::keys()?;
    let journal = Journal::default();
    let events = report::sink(journal.clone());
    let store = store::open(settings.redis_url.as_deref(), events).await?;
    let insecure_cookie = settings.insecure_cookie(listening);
    let app = app(&settings, &keys, store, insecure_cookie, journal)?;

    if insecure_cookie {
        println!(
            "The cookies go without `Secure`: Safari keeps none with it over plain http, not even on \
             localhost. INSECURE_COOKIE=0 brings it back."
        );
    }
    println!("Open {} in a browser.", settings::url(listening));
    println!("Sign in as {DEMO_EMAIL} with the password: {DEMO_PASSWORD}");
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            // Without a handler for ctrl-c the process just ends, which is as good.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}
