//! The service as the proxy asks it, and the page behind it.

use crate::support::{Browser, Ended, LOCAL, Program, example, keys};

#[tokio::test]
async fn a_token_opens_the_page() {
    let keys = keys();
    let mut command = example("forward_auth");
    command
        .envs(keys.clone())
        .env("CHECK_ADDR", LOCAL)
        .env("PAGE_ADDR", LOCAL);
    let service = Program::start(&mut command, "for the page").await;
    let [mut proxy, mut page] = [0, 1].map(|number| Browser::new(service.url(number)));

    proxy
        .get("/check")
        .await
        .is(401)
        .has("www-authenticate", "Bearer");
    proxy.get("/check").bearer("e30.e30.e30").await.is(401);
    page.get("/").await.is(401);

    let minted = Ended::of(example("forward_auth").envs(keys).args(["token", "alice"]));
    assert!(minted.success, "{}", minted.err);
    proxy
        .get("/check")
        .bearer(minted.out.trim_end())
        .await
        .is(204)
        .has("x-auth-subject", "alice");
    page.get("/")
        .header("x-auth-subject", "alice")
        .await
        .is(200)
        .says_just("Payroll for alice");
}
