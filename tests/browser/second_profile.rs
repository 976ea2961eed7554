//! A browser elsewhere with cookies of this one.

use axum::http::StatusCode;
use tokio::time::Instant;

use crate::harness::{Browser, Engine, QUICK, Stage, an_interval};

const OTHER: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:152.0) Gecko/20100101 Firefox/152.0";
const NEW_CLIENT: &str = "a client new to session";

/// A user signed in, whose cookie has rotated, and a second profile with all cookies.
async fn copied(agent: Option<&str>) -> (Stage, Browser) {
    let stage = Stage::with("127.0.0.1", &[("INSECURE_COOKIE", "0"), QUICK]).await;
    stage.browser.sign_in().await;
    stage.browser.reload().await;
    stage.browser.until_state("signed-in").await;
    let thief = Browser::start(Engine::Chromium).await;
    thief.take(stage.browser.cookies().await).await;
    if let Some(agent) = agent {
        thief.call_itself(agent).await;
    }
    an_interval().await;
    thief.go(&stage.origin).await;
    thief.until_state("signed-in").await;
    (stage, thief)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_cookies_and_another_user_agent_are_told_and_then_the_session_ends() {
    let (stage, thief) = copied(Some(OTHER)).await;
    let asked = stage.asked("/auth/refresh");
    let asked = asked.iter().filter(|r| r.header("user-agent") == OTHER);
    let statuses: Vec<_> = asked.map(|r| r.status).collect();
    // It shows first that it has kept the successor.
    assert_eq!(statuses[..2], [StatusCode::CONFLICT, StatusCode::OK]);
    assert_eq!(stage.logged(NEW_CLIENT).await, 1);

    // Both have acted, an interval apart: the user's page lists the sessions where the log has news. It is over for
    // both within the default grace.
    let acted = Instant::now();
    stage.browser.until_state("signed-out").await;
    thief.until_state("signed-out").await;
    let within = acted.elapsed();
    assert!(within.as_secs() < 30, "{within:?}");
    assert_eq!(stage.alarms().await, 1);
    stage.browser.sign_in().await;
    let notice = "A browser calling itself Firefox on Windows uses your session";
    stage.browser.until_text("alert-list", notice).await;
}

/// Left open: a thief with all cookies and the same name cannot be told from the user by one request.
#[tokio::test(flavor = "multi_thread")]
async fn all_cookies_and_the_same_user_agent_are_served_until_both_have_acted() {
    let (stage, thief) = copied(None).await;
    assert_eq!(stage.alarms().await, 0, "it is served, and not told");

    // The user's cookie looks like one whose answer was lost. The next one burns the thief's, and the thief's page
    // comes with that when the log has news.
    an_interval().await;
    let acted = Instant::now();
    stage.browser.reload().await;
    thief.until_state("signed-out").await;
    stage.browser.until_state("signed-out").await;
    let within = acted.elapsed();
    assert!(within.as_secs() < 30, "{within:?}");
    assert_eq!(stage.alarms().await, 1);
    assert_eq!(stage.logged(NEW_CLIENT).await, 0);
    stage.browser.sign_in().await;
    stage.browser.until_text("log", "reuse detected").await;
    assert!(stage.browser.text("log").await.contains("recovered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refresh_cookie_without_its_jar_cookie_gets_nothing_and_ends_nothing() {
    let stage = Stage::signed_in().await;
    let browser = &stage.browser;
    let refresh = |cookies: Vec<serde_json::Value>| {
        let mut cookies = cookies.into_iter();
        cookies.find(|cookie| cookie["name"] == "__Secure-refresh_token")
    };
    // The first request that shows the jar cookie binds the session to it.
    browser.reload().await;
    browser.until_state("signed-in").await;
    let thief = Browser::start(Engine::Chromium).await;
    let alone = refresh(browser.cookies().await).unwrap();
    thief.take(vec![alone]).await;
    thief.go(&stage.origin).await;
    thief.until_state("signed-out").await;
    let refused = stage.asked("/auth/refresh").pop().unwrap();
    let sent = refused.header("cookie");
    assert!(sent.contains("refresh_token=") && !sent.contains("refresh_token_jar="));
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);

    browser.until_text("log", "foreign jar").await;
    let told = "a refresh cookie came without its jar cookie";
    assert_eq!(stage.logged(told).await, 1);
    browser.reload().await;
    browser.until_state("signed-in").await;
    assert_eq!(stage.alarms().await, 0);
}
