//! Connections that end with their token, and a page that goes on with the next one.

use std::time::Duration;

use tokio::time::sleep;

use crate::harness::{Browser, Engine, Example, PASSWORD, in_every_engine, until};

in_every_engine! {
    connections_end_with_their_token_and_begin_again_with_the_next
}

async fn connections_end_with_their_token_and_begin_again_with_the_next(engine: Engine) {
    let example = Example::live("4").await;
    let browser = Browser::start(engine).await;
    browser.go(&example.url).await;
    browser.until_text("status", "out").await;
    let fill = format!(
        "document.querySelector('[name=password]').value = '{PASSWORD}';
         document.querySelector('form').requestSubmit()"
    );
    browser.run(&fill).await;
    browser.until_text("status", "in").await;
    for (id, end) in [("socket", "closed: 4401"), ("feed", "ended")] {
        // A line of the connection after the one that ended.
        until(&format!("#{id} goes on after `{end}`"), async || {
            let text = browser.text(id).await;
            let after = text.split(end).nth(1);
            after.is_some_and(|after| after.contains("user-1 until "))
        })
        .await;
    }
    browser.click("sign-out").await;
    browser.until_text("status", "out: signed_out").await;
    // No connection goes on for a user who has signed out: lines come each second.
    let ended = || async {
        let text = browser.text("socket").await;
        text.trim_end()
            .lines()
            .last()
            .unwrap_or_default()
            .starts_with("closed: ")
    };
    until("the socket is closed", async || ended().await).await;
    let shown = async || (browser.text("socket").await, browser.text("feed").await);
    until("no line comes any more", async || {
        let before = shown().await;
        sleep(Duration::from_millis(2500)).await;
        shown().await == before
    })
    .await;
}
