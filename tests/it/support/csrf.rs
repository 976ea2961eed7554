//! CSRF layers, tokens and requests as the case tables mean them.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tower::{Layer, Service, ServiceExt, layer::util::Stack, util::MapRequestLayer};
use tower_bearer::{
    CsrfLayer, CsrfToken,
    csrf::{CsrfBuilder, CsrfFormLayer, CsrfKeys, CsrfSession},
    rejection::{CsrfReason, Rejection},
};

use super::cases;

pub(crate) const COOKIE: &str = "__Host-csrf";
pub(crate) const HEADER: &str = "x-csrf-token";

/// The values behind the table.
pub(crate) struct Fixtures(Value);

impl Fixtures {
    pub(crate) fn load() -> Self {
        Self(cases::table("csrf_fixtures.json"))
    }

    pub(crate) fn key(&self, name: &str) -> Vec<u8> {
        hex(self.0["keys_hex"][name].as_str().unwrap())
    }

    /// A ring of the named keys.
    pub(crate) fn keys(&self, names: &[&str]) -> CsrfKeys {
        CsrfKeys::new(names.iter().map(|name| self.key(name))).unwrap()
    }

    /// The session a row names; one that is not named here stands for itself, `null` for none.
    pub(crate) fn binding(&self, session: &Value) -> CsrfSession {
        match session.as_str() {
            None => CsrfSession::ANONYMOUS,
            Some(name) => self.binding_of(name),
        }
    }

    pub(crate) fn binding_of(&self, name: &str) -> CsrfSession {
        let known = self.0["sessions"][name].as_str();
        CsrfSession::session(known.unwrap_or(name))
    }

    pub(crate) fn vectors(&self) -> &[Value] {
        self.0["vectors"].as_array().unwrap()
    }
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// A layer in which every request belongs to `binding`.
pub(crate) fn builder(keys: CsrfKeys, binding: CsrfSession) -> CsrfBuilder {
    CsrfLayer::builder(keys).session(move |_| binding)
}

pub(crate) fn layer(keys: CsrfKeys, binding: CsrfSession) -> CsrfLayer {
    builder(keys, binding).build().unwrap()
}

type ToBytes = fn(Request<String>) -> Request<Full<Bytes>>;
type ToText = fn(Request<Full<Bytes>>) -> Request<String>;

/// `form` between services of texts, which are no bodies that bytes make.
pub(crate) fn over_texts<R>(
    form: CsrfFormLayer<R>,
) -> Stack<Stack<MapRequestLayer<ToText>, CsrfFormLayer<R>>, MapRequestLayer<ToBytes>> {
    let inner: ToText = |request| {
        request.map(|body| {
            let read = body.collect().now_or_never().unwrap().unwrap();
            String::from_utf8(read.to_bytes().into()).unwrap()
        })
    };
    let outer: ToBytes = |request| request.map(Full::from);
    let form = Stack::new(MapRequestLayer::new(inner), form);
    Stack::new(form, MapRequestLayer::new(outer))
}

/// The work of an inner service with the token before it answers.
type Work = dyn Fn(&CsrfToken) + Send + Sync;

/// An inner service that works with the token, and whose response has headers of its own.
#[derive(Clone)]
pub(crate) struct App {
    calls: Arc<AtomicUsize>,
    work: Arc<Work>,
    headers: HeaderMap,
}

impl App {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(work: impl Fn(&CsrfToken) + Send + Sync + 'static) -> Self {
        Self {
            calls: Arc::default(),
            work: Arc::new(work),
            headers: HeaderMap::new(),
        }
    }

    pub(crate) fn answering(headers: HeaderMap) -> Self {
        Self {
            headers,
            ..Self::new()
        }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl<B> Service<Request<B>> for App {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        (self.work)(&CsrfToken::from_extensions(request.extensions()).unwrap());
        let mut response = Response::new("inner".to_owned());
        *response.headers_mut() = self.headers.clone();
        ready(Ok(response))
    }
}

/// Sends `request` through `layer` and says whether the inner service ran.
pub(crate) async fn send(
    layer: &CsrfLayer,
    app: &App,
    request: Request<String>,
) -> (Response<String>, bool) {
    let before = app.calls();
    let response = layer.layer(app.clone()).oneshot(request).await.unwrap();
    (response, app.calls() == before + 1)
}

pub(crate) fn request(method: Method, headers: HeaderMap) -> Request<String> {
    let mut request = Request::new(String::new());
    *request.method_mut() = method;
    *request.headers_mut() = headers;
    request
}

/// A `POST` with this cookie and this copy of it.
pub(crate) fn post(cookie: &str, submitted: &str) -> Request<String> {
    Request::post("/auth/post")
        .header(header::COOKIE, format!("{COOKIE}={cookie}"))
        .header(HEADER, submitted)
        .body(String::new())
        .unwrap()
}

/// The token that the layer gives to a browser that has none.
pub(crate) async fn issue(layer: &CsrfLayer) -> String {
    let get = request(Method::GET, HeaderMap::new());
    let (response, _) = send(layer, &App::new(), get).await;
    issued(&response).expect("a token")
}

/// The token that a response brings.
pub(crate) fn issued<B>(response: &Response<B>) -> Option<String> {
    let prefix = format!("{COOKIE}=");
    let mut found = response
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .filter_map(|line| line.to_str().unwrap().strip_prefix(&prefix))
        .map(|rest| rest.split(';').next().unwrap().to_owned());
    let token = found.next();
    assert_eq!(found.next(), None, "two tokens in one response");
    token
}

pub(crate) fn reason<B>(response: &Response<B>) -> Option<CsrfReason> {
    let rejection = response.extensions().get::<Rejection>();
    rejection.and_then(Rejection::csrf_reason)
}

/// How the tables write a reason.
pub(crate) fn reason_name(reason: CsrfReason) -> &'static str {
    match reason {
        CsrfReason::BodyTooLarge => "body_too_large",
        CsrfReason::CookieDuplicate => "cookie_duplicate",
        CsrfReason::CookieMalformed => "cookie_malformed",
        CsrfReason::CookieMissing => "cookie_missing",
        CsrfReason::SignatureInvalid => "signature_invalid",
        CsrfReason::TokenDuplicate => "token_duplicate",
        CsrfReason::TokenMalformed => "token_malformed",
        CsrfReason::TokenMismatch => "token_mismatch",
        CsrfReason::TokenMissing => "token_missing",
        CsrfReason::Unverified => "unverified",
        other => panic!("a reason without a name: {other:?}"),
    }
}
