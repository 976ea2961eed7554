//! Pages that a server renders, with forms that carry a CSRF token: a small service on the crate's layers.

use axum::{
    Router,
    extract::Request,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::{self, Next},
    response::{Html, Response},
    routing::{get, post},
};
use tokio::{net::TcpListener, task::AbortHandle};
use tower_bearer::{
    ClaimsError, ClaimsRequest, CsrfLayer, CsrfToken, KeyRing, MemoryStore, NoClaims,
    RefreshCookieLayer, Session, SessionError, TokenCodec, rejection::Rejection,
};

use super::{Browser, Seen, proxy::Proxy, until};

/// The service behind the proxy that writes down what passes. Each name of this machine is a host of it.
pub(crate) struct Pages {
    proxy: Proxy,
    serving: AbortHandle,
}

impl Pages {
    pub(crate) async fn start() -> Self {
        let proxy = Proxy::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        proxy.target(listener.local_addr().unwrap().port());
        let serving = tokio::spawn(async move { axum::serve(listener, router()).await.unwrap() });
        Self {
            proxy,
            serving: serving.abort_handle(),
        }
    }

    pub(crate) fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.proxy.port)
    }

    /// Runs a script that posts a form to `/save`, and returns what came of it.
    pub(crate) async fn posted(&self, browser: &Browser, script: &str) -> StatusCode {
        let before = self.asked("/save").len();
        browser.run(script).await;
        until("the form has been posted", async || {
            self.asked("/save").len() > before
        })
        .await;
        self.asked("/save").pop().unwrap().status
    }

    /// The requests to `path` that have been answered.
    pub(crate) fn asked(&self, path: &str) -> Vec<Seen> {
        self.proxy.asked(path)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Begins a session, as the end of a sign-in does.
async fn sign_in(session: Session) -> Result<&'static str, SessionError> {
    session.start("user-1").await?;
    Ok("signed in")
}

async fn form(csrf: CsrfToken) -> Result<Html<String>, Rejection> {
    let token = csrf.masked()?;
    Ok(Html(format!(
        r#"<!doctype html><title>form</title>
           <form method="post" action="/save">
             <input type="hidden" name="csrf_token" value="{token}"><button>Save</button>
           </form>"#
    )))
}

/// The token alone, as an answer for scripts has it.
async fn token(csrf: CsrfToken) -> Result<String, Rejection> {
    csrf.masked()
}

/// Takes the headers off `/bare` that keep other pages from loading an answer, so that its text stands alone.
async fn bare(request: Request, next: Next) -> Response {
    let bare = request.uri().path() == "/bare";
    let mut response = next.run(request).await;
    if bare {
        response.headers_mut().remove(X_CONTENT_TYPE_OPTIONS);
        response
            .headers_mut()
            .remove("cross-origin-resource-policy");
    }
    response
}

/// A page of an attacker's. It loads an address as a script, again and again. It writes down the value that the script
/// asks one of its own variables for: of `m1.abc` that is `abc`.
const ATTACK: &str = r#"<!doctype html><title>attack</title><pre id="read"></pre>
<script type="module">
  const { target, length, loads } = Object.fromEntries(new URLSearchParams(location.search));
  let read = "";
  const get = (_, name) => {
    if (typeof name === "string" && name.length > read.length) read = name;
    return 0;
  };
  for (const tag of ["m1", "v1", "v1a", "v1s"]) window[tag] = new Proxy({}, { get });
  // The token is masked anew for each load. One without a `-` in it is a single name.
  for (let load = 0; load < Number(loads) && read.length < Number(length); load += 1) {
    await new Promise((done) => {
      const script = document.createElement("script");
      script.src = `${target}?${load}`;
      script.onload = script.onerror = done;
      document.head.append(script);
    });
  }
  document.getElementById("read").textContent = `read: ${read}`;
</script>"#;

fn router() -> Router {
    let keys = KeyRing::generate().unwrap();
    let codec = TokenCodec::nested(&keys)
        .issuer("https://id.example")
        .audience("pages")
        .build()
        .unwrap();
    let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
    let sessions = RefreshCookieLayer::builder(codec, MemoryStore::new(), claims)
        .cookie_path("/")
        .dangerous_insecure_cookie()
        .build()
        .unwrap();
    let csrf = CsrfLayer::builder(&keys)
        .dangerous_insecure_cookie()
        .build()
        .unwrap();
    Router::new()
        .route("/sign-in", get(sign_in))
        .route("/form", get(form))
        .route("/save", post(async || Html("<title>saved</title>")))
        .route("/token", get(token))
        .route("/bare", get(token))
        .layer(csrf.form_field("csrf_token").unwrap())
        .layer(sessions)
        .layer(middleware::from_fn(bare))
        .route("/attack", get(async || Html(ATTACK)))
        .route(
            "/name",
            get(async || ([(CONTENT_TYPE, "text/plain")], "m1.abc")),
        )
        .fallback(async || Html("<!doctype html><title>elsewhere</title>"))
}
