//! A browser that is closed and opened again. One user is to be remembered, and one is not.

use crate::harness::{Browser, Stage};

async fn closed_and_opened(remember: bool) -> Stage {
    let mut stage = Stage::start().await;
    stage.browser.until_state("signed-out").await;
    if !remember {
        stage.browser.click("remember").await;
    }
    stage.browser.sign_in().await;
    // Rotation keeps the kind.
    stage.browser.reload().await;
    stage.browser.until_state("signed-in").await;
    for cookie in stage.browser.cookies().await {
        assert_eq!(cookie["session"], !remember, "{cookie}");
    }
    let profile = stage.browser.close().await;
    stage.browser = Browser::open(profile).await;
    stage.browser.go(&stage.origin).await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn with_remember_me_the_user_is_still_signed_in() {
    let stage = closed_and_opened(true).await;
    stage.browser.until_state("signed-in").await;
    assert_eq!(stage.alarms().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_remember_me_the_user_is_signed_out() {
    let stage = closed_and_opened(false).await;
    stage.browser.until_state("signed-out").await;
    // The CSRF cookie went with the browser, so the page asks for one, which says that there is no session.
    let asked = stage.asked("/auth/csrf").pop().unwrap();
    assert_eq!(asked.header("cookie").matches("refresh_token").count(), 0);
    assert_eq!(stage.alarms().await, 0);
}
