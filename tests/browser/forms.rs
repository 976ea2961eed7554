//! Forms of pages that a server renders, in every browser.

use std::collections::BTreeSet;

use axum::http::StatusCode;

use crate::harness::{Browser, Engine, Example, Pages, in_every_engine};

in_every_engine! {
    twenty_restored_tabs_can_all_submit
    a_page_opened_from_another_site_can_submit
    a_rendered_page_opened_from_another_site_knows_its_user_after_its_link
}

const HOST: &str = "app.pages.localhost";
const TABS: usize = 20;

/// A user who has filled the form in does this.
const SUBMIT: &str = "document.forms[0].submit()";

/// The browser has restored its tabs and kept the session, but not the CSRF cookie. All tabs ask before one of them is
/// answered. Each comes without that cookie and gets another, and the browser keeps the last.
async fn twenty_restored_tabs_can_all_submit(engine: Engine) {
    let pages = Pages::start().await;
    let browser = Browser::start(engine).await;
    browser.go(&pages.url(HOST, "/sign-in")).await;
    let mut cookies = BTreeSet::new();
    let mut tabs = Vec::new();
    for _ in 0..TABS {
        // One after the other, for a browser has six connections to a host.
        let forget = "document.cookie = 'csrf=; Path=/; Max-Age=0'; return document.cookie";
        assert_eq!(browser.run(forget).await, "");
        tabs.push(browser.new_tab().await);
        browser.go(&pages.url(HOST, "/form")).await;
        cookies.insert(browser.run("return document.cookie").await.to_string());
    }
    assert_eq!(cookies.len(), TABS, "each has a cookie of its own");

    let mut passed = 0;
    for tab in &tabs {
        browser.switch_to(tab).await;
        passed += usize::from(pages.posted(&browser, SUBMIT).await == StatusCode::OK);
    }
    assert_eq!(passed, TABS);
}

/// A link in a mail, after the browser was closed. The browser leaves the session's `SameSite=Strict` cookie out of the
/// request for the page. It sends the cookie with the page's form.
async fn a_page_opened_from_another_site_can_submit(engine: Engine) {
    let pages = Pages::start().await;
    let browser = Browser::start(engine).await;
    browser.go(&pages.url(HOST, "/sign-in")).await;
    browser.forget_session_cookies().await;
    follow(&pages, &browser, &pages.url(HOST, "/form")).await;
    browser.until_title("form").await;
    let loaded = pages.asked("/form").pop().unwrap();
    assert!(!loaded.header("cookie").contains("refresh_token="));

    let status = pages.posted(&browser, SUBMIT).await;
    let posted = pages.asked("/save").pop().unwrap();
    assert!(posted.header("cookie").contains("refresh_token="));
    assert_eq!(status, StatusCode::OK);
}

/// Follows a link to `url` on a page of another site.
async fn follow(pages: &Pages, browser: &Browser, url: &str) {
    browser.go(&pages.url("mail.localhost", "/")).await;
    let follow = format!(
        "const link = document.createElement('a');
         link.href = '{url}';
         document.body.append(link);
         link.click();"
    );
    browser.run(&follow).await;
}

/// The example `rendered`, whose session cookie is `SameSite=Strict`.
async fn a_rendered_page_opened_from_another_site_knows_its_user_after_its_link(engine: Engine) {
    let (pages, example) = (Pages::start().await, Example::rendered().await);
    let browser = Browser::start(engine).await;
    browser.go(&format!("{}/sign-in", example.url)).await;
    let fill = "document.querySelector('[name=email]').value = 'dev@example.com';
         document.querySelector('[name=password]').value = 'correct horse battery staple'";
    browser.run(fill).await;
    browser.press("button").await;
    browser.until_says("Signed in as Dev Example").await;

    follow(&pages, &browser, &format!("{}/notes", example.url)).await;
    browser.until_says("You come from another site").await;
    browser.press("a").await;
    browser.until_says("Signed in as Dev Example").await;
}
