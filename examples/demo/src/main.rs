//! A page that signs in, calls an API and stays signed in, with the whole token lifecycle behind it.
//!
//! ```sh
//! cargo run -p demo
//! ```
//!
//! All settings are optional:
//!
//! * `ADDR`: the address to listen on.
//! * `ACCESS_TTL`: how long an access token lives, in seconds.
//! * `GRACE_SECONDS` (30): how long a replaced cookie is still answered. Cookies live at least twice as long. With 2
//!   you can try out the rules quickly.
//! * `IDLE_SECONDS` (none): how long an unused session lasts.
//! * `RECENT_SECONDS` (300): the time after which the server asks for the password again. It asks before it exports
//!   data or ends other sessions.
//! * `ALLOWED_ORIGINS`, comma-separated: this service's own, and those of pages elsewhere that may call it.
//! * `INSECURE_COOKIE`: see below.
//! * `TRUSTED_PROTO_HEADER=x-forwarded-proto`, behind a proxy that overwrites it: plain http is then refused.
//! * `PUBLIC_PATH=/app`, behind a proxy that takes this off the paths.
//! * `ACCESS_SECRET`, `REFRESH_SECRET` and `ENCRYPTION_KEY`: the keys as `KeyRing` reads them (see the example
//!   `keygen`).
//! * `REDIS_URL`, with `--features redis`: sessions live there instead of in this process.
//! * `DATABASE`, with `--features sqlite`: the path of a file that sessions live in.
//!
//! Without `ALLOWED_ORIGINS` only the service's own page may use the cookies. A proxy in front may change `Host` and
//! port. With it, pages of the list may, and no others.
//!
//! Safari keeps no `Secure` cookie over plain http, not even on localhost. So the cookies go without it where the demo
//! listens on loopback and no setting names https or another machine. The demo prints that. Where a proxy on this
//! machine ends TLS, `TRUSTED_PROTO_HEADER` or a listed origin of `https` says so. Then they have it.
//! `INSECURE_COOKIE=1` drops it there too, and `INSECURE_COOKIE=0` keeps it everywhere.
//!
//! With `REDIS_URL` or `DATABASE` and keys of your own a restart signs no user out. Several of these processes are then
//! one service. The demo also starts and runs while Redis does not answer. It says so, and answers 503 to sign-in and
//! refresh until Redis is there. Access tokens work meanwhile.

mod decisions;
mod journal;
mod page;
mod problem;
mod report;
mod settings;
mod step_up;
mod store;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State, rejection::JsonRejection},
    http::{HeaderName, HeaderValue, header},
    middleware,
    response::{IntoResponse, Result},
    routing::{get, post},
};
use example_users::{DEMO_EMAIL, DEMO_PASSWORD, User, Users};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_bearer::{
    Auth, Claims, ClaimsError, ClaimsRequest, KeyRing, NewSession, Problem, RequireHttpsLayer,
    RequireRecentAuth, RotationPolicy, SecurityHeadersLayer, Session, store::SharedStore,
};

use crate::{journal::Journal, settings::Settings};

/// A body of JSON, or why it is none.
type Form<T> = std::result::Result<Json<T>, JsonRejection>;

/// Anything that keeps the process from starting.
type Error = Box<dyn std::error::Error + Send + Sync>;

/// The claims of our access tokens beyond their subject.
#[derive(Serialize, Deserialize)]
struct Role {
    role: String,
}

/// The body of `POST /auth/login`.
#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
    /// Whether the session outlives the browser. It does where the client does not say.
    remember: Option<bool>,
}

/// Checks the password; the rest is the layer's. The cookie travels with the response.
async fn login(
    State(users): State<Users>,
    session: Session,
    form: Form<Login>,
) -> Result<impl IntoResponse> {
    let Json(Login {
        email,
        password,
        remember,
    }) = form.map_err(problem::bad_request)?;
    let user = users.check(&email, password).await;
    let user = user.ok_or_else(problem::wrong_credentials)?;
    let new = NewSession::new(&user.id);
    let new = match remember {
        Some(false) => new.browser_session().lifetime(settings::NOT_REMEMBERED),
        _ => new,
    };
    Ok(session.start_with(new).await?)
}

/// The body of `POST /auth/password`.
#[derive(Deserialize)]
struct NewPassword {
    old: String,
    new: String,
}

/// Changes the password and ends the user's other sessions: the old one may have been why they exist. The
/// access token says whose password it is, the cookie which session stays. Whatever fails halfway, the same
/// request once more completes it.
async fn change_password(
    State(users): State<Users>,
    claims: Claims<Role>,
    session: Session,
    form: Form<NewPassword>,
) -> Result<impl IntoResponse> {
    let Json(NewPassword { old, new }) = form.map_err(problem::bad_request)?;
    same_session(&claims, &session)?;
    if new.chars().count() < 15 {
        return Err(problem::short_password().into());
    }
    let user = claims.subject();
    // A second try sends the old password again, and the first one may have stored the new one.
    if !users.is_password(user, old).await && !users.is_password(user, new.clone()).await {
        return Err(problem::wrong_password().into());
    }
    // Called before it, so that no password is stored while the sessions cannot be ended. Called after it for a sign-in
    // with the old password in between.
    session.end_others().await?;
    let stored = users.set_password(user, new).await;
    stored.ok_or_else(problem::no_such_user)?;
    Ok(session.end_others().await?)
}

/// The access token says whose password is asked for, and the cookie which session goes on. They must be of one
/// session, or another tab has signed in as another user.
fn same_session(claims: &Claims<Role>, session: &Session) -> std::result::Result<(), Problem> {
    let id = session.id().map(|id| id.to_string());
    match id.as_deref() == claims.session() {
        true => Ok(()),
        false => Err(problem::other_session()),
    }
}

/// The user whom the token names.
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
) -> Result<([(HeaderName, HeaderValue); 1], Json<Me>)> {
    let user = users.by_id(claims.subject()).cloned();
    let mut user = user.ok_or_else(problem::no_such_user)?;
    // The role that the token was minted with counts; a new one comes with the next refresh.
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
) -> std::result::Result<(Router, Auth<Role>), Error> {
    let users = Users::demo()?;
    let (access_ttl, idle, recent) = (settings.access_ttl, settings.idle, settings.recent);
    // The grace may not outlast an access token; that only matters for the very short ones.
    let rotation = RotationPolicy::builder()
        .grace(access_ttl.min(settings.grace))
        .interval(settings.grace.saturating_mul(2))
        .build()?;
    let mut headers = SecurityHeadersLayer::new().content_security_policy(page::POLICY.parse()?)?;
    if settings.trusted_proto_header.is_none() {
        // This process speaks plain http: no browser is to remember https for a developer's localhost.
        headers = headers.dangerous_without_strict_transport_security();
    }

    let (accounts, owners) = (users.clone(), journal.clone());
    let mut auth = Auth::builder(keys)
        .issuer("https://id.example")
        .audience("demo")
        // Serves sign-in and every refresh: an account that is gone ends its sessions here.
        .claims(move |request: ClaimsRequest| {
            owners.learn(&request.session().to_string(), request.subject());
            let role = accounts.by_id(request.subject()).map(|user| Role {
                role: user.role.clone(),
            });
            async move { role.ok_or(ClaimsError::Denied) }
        })
        .store(store)
        .external_prefix(&settings.public_path)
        // One process mints and verifies: there is no other clock to be lenient with.
        .tokens(|tokens| tokens.lifetime(access_ttl).leeway(Duration::ZERO))
        .sessions(move |sessions| {
            let sessions = sessions
                .rotation(rotation)
                .recent_auth_to_end_others(recent);
            match idle {
                Some(idle) => sessions.idle_lifetime(idle),
                None => sessions,
            }
        })
        // The export asks for a password that was typed recently, and goes by the token.
        .authentication_in_tokens(true)
        .security_headers(headers)
        .events(report::sink(journal.clone()));
    auth = match &settings.allowed_origins {
        Some(origins) => auth.origins(origins.iter().cloned()).cors(),
        None => auth.same_origin(),
    };
    if insecure_cookie {
        auth = auth.dangerous_insecure_cookies();
    }
    let auth = auth.build()?;

    // The routes that are authenticated by cookie. The browser sends it only to these routes, so the guards go here.
    let routes = auth
        .routes()
        .route("/login", post(login))
        .route("/password", post(change_password).layer(auth.bearer()))
        .route("/step-up", post(step_up::step_up).layer(auth.bearer()))
        .map(|router| router.layer(DefaultBodyLimit::max(4096)));
    // Around the guards, so that the journal has what they refuse. It asks for the session, which the layer of the
    // sessions gives. The same layer is among the guards, and does its work once.
    let routes =
        Router::from(routes).layer(ServiceBuilder::new().layer(auth.sessions().clone()).layer(
            middleware::from_fn_with_state(journal.clone(), decisions::watch),
        ));
    // The routes that are authenticated by access token, which no browser adds by itself.
    let export = get(step_up::export).with_state((users.clone(), journal.clone()));
    let api = Router::new()
        .route("/profile", get(profile))
        .route("/export", export.layer(RequireRecentAuth::max_age(recent)))
        .merge(decisions::router(journal))
        .route_layer(auth.bearer());
    let app = page::router()
        .merge(routes)
        .nest("/api", api)
        .layer(auth.headers())
        .with_state(users);
    let app = match settings.trusted_proto_header.as_deref() {
        Some(header) => app.layer(
            RequireHttpsLayer::behind_proxy(header)
                .map_err(|error| format!("TRUSTED_PROTO_HEADER: `{header}`: {error}"))?,
        ),
        None => app,
    };
    Ok((app, auth))
}

#[tokio::main]
async fn main() -> std::result::Result<(), Error> {
    let settings = Settings::from_env()?;
    let listener = TcpListener::bind(settings.addr).await?;
    let listening = listener.local_addr()?;
    let keys = settings::keys()?;
    let journal = Journal::default();
    let events = report::sink(journal.clone());
    let store = store::open(&settings, events).await?;
    let insecure_cookie = settings.insecure_cookie(listening);
    let (app, auth) = app(&settings, &keys, store, insecure_cookie, journal)?;

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
    // A sign-out that waits for the store is not forgotten. `RevocationLost` tells of the rest.
    auth.sessions().drain(Duration::from_secs(5)).await;
    Ok(())
}
