//! One tab: signing in, reloading, signing out.

use axum::http::StatusCode;
use serde_json::json;

use crate::harness::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_keeps_the_user_signed_in_and_a_sign_out_does_not() {
    let stage = Stage::signed_in().await;
    let browser = &stage.browser;
    assert_eq!(browser.text("email").await, "dev@example.com");
    browser.reload().await;
    browser.until_state("signed-in").await;
    assert_eq!(browser.text("email").await, "dev@example.com");
    browser.until_text("log", "rotated").await;

    browser.click("sign-out").await;
    browser.until_state("signed-out").await;
    assert_eq!(browser.text("status").await, "You are signed out.");
    assert_eq!(
        browser.text("email").await,
        "",
        "nothing is left of the user"
    );
    assert_eq!(browser.text("log").await, "");
    assert_eq!(browser.refresh_cookie().await, None);
    browser.reload().await;
    browser.until_state("signed-out").await;
    assert_eq!(browser.text("status").await, "", "no user was there");
    assert_eq!(stage.alarms().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told() {
    let stage = Stage::start().await;
    let browser = &stage.browser;
    browser.until_state("signed-out").await;
    browser
        .run("document.getElementById('password').value = 'wrong'")
        .await;
    browser.click("login-button").await;
    browser
        .until_text("status", "E-mail address or password is wrong")
        .await;
    assert_eq!(browser.refresh_cookie().await, None);
}

/// Each page is left while its refresh is under way: half of the answers never arrive.
#[tokio::test(flavor = "multi_thread")]
async fn eight_fast_reloads_sign_no_user_out() {
    let stage = Stage::signed_in().await;
    let hurry = "const known = fetch;
        window.fetch = (url, options) => {
            const answer = known(url, options);
            const left = Number(window.name);
            if (String(url).endsWith('/auth/refresh') && left > 0) {
                window.name = left - 1;
                location.reload();
            }
            return answer;
        };";
    stage
        .browser
        .cdp(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": hurry }),
        )
        .await;
    stage.browser.run("window.name = '8'").await;
    stage.browser.reload().await;
    stage.browser.until_state("signed-in").await;
    assert_eq!(stage.browser.run("return window.name").await, "0");
    let refused = stage.asked("/auth/refresh");
    // The first is of the page before the sign-in.
    let refused = refused
        .iter()
        .skip(1)
        .filter(|r| r.status != StatusCode::OK);
    assert_eq!(refused.count(), 0);
    assert_eq!(stage.alarms().await, 0);
}
