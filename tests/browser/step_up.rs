//! A password that is asked for again: challenge, step-up and success (RFC 9470).

use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::sleep;

use crate::harness::{PASSWORD, Stage, until};

const IS_OPEN: &str = "return document.getElementById('again').open";

/// Types a password into the question, and goes on.
async fn answer(stage: &Stage, password: &str) {
    let typed = format!("document.getElementById('again-password').value = '{password}'");
    stage.browser.run(&typed).await;
    stage.browser.click("again-button").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_typed_long_ago_is_asked_for_again() {
    let stage = Stage::with("127.0.0.1", &[("RECENT_SECONDS", "6")]).await;
    let browser = &stage.browser;
    browser.sign_in().await;
    // Signed in a moment ago: no question.
    browser.click("export").await;
    browser.until_text("exported", "dev@example.com").await;
    assert_eq!(browser.run(IS_OPEN).await, false);

    until("the password is asked for", async || {
        browser.click("export").await;
        browser.run(IS_OPEN).await == true
    })
    .await;
    let refused = stage.asked("/api/export").pop().unwrap();
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let refreshed = stage.asked("/auth/refresh").len();
    browser
        .run("document.getElementById('exported').textContent = ''")
        .await;

    answer(&stage, "wrong").await;
    browser
        .until_text("again-status", "The password is wrong")
        .await;
    assert_eq!(browser.run(IS_OPEN).await, true);
    answer(&stage, PASSWORD).await;
    browser.until_text("exported", "dev@example.com").await;
    assert_eq!(browser.run(IS_OPEN).await, false);
    let left = "return document.getElementById('again-password').value";
    assert_eq!(browser.run(left).await, "", "nothing is left of it");
    browser.until_state("signed-in").await;

    let tried = stage.asked("/auth/step-up");
    let tried: Vec<_> = tried.iter().map(|seen| seen.status.as_u16()).collect();
    assert_eq!(tried, [403, 200]);
    assert_eq!(stage.asked("/auth/refresh").len(), refreshed);
    let passed = stage.asked("/api/export").pop().unwrap();
    assert_eq!(passed.status, StatusCode::OK);

    // The token from before the step-up is as old as it was.
    let old = refused.header("authorization").to_owned();
    assert_ne!(passed.header("authorization"), old);
    let again = format!(
        "const answer = await fetch('/api/export', {{ headers: {{ Authorization: '{old}' }} }});
         return `${{answer.status}} ${{answer.headers.get('WWW-Authenticate')}}`;"
    );
    let said = browser.wait_for(&again).await;
    let said = said.as_str().unwrap();
    let error = "error=\"insufficient_user_authentication\"";
    assert!(said.starts_with("401 ") && said.contains(error), "{said}");
    assert!(said.contains("max_age=\"6\""), "{said}");
    assert_eq!(stage.alarms().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_not_answered_does_nothing_and_leaves_with_its_user() {
    let stage = Stage::with("127.0.0.1", &[("RECENT_SECONDS", "1")]).await;
    let browser = &stage.browser;
    browser.sign_in().await;
    let mut other = stage.client("another");
    other.sign_in().await;
    until("the password is asked for", async || {
        browser.click("export").await;
        browser.run(IS_OPEN).await == true
    })
    .await;
    browser.click("again-cancel").await;
    browser.until_text("status", "it needs your password").await;
    assert_eq!(browser.run(IS_OPEN).await, false);

    // A token has whole seconds: by the store it may be a second less.
    sleep(Duration::from_millis(1_100)).await;
    browser.click("sign-out-all").await;
    until("the password is asked for", async || {
        browser.run(IS_OPEN).await == true
    })
    .await;
    let refused = stage.asked("/auth/logout-all").pop().unwrap();
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    browser.until_state("signed-in").await;
    assert_eq!(other.refresh().await.status, 200, "it goes on");

    // Another tab signs out.
    let asked = browser.tab().await;
    browser.new_tab().await;
    browser.go(&stage.origin).await;
    browser.until_state("signed-in").await;
    browser.click("sign-out").await;
    browser.until_state("signed-out").await;
    browser.switch_to(&asked).await;
    browser.until_state("signed-out").await;
    assert_eq!(browser.run(IS_OPEN).await, false);
    browser.until_text("status", "You are signed out.").await;
}
