//! The guards behind a real server: what the tables say holds for what arrives over a socket.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use hyper::{body::Incoming, ext::Protocol};
use tower::Layer;
use tower_bearer::{OriginGuardLayer, origin::OriginGuard};

use crate::support::{
    echo::Echo,
    origin_rows::{self, Row},
    wire::{Answer, Server, head},
};

/// A server behind the guard, and what counts the requests that get through.
async fn guarded(layer: OriginGuardLayer) -> (Server, Echo) {
    let echo = Echo::default();
    let service: OriginGuard<Echo> = layer.layer(echo.clone());
    (Server::start(service).await, echo)
}

fn app() -> OriginGuardLayer {
    OriginGuardLayer::new(["https://app.example".parse().unwrap()]).unwrap()
}

/// Whether the request was let through; a refusal has to be complete.
fn passed(answer: &Answer, echo: &Echo) -> Result<bool, String> {
    let vary = answer.headers.get("vary").map(HeaderValue::as_bytes);
    match (answer.status, echo.calls()) {
        (200, 1) if answer.headers.get("grpc-status").is_none() => Ok(true),
        (403, 0) if vary == Some(b"Origin, Sec-Fetch-Site") && answer.body.is_empty() => Ok(false),
        (status, calls) => Err(format!("{status} after {calls} calls: {answer:?}")),
    }
}

/// The row as bytes of HTTP/1.1.
fn http1(row: &Row) -> Vec<u8> {
    let lines = row.lines();
    let host = row.host();
    let mut wire: Vec<(&str, &[u8])> = Vec::new();
    // U+0080 to U+00FF stand for single bytes.
    let host: Option<Vec<u8>> = host.map(|h| {
        h.chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect()
    });
    if let Some(host) = &host {
        wire.push(("Host", host));
    }
    // The helper ends the connection itself; an upgrade says so in a line of its own.
    wire.extend(
        lines
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice())),
    );
    let target = match row.uri() {
        Some(uri) => uri.to_string(),
        None if row.method() == Method::CONNECT => "app.example.com:443".to_owned(),
        None => "/transfer".to_owned(),
    };
    head(row.method().as_str(), &target, &wire)
}

#[tokio::test]
async fn every_row_over_http_1() {
    let mut wrong = Vec::new();
    let rows = origin_rows::committed();
    let mut refused_by_http = Vec::new();
    for row in &rows {
        let (server, echo) = guarded(row.layer()).await;
        let answer = server.http1(&http1(row)).await;
        if answer.status == 400 {
            assert_eq!(echo.calls(), 0);
            refused_by_http.push(row.name.as_str());
            continue;
        }
        match passed(&answer, &echo) {
            Ok(passed) if passed == row.allowed => {}
            other => wrong.push(format!("{}: {other:?}", row.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(refused_by_http, ["origin-control-char"]);
}

/// The row as an HTTP/2 request; `None` when it is about what HTTP/2 does not have.
fn http2(row: &Row) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::new(Full::default());
    *request.headers_mut() = row.headers()?;
    // Connection headers are malformed there (RFC 9113 section 8.2.2).
    if ["connection", "upgrade"]
        .iter()
        .any(|name| request.headers().contains_key(*name))
    {
        return None;
    }
    // The echo gives an answer to HEAD a body, which HTTP/1.1 alone leaves out by itself.
    if row.method() == Method::HEAD {
        return None;
    }
    *request.method_mut() = row.method();
    *request.uri_mut() = match (row.uri(), row.host()) {
        (Some(uri), _) => uri,
        // The value of `Host` there stands in `:authority`.
        (None, Some(host)) => {
            let hosts = request.headers_mut().get_all(header::HOST).iter().count();
            if hosts == 1 {
                request.headers_mut().remove(header::HOST);
            }
            Uri::builder()
                .scheme(row.scheme())
                .authority(host)
                .path_and_query("/transfer")
                .build()
                .ok()?
        }
        (None, None) => return None,
    };
    if row.method() == Method::CONNECT {
        request
            .extensions_mut()
            .insert(Protocol::from_static("websocket"));
    }
    Some(request)
}

#[tokio::test]
async fn every_row_over_http_2() {
    let mut wrong = Vec::new();
    let (mut judged, mut skipped) = (0, 0);
    for row in origin_rows::committed() {
        let Some(request) = http2(&row) else {
            skipped += 1;
            continue;
        };
        // There the request names its scheme, which `Host` alone does not.
        let allowed = row.allowed && row.name != "own-host-http-page-scheme-unknown";
        let (server, echo) = guarded(row.layer()).await;
        let mut client = server.http2().await;
        if row.method() == Method::CONNECT {
            client.extended_connect().await;
        }
        let answer = client.send(request).await;
        judged += 1;
        match passed(&answer, &echo) {
            Ok(passed) if passed == allowed => {}
            other => wrong.push(format!("{}: {other:?}", row.name)),
        }
    }
    println!("origin over HTTP/2: {judged} rows judged, {skipped} about what it does not have");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged > 280, "{judged}");
}

#[tokio::test]
async fn header_lines_reach_the_guard_as_they_were_sent() {
    let listed = ("Origin", b"https://app.example".as_slice());
    let host = ("Host", b"app.example".as_slice());
    for (lines, expected) in [
        (vec![host, listed], true),
        (vec![host, ("oRIGIN", listed.1)], true),
        (vec![host, listed, listed], false),
        (vec![host, listed, ("origin", b"")], false),
        (vec![host, ("Origin", b"https://app.example\xff")], false),
        (
            vec![host, ("Origin", b"\xc2\xa0https://app.example")],
            false,
        ),
        (vec![host, ("Origin", b" \t https://app.example \t")], true),
        (vec![host, ("Origin", b"")], false),
        // Without Origin: cookies in several lines are credentials as in one.
        (vec![host], true),
        (vec![host, ("Cookie", b"a=b")], false),
        (vec![host, ("Cookie", b""), ("Cookie", b"a=b")], false),
        (
            vec![host, listed, ("Cookie", b"a=b"), ("Cookie", b"c=d")],
            true,
        ),
        // A list does not look at Host, so its absence or repetition changes nothing.
        (vec![listed], true),
        (vec![host, host, listed], true),
    ] {
        let (server, echo) = guarded(app()).await;
        let answer = server.http1(&head("POST", "/transfer", &lines)).await;
        assert_eq!(passed(&answer, &echo), Ok(expected), "{lines:?}");
    }
}

#[tokio::test]
async fn requests_that_http_itself_refuses_never_get_in() {
    for value in [
        b"https://app.example\x00".as_slice(),
        b"https://app.example\x01",
        b"https://app.example\x7f",
        b"https://app.example\r",
    ] {
        let (server, echo) = guarded(app()).await;
        let lines = [("Host", b"app.example".as_slice()), ("Origin", value)];
        let answer = server.http1(&head("POST", "/transfer", &lines)).await;
        assert_eq!((answer.status, echo.calls()), (400, 0), "{value:?}");
    }
}

/// In the mode that compares with the request's own host.
#[tokio::test]
async fn the_own_host_as_http_1_names_it() {
    let origin = ("Origin", "https://app.example");
    for (target, hosts, expected) in [
        ("/transfer", vec!["app.example"], true),
        ("/transfer", vec!["APP.EXAMPLE:443"], true),
        ("/transfer", vec![], false),
        ("/transfer", vec![""], false),
        ("/transfer", vec!["app.example", "app.example"], false),
        ("/transfer", vec!["app.example", "evil.example"], false),
        ("/transfer", vec!["evil.example", "app.example"], false),
        // A target in absolute form, as proxies get it.
        ("http://app.example/transfer", vec!["app.example"], true),
        ("http://app.example/transfer", vec!["evil.example"], false),
        ("http://evil.example/transfer", vec!["app.example"], false),
        ("https://app.example/transfer", vec!["app.example"], true),
        ("https://app.example/transfer", vec![], true),
    ] {
        let mut lines: Vec<(&str, &str)> = hosts.iter().map(|host| ("Host", *host)).collect();
        lines.push(origin);
        let (server, echo) = guarded(OriginGuardLayer::same_origin()).await;
        let answer = server.http1(&head("POST", target, &lines)).await;
        assert_eq!(passed(&answer, &echo), Ok(expected), "{target} {hosts:?}");
    }
}

#[tokio::test]
async fn the_own_host_as_http_2_names_it() {
    for (authority, host, origin, expected) in [
        ("app.example", None, "https://app.example", true),
        (
            "app.example",
            Some("app.example"),
            "https://app.example",
            true,
        ),
        (
            "app.example",
            Some("APP.example:443"),
            "https://app.example",
            true,
        ),
        (
            "app.example",
            Some("evil.example"),
            "https://app.example",
            false,
        ),
        (
            "evil.example",
            Some("app.example"),
            "https://app.example",
            false,
        ),
        (
            "evil.example",
            Some("app.example"),
            "https://evil.example",
            false,
        ),
        ("app.example", None, "https://evil.example", false),
        // `:scheme` says https, so a page on plain http is not of this origin.
        ("app.example", None, "http://app.example", false),
    ] {
        let (server, echo) = guarded(OriginGuardLayer::same_origin()).await;
        let mut request = Request::post(format!("https://{authority}/transfer"))
            .header("origin", origin)
            .body(Full::default())
            .unwrap();
        if let Some(host) = host {
            request
                .headers_mut()
                .insert(header::HOST, host.parse().unwrap());
        }
        let answer = server.http2().await.send(request).await;
        let seen = passed(&answer, &echo);
        assert_eq!(seen, Ok(expected), "{authority} {host:?} {origin}");
    }
}

#[tokio::test]
async fn http_2_splits_cookies_and_repeats_lines() {
    let send = async |lines: &[(&'static str, &'static str)]| {
        let (server, echo) = guarded(app()).await;
        let mut request = Request::post("https://app.example/transfer")
            .body(Full::default())
            .unwrap();
        for (name, value) in lines {
            request
                .headers_mut()
                .append(*name, HeaderValue::from_static(value));
        }
        let answer = server.http2().await.send(request).await;
        (passed(&answer, &echo).unwrap(), echo)
    };
    let (passed, _) = send(&[("cookie", "a=b"), ("cookie", "c=d")]).await;
    assert!(!passed);
    let listed = ("origin", "https://app.example");
    let (passed, echo) = send(&[listed, ("cookie", "a=b"), ("cookie", "c=d")]).await;
    assert!(passed);
    // They did arrive as two lines.
    assert_eq!(echo.last().headers.get_all("cookie").iter().count(), 2);
    let (passed, _) = send(&[listed, listed]).await;
    assert!(!passed);
    let (passed, _) = send(&[
        listed,
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
    ])
    .await;
    assert!(!passed);
}

/// WebSockets over HTTP/2 (RFC 8441) are CONNECT requests, which are not safe.
#[tokio::test]
async fn extended_connect_is_guarded() {
    for (origin, expected) in [
        ("https://app.example", true),
        ("https://evil.example", false),
    ] {
        let (server, echo) = guarded(app()).await;
        let mut client = server.http2().await;
        client.extended_connect().await;
        let mut request = Request::new(Full::default());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = "https://app.example/socket".parse().unwrap();
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        request
            .extensions_mut()
            .insert(Protocol::from_static("websocket"));
        let answer = client.send(request).await;
        assert_eq!(passed(&answer, &echo), Ok(expected), "{origin}");
        if expected {
            let parts = echo.last();
            let protocol = parts.extensions.get::<Protocol>().unwrap();
            assert_eq!(protocol.as_str(), "websocket");
        }
    }
}

/// The guard takes requests with the server's own body type.
#[test]
fn the_guard_serves_hyper() {
    fn serves<S: tower::Service<Request<Incoming>>>() {}
    serves::<OriginGuard<Echo>>();
}
