//! Many tabs of one browser: one session, and one truth about it.

use axum::http::StatusCode;

use crate::harness::Stage;

const TABS: usize = 10;

/// A restored browser: every tab has lost its token and refreshes, all at once.
async fn restore_tabs(stage: &Stage) {
    let browser = &stage.browser;
    let before = stage.asked("/auth/refresh").len();
    for tab in browser.open_tabs(&stage.origin, TABS).await {
        browser.switch_to(&tab).await;
        browser.until_state("signed-in").await;
    }
    let list = "return (await (await fetch('/auth/sessions')).json()).sessions";
    let sessions = browser.wait_for(list).await;
    assert_eq!(sessions.as_array().unwrap().len(), 1, "{sessions}");
    let refreshes = stage.asked("/auth/refresh").split_off(before);
    assert!(refreshes.len() >= TABS, "{}", refreshes.len());
    for refresh in &refreshes {
        assert_eq!(refresh.status, StatusCode::OK);
    }
    assert_eq!(stage.alarms().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_restored_tabs_share_one_session() {
    let stage = Stage::signed_in().await;
    restore_tabs(&stage).await;
}

/// Plain http on a host that is not this machine's own. Browsers have no Web Locks there, and the tabs do not wait for
/// each other.
#[tokio::test(flavor = "multi_thread")]
async fn ten_restored_tabs_without_locks_share_one_session() {
    let stage = Stage::with("app.test", &[("INSECURE_COOKIE", "1")]).await;
    stage.browser.sign_in().await;
    let locks = stage.browser.run("return typeof navigator.locks").await;
    assert_eq!(locks, "undefined");
    restore_tabs(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_in_one_tab_are_seen_in_the_others() {
    let stage = Stage::start().await;
    let browser = &stage.browser;
    browser.until_state("signed-out").await;
    let first = browser.tab().await;
    let others = browser.open_tabs(&stage.origin, 2).await;
    browser.switch_to(&others[0]).await;
    browser.sign_in().await;
    for tab in [&first, &others[1]] {
        browser.switch_to(tab).await;
        browser.until_state("signed-in").await;
    }
    browser.click("sign-out").await;
    for tab in [&first, &others[0], &others[1]] {
        browser.switch_to(tab).await;
        browser.until_state("signed-out").await;
        assert_eq!(browser.text("status").await, "You are signed out.");
        assert_eq!(browser.text("email").await, "");
    }
    // The others were told, and no tab asked for a session before there was one.
    let refused = stage.asked("/auth/refresh");
    let refused = refused.iter().filter(|r| r.status != StatusCode::OK);
    let refused: Vec<_> = refused.collect();
    assert!(refused.is_empty(), "{refused:#?}");
}
