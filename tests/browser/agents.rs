//! One profile with two names: a tab with the desktop site of a telephone, a web view beside native code.

use std::collections::BTreeSet;

use axum::http::StatusCode;

use crate::harness::{QUICK, Seen, Stage, an_interval, until};

const DESKTOP: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15";
const WAKES: usize = 10;

/// Listens for a wake as long as the tab lives. Timers of hidden tabs would be late.
const SLEEPER: &str = "new BroadcastChannel('wake').onmessage = () => location.reload()";

/// On a host without Web Locks, so that no tab waits for the other. Each wake comes an interval after the one before,
/// and rotates.
#[tokio::test(flavor = "multi_thread")]
async fn ten_simultaneous_wakes_of_two_user_agents_sign_no_user_out() {
    let stage = Stage::with("app.test", &[("INSECURE_COOKIE", "1"), QUICK]).await;
    let browser = &stage.browser;
    browser.sign_in().await;
    let first = browser.tab().await;
    let second = browser.new_tab().await;
    browser.call_itself(DESKTOP).await;
    for tab in [&first, &second] {
        browser.switch_to(tab).await;
        let sleeper = serde_json::json!({ "source": SLEEPER });
        let method = "Page.addScriptToEvaluateOnNewDocument";
        browser.cdp(method, sleeper).await;
        browser.go(&stage.origin).await;
        browser.until_state("signed-in").await;
    }

    for wake in 1..=WAKES {
        an_interval().await;
        let before = stage.asked("/auth/refresh").len();
        let since = || stage.asked("/auth/refresh").split_off(before);
        browser
            .run("new BroadcastChannel('wake').postMessage('now')")
            .await;
        until("both tabs have a token again", async || {
            let served = since().into_iter().filter(|r| r.status == StatusCode::OK);
            agents(served).len() == 2
        })
        .await;
        for tab in [&first, &second] {
            browser.switch_to(tab).await;
            browser.until_state("signed-in").await;
        }
        let answers = since();
        assert!(answers.iter().any(|r| r.sets_refresh_cookie), "wake {wake}");
        let refused = answers
            .iter()
            .find(|r| !matches!(r.status, StatusCode::OK | StatusCode::CONFLICT));
        assert!(refused.is_none(), "wake {wake}: {refused:?}");
    }
    assert_eq!(stage.alarms().await, 0);
    assert_eq!(stage.logged("a client new to session").await, 1);
}

fn agents(seen: impl Iterator<Item = Seen>) -> BTreeSet<String> {
    seen.map(|r| r.header("user-agent").to_owned()).collect()
}
