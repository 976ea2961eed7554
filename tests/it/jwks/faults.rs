//! Answers that are none. Whatever comes, the set in hand stays, and the next good one is taken.

use std::{error::Error as _, time::Duration};

use tower_bearer::jwks::{JwksError, JwksErrorKind, RemoteJwks};

use super::{
    Api,
    issuer::{Issuer, Reply, eventually},
    signer,
};

/// One bad answer: at the start, and when there is a good set already.
async fn refused(reply: Reply) -> JwksError {
    let key = signer("a", 1);
    let issuer = Issuer::start(reply.clone()).await;
    let api = Api::new(&issuer);
    let error = api.keys.refresh().await.unwrap_err();
    let token = api.token(&key);
    assert_eq!(api.status(&token).await, 503, "{reply:?}");
    assert_eq!(api.keys.health().keys(), 0);

    issuer.says(Reply::set(key.jwks()));
    api.keys.refresh().await.unwrap();
    assert_eq!(api.status(&token).await, 200);
    issuer.says(reply.clone());
    let again = api.keys.refresh().await.unwrap_err();
    assert_eq!(again.kind(), error.kind(), "{reply:?}");
    assert_eq!(api.status(&token).await, 200, "{reply:?}");
    let health = api.keys.health();
    assert_eq!((health.keys(), health.failures()), (1, 1));
    assert_eq!(health.last_error().unwrap().kind(), error.kind());

    issuer.says(Reply::set(key.jwks()));
    api.keys.refresh().await.unwrap();
    let health = api.keys.health();
    assert_eq!((health.keys(), health.failures()), (1, 0));
    assert!(health.last_error().is_none());
    let events = api.events.take();
    // Up to three, because the task tries again of itself meanwhile.
    let kind = format!("unavailable {:?} ", error.kind());
    assert!(events.first().unwrap().starts_with(&kind), "{events:?}");
    assert_eq!(
        events.iter().filter(|event| *event == "back").count(),
        2,
        "{events:?}"
    );
    error
}

#[tokio::test]
async fn statuses_other_than_200() {
    for status in [201, 204, 206, 301, 302, 304, 307, 400, 404, 429, 500, 503] {
        let good = signer("a", 1).jwks();
        // Without a body where there is none.
        let body = if [204, 304].contains(&status) {
            String::new()
        } else {
            good
        };
        let reply = Reply::Answer(status, Vec::new(), body).with("location", "/elsewhere");
        let error = refused(reply).await;
        assert_eq!(error.kind(), JwksErrorKind::Status);
        assert_eq!(error.status().unwrap(), status);
        let text = error.to_string();
        let said = format!("the issuer answered {status} instead of 200");
        assert!(text.starts_with(&said), "{text}");
        assert!(text.ends_with("/jwks.json)"), "{text}");
        let redirected = (300..400).contains(&status);
        assert_eq!(text.contains("redirects are not followed"), redirected);
    }
}

#[tokio::test]
async fn bodies_that_are_no_set() {
    let key = signer("a", 1).jwks();
    let list = key
        .strip_prefix(r#"{"keys":"#)
        .unwrap()
        .strip_suffix('}')
        .unwrap();
    let one = list.trim_matches(['[', ']']);
    for body in [
        String::new(),
        "null".into(),
        "true".into(),
        list.to_owned(),
        one.to_owned(),
        "<!doctype html><title>Sign in to the Wi-Fi</title>".into(),
        "{}".into(),
        r#"{"keys":null}"#.into(),
        r#"{"keys":{}}"#.into(),
        format!(r#"{{"keys":{list},"keys":{list}}}"#),
        format!("{key}{key}"),
        format!("{key} x"),
        // Cut off.
        key.get(..key.len() - 2).unwrap().to_owned(),
        "[".repeat(60_000),
        format!(r#"{{"keys":{}"#, "[".repeat(60_000)),
    ] {
        let error = refused(Reply::set(body.clone())).await;
        assert_eq!(error.kind(), JwksErrorKind::Invalid, "{body:.80}");
        let text = error.to_string();
        assert!(text.starts_with("the issuer's JWK Set "), "{text}");
        assert!(text.ends_with("/jwks.json)"), "{text}");
    }
}

/// A proxy's or a file server's word for what it is does not matter; what it is does.
#[tokio::test]
async fn content_types_are_not_judged() {
    let key = signer("a", 1);
    let reply = |kind: &str| Reply::set(key.jwks()).with("content-type", kind);
    let issuer = Issuer::start(reply("text/plain")).await;
    let api = Api::ready(&issuer).await;
    issuer.says(reply("application/octet-stream"));
    api.keys.refresh().await.unwrap();
    assert_eq!(api.status(&api.token(&key)).await, 200);
}

#[tokio::test]
async fn connections_that_break() {
    let start = r#"{"keys":[{"kty":"OKP""#;
    for reply in [
        Reply::Close,
        Reply::Break(start.into()),
        Reply::Break(String::new()),
    ] {
        let error = refused(reply).await;
        assert_eq!(error.kind(), JwksErrorKind::Connection);
        assert!(error.source().is_some());
    }
}

#[tokio::test]
async fn answers_that_are_too_long() {
    assert_eq!(
        refused(Reply::Endless).await.kind(),
        JwksErrorKind::TooLarge
    );
    // To the byte, with and without a length.
    let key = signer("a", 1).jwks();
    let padded = |len: usize| key.clone() + &" ".repeat(len - key.len());
    let error = refused(Reply::set(padded(64 * 1024 + 1))).await;
    assert_eq!(error.kind(), JwksErrorKind::TooLarge);
    let issuer = Issuer::start(Reply::set(padded(64 * 1024))).await;
    let api = Api::ready(&issuer).await;
    assert_eq!(api.keys.health().keys(), 1);

    let api = Api::with(issuer.url(), |builder| builder.max_bytes(1024));
    let error = api.keys.refresh().await.unwrap_err();
    assert_eq!(error.kind(), JwksErrorKind::TooLarge);
}

/// The test moves the clock of the runtime, so it waits for nothing and does not depend on its speed.
#[tokio::test]
async fn answers_that_do_not_come_in_time() {
    let key = signer("a", 1);
    for reply in [
        Reply::Hang,
        Reply::HangInside(String::new()),
        Reply::HangInside(r#"{"keys":["#.into()),
    ] {
        let issuer = Issuer::start(Reply::set(key.jwks())).await;
        let api = Api::ready(&issuer).await;
        let token = api.token(&key);
        issuer.says(reply.clone());
        let keys = api.keys.clone();
        let refresh = tokio::spawn(async move { keys.refresh().await });
        eventually("asked", || issuer.requests() == 2).await;
        api.skip(Duration::from_millis(4000)).await;
        assert!(!refresh.is_finished(), "{reply:?}");
        assert_eq!(api.status(&token).await, 200);
        api.skip(Duration::from_millis(1000)).await;
        let error = refresh.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), JwksErrorKind::TimedOut, "{reply:?}");
        assert_eq!(api.status(&token).await, 200);
        eventually("hung up", || issuer.connections() == 0).await;
    }
}

#[tokio::test]
async fn a_slow_answer_is_as_good_as_a_fast_one() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    issuer.hold();
    let api = Api::new(&issuer);
    eventually("asked", || issuer.requests() == 1).await;
    api.skip(Duration::from_millis(3500)).await;
    issuer.release();
    eventually("ready", || api.keys.health().is_ready()).await;
    assert_eq!(api.status(&api.token(&key)).await, 200);
    assert_eq!(
        issuer.requests(),
        1,
        "it was waited for, and not asked again"
    );
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let builder = || RemoteJwks::builder("https://127.0.0.1/jwks.json");
    let secs = Duration::from_secs;
    for (builder, setting) in [
        (RemoteJwks::builder("http://id.example/"), "url"),
        (RemoteJwks::builder("nonsense"), "url"),
        (builder().timeout(secs(0)), "timeout"),
        (builder().timeout(secs(61)), "timeout"),
        (builder().max_bytes(1023), "max_bytes"),
        (builder().max_bytes(2 << 20), "max_bytes"),
        (builder().cool_down(Duration::from_millis(999)), "cool_down"),
        (builder().cool_down(secs(3601)), "cool_down"),
        (builder().lifetime_floor(secs(0)), "lifetime_floor"),
        (builder().lifetime_floor(secs(3601)), "lifetime_floor"),
        (
            builder().lifetime_ceiling(secs(8 * 86_400)),
            "lifetime_ceiling",
        ),
        (builder().lifetime(secs(59)), "lifetime"),
        (builder().lifetime(secs(3601)), "lifetime"),
        (builder().stale_limit(secs(8 * 86_400)), "stale_limit"),
        (builder().root_certificates("nonsense"), "root_certificates"),
        (builder().root_certificates(""), "root_certificates"),
        (
            RemoteJwks::builder("http://127.0.0.1/").root_certificates("x"),
            "root_certificates",
        ),
    ] {
        assert_eq!(builder.build().unwrap_err().setting(), setting);
    }
    let plain = RemoteJwks::builder("http://id.example/").dangerous_plain_http();
    assert!(plain.build().is_ok());
}
