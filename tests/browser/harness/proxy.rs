//! Stands between the browser and the example, and records the traffic. A browser's requests can only be seen from
//! outside.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{net::TcpListener, task::AbortHandle};

/// One request and the status of its answer.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) status: StatusCode,
    pub(crate) sets_refresh_cookie: bool,
}

impl Seen {
    /// The value of a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// A proxy on a free port of 127.0.0.1.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    serving: AbortHandle,
}

struct Shared {
    target: Mutex<u16>,
    seen: Mutex<Vec<Seen>>,
    away: AtomicBool,
    client: Client<HttpConnector, Body>,
}

impl Proxy {
    /// Listens; requests wait for no server before [`Proxy::target`] is called.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            target: Mutex::new(0),
            seen: Mutex::default(),
            away: AtomicBool::new(false),
            client: Client::builder(TokioExecutor::new()).build_http(),
        });
        let app = Router::new().fallback(pass).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            port,
            shared,
            serving: serving.abort_handle(),
        }
    }

    /// The port of 127.0.0.1 to pass requests to.
    pub(crate) fn target(&self, port: u16) {
        *self.shared.target.lock().unwrap() = port;
    }

    /// Whether to answer 502, as a proxy does whose service is away.
    pub(crate) fn set_away(&self, away: bool) {
        self.shared.away.store(away, Ordering::SeqCst);
    }

    /// The requests to `path` that have been answered.
    pub(crate) fn asked(&self, path: &str) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|seen| seen.path == path);
        seen
    }

    /// Returns the answers so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass(State(shared): State<Arc<Shared>>, mut request: Request) -> Response {
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let port = *shared.target.lock().unwrap();
    let rest = request.uri().path_and_query().unwrap();
    *request.uri_mut() = format!("http://127.0.0.1:{port}{rest}").parse().unwrap();
    let response = if shared.away.load(Ordering::SeqCst) {
        StatusCode::BAD_GATEWAY.into_response()
    } else {
        match shared.client.request(request).await {
            Ok(response) => response.map(Body::new),
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        }
    };
    let cookies = response.headers().get_all(header::SET_COOKIE);
    let seen = Seen {
        method,
        path,
        headers,
        status: response.status(),
        sets_refresh_cookie: cookies
            .iter()
            .any(|cookie| cookie.to_str().unwrap().contains("refresh_token=")),
    };
    shared.seen.lock().unwrap().push(seen);
    response
}
