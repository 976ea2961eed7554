//! The demo in every browser.

use axum::http::StatusCode;
use serde_json::json;

use crate::harness::{Engine, Stage, in_every_engine};

in_every_engine! { the_demo_from_sign_in_to_sign_out }

/// As a developer opens it: with no settings, over plain http.
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
    browser.reload().await;
    browser.until_state("signed-out").await;
    let refused = stage.asked("/auth/refresh").pop().unwrap();
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(!refused.header("cookie").contains("refresh_token="));
    assert_eq!(stage.alarms().await, 0);
}
