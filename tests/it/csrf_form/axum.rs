//! In an axum application, in process and on a socket.

use axum::{
    Form, Router,
    body::{Body, Bytes},
    routing::{get, post},
};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::ServiceExt;
use tower_bearer::CsrfToken;

use super::{URL_ENCODED, form, token};
use crate::support::csrf;

#[derive(Deserialize)]
struct Note {
    text: String,
}

fn app() -> Router {
    let trailers = |request: Request<Body>| async move {
        let body = request.into_body().collect().await.unwrap();
        let sum = body
            .trailers()
            .map(|t| t["x-sum"].to_str().unwrap().to_owned());
        format!("{} {}", body.to_bytes().len(), sum.unwrap_or_default())
    };
    Router::new()
        .route(
            "/note",
            post(|Form(note): Form<Note>| async move { note.text })
                .get(|csrf: CsrfToken| async move { csrf.masked().unwrap() }),
        )
        .route("/raw", post(|body: Bytes| async move { body }))
        .route("/trailers", post(trailers))
        .route("/open", get(|| async { "open" }))
        .layer(form().body_limit(1024))
}

fn request(path: &str, kind: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header(header::COOKIE, format!("{}={}", csrf::COOKIE, token()))
        .header(header::CONTENT_TYPE, kind)
        .body(body.into())
        .unwrap()
}

async fn answer(request: Request<Body>) -> (StatusCode, Bytes) {
    let response = app().oneshot(request).await.unwrap();
    let status = response.status();
    (
        status,
        response.into_body().collect().await.unwrap().to_bytes(),
    )
}

#[tokio::test]
async fn extractors_read_the_form_again() {
    let text = format!("text=a+b&csrf_token={}", token());
    let (status, body) = answer(request("/note", URL_ENCODED, text.clone())).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"a b"[..]));
    let (status, body) = answer(request("/raw", URL_ENCODED, text.clone())).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, text.as_bytes()));

    let parts = format!(
        "--x\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n{}\r\n--x\r\n\
         Content-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n\0\u{1}\r\n--x--\r\n",
        token()
    );
    let kind = "multipart/form-data; boundary=x";
    // Files are not read, whatever stands in their form.
    let (status, body) = answer(request("/raw", kind, parts)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(String::from_utf8_lossy(&body).contains(r#""code":"csrf""#));

    let (status, _) = answer(request("/note", URL_ENCODED, "text=a")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = answer(request("/note", URL_ENCODED, text + &"a".repeat(1024))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let get = Request::get("/open").body(Body::empty()).unwrap();
    assert_eq!(answer(get).await, (StatusCode::OK, "open".into()));
}

/// A server of the application, and a connection to it.
async fn serve() -> (TcpStream, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app()).await.unwrap() });
    (TcpStream::connect(address).await.unwrap(), server)
}

/// Returns a server's answer to these bytes.
async fn on_a_socket(parts: &[&str]) -> String {
    let (mut client, server) = serve().await;
    client.set_nodelay(true).unwrap();
    for part in parts {
        client.write_all(part.as_bytes()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let mut answer = Vec::new();
    let all = client.read_to_end(&mut answer);
    tokio::time::timeout(std::time::Duration::from_secs(5), all)
        .await
        .expect("the connection ends")
        .ok();
    server.abort();
    String::from_utf8(answer).unwrap()
}

fn head(path: &str, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\
         Cookie: {}={}\r\nContent-Type: {URL_ENCODED}\r\n{more}\r\n",
        csrf::COOKIE,
        token()
    )
}

#[tokio::test]
async fn over_a_socket() {
    // In pieces, with trailers behind them, which end the form and go no further.
    let (token, chunked) = (token(), "Transfer-Encoding: chunked\r\nTrailer: x-sum\r\n");
    let (one, two) = token.split_at(20);
    let pieces = [
        head("/trailers", chunked),
        format!("{:x}\r\ncsrf_token={one}\r\n", 11 + one.len()),
        format!("{:x}\r\n{two}\r\n", two.len()),
        "0\r\nx-sum: 7\r\n\r\n".to_owned(),
    ];
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let answer = on_a_socket(&pieces).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("102 "), "{answer}");

    // A length above the limit is answered without the body.
    let declared = on_a_socket(&[&head("/note", "Content-Length: 1025\r\n")]).await;
    assert!(declared.starts_with("HTTP/1.1 413 "), "{declared}");
    // So is a request that fails anyway.
    let stranger = head("/note", "Content-Length: 1000\r\n").replace("v1s.", "v2s.");
    let refused = on_a_socket(&[&stranger]).await;
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    // A body without a length is left at the limit.
    let flood = format!("400\r\n{}\r\n1\r\n", "a".repeat(1024));
    let long = on_a_socket(&[&head("/note", chunked), &flood, "b\r\n"]).await;
    assert!(long.starts_with("HTTP/1.1 413 "), "{long}");
}

/// Here cookies may come on several lines, and trailers in a frame of their own.
#[tokio::test]
async fn over_http_2() {
    let (stream, server) = serve().await;
    let stream = TokioIo::new(stream);
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    for (text, status, said) in [
        (format!("csrf_token={}", token()), StatusCode::OK, "102 "),
        (
            "csrf_token=junk".to_owned(),
            StatusCode::FORBIDDEN,
            r#""code":"csrf""#,
        ),
        (
            "a".repeat(1025),
            StatusCode::PAYLOAD_TOO_LARGE,
            r#""code":"too_large""#,
        ),
    ] {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "7".parse().unwrap());
        let trailers = async move { Some(Ok(trailers)) };
        let body = Full::new(Bytes::from(text)).with_trailers(trailers).boxed();
        let request = Request::post("http://app.example/trailers")
            .header(header::COOKIE, "sid=1")
            .header(header::COOKIE, format!("{}={}", csrf::COOKIE, token()))
            .header(header::CONTENT_TYPE, URL_ENCODED)
            .body(body)
            .unwrap();
        let response = client.send_request(request).await.unwrap();
        assert_eq!(response.status(), status);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains(said), "{body:?}");
    }
    connection.abort();
    server.abort();
}
