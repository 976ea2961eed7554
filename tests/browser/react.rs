//! A React page that Vite has built from the packed package.

use serde_json::json;

use crate::harness::{Engine, Lives, Site, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_react_page_signs_in_renews_without_mounting_again_and_signs_out() {
    let site = Site::start(Lives::default()).await;
    let browser = site.browser(Engine::Chromium).await;
    browser.go(&format!("{}/react", site.origin)).await;
    browser.until_status("out").await;
    assert_eq!(browser.text("reason").await, "no_session");
    browser
        .run("document.querySelector('[name=user]').value = 'user-2'")
        .await;
    browser.click("sign-in").await;
    browser.until_status("in").await;
    browser.until_text("user", "user-2").await;

    // In development React mounts everything twice; this is the page as users have it.
    let counts = async || browser.run("return counts()").await;
    let before = counts().await;
    assert_eq!(before["mounted"], 1);
    let refreshes = site.asked("/auth/refresh").len();
    for renewal in 1..=3 {
        browser.click("renew").await;
        until("it has renewed", async || {
            site.asked("/auth/refresh").len() == refreshes + renewal
                && browser
                    .run("return document.getElementById('renewing').textContent")
                    .await
                    == json!("")
        })
        .await;
    }
    let after = counts().await;
    assert_eq!(after["mounted"], 1, "nothing is mounted again");
    let drawn = after["drawn"].as_u64().unwrap() - before["drawn"].as_u64().unwrap();
    // The flag on and off, each time.
    assert!((1..=12).contains(&drawn), "{drawn}");

    browser.reload().await;
    browser.until_status("in").await;
    browser.until_text("user", "user-2").await;
    browser.click("sign-out").await;
    browser.until_status("out").await;
    assert_eq!(browser.text("reason").await, "signed_out");
}
