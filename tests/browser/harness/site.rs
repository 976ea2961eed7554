//! A site of the tests' own around the npm package. It has two users, no content policy, and a page that shows the
//! state.
//!
//! A content policy would stop a request to a foreign origin before the package can be blamed for it.

use std::{env, fs, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Query},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{Html, Redirect},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::AbortHandle};
use tower_bearer::{
    Auth, Claims, ClaimsError, ClaimsRequest, KeyRing, MemoryStore, NoClaims, RotationPolicy,
    SecurityHeadersLayer, Session, SessionError,
};

use super::{Browser, Engine, Seen, cable::Cable, proxy::Proxy};

/// The settings that differ between scenarios.
#[derive(Clone, Copy)]
pub(crate) struct Lives {
    pub(crate) access: Duration,
    pub(crate) idle: Option<Duration>,
    /// How long a replaced cookie is still answered. Cookies are replaced after twice that.
    pub(crate) grace: Duration,
}

impl Default for Lives {
    fn default() -> Self {
        Self {
            access: Duration::from_secs(900),
            idle: None,
            grace: Duration::from_secs(30),
        }
    }
}

/// The site behind a cable and a proxy that writes down what passes.
pub(crate) struct Site {
    /// Where the page is, as the browser has it.
    pub(crate) origin: String,
    pub(crate) cable: Cable,
    proxy: Proxy,
    serving: AbortHandle,
}

impl Site {
    pub(crate) async fn start(lives: Lives) -> Self {
        let proxy = Proxy::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        proxy.target(listener.local_addr().unwrap().port());
        let app = router(lives);
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let cable = Cable::to(proxy.port).await;
        Self {
            origin: format!("http://127.0.0.1:{}", cable.port),
            cable,
            proxy,
            serving: serving.abort_handle(),
        }
    }

    /// Starts a browser, which looks at the page.
    pub(crate) async fn browser(&self, engine: Engine) -> Browser {
        let browser = Browser::start(engine).await;
        browser.go(&self.origin).await;
        browser
    }

    /// The requests to `path` that have been answered.
    pub(crate) fn asked(&self, path: &str) -> Vec<Seen> {
        self.proxy.asked(path)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The page. Its session is a global, for the scripts of the tests.
const PAGE: &str = r#"<!doctype html><title>site</title><input id="text">
<script type="module">
  import * as client from "/client/index.js";
  window.client = client;
  window.events = [];
  window.session = client.createSession({ onEvent: (event) => events.push(event) });
  const show = () => (document.documentElement.dataset.status = session.state.status);
  session.subscribe(show);
  show();
  session.resume().catch(() => {});
</script>"#;

/// The user that is asked for, as a provider's answer names it.
fn user(from: &Value) -> &'static str {
    match from["user"].as_str() {
        Some("user-2") => "user-2",
        _ => "user-1",
    }
}

async fn login(
    session: Session,
    Json(form): Json<Value>,
) -> Result<axum::response::Response, SessionError> {
    use axum::response::IntoResponse;
    Ok(session.start(user(&form)).await?.into_response())
}

/// The way back from a provider: a navigation that begins a session.
async fn come_back(session: Session, Query(form): Query<Value>) -> Result<Redirect, SessionError> {
    session.start(user(&form)).await?;
    Ok(Redirect::to("/"))
}

/// Says who the token is for, and what else came.
async fn me(claims: Claims<NoClaims>, headers: HeaderMap, body: String) -> Json<Value> {
    let mine = headers.get("x-mine").and_then(|value| value.to_str().ok());
    Json(json!({ "user": claims.subject(), "mine": mine, "body": body }))
}

/// A file of the React page.
async fn file(path: &str, kind: &'static str) -> ([(HeaderName, &'static str); 1], Vec<u8>) {
    // The test program is in `debug/deps` of the folder that cargo builds in.
    let program = env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    let file = target.join("react-page/dist").join(path);
    let bytes = fs::read(&file)
        .unwrap_or_else(|error| panic!("{file:?}: {error}: scripts/build-react-page builds it"));
    ([(header::CONTENT_TYPE, kind)], bytes)
}

fn router(lives: Lives) -> Router {
    let rotation = RotationPolicy::builder()
        .grace(lives.grace)
        .interval(lives.grace * 2)
        .build()
        .unwrap();
    let auth = Auth::builder(&KeyRing::generate().unwrap())
        .issuer("https://id.example")
        .audience("site")
        .claims(|_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) })
        .store(MemoryStore::new())
        .tokens(move |tokens| tokens.lifetime(lives.access).leeway(Duration::ZERO))
        .sessions(move |sessions| {
            let sessions = sessions.rotation(rotation);
            match lives.idle {
                Some(idle) => sessions.idle_lifetime(idle),
                None => sessions,
            }
        })
        .security_headers(SecurityHeadersLayer::new().dangerous_without_strict_transport_security())
        .same_origin()
        // WebKit keeps no `Secure` cookie over plain http.
        .dangerous_insecure_cookies()
        .build()
        .unwrap();
    let no_cache = [(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    Router::new()
        .route("/api/me", get(me).post(me))
        .route_layer(auth.bearer())
        .merge(
            auth.routes()
                .route("/login", post(login))
                .route("/return", get(come_back)),
        )
        .layer(auth.headers())
        .route("/", get(move || async move { (no_cache, Html(PAGE)) }))
        .route("/react", get(|| file("index.html", "text/html")))
        .route(
            "/assets/{name}",
            get(|Path(name): Path<String>| async move {
                file(&format!("assets/{name}"), "text/javascript").await
            }),
        )
        .route(
            "/other",
            get(|| async { Html("<!doctype html><title>other</title>") }),
        )
        .merge(example_client::router("/client"))
}
