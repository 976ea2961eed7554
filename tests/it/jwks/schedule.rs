//! When the issuer is asked: by its own words, within bounds, before the set is stale.

use super::{
    Api, both,
    issuer::{Issuer, Reply, eventually},
    signer,
};

/// When the second request comes, in seconds: not `before`, and by `after`.
async fn comes_between(reply: Reply, before: u64, after: u64) {
    let issuer = Issuer::start(reply.clone()).await;
    let api = Api::ready(&issuer).await;
    api.skip_secs(before).await;
    // Nothing to wait for. Should it come late, there is one too many below.
    assert_eq!(issuer.requests(), 1, "{reply:?}");
    api.skip_secs(after - before).await;
    eventually("asked again", || issuer.requests() == 2).await;
    eventually("answered", || {
        let confirmed = api.keys.health().confirmed_at();
        confirmed == Some(super::START + std::time::Duration::from_secs(after))
    })
    .await;
    assert_eq!(issuer.requests(), 2, "{reply:?}");
    assert_eq!(api.events.take(), ["fetched 1"], "the set is the same");
}

#[tokio::test]
async fn by_what_the_issuer_says() {
    let set = || Reply::set(signer("a", 1).jwks());
    let says = |value: &str| set().with("cache-control", value);
    // The request comes between three and three and a half quarters of the time.
    comes_between(set(), 224, 263).await;
    comes_between(says("max-age=600"), 449, 526).await;
    comes_between(says("public, max-age=600").with("age", "300"), 224, 263).await;
    for at_once in [
        "max-age=0",
        "no-store",
        "no-cache",
        "max-age=abc",
        "max-age=5",
    ] {
        comes_between(says(at_once), 44, 53).await;
    }
    for absurd in ["max-age=31536000", "max-age=99999999999999999999"] {
        comes_between(says(absurd), 2699, 3151).await;
    }
    comes_between(says("max-age=600").with("age", "100000"), 44, 53).await;
}

#[tokio::test]
async fn a_rotation_is_followed_without_a_request() {
    let (old, new) = (signer("a", 1), signer("b", 2));
    let issuer = Issuer::start(Reply::set(old.jwks())).await;
    let api = Api::ready(&issuer).await;
    let tokens = [api.token(&old), api.token(&new)];
    let passes = async || [api.status(&tokens[0]).await, api.status(&tokens[1]).await];
    issuer.says(Reply::set(both(&old, &new)));
    api.skip_secs(263).await;
    eventually("both keys", || api.keys.health().keys() == 2).await;
    assert_eq!(passes().await, [200, 200]);
    issuer.says(Reply::set(new.jwks()));
    api.skip_secs(263).await;
    eventually("the new key", || api.keys.health().keys() == 1).await;
    // No union: what the issuer has taken back is gone.
    assert_eq!(passes().await, [401, 200]);
    assert_eq!(issuer.requests(), 3);
    assert_eq!(api.events.take(), ["fetched 1", "fetched 2", "fetched 1"]);
}

#[tokio::test]
async fn a_set_that_did_not_change_is_not_sent_again() {
    let (key, other) = (signer("a", 1), signer("b", 2));
    let first = Reply::set(key.jwks())
        .with("etag", "\"one\"")
        .with("cache-control", "max-age=600");
    let issuer = Issuer::start(first).await;
    let api = Api::ready(&issuer).await;
    let token = api.token(&key);
    issuer.says(Reply::Answer(304, Vec::new(), String::new()));
    api.skip_secs(526).await;
    eventually("asked again", || issuer.requests() == 2).await;
    assert_eq!(issuer.last()["if-none-match"], "\"one\"");
    eventually("confirmed", || {
        api.keys.health().confirmed_at() == Some(super::START + std::time::Duration::from_secs(526))
    })
    .await;
    assert_eq!(api.status(&token).await, 200);
    // It did not say otherwise, so it is fresh as long as before.
    api.skip_secs(449).await;
    assert_eq!(issuer.requests(), 2);
    // It does now, with another tag.
    issuer.says(
        Reply::Answer(304, Vec::new(), String::new())
            .with("cache-control", "max-age=60")
            .with("etag", "W/\"two\""),
    );
    api.skip_secs(77).await;
    eventually("asked a third time", || issuer.requests() == 3).await;
    eventually("confirmed", || {
        api.keys.health().confirmed_at()
            == Some(super::START + std::time::Duration::from_secs(526 + 526))
    })
    .await;
    issuer.says(Reply::set(other.jwks()));
    api.skip_secs(53).await;
    eventually("another set", || api.events.count() == 2).await;
    assert_eq!(issuer.last()["if-none-match"], "W/\"two\"");
    assert_eq!(api.status(&token).await, 401);
    // Without a tag nothing is compared.
    api.keys.refresh().await.unwrap();
    assert!(issuer.last().get("if-none-match").is_none());
    assert_eq!(api.events.take(), ["fetched 1", "fetched 1"]);
}

#[tokio::test]
async fn failures_are_tried_again_ever_later() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::Close).await;
    let api = Api::new(&issuer);
    let token = api.token(&key);
    eventually("failed", || api.events.count() == 1).await;
    // No sooner than half of the pause, and by its end.
    for (failed, pause) in [(1_u32, 2_u64), (2, 4), (3, 8), (4, 16)] {
        // The pause before this one was a half of it.
        let (_, after) = api.brief(&token).await;
        assert!(after.unwrap() <= pause / 2, "{after:?} after {failed}");
        api.skip_secs(pause / 2).await;
        eventually("failed again", || {
            api.keys.health().failures() == failed + 1
        })
        .await;
    }
    // A caller that asks meanwhile hurries no other.
    for _ in 0..100 {
        assert_eq!(api.status(&token).await, 503);
    }
    api.skip_secs(7).await;
    assert_eq!(issuer.requests(), 5);
    issuer.says(Reply::set(key.jwks()));
    api.skip_secs(9).await;
    eventually("ready", || api.keys.health().is_ready()).await;
    assert_eq!(api.status(&token).await, 200);
    let events = api.events.take();
    assert_eq!(events[0], "unavailable Connection 1 None");
    assert_eq!(
        events[4..],
        ["unavailable Connection 5 None", "back", "fetched 1"]
    );
    assert_eq!(issuer.requests(), 6);
}
