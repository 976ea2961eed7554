//! Shared by every scenario: the example, the proxy, the browser, and a client that is no browser.

mod browser;
mod cable;
mod client;
mod display;
mod engine;
mod example;
mod pages;
mod proxy;
mod site;
mod stage;

use std::time::Duration;

use tokio::time::sleep;

pub(crate) use browser::Browser;
pub(crate) use client::Client;
pub(crate) use engine::{Engine, in_every_engine};
pub(crate) use example::Example;
pub(crate) use pages::Pages;
pub(crate) use proxy::Seen;
pub(crate) use site::{Lives, Site};
pub(crate) use stage::{PASSWORD, Stage};

/// Two slow cores may be shared with a build: what comes at all comes within this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The shortest grace that the example takes. Cookies are then replaced every two seconds.
pub(crate) const QUICK: (&str, &str) = ("GRACE_SECONDS", "1");
const INTERVAL: Duration = Duration::from_secs(2);

/// Waits until the next refresh rotates, under [`QUICK`].
pub(crate) async fn an_interval() {
    sleep(INTERVAL + Duration::from_millis(50)).await;
}

/// Waits until `check` is true, and fails naming `what` if it never is.
pub(crate) async fn until(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !check().await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, wait).await.is_err() {
        panic!("waited in vain: {what}");
    }
}
