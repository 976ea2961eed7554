//! A WebSocket and an event stream that end with their access token.

use std::{fs, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Bytes, Message, protocol::CloseFrame},
};

use crate::support::{Browser, PASSWORD, PATIENCE, Program, example, serve};

/// Long enough to see lines, and short enough to wait for the end.
const LIFETIME: Duration = Duration::from_secs(4);

async fn start() -> (Program, Browser) {
    serve(example("live").env("ACCESS_TTL", LIFETIME.as_secs().to_string())).await
}

async fn signed_in(browser: &mut Browser) -> String {
    browser.get("/auth/csrf").await.is(200);
    browser.sign_in(PASSWORD).await.is(200).access_token()
}

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(program: &Program) -> Self {
        let url = format!("{}/api/socket", program.url(0).replacen("http", "ws", 1));
        let (socket, _) = connect_async(url).await.unwrap();
        Self(socket)
    }

    async fn with(program: &Program, first: &str) -> Self {
        let mut socket = Self::open(program).await;
        socket.say(first).await;
        socket
    }

    async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next text, or the code that the server closes with.
    async fn next(&mut self) -> Result<String, u16> {
        let next = timeout(PATIENCE, self.0.next()).await;
        match next
            .expect("the server says something")
            .expect("it closes before it goes")
        {
            Ok(Message::Text(text)) => Ok(text.to_string()),
            Ok(Message::Close(Some(CloseFrame { code, .. }))) => Err(code.into()),
            other => panic!("{other:?}"),
        }
    }

    /// The code that the server closes with, after all its texts.
    async fn end(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }
}

#[tokio::test]
async fn a_socket_says_who_it_is_for_and_ends_with_its_token() {
    let (program, mut browser) = start().await;
    let token = signed_in(&mut browser).await;
    let begun = Instant::now();
    let mut socket = Socket::with(&program, &token).await;
    assert!(socket.next().await.unwrap().starts_with("user-1 until "));
    assert_eq!(socket.end().await, 4401);
    let lasted = begun.elapsed();
    assert!(lasted > LIFETIME / 4 && lasted < LIFETIME * 2, "{lasted:?}");
    // The old token opens no other, and the next one does.
    assert_eq!(Socket::with(&program, &token).await.end().await, 4401);
    let token = browser.refresh().await.is(200).access_token();
    let mut socket = Socket::with(&program, &token).await;
    assert!(socket.next().await.unwrap().starts_with("user-1 until "));
}

#[tokio::test]
async fn the_next_token_prolongs_the_socket_and_one_of_another_session_ends_it() {
    let (program, mut browser) = start().await;
    let token = signed_in(&mut browser).await;
    let mut socket = Socket::with(&program, &token).await;
    let first = socket.next().await.unwrap();
    let token = browser.refresh().await.is(200).access_token();
    socket.say(&token).await;
    // Seconds later, so that the time in the line is another.
    let mut line = socket.next().await.unwrap();
    let begun = Instant::now();
    while line == first && begun.elapsed() < LIFETIME {
        let token = browser.refresh().await.is(200).access_token();
        socket.say(&token).await;
        line = socket.next().await.unwrap();
    }
    assert_ne!(line, first);

    let mut other = Browser::new(program.url(0));
    let token = signed_in(&mut other).await;
    socket.say(&token).await;
    assert_eq!(socket.end().await, 4403);
}

#[tokio::test]
async fn a_message_that_is_no_token_closes_the_socket() {
    let (program, _) = start().await;
    assert_eq!(Socket::with(&program, "a.b.c").await.end().await, 4401);
    assert_eq!(Socket::with(&program, "no token").await.end().await, 4400);
    let mut socket = Socket::open(&program).await;
    socket
        .0
        .send(Message::Binary(Bytes::from_static(b"x")))
        .await
        .unwrap();
    assert_eq!(socket.end().await, 1003);
    // None at all is not waited for.
    let begun = Instant::now();
    assert_eq!(Socket::open(&program).await.end().await, 4401);
    let waited = begun.elapsed();
    assert!(
        waited >= Duration::from_secs(4) && waited < PATIENCE,
        "{waited:?}"
    );
}

#[tokio::test]
async fn a_message_longer_than_a_token_is_not_read() {
    let (program, mut browser) = start().await;
    let mut socket = Socket::open(&program).await;
    // The server may have gone before all of it is sent.
    let _ = socket.0.send(Message::text("a".repeat(64 * 1024))).await;
    let next = timeout(PATIENCE, socket.0.next()).await.unwrap();
    assert!(!matches!(next, Some(Ok(Message::Text(_)))), "{next:?}");
    signed_in(&mut browser).await;
}

#[tokio::test]
async fn a_stream_of_events_ends_with_its_token() {
    let (_program, mut browser) = start().await;
    browser.get("/api/feed").await.is(401);
    let token = signed_in(&mut browser).await;
    let begun = Instant::now();
    // The answer is complete when the stream has ended.
    let answer = browser.get("/api/feed").bearer(&token).await;
    let lasted = begun.elapsed();
    answer.is(200).has("content-type", "text/event-stream");
    answer.says("data: user-1 until ");
    assert!(lasted > LIFETIME / 4 && lasted < LIFETIME * 2, "{lasted:?}");
    browser.get("/api/feed").bearer(&token).await.is(401);
}

#[tokio::test]
async fn the_page_and_the_files_of_the_package_are_served() {
    let (_program, mut browser) = start().await;
    browser
        .get("/")
        .await
        .is(200)
        .has("content-type", "text/html*");
    browser.get("/app.js").await.is(200);
    // All of them, but for what a page without React does not load.
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../../client/src");
    let names = fs::read_dir(sources).unwrap();
    let names = names.map(|file| file.unwrap().file_name().into_string().unwrap());
    let scripts: Vec<_> = names
        .filter(|name| name.ends_with(".js") && name != "react.js")
        .collect();
    assert!(scripts.len() > 5, "{scripts:?}");
    for name in scripts {
        let answer = browser.get(&format!("/tower-bearer/{name}")).await;
        answer.is(200).has("content-type", "text/javascript*");
    }
    let wrong = json!({ "email": "dev@example.com", "password": "wrong" });
    browser.get("/auth/csrf").await.is(200);
    browser.post("/auth/login").json(&wrong).await.is(401);
}
