//! Examples in every browser, as a developer opens them: with no settings, over plain http.

use axum::http::StatusCode;
use serde_json::json;

use crate::harness::{Browser, Engine, Example, Stage, in_every_engine};

in_every_engine! {
    the_demo_from_sign_in_to_sign_out
    the_way_to_a_provider_and_back
}

async fn the_demo_from_sign_in_to_sign_out(engine: Engine) {
    let stage = Stage::plain(engine).await;
    let browser = &stage.browser;
    browser.sign_in().await;
    // It comes from a route that wants the access token.
    browser.until_text("email", "dev@example.com").await;
    browser.reload().await;
    browser.until_state("signed-in").await;
    browser.until_text("email", "dev@example.com").await;
    let refreshed = stage.asked("/auth/refresh").pop().unwrap();
    assert_eq!(refreshed.status, StatusCode::OK);
    assert!(refreshed.header("cookie").contains("refresh_token="));
    let profile = "return (await fetch('/api/profile')).status";
    assert_eq!(browser.wait_for(profile).await, json!(401), "by cookie");

    browser.click("sign-out").await;
    browser.until_state("signed-out").await;
    let refreshes = stage.asked("/auth/refresh").len();
    browser.reload().await;
    browser.until_state("signed-out").await;
    // The CSRF token says that there is no session, so the page asks for none.
    assert_eq!(stage.asked("/auth/refresh").len(), refreshes);
    let refused = "return (await fetch('/auth/session')).status";
    assert_eq!(browser.wait_for(refused).await, json!(401));
    let asked = stage.asked("/auth/session").pop().unwrap();
    assert!(!asked.header("cookie").contains("refresh_token="));
    assert_eq!(stage.alarms().await, 0);
}

async fn the_way_to_a_provider_and_back(engine: Engine) {
    let example = Example::oauth_redirect().await;
    let browser = Browser::start(engine).await;
    browser.go(&example.url).await;
    browser.press("a[href='/auth/begin']").await;
    // The provider's page, on another site.
    browser.until_says("Cancel").await;
    browser.press("button[value='true']").await;
    // The page knows the browser at once, and its script has a token.
    browser.until_says("|248289").await;
    browser.reload().await;
    browser.until_says("|248289").await;
    browser.press("button").await;
    browser.until_says("Sign in").await;
    browser.reload().await;
    browser.until_says("Sign in").await;
}
