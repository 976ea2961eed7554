//! Tests of the whole application, by a browser without a network and a clock that they move.

use std::time::Duration;

use axum::http::header::COOKIE;
use example_users::{DEMO_EMAIL, DEMO_PASSWORD};
use tower_bearer::{
    Auth, KeyRing, ManualClock, MemoryStore, Timestamp,
    test_util::{TestBrowser, TestResponse},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A browser, and the clock of the browser and of the application.
fn start() -> (TestBrowser, ManualClock) {
    let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
    let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let auth = Auth::builder(&KeyRing::generate().unwrap())
        .tokens(|tokens| tokens.clock(clock.clone()))
        .store(store);
    let app = crate::app(auth).unwrap();
    let browser = TestBrowser::new(app, "https://app.example").clock(clock.clone());
    (browser, clock)
}

/// Opens a page, and returns the CSRF token of its first form.
async fn token(browser: &mut TestBrowser, page: &str) -> String {
    let answer = browser.get(page).send().await.expect_status(200);
    let (_, rest) = answer
        .text()
        .split_once(r#"name="csrf_token" value=""#)
        .unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Sends a form of `page` with this token.
async fn send(
    browser: &mut TestBrowser,
    page: &str,
    token: &str,
    fields: &[(&str, &str)],
) -> TestResponse {
    let fields = [&[("csrf_token", token)], fields].concat();
    browser.post(page).form(fields).send().await
}

/// Opens a page and sends its form.
async fn submit(browser: &mut TestBrowser, page: &str, fields: &[(&str, &str)]) -> TestResponse {
    let token = token(browser, page).await;
    send(browser, page, &token, fields).await
}

async fn sign_in(browser: &mut TestBrowser, remember: bool) {
    let mut fields = vec![("email", DEMO_EMAIL), ("password", DEMO_PASSWORD)];
    if remember {
        fields.push(("remember", "on"));
    }
    let answer = submit(browser, "/sign-in", &fields)
        .await
        .expect_status(303);
    assert_eq!(answer.header("location"), Some("/notes"));
}

/// Whether the private page knows its user.
async fn is_signed_in(browser: &mut TestBrowser) -> bool {
    let answer = browser.get("/notes").send().await;
    match answer.header("location") {
        Some("/sign-in") => false,
        _ => answer
            .expect_status(200)
            .text()
            .contains("Signed in as Dev Example"),
    }
}

#[tokio::test]
async fn a_wrong_password_shows_the_form_with_the_address_and_without_the_password() {
    let (mut browser, _) = start();
    let fields = [("email", r#""><b>@example.com"#), ("password", "hunter2")];
    let answer = submit(&mut browser, "/sign-in", &fields)
        .await
        .expect_status(422);
    assert!(answer.text().contains("password is wrong"), "{answer:?}");
    assert!(
        answer.text().contains("&quot;&gt;&lt;b&gt;@example.com"),
        "{answer:?}"
    );
    assert!(!answer.text().contains("hunter2"), "{answer:?}");
}

#[tokio::test]
async fn a_remembered_session_outlives_the_browser_and_another_does_not() {
    let (mut browser, clock) = start();
    sign_in(&mut browser, true).await;
    browser.close();
    clock.advance(29 * DAY);
    assert!(is_signed_in(&mut browser).await);
    clock.advance(2 * DAY);
    assert!(!is_signed_in(&mut browser).await);

    sign_in(&mut browser, false).await;
    let mut restored = browser.clone();
    browser.close();
    assert!(!is_signed_in(&mut browser).await);
    assert!(is_signed_in(&mut restored).await);
    clock.advance(DAY / 2);
    assert!(!is_signed_in(&mut restored).await);
}

#[tokio::test]
async fn a_form_whose_token_has_expired_is_shown_again_with_its_text() {
    let (mut browser, _) = start();
    sign_in(&mut browser, true).await;
    let old = token(&mut browser, "/notes").await;
    submit(&mut browser, "/sessions", &[("end", "this")])
        .await
        .expect_status(303);
    sign_in(&mut browser, true).await;

    let fields = [("email", "ann@example.com"), ("password", "hunter2")];
    let answer = send(&mut browser, "/sign-in", &old, &fields)
        .await
        .expect_status(403);
    assert!(
        answer.text().contains(r#"value="ann@example.com""#),
        "{answer:?}"
    );
    assert!(!answer.text().contains("hunter2"), "{answer:?}");

    let note = [("text", "buy <milk>")];
    let answer = send(&mut browser, "/notes", &old, &note)
        .await
        .expect_status(403);
    assert!(answer.text().contains(crate::page::EXPIRED), "{answer:?}");
    assert!(
        answer.text().contains("buy &lt;milk&gt;</textarea>"),
        "{answer:?}"
    );
    assert!(
        !answer.text().contains("<li>"),
        "nothing is stored: {answer:?}"
    );

    let answer = send(&mut browser, "/sessions", &old, &[("end", "all")])
        .await
        .expect_status(403);
    assert!(answer.text().contains(crate::page::EXPIRED), "{answer:?}");

    submit(&mut browser, "/notes", &note)
        .await
        .expect_status(303);
    let answer = browser.get("/notes").send().await;
    assert!(
        answer.text().contains("<li>buy &lt;milk&gt;</li>"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_and_not_shown() {
    let (mut browser, _) = start();
    sign_in(&mut browser, true).await;
    let form = browser.post("/notes").form([("text", "planted")]);
    let answer = form.from_foreign_page("https://evil.example").send().await;
    let answer = answer.expect_status(403);
    assert!(!answer.text().contains("planted"), "{answer:?}");
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
}

#[tokio::test]
async fn a_link_in_a_mail_leads_to_a_page_whose_link_is_signed_in() {
    let (mut browser, _) = start();
    sign_in(&mut browser, true).await;
    // The browser keeps the `SameSite=Strict` cookie back.
    let followed = browser
        .get("/notes")
        .header("sec-fetch-site", "cross-site")
        .without(COOKIE);
    let answer = followed.send().await.expect_status(200);
    assert!(
        answer.text().contains(r#"<a href="">Continue</a>"#),
        "{answer:?}"
    );
    assert!(is_signed_in(&mut browser).await);
}

#[tokio::test]
async fn the_public_page_greets_its_user_and_leaves_the_cookies_alone() {
    let (mut browser, clock) = start();
    let answer = browser.get("/").send().await.expect_status(200);
    assert!(answer.text().contains("Sign in"), "{answer:?}");
    sign_in(&mut browser, true).await;
    clock.advance(DAY);
    let answer = browser.get("/").send().await.expect_status(200);
    assert!(answer.text().contains("Hello, Dev Example."), "{answer:?}");
    assert_eq!(answer.header("set-cookie"), None);
    let answer = browser.get("/notes").send().await.expect_status(200);
    assert!(
        answer.header("set-cookie").is_some(),
        "a private page uses the session"
    );
}

#[tokio::test]
async fn sessions_end_one_by_one_and_all_at_once() {
    let (mut browser, _) = start();
    let mut phone = browser.clone().user_agent("<phone>");
    sign_in(&mut browser, true).await;
    sign_in(&mut phone, true).await;
    let list = browser.get("/sessions").send().await;
    let (_, rest) = list.text().split_once("&lt;phone&gt;").unwrap();
    let (_, rest) = rest.split_once(r#"value=""#).unwrap();
    let id = rest.split('"').next().unwrap();
    submit(&mut browser, "/sessions", &[("end", id)])
        .await
        .expect_status(303);
    assert!(!is_signed_in(&mut phone).await);
    assert!(is_signed_in(&mut browser).await);

    sign_in(&mut phone, true).await;
    submit(&mut browser, "/sessions", &[("end", "all")])
        .await
        .expect_status(303);
    assert!(!is_signed_in(&mut phone).await);
    assert!(!is_signed_in(&mut browser).await);
}
