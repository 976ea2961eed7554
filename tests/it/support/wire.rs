//! A real server on a socket, and clients that put on the wire exactly what a test says.

use std::{net::SocketAddr, pin::pin, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tower::{BoxError, Service};

/// Longer than any exchange of a test takes, so that a server that hangs fails it.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a connection looks whether the server's settings have come.
const LOOK: Duration = Duration::from_millis(2);

/// A server for HTTP/1.1 and, with prior knowledge, HTTP/2 (extended CONNECT included). It ends
/// when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Server {
    /// Serves clones of `service`.
    pub(crate) async fn start<S, B>(service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = TowerToHyperService::new(service.clone());
                tokio::spawn(async move {
                    let mut server = auto::Builder::new(TokioExecutor::new());
                    server.http2().enable_connect_protocol();
                    let stream = TokioIo::new(stream);
                    // A client that disconnects concerns no other one.
                    let _ = server.serve_connection_with_upgrades(stream, service).await;
                });
            }
        });
        Self { addr, task }
    }

    /// Writes `bytes` as they are, on a connection of their own, and reads the one answer.
    pub(crate) async fn http1(&self, bytes: &[u8]) -> Answer {
        let exchange = async {
            let mut stream = TcpStream::connect(self.addr).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            let mut read = Vec::new();
            loop {
                let answer = Answer::parse(&read);
                match answer {
                    Some(answer) if answer.is_complete(bytes.starts_with(b"HEAD ")) => {
                        break answer;
                    }
                    _ if stream.read_buf(&mut read).await.unwrap() > 0 => {}
                    answer => break answer.expect("an answer before the connection ends"),
                }
            }
        };
        let answer = tokio::time::timeout(PATIENCE, exchange).await;
        answer.unwrap_or_else(|_| panic!("no answer to {:?}", String::from_utf8_lossy(bytes)))
    }

    /// A connection that speaks HTTP/2 from the first byte.
    pub(crate) async fn http2(&self) -> Http2 {
        let stream = TcpStream::connect(self.addr).await.unwrap();
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        let (offers, offered) = watch::channel(false);
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            // Ends when the sender is dropped; how is of no interest. Nothing wakes it when the
            // server's settings arrive, so it looks.
            while tokio::time::timeout(LOOK, connection.as_mut())
                .await
                .is_err()
            {
                offers.send_replace(connection.is_extended_connect_protocol_enabled());
            }
        });
        Http2 { sender, offered }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One HTTP/2 connection.
#[derive(Debug)]
pub(crate) struct Http2 {
    sender: http2::SendRequest<Full<Bytes>>,
    offered: watch::Receiver<bool>,
}

impl Http2 {
    /// Sends `request`. The authority of its target becomes `:authority`; its headers stay the
    /// lines they are.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Answer {
        let exchange = async {
            self.sender.ready().await.unwrap();
            let response = self.sender.send_request(request).await.unwrap();
            let (parts, body) = response.into_parts();
            // A tunnel that was opened stays open; it has no body.
            let body = tokio::time::timeout(Duration::from_millis(200), body.collect()).await;
            Answer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: body.map_or_else(|_| Bytes::new(), |body| body.unwrap().to_bytes()),
            }
        };
        tokio::time::timeout(PATIENCE, exchange)
            .await
            .expect("an answer in time")
    }

    /// Waits until the server has said that it takes extended CONNECT (RFC 8441 section 3).
    pub(crate) async fn extended_connect(&mut self) {
        let offered = self.offered.wait_for(|offered| *offered);
        let offered = tokio::time::timeout(PATIENCE, offered).await;
        let _ = offered.expect("extended CONNECT offered in time").unwrap();
    }
}

impl Answer {
    /// The part of an answer that has arrived, once its head is there.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').unwrap();
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value.trim()).unwrap());
        }
        Some(Self {
            status,
            headers,
            body: Bytes::copy_from_slice(&bytes[end + 4..]),
        })
    }

    /// Whether the body is as long as the head says; an answer that does not say ends with the
    /// connection.
    fn is_complete(&self, to_head: bool) -> bool {
        let length = self.headers.get("content-length");
        let length = length.map(|v| v.to_str().unwrap().parse::<usize>().unwrap());
        to_head || length.is_some_and(|length| self.body.len() >= length)
    }
}

/// The bytes of an HTTP/1.1 request without a body that ends its connection. Nothing is checked or
/// added beside `Connection: close`, so it may be as wrong as a test wants it.
pub(crate) fn head<V: AsRef<[u8]>>(method: &str, target: &str, lines: &[(&str, V)]) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    for (name, value) in lines {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_ref());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"Connection: close\r\nContent-Length: 0\r\n\r\n");
    bytes
}
