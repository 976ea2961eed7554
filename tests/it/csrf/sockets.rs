//! The rows of the table behind a real server. A request over a socket gets the same answer as one that was made in
//! memory.

use bytes::Bytes;
use http::{HeaderMap, Request, Uri, header};
use http_body_util::Full;
use serde_json::Value;
use tower::Layer;

use super::cases::{described, layer};
use crate::support::{
    cases,
    csrf::{App, Fixtures},
    wire::{Answer, Server, head},
};

/// A row that the header alone decides, and what is sent for it.
struct Sent {
    name: String,
    accepted: bool,
    request: Request<String>,
    server: Server,
    app: App,
}

impl Sent {
    async fn of(row: &Value, fixtures: &Fixtures) -> Option<Self> {
        let judged = ["accept", "reject"].contains(&row["expect"].as_str().unwrap());
        // A server takes `CONNECT` for the beginning of a tunnel.
        let judged = judged && row["when"]["method"] != "CONNECT";
        if !judged || row["given"]["config"]["form_field"].is_string() {
            return None;
        }
        let layer = layer(&row["given"], fixtures);
        let request = described(row)?;
        let app = App::new();
        Some(Self {
            name: row["name"].as_str().unwrap().to_owned(),
            accepted: row["expect"] == "accept",
            server: Server::start(layer.layer(app.clone())).await,
            request,
            app,
        })
    }

    fn judge(&self, answer: &Answer) -> Result<(), String> {
        match (answer.status, self.app.calls(), self.accepted) {
            (200, 1, true) => Ok(()),
            (403, 0, false) if answer.body.is_empty() => Ok(()),
            (status, calls, _) => Err(format!("{}: {status} after {calls} calls", self.name)),
        }
    }
}

async fn rows() -> Vec<Sent> {
    let fixtures = Fixtures::load();
    let mut sent = Vec::new();
    for table in ["csrf.json", "csrf_more.json"] {
        for row in cases::table(table).as_array().unwrap() {
            sent.extend(Sent::of(row, &fixtures).await);
        }
    }
    sent
}

/// Rows whose headers are longer than a server reads, with its own answer.
const TOO_LONG: [&str; 1] = ["long-token-1m"];

#[tokio::test]
async fn every_header_row_over_http_1() {
    let mut wrong = Vec::new();
    let rows = rows().await;
    for row in &rows {
        let mut lines: Vec<(&str, &[u8])> = vec![("Host", b"app.example")];
        let headers = row.request.headers().iter();
        lines.extend(headers.map(|(name, value)| (name.as_str(), value.as_bytes())));
        // The helper ends the connection itself.
        lines.retain(|(name, _)| *name != "connection");
        if TOO_LONG.contains(&row.name.as_str()) {
            continue;
        }
        let bytes = head(row.request.method().as_str(), "/transfer", &lines);
        wrong.extend(row.judge(&row.server.http1(&bytes).await).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() > 180, "{}", rows.len());
}

/// HTTP/2 splits the `Cookie` header into a line for each cookie (RFC 9113 section 8.2.3).
#[tokio::test]
async fn every_header_row_over_http_2() {
    let mut wrong = Vec::new();
    let mut split = 0;
    for row in rows().await {
        let mut headers = HeaderMap::new();
        for (name, value) in row.request.headers() {
            if name == header::COOKIE {
                for crumb in value.as_bytes().split(|b| *b == b';') {
                    split += 1;
                    headers.append(name, http::HeaderValue::from_bytes(crumb).unwrap());
                }
            } else if name != header::CONNECTION && name != header::UPGRADE {
                headers.append(name, value.clone());
            }
        }
        // The inner service has a body for `HEAD` as well, which HTTP/2 does not.
        let bodiless = row.request.method() == http::Method::HEAD;
        if bodiless || TOO_LONG.contains(&row.name.as_str()) {
            continue;
        }
        let mut request = Request::new(Full::<Bytes>::default());
        *request.method_mut() = row.request.method().clone();
        *request.uri_mut() = Uri::from_static("http://app.example/transfer");
        *request.headers_mut() = headers;
        let answer = row.server.http2().await.send(request).await;
        wrong.extend(row.judge(&answer).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(split > 180, "{split}");
}

/// A header of a megabyte never gets as far as the layer.
#[tokio::test]
async fn headers_that_are_too_long_are_refused_by_the_server() {
    let rows = rows().await;
    let row = rows.iter().find(|row| row.name == TOO_LONG[0]).unwrap();
    let token = row.request.headers()[crate::support::csrf::HEADER].as_bytes();
    let lines: [(&str, &[u8]); 2] = [("Host", b"app.example"), ("X-CSRF-Token", token)];
    let answer = row.server.http1(&head("POST", "/transfer", &lines)).await;
    assert_eq!((answer.status, row.app.calls()), (431, 0));
}
