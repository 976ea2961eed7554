//! Tokens that end while a user looks, and pages that come back after a while.

use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::{Instant, sleep};

use crate::harness::{QUICK, Stage, until};

/// How many refreshes had a new token for their answer.
fn renewed(stage: &Stage) -> usize {
    let asked = stage.asked("/auth/refresh");
    asked.iter().filter(|r| r.status == StatusCode::OK).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_before_it_ends() {
    let stage = Stage::with("127.0.0.1", &[("ACCESS_TTL", "6")]).await;
    stage.browser.sign_in().await;
    // Written down by the page itself: a state between two looks would be missed.
    let watch = "window.states = new Set();
        new MutationObserver(() => states.add(document.getElementById('state').dataset.status))
            .observe(document.getElementById('state'), { attributes: true });";
    stage.browser.run(watch).await;
    until("three renewals", async || renewed(&stage) >= 3).await;
    stage.browser.until_state("signed-in").await;
    let states = stage.browser.run("return [...states].sort().join()").await;
    assert_eq!(states, "renewing,signed-in");
    // Each in time: the API has refused no token.
    let mut tokens = Vec::new();
    for asked in stage.asked("/api/profile") {
        assert_eq!(asked.status, StatusCode::OK);
        tokens.push(asked.header("authorization").to_owned());
    }
    tokens.dedup();
    assert!(tokens.len() >= 3, "{}", tokens.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_signs_no_user_out() {
    let stage = Stage::signed_in().await;
    let browser = &stage.browser;
    stage.proxy.set_away(true);
    browser.click("renew").await;
    until("the refresh was tried twice", async || {
        let asked = stage.asked("/auth/refresh");
        let failed = asked.iter().filter(|r| r.status == StatusCode::BAD_GATEWAY);
        failed.count() >= 2
    })
    .await;
    browser
        .until_text("status", "the server answered 502")
        .await;
    let shown = "return document.getElementById('account').hidden";
    assert_eq!(browser.run(shown).await, false);
    stage.proxy.set_away(false);
    until("it is tried until it works", async || renewed(&stage) >= 1).await;
    browser.until_state("signed-in").await;
}

/// Browsers keep a page that is left, and show it again as it was. By then the session may be over.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_the_back_forward_cache_shows_no_user_before_it_has_asked() {
    let stage = Stage::signed_in().await;
    let browser = &stage.browser;
    browser
        .run(
            "addEventListener('pageshow', ({ persisted }) => {
                window.restored = persisted;
                window.hiddenAtOnce = document.getElementById('account').hidden;
                window.textAtOnce = document.getElementById('email').textContent;
            });",
        )
        .await;
    // A session that lasts: the page comes back with it.
    browser.go("about:blank").await;
    browser.back().await;
    browser.until_state("signed-in").await;
    let restored = browser.run("return window.restored").await;
    assert_eq!(restored, true, "the page was kept by the browser");
    assert_eq!(browser.run("return window.hiddenAtOnce").await, true);
    assert_eq!(browser.text("email").await, "dev@example.com");

    // One that ended meanwhile, in a way that no tab could tell.
    browser.go("about:blank").await;
    browser
        .cdp("Network.clearBrowserCookies", serde_json::json!({}))
        .await;
    browser.back().await;
    browser.until_state("signed-out").await;
    assert_eq!(browser.run("return window.restored").await, true);
    assert_eq!(browser.run("return window.hiddenAtOnce").await, true);
    assert_eq!(browser.run("return window.textAtOnce").await, "");
}

/// The page refreshes by a timer in each phase. A refresh counts only where its user did something.
#[tokio::test(flavor = "multi_thread")]
async fn an_untouched_tab_ends_at_the_idle_lifetime_and_one_in_use_does_not() {
    const IDLE: Duration = Duration::from_secs(8);
    let stage = Stage::with(
        "127.0.0.1",
        &[("ACCESS_TTL", "4"), QUICK, ("IDLE_SECONDS", "8")],
    )
    .await;
    let browser = &stage.browser;
    browser.sign_in().await;
    let passive = || {
        let mut asked = stage.asked("/auth/refresh");
        asked.retain(|r| r.header("x-session-activity") == "passive");
        asked.len()
    };

    // A video plays: no one touches the tab.
    let play = "const page = await import('/session.js');
        window.playing = setInterval(page.keepAlive, 200);";
    browser.wait_for(play).await;
    sleep(IDLE + IDLE / 4).await;
    browser.until_state("signed-in").await;
    assert_eq!(passive(), 0);
    browser.run("clearInterval(window.playing)").await;

    let end = Instant::now() + IDLE + IDLE / 4;
    while Instant::now() < end {
        browser.press("#email").await;
        sleep(Duration::from_millis(300)).await;
    }
    browser.until_state("signed-in").await;
    assert_eq!(passive(), 0);

    // Left open.
    let left = Instant::now();
    browser.until_state("signed-out").await;
    // From the last refresh that reported a touch, until the one at the end. Timers refresh twice a minute at most.
    let after = left.elapsed();
    let slack = IDLE / 3;
    let floor = Duration::from_secs(30);
    assert!(
        after >= IDLE - slack && after < IDLE + floor + slack,
        "{after:?}"
    );
    assert!(passive() >= 1, "it asked at the end");
    assert_eq!(stage.alarms().await, 0);
}
