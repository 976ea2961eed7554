//! The front door without a framework, over HTTP/1.1 and HTTP/2.

use http::Version;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::support::{Ask, Browser, PASSWORD, example, serve};

/// Asks for what needs a token.
fn me(browser: &mut Browser) -> Ask<'_> {
    browser.get("/api/me")
}

#[tokio::test]
async fn a_session_from_sign_in_to_sign_out() {
    let (_service, mut browser) = serve(&mut example("hyper")).await;
    me(&mut browser)
        .await
        .is(401)
        .has("www-authenticate", "Bearer")
        .has("x-content-type-options", "nosniff")
        .lacks("strict-transport-security", "");
    let malformed = me(&mut browser).bearer("a b").await;
    malformed
        .is(400)
        .has("www-authenticate", r#"Bearer *error="invalid_request""#);
    let nothing = browser.get("/nothing").await;
    nothing.is(404).has("x-content-type-options", "nosniff");

    // Without a CSRF token nothing runs, and from a foreign page neither.
    browser.sign_in(PASSWORD).await.is(403);
    let csrf = browser.get("/auth/csrf").await;
    csrf.is(200)
        .has("set-cookie", "__Host-csrf=v1a.")
        .has("cache-control", "no-store");
    let foreign = browser
        .sign_in(PASSWORD)
        .header("origin", "https://evil.example")
        .await;
    foreign.is(403).lacks("set-cookie", "");
    browser.refresh().await.is(401);
    let wrong = browser.sign_in("wrong").await;
    wrong.is(401).lacks("set-cookie", "__Secure-refresh_token");
    for body in [json!({ "email": 1 }).to_string(), " ".repeat(5000)] {
        browser.post("/auth/login").body(body).await.is(400);
    }

    let started = browser.sign_in(PASSWORD).await;
    let first = started
        .is(200)
        .has(
            "set-cookie",
            "__Secure-refresh_token=*HttpOnly*SameSite=Strict*Secure*Path=/auth",
        )
        .has("cache-control", "no-store")
        .access_token();
    let answer = me(&mut browser).bearer(&first).await;
    answer.is(200).says_just(r#"{"subject":"user-1"}"#);
    assert_eq!(answer.version, Version::HTTP_11);
    let answer = me(&mut browser).bearer(&first).http2().await;
    answer.is(200).says_just(r#"{"subject":"user-1"}"#);
    assert_eq!(answer.version, Version::HTTP_2);
    browser.get("/api/other").bearer(&first).await.is(404);

    let mut thief = browser.stolen();
    let refreshed = browser.refresh().http2().await;
    let second = refreshed
        .is(200)
        .has("set-cookie", "__Secure-refresh_token=")
        .access_token();
    me(&mut browser).bearer(&second).await.is(200);
    let wrong = browser.get("/auth/refresh").await;
    wrong.is(405).has("allow", "POST");
    browser.post("/auth/nothing").await.is(404);

    // The replaced cookie gets nothing on another client, and within the grace it ends nothing.
    thief.refresh().await.is(409);
    browser.refresh().await.is(200);
    let mut copy = browser.clone();
    browser.post("/auth/logout").await.is(204);
    copy.refresh().await.is(401);
}

#[tokio::test]
async fn a_connection_that_is_open_and_idle_does_not_keep_it_from_stopping() {
    let (service, browser) = serve(&mut example("hyper")).await;
    let address = browser.url.trim_start_matches("http://");
    let mut connection = BufReader::new(TcpStream::connect(address).await.unwrap());
    let request = b"GET /api/me HTTP/1.1\r\nHost: localhost\r\n\r\n";
    connection.write_all(request).await.unwrap();
    let mut line = String::new();
    connection.read_line(&mut line).await.unwrap();
    assert!(line.starts_with("HTTP/1.1 401 "), "{line}");
    service.stops().await;
}
