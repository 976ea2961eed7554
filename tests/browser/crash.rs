//! Chromium writes its cookies up to 30 seconds late. One that is killed before that comes back with those of an
//! earlier moment.

use tokio::time::Instant;

use crate::harness::{Browser, QUICK, Stage, an_interval};

/// Signs in, has the browser write that down, rotates, kills it, and starts it again with its profile.
async fn killed_after_a_rotation(settings: &[(&str, &str)], late: bool) {
    let mut stage = Stage::with("127.0.0.1", settings).await;
    stage.browser.sign_in().await;
    let written = stage.browser.refresh_cookie().await;
    let profile = stage.browser.close().await;

    stage.browser = Browser::open(profile).await;
    stage.browser.go(&stage.origin).await;
    stage.browser.until_state("signed-in").await;
    let rotated = Instant::now();
    let newest = stage.browser.refresh_cookie().await;
    assert_ne!(newest, written, "it has rotated");
    // The newest cookie has been used, so that no answer was lost.
    stage.browser.reload().await;
    stage.browser.until_state("signed-in").await;
    let profile = stage.browser.kill().await;
    let within = rotated.elapsed();
    assert!(within.as_secs() < 8, "{within:?}");
    if late {
        an_interval().await;
    }

    stage.browser = Browser::open(profile).await;
    stage.browser.go("about:blank").await;
    let kept = stage.browser.refresh_cookie().await;
    assert_eq!(kept, written, "it has the cookie from before the rotation");
    let asked = stage.asked("/auth/refresh").len();
    stage.browser.go(&stage.origin).await;
    stage.browser.until_state("signed-in").await;
    let first = &stage.asked("/auth/refresh")[asked];
    assert!(first.header("cookie").contains(&written.unwrap().1));
    let outcome = if late { "recovered" } else { "replayed" };
    stage.browser.until_text("log", outcome).await;

    // And it goes on from there.
    stage.browser.reload().await;
    stage.browser.until_state("signed-in").await;
    assert_eq!(stage.alarms().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_restarted_at_once_it_is_signed_in() {
    killed_after_a_rotation(&[("INSECURE_COOKIE", "0")], false).await;
}

/// The alarm of rules that forgive lost answers only: the newer cookie had been used.
#[tokio::test(flavor = "multi_thread")]
async fn killed_and_restarted_after_the_grace_it_is_signed_in() {
    killed_after_a_rotation(&[("INSECURE_COOKIE", "0"), QUICK], true).await;
}
