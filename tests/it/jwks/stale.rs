//! An issuer that is away: what holds, for how long, and what is said of it.

use std::{net::SocketAddr, time::Duration};

use tokio::net::TcpListener;
use tower_bearer::{TokenErrorKind, jwks::JwksErrorKind};

use super::{
    Api, START, both,
    issuer::{Issuer, Reply, eventually},
    pass, pass_until, signer,
};

/// An address that no server listens at.
async fn unused_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn it_is_down_at_the_start_and_then_comes() {
    let key = signer("a", 1);
    let addr = unused_address().await;
    let api = Api::with(format!("http://{addr}/jwks.json"), |b| b);
    let token = api.token(&key);
    let error = api.keys.refresh().await.unwrap_err();
    assert_eq!(error.kind(), JwksErrorKind::Connection);
    assert_eq!(api.brief(&token).await, (503, Some(1)));
    assert!(!api.keys.health().is_ready());
    let issuer = Issuer::start_at(addr, Reply::set(key.jwks())).await;
    // By itself, after the pause.
    api.skip_secs(2).await;
    eventually("ready", || api.keys.health().is_ready()).await;
    assert_eq!(api.status(&token).await, 200);
    assert_eq!(issuer.requests(), 1);
    let events = api.events.take();
    assert_eq!(events.first().unwrap(), "unavailable Connection 1 None");
    assert_eq!(events[events.len() - 2..], ["back", "fetched 1"]);
}

#[tokio::test]
async fn it_goes_down_and_its_tokens_pass_until_the_stale_limit() {
    let (key, new) = (signer("a", 1), signer("b", 2));
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let api = Api::with(issuer.url(), |b| b.stale_limit(hours(4)));
    api.keys.refresh().await.unwrap();
    let (known, unknown) = (api.token(&key), api.token(&new));
    issuer.says(Reply::Answer(500, Vec::new(), "down".into()));
    let until = START + Duration::from_secs(300) + hours(4);
    assert_eq!(api.keys.health().usable_until(), Some(until));

    api.skip_secs(263).await;
    eventually("failed", || api.keys.health().failures() == 1).await;
    assert_eq!(
        api.events.take(),
        ["fetched 1", "unavailable Status 1 Some(14700)"]
    );
    assert_eq!(api.status(&known).await, 200);
    // A name that is not in the last set is refused: made-up ones would be 503 for hours.
    assert_eq!(api.brief(&unknown).await, (401, None));
    assert!(api.keys.health().is_ready());

    // Almost there.
    api.skip_secs(14_699 - 263).await;
    eventually("failed again", || api.keys.health().failures() >= 2).await;
    assert_eq!(api.status(&known).await, 200);
    assert!(!api.events.take().contains(&"expired".to_owned()));
    // There: at once, whatever the task does.
    api.clock.advance(Duration::from_secs(1));
    assert_eq!(api.status(&known).await, 503);
    assert!(!api.keys.health().is_ready());
    pass(Duration::from_secs(1)).await;
    let error = api.codec.verify(&known).unwrap_err();
    assert_eq!(error.kind(), TokenErrorKind::KeysUnavailable);
    assert_eq!(api.keys.health().usable_until(), None);
    eventually("said", || api.events.count() > 0).await;
    assert_eq!(api.events.take()[0], "expired");

    // And back: within a minute, of itself.
    issuer.says(Reply::set(both(&key, &new)));
    api.skip_secs(60).await;
    eventually("ready", || api.keys.health().is_ready()).await;
    assert_eq!(
        [api.status(&known).await, api.status(&unknown).await],
        [200, 200]
    );
    let events = api.events.take();
    assert_eq!(events[events.len() - 2..], ["back", "fetched 2"]);
}

/// Zero is for those who would rather be down than use a key that may have been taken back.
#[tokio::test]
async fn without_a_stale_limit_the_keys_go_when_they_are_not_fresh() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let api = Api::with(issuer.url(), |b| b.stale_limit(Duration::ZERO));
    api.keys.refresh().await.unwrap();
    let token = api.token(&key);
    issuer.says(Reply::Close);
    api.skip_secs(263).await;
    eventually("failed", || api.keys.health().failures() == 1).await;
    assert_eq!(api.status(&token).await, 200);
    api.skip_secs(37).await;
    assert!(!api.keys.health().is_ready());
    assert_eq!(api.status(&token).await, 503);
    issuer.says(Reply::set(key.jwks()));
    api.keys.refresh().await.unwrap();
    assert_eq!(api.status(&token).await, 200);
}

/// A date that is set back puts nothing off, and one that jumps ahead is noticed.
#[tokio::test]
async fn clocks_that_disagree() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let api = Api::ready(&issuer).await;
    api.clock.set(START - Duration::from_secs(86_400));
    pass_until("asked, by the runtime's clock", || issuer.requests() == 2).await;
    eventually("answered", || {
        api.keys.health().confirmed_at() < Some(START)
    })
    .await;
    // The machine slept for a day, and its runtime knows nothing of it.
    api.clock.advance(Duration::from_secs(86_400));
    let asked = issuer.requests();
    pass(Duration::from_secs(30)).await;
    eventually("asked, by the date", || issuer.requests() == asked + 1).await;
    // And at once, where a token comes that cannot be judged.
    eventually("answered", || api.keys.health().is_ready()).await;
    api.clock.advance(Duration::from_secs(86_400));
    assert_eq!(api.status(&api.token(&key)).await, 503);
    eventually("asked, for a token", || issuer.requests() == asked + 2).await;
}
