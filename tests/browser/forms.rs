//! Forms of pages that a server renders, in every browser.

use std::collections::BTreeSet;

use axum::http::StatusCode;

use crate::harness::{Browser, Engine, Pages, in_every_engine};

in_every_engine! {
    twenty_restored_tabs_can_all_submit
    a_page_opened_from_another_site_can_submit
}

const HOST: &str = "app.pages.localhost";
const TABS: usize = 20;

/// A user who has filled the form in does this.
const SUBMIT: &str = "document.forms[0].submit()";

/// The browser has restored its tabs and kept the session, but not the CSRF cookie. All tabs ask before one of
/// them is answered: each comes without that cookie and gets another, and the browser keeps the last.
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

/// A link in a mail, after the browser was closed. It leaves the `SameSite=Strict` cookie of the session out of the
/// request for the page, and sends it with the page's form.
async fn a_page_opened_from_another_site_can_submit(engine: Engine) {
    let pages = Pages::start().await;
    let browser = Browser::start(engine).await;
    browser.go(&pages.url(HOST, "/sign-in")).await;
    browser.forget_session_cookies().await;
    browser.go(&pages.url("mail.localhost", "/")).await;
    let follow = format!(
        "const link = document.createElement('a');
         link.href = '{}';
         document.body.append(link);
         link.click();",
        pages.url(HOST, "/form")
    );
    browser.run(&follow).await;
    browser.until_title("form").await;
    let loaded = pages.asked("/form").pop().unwrap();
    assert!(!loaded.header("cookie").contains("refresh_token="));

    let status = pages.posted(&browser, SUBMIT).await;
    let posted = pages.asked("/save").pop().unwrap();
    assert!(posted.header("cookie").contains("refresh_token="));
    assert_eq!(status, StatusCode::OK);
}
