//! The program of the README, which has no settings but its keys.

use std::process::Command;

use tokio::{
    net::TcpStream,
    time::{Duration, Instant, sleep},
};

use crate::support::{Browser, PASSWORD, PATIENCE, Program, example, keys};

/// Where it listens, and the origin of its page.
const ADDRESS: &str = "127.0.0.1:3000";
const PAGE: &str = "https://app.example";

/// Starts it. It says nothing, so it is there when it answers; while another program has its port, it cannot
/// start, and is started again.
async fn start(command: &mut Command) -> Program {
    let begin = Instant::now();
    let mut program = Program::spawn(command);
    loop {
        sleep(Duration::from_millis(200)).await;
        let late = begin.elapsed() > PATIENCE;
        if program.has_ended() {
            let err = program.err();
            assert!(err.contains("AddrInUse") && !late, "it ended: {err}");
            program = Program::spawn(command);
        } else if TcpStream::connect(ADDRESS).await.is_ok() {
            return program;
        } else {
            assert!(!late, "nothing listens at {ADDRESS}");
        }
    }
}

#[tokio::test]
async fn a_session_from_sign_in_to_sign_out() {
    let program = start(example("axum").envs(keys())).await;
    let mut browser = Browser::new(format!("http://{ADDRESS}")).page_of(PAGE);
    let refused = browser.get("/api/profile").await;
    refused
        .is(401)
        .has("www-authenticate", "Bearer")
        .has("x-content-type-options", "nosniff");

    browser.sign_in(PASSWORD).await.is(403);
    browser.get("/auth/csrf").await.is(200);
    let own = format!("http://{ADDRESS}");
    let foreign = browser.sign_in(PASSWORD).header("origin", &own).await;
    foreign.is(403).lacks("set-cookie", "");
    browser.sign_in("").await.is(401);
    let started = browser.sign_in(PASSWORD).await;
    let token = started
        .is(200)
        .has(
            "set-cookie",
            "__Secure-refresh_token=*HttpOnly*SameSite=Strict*Secure*Path=/auth",
        )
        .access_token();
    let profile = browser.get("/api/profile").bearer(&token).await;
    profile.is(200).says_just("user-1 is reader");
    assert_eq!(program.out(), "minting for user-1\n");

    let mut thief = browser.stolen();
    let token = browser.refresh().await.is(200).access_token();
    browser.get("/api/profile").bearer(&token).await.is(200);
    let sessions = browser.get("/auth/sessions").await;
    sessions.is(200).says(r#""current":true"#);
    thief.refresh().await.is(401);
    browser.refresh().await.is(401);

    browser.sign_in(PASSWORD).await.is(200);
    let mut copy = browser.clone();
    browser.post("/auth/logout").await.is(204);
    copy.refresh().await.is(401);
}
