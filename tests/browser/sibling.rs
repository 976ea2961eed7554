//! A host of the same site that is in the hands of an attacker, in every browser. It loads from its
//! sibling with all cookies.

use axum::http::StatusCode;
use serde_json::json;

use crate::harness::{Browser, Engine, Pages, in_every_engine};

in_every_engine! { a_masked_token_is_no_script }

const HOST: &str = "app.pages.localhost";
const SIBLING: &str = "blog.pages.localhost";

/// The text that the attacker's page reads, when it loads `path` of its sibling as a script so many times.
async fn read(browser: &Browser, pages: &Pages, path: &str, length: usize, loads: usize) -> String {
    let target = pages.url(HOST, path);
    let attack = format!("/attack?target={target}&length={length}&loads={loads}");
    browser.go(&pages.url(SIBLING, &attack)).await;
    browser.until_text("read", "read:").await;
    let read = browser.text("read").await;
    read.trim_start_matches("read: ").trim().to_owned()
}

/// Posts a form from the attacker's page, with a token that it has put together.
async fn forge(browser: &Browser, pages: &Pages, token: &str) -> StatusCode {
    let script = format!(
        "const form = document.createElement('form');
         form.method = 'post';
         form.action = '{}';
         const field = document.createElement('input');
         field.name = 'csrf_token';
         field.value = '{token}';
         form.append(field);
         document.body.append(form);
         form.submit();",
        pages.url(HOST, "/save")
    );
    pages.posted(browser, &script).await
}

async fn a_masked_token_is_no_script(engine: Engine) {
    let pages = Pages::start().await;
    let browser = Browser::start(engine).await;
    browser.go(&pages.url(HOST, "/sign-in")).await;
    browser.go(&pages.url(HOST, "/form")).await;
    let field = "return document.forms[0].elements.csrf_token.value";
    let token = browser.run(field).await;
    let (tag, rest) = token.as_str().unwrap().split_once('.').unwrap();
    // One of the two has nothing but its text to keep scripts away.
    let headers = "const { headers } = await fetch('/bare');
                   return ['x-content-type-options', 'cross-origin-resource-policy'].map((name) => headers.get(name))";
    assert_eq!(browser.wait_for(headers).await, json!([null, null]));
    // A member access is read, so the trap works here.
    assert_eq!(read(&browser, &pages, "/name", 3, 1).await, "abc");

    // The trap catches by chance: of ten such runs about nine read a token that is a script. A token that is none is
    // caught in no run.
    for path in ["/token", "/bare"] {
        let caught = read(&browser, &pages, path, rest.len(), 40).await;
        let asked = pages.asked(path);
        // The browser did send it, for the signed-in user, and was answered.
        let last = asked.last().unwrap();
        assert_eq!(last.status, StatusCode::OK, "{path}");
        assert!(last.header("cookie").contains("refresh_token="), "{path}");
        let forged = forge(&browser, &pages, &format!("{tag}.{caught}")).await;
        let loads = asked.len();
        assert_eq!(
            (&*caught, forged),
            ("", StatusCode::FORBIDDEN),
            "{path}: {loads} loads"
        );
    }
}
