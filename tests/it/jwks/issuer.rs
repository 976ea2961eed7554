//! An issuer that answers as badly as a test wants.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::pending,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body::{Body, Frame};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Semaphore,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// The issuer's reply to a request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// An answer with this status, these headers and this body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The connection is closed without a word.
    Close,
    /// A head and the beginning of a body, and then the connection is closed.
    Break(String),
    /// Nothing at all comes.
    Hang,
    /// A head and the beginning of a body, and then nothing more.
    HangInside(String),
    /// A body without end.
    Endless,
}

impl Reply {
    /// A good answer.
    pub(super) fn set(jwks: impl Into<String>) -> Self {
        Self::Answer(200, Vec::new(), jwks.into())
    }

    /// The same with another header.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// It ends when it is dropped, with every connection.
#[derive(Debug)]
pub(super) struct Issuer {
    addr: SocketAddr,
    inner: Arc<Inner>,
    scheme: &'static str,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Inner {
    reply: Mutex<Reply>,
    /// The answers at other paths than that of the set. At all others there is nothing.
    elsewhere: Mutex<BTreeMap<String, Reply>>,
    /// The paths that were asked for, in their order.
    asked: Mutex<Vec<String>>,
    requests: AtomicUsize,
    last: Mutex<HeaderMap>,
    /// A request waits for a permit, where they are counted.
    gate: Semaphore,
    connections: AtomicUsize,
}

/// More permits than any test takes.
const OPEN: usize = Semaphore::MAX_PERMITS / 2;

impl Issuer {
    pub(super) async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, reply, None)
    }

    /// At an address that no server uses at the moment.
    pub(super) async fn start_at(addr: SocketAddr, reply: Reply) -> Self {
        Self::on(TcpListener::bind(addr).await.unwrap(), reply, None)
    }

    /// With TLS, by this certificate and its key.
    pub(super) async fn start_tls(reply: Reply, certificate: Vec<u8>, key: Vec<u8>) -> Self {
        let provider = rustls::crypto::ring::default_provider();
        let config = ServerConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.into()], PrivateKeyDer::Pkcs8(key.into()))
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, reply, Some(TlsAcceptor::from(Arc::new(config))))
    }

    fn on(listener: TcpListener, reply: Reply, tls: Option<TlsAcceptor>) -> Self {
        let addr = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            reply: Mutex::new(reply),
            elsewhere: Mutex::default(),
            asked: Mutex::default(),
            requests: AtomicUsize::new(0),
            last: Mutex::default(),
            gate: Semaphore::new(OPEN),
            connections: AtomicUsize::new(0),
        });
        let scheme = if tls.is_some() { "https" } else { "http" };
        let mut tasks = JoinSet::new();
        let shared = inner.clone();
        tasks.spawn(async move {
            // Dropped with the task, which closes them.
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (shared, tls) = (shared.clone(), tls.clone());
                connections.spawn(async move {
                    shared.connections.fetch_add(1, Ordering::SeqCst);
                    match tls {
                        None => shared.clone().serve(stream).await,
                        // A client that does not trust us hangs up.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                shared.clone().serve(stream).await;
                            }
                        }
                    }
                    shared.connections.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self {
            addr,
            inner,
            scheme,
            _tasks: tasks,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("{}/jwks.json", self.origin())
    }

    /// Without a slash at the end.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.addr)
    }

    /// Answers so at another path from now on.
    pub(super) fn says_at(&self, path: &str, reply: Reply) {
        let mut elsewhere = self.inner.elsewhere.lock().unwrap();
        elsewhere.insert(path.to_owned(), reply);
    }

    /// The paths that were asked for since the last call.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.inner.asked.lock().unwrap())
    }

    /// How many requests have come.
    pub(super) fn requests(&self) -> usize {
        self.inner.requests.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub(super) fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }

    /// The headers of the last request.
    pub(super) fn last(&self) -> HeaderMap {
        self.inner.last.lock().unwrap().clone()
    }

    /// Sets the reply from now on.
    pub(super) fn says(&self, reply: Reply) {
        *self.inner.reply.lock().unwrap() = reply;
    }

    /// Requests wait from now on.
    pub(super) fn hold(&self) {
        self.inner.gate.forget_permits(OPEN);
    }

    /// They wait no more.
    pub(super) fn release(&self) {
        self.inner.gate.add_permits(OPEN);
    }
}

impl Inner {
    async fn serve(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let service = service_fn(move |request| self.clone().answer(request));
        // A client that hangs up, or an answer that breaks off, is what the test is about.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Payload>, &'static str> {
        let path = request.uri().path().to_owned();
        self.asked.lock().unwrap().push(path.clone());
        *self.last.lock().unwrap() = request.headers().clone();
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.gate.add_permits(1);
        let reply = match &*path {
            "/jwks.json" => self.reply.lock().unwrap().clone(),
            other => {
                let elsewhere = self.elsewhere.lock().unwrap().get(other).cloned();
                elsewhere.unwrap_or(Reply::Answer(404, Vec::new(), String::new()))
            }
        };
        let (payload, length) = match reply {
            Reply::Answer(status, headers, body) => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                return Ok(response.body(Payload::new(body, After::End)).unwrap());
            }
            Reply::Close => return Err("closed"),
            Reply::Hang => pending::<Infallible>().await.into_never(),
            Reply::Break(body) => (Payload::new(body, After::Break), 5000),
            Reply::HangInside(body) => (Payload::new(body, After::Hang), 5000),
            Reply::Endless => (Payload::new("[".repeat(4096), After::Repeat), usize::MAX),
        };
        let mut response = Response::new(payload);
        if length < usize::MAX {
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, length.into());
        }
        Ok(response)
    }
}

/// A value that never exists can become anything.
trait Never {
    fn into_never<T>(self) -> T;
}

impl Never for Infallible {
    fn into_never<T>(self) -> T {
        match self {}
    }
}

/// A body that may not end well.
#[derive(Debug)]
struct Payload {
    text: Option<Bytes>,
    after: After,
}

#[derive(Clone, Copy, Debug)]
enum After {
    Break,
    End,
    Hang,
    Repeat,
}

impl Payload {
    fn new(text: String, after: After) -> Self {
        Self {
            text: Some(text.into()),
            after,
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let text = match self.after {
            After::Repeat => self.text.clone(),
            _ => self.text.take(),
        };
        match (text, self.after) {
            (Some(text), _) => Poll::Ready(Some(Ok(Frame::data(text)))),
            (None, After::Break) => Poll::Ready(Some(Err("broken"))),
            (None, After::Hang) => Poll::Pending,
            (None, _) => Poll::Ready(None),
        }
    }
}

/// Waits until `holds`, for as long as no sane machine takes.
pub(super) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("never came true: {what}");
}
