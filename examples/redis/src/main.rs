//! Two instances of one service, as behind a load balancer, that share their sessions through Redis.
//!
//! ```sh
//! redis-server &
//! cargo run -p example-redis
//! ```
//!
//! Sign in at one, refresh at the other, or sign out there: it makes no difference which one is asked.
//!
//! ```sh
//! one=http://127.0.0.1:3001 two=http://127.0.0.1:3002
//! csrf=$(curl -s -c jar $one/auth/csrf | cut -d '"' -f 4)
//! curl -b jar -c jar -H "Origin: $one" -H "X-CSRF-Token: $csrf" -H 'Content-Type: application/json' \
//!   -d '{"email":"dev@example.com","password":"correct horse battery staple"}' $one/auth/login
//! csrf=$(curl -s -b jar -c jar $two/auth/csrf | cut -d '"' -f 4)
//! curl -b jar -c jar -H "Origin: $two" -H "X-CSRF-Token: $csrf" -X POST $two/auth/refresh
//! curl -H 'Authorization: Bearer <the access token of either>' $one/api/whoami
//! ```
//!
//! Settings, all optional: `REDIS_URL`, `ADDR` and `ADDR2`, and the keys as `KeyRing` reads them (see the
//! example `keygen`). The example `demo` has the page, and keeps its sessions in `REDIS_URL` too.

use std::{env, error::Error as _, io};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use example_users::{DEMO_EMAIL, DEMO_PASSWORD, Users};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_bearer::{
    AccessToken, BearerAuthLayer, Claims, ClaimsError, ClaimsRequest, CsrfLayer, Event, EventSink,
    KeyRing, NoClaims, OriginGuardLayer, RedisStore, RefreshCookieLayer, Session, SessionEndpoints,
    TokenCodec, origin::Origin,
};

/// Anything that keeps the process from starting.
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

/// One instance, with nothing of the other's: on two machines it would be built just like this. They share the Redis,
/// the keys, the accounts, and the origins of the pages.
async fn instance(
    name: &'static str,
    redis_url: &str,
    keys: &KeyRing,
    users: Users,
    origins: Vec<Origin>,
) -> Result<Router, Error> {
    let events = EventSink::new(move |event: &Event<'_>| report(name, event));
    let store = RedisStore::builder(redis_url)
        .events(events.clone())
        .build()
        .map_err(|error| format!("REDIS_URL: {}", error.problem()))?;
    match store.health().await {
        Ok(health) => {
            for warning in health.warnings() {
                eprintln!("WARNING: instance {name}: {warning}");
            }
        }
        // It starts all the same: Redis may be the slower of the two after a power cut.
        Err(error) => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            eprintln!("WARNING: instance {name}: Redis cannot be used: {why}");
        }
    }

    let codec: TokenCodec = TokenCodec::nested(keys)
        .issuer("https://id.example")
        .audience("redis")
        .build()?;
    let accounts = users.clone();
    let claims = move |request: ClaimsRequest| {
        let account = accounts.by_id(request.subject()).map(|_| NoClaims {});
        async move { account.ok_or(ClaimsError::Denied) }
    };
    let sessions = RefreshCookieLayer::builder(codec.clone(), store, claims)
        .events(events)
        .build()?;
    let csrf = CsrfLayer::new(keys)?;
    let auth = Router::new()
        .route("/login", post(login))
        .merge(SessionEndpoints::new())
        .layer(
            ServiceBuilder::new()
                .layer(OriginGuardLayer::new(origins)?)
                .layer(sessions)
                .layer(csrf),
        );
    let whoami = move |claims: Claims| async move {
        Json(json!({ "subject": claims.subject(), "instance": name }))
    };
    Ok(Router::new()
        .route("/api/whoami", get(whoami))
        .route_layer(BearerAuthLayer::new(codec))
        .nest("/auth", auth)
        .with_state(users))
}

/// The events that an operator wants to know of its store and its sessions.
fn report(name: &str, event: &Event<'_>) {
    match event {
        Event::StoreUnreachable => {
            eprintln!("instance {name}: Redis does not answer; until it does, refresh answers 503");
        }
        Event::StoreRecovered => eprintln!("instance {name}: Redis answers again"),
        Event::DurabilityDegraded { .. }
        | Event::ForeignJar { .. }
        | Event::NewFingerprint { .. }
        | Event::OldToken { .. }
        | Event::ReuseDetected { .. }
        | Event::RevocationRestored { .. } => eprintln!("instance {name}: {event:?}"),
        // Among them `StoreEvicts`, which the warnings at the start have put into a sentence.
        _ => {}
    }
}

/// The keys that all instances have, or fresh ones that end with this process.
fn keys() -> Result<KeyRing, Error> {
    match KeyRing::from_env() {
        Err(error) if error.is_missing() => {
            eprintln!("WARNING: no keys in the environment ({error}).");
            eprintln!("WARNING: using fresh random keys: a restart signs every user out.");
            Ok(KeyRing::generate()?)
        }
        keys => Ok(keys?),
    }
}

fn setting(name: &str, default: &str) -> String {
    let value = env::var(name).ok().filter(|value| !value.is_empty());
    value.unwrap_or_else(|| default.into())
}

async fn listen(name: &str, default: &str) -> Result<TcpListener, Error> {
    let addr = setting(name, default);
    let listener = TcpListener::bind(&addr).await;
    listener.map_err(|error| format!("{name}: `{addr}`: {error}").into())
}

async fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
    let ctrl_c = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, app)
        .with_graceful_shutdown(ctrl_c)
        .await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let redis_url = setting("REDIS_URL", "redis://127.0.0.1:6379/");
    let first = listen("ADDR", "127.0.0.1:3001").await?;
    let second = listen("ADDR2", "127.0.0.1:3002").await?;
    let first_url = format!("http://{}", first.local_addr()?);
    let second_url = format!("http://{}", second.local_addr()?);

    let (keys, users) = (keys()?, Users::demo()?);
    let origins: Vec<Origin> = vec![first_url.parse()?, second_url.parse()?];
    let one = instance("one", &redis_url, &keys, users.clone(), origins.clone()).await?;
    let two = instance("two", &redis_url, &keys, users, origins).await?;

    println!("Open {first_url} for instance one.");
    println!("Open {second_url} for instance two.");
    println!("Sign in as {DEMO_EMAIL} with the password: {DEMO_PASSWORD}");
    tokio::try_join!(serve(first, one), serve(second, two))?;
    Ok(())
}
