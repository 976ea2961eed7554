//! A cookie that a thief has copied out of the browser.

use axum::http::{Method, StatusCode};

use crate::harness::{QUICK, Stage, an_interval};

const THIEF: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:152.0) Gecko/20100101 Firefox/152.0";
const WHY: &str = "the session was ended, has run out, or was used elsewhere";
const ALERT: &str = "An old copy of your session was used";
const NOTICE: &str = "A browser calling itself Firefox on Windows uses your session";

async fn signed_in() -> Stage {
    let stage = Stage::with("127.0.0.1", &[("INSECURE_COOKIE", "0"), QUICK]).await;
    stage.browser.sign_in().await;
    stage
}

/// The thief comes late. One cookie later it is told to wait, for honest windows come so too. Two cookies later it is a
/// thief.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_cookie_used_elsewhere_ends_the_session_and_the_user_is_told() {
    let stage = signed_in().await;
    let browser = &stage.browser;
    let stolen = browser.session_cookies().await;
    let mut thief = stage.client(THIEF).with_cookies(&stolen);
    browser.reload().await;
    browser.until_state("signed-in").await;
    let next = browser.session_cookies().await;
    assert_ne!(next, stolen, "the browser has rotated");
    let answer = thief.refresh().await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.body["code"], "superseded");
    assert_eq!(stage.alarms().await, 0);

    an_interval().await;
    browser.reload().await;
    browser.until_state("signed-in").await;
    let newest = browser.session_cookies().await;
    assert_ne!(newest, next, "the browser has rotated again");
    let first = browser.tab().await;
    let other = browser.open_tabs(&stage.origin, 1).await.remove(0);
    browser.switch_to(&other).await;
    browser.until_state("signed-in").await;

    let answer = thief.refresh().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.body["code"], "invalid_session");
    assert_eq!(stage.alarms().await, 1);

    // No user touches the page. It asks for the decision, finds out, and tells the other tab.
    for tab in [&other, &first] {
        browser.switch_to(tab).await;
        browser.until_state("signed-out").await;
        browser.until_text("status", WHY).await;
        assert_eq!(browser.text("email").await, "");
    }
    // The newest cookie is rejected as well, whichever client has it.
    let answer = stage.client(THIEF).with_cookies(&newest).refresh().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stage.alarms().await, 1, "one theft, one alarm");

    browser.sign_in().await;
    let alerts = browser.text("alert-list").await;
    assert!(alerts.contains(ALERT), "{alerts}");
    assert!(alerts.contains("Firefox on Windows"), "{alerts}");
    let hidden = "return document.getElementById('alerts').hidden";
    assert_eq!(browser.run(hidden).await, false);
    browser.until_text("log", "reuse detected").await;
    browser.click("alerts-read").await;
    crate::harness::until("the alert is gone", async || {
        browser.run(hidden).await == true
    })
    .await;
    browser.reload().await;
    browser.until_state("signed-in").await;
    assert_eq!(browser.run(hidden).await, true, "read is read");
}

/// The thief comes first, and for a while has the session. The browser's next refresh ends it for both.
#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_used_elsewhere_first_is_found_out_by_its_owner() {
    let stage = signed_in().await;
    let browser = &stage.browser;
    let stolen = browser.session_cookies().await;
    let mut thief = stage.client(THIEF).with_cookies(&stolen);
    // A new client shows first that it has kept the next cookie.
    let answer = thief.refresh().await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.body["access_token"], serde_json::Value::Null);
    let answer = thief.refresh().await;
    assert_eq!(answer.status, StatusCode::OK);
    let token = answer.body["access_token"].as_str().unwrap().to_owned();

    // The page asks what was decided, and lists the sessions where that is new. Within the grace it is told to wait;
    // then it knows.
    browser.until_state("signed-out").await;
    assert!(browser.text("status").await.contains(WHY));
    assert_eq!(stage.alarms().await, 1);
    assert_eq!(thief.refresh().await.status, StatusCode::UNAUTHORIZED);

    // The thief still has an access token for some minutes. The alert is not for its eyes, and not for it to put away.
    let seen = thief.api(Method::GET, "/api/alerts", &token).await;
    let seen = seen.body["alerts"].as_array().unwrap();
    assert!(seen.iter().all(|alert| alert["what"] == "new_client"));
    thief.api(Method::DELETE, "/api/alerts", &token).await;
    browser.sign_in().await;
    let alerts = browser.text("alert-list").await;
    assert!(
        alerts.contains(ALERT) && alerts.contains(NOTICE),
        "{alerts}"
    );
}
