//! An issuer that says when to come back.

use std::time::Duration;

use tower_bearer::{ManualClock, jwks::RemoteIssuer};

use super::{
    Api, START,
    discovery::{OPENID, document},
    issuer::{Issuer, Reply, eventually},
    pass, signer,
};

fn busy(status: u16, retry_after: &str) -> Reply {
    Reply::Answer(status, Vec::new(), String::new()).with("retry-after", retry_after)
}

#[tokio::test]
async fn it_is_left_alone_for_so_long() {
    let key = signer("a", 1);
    // From the start on, which is 2027-01-15T08:00:00Z.
    let date = |secs: u64| format!("Fri, 15 Jan 2027 08:{:02}:{:02} GMT", secs / 60, secs % 60);
    for (reply, wait) in [
        (busy(503, "120"), 120),
        (busy(429, "120"), 120),
        (busy(503, &date(120)).with("date", &date(0)), 120),
        (busy(503, "86400"), 300),
    ] {
        let issuer = Issuer::start(reply.clone()).await;
        let api = Api::new(&issuer);
        let token = api.token(&key);
        eventually("failed", || api.keys.health().failures() == 1).await;
        // The log says so, and what ends it.
        let health = api.keys.health();
        let text = health.last_error().unwrap().to_string();
        let said = format!(
            "its Retry-After is honoured for {wait}s, 5 minutes at the most, and `refresh()` asks at once"
        );
        assert!(text.contains(&said), "{text}");
        assert!(!text.contains("check the URL"), "{text}");
        // A client is told the pause, which is an eighth longer at most, less what has passed of it.
        let (status, after) = api.brief(&token).await;
        let longest = (wait * 9 / 8).min(300);
        let left = health.next_request_at().since(START).as_secs();
        assert!((wait - 5..=longest).contains(&left), "{left}");
        assert_eq!(status, 503);
        assert!(
            (wait - 5..=longest).contains(&after.unwrap()),
            "{after:?} for {reply:?}"
        );
        api.skip_secs(wait - 1).await;
        for _ in 0..10 {
            assert_eq!(api.status(&token).await, 503);
        }
        assert_eq!(issuer.requests(), 1, "{reply:?}");
        issuer.says(Reply::set(key.jwks()));
        api.skip_secs(longest + 1 - wait).await;
        eventually("ready", || api.keys.health().is_ready()).await;
        assert_eq!(api.status(&token).await, 200);
        assert_eq!(issuer.requests(), 2);
    }
}

/// A time that is shorter than our own pause, odd, or beside another status, changes nothing.
#[tokio::test]
async fn our_own_pause_stays() {
    for reply in [
        busy(503, "0"),
        busy(503, "soon"),
        busy(500, "3600"),
        busy(404, "3600"),
    ] {
        let issuer = Issuer::start(reply.clone()).await;
        let api = Api::new(&issuer);
        eventually("failed", || api.keys.health().failures() == 1).await;
        let health = api.keys.health();
        assert!(health.next_request_at() <= START + Duration::from_secs(1));
        let text = health.last_error().unwrap().to_string();
        assert!(!text.contains("Retry-After"), "{text}");
        api.skip_secs(1).await;
        eventually("asked again", || issuer.requests() == 2).await;
    }
}

/// An operator who knows better is not kept waiting.
#[tokio::test]
async fn refresh_asks_at_once() {
    let key = signer("a", 1);
    let issuer = Issuer::start(busy(503, "3600")).await;
    let api = Api::new(&issuer);
    api.keys.refresh().await.unwrap_err();
    let asked = issuer.requests();
    issuer.says(Reply::set(key.jwks()));
    api.keys.refresh().await.unwrap();
    assert_eq!(issuer.requests(), asked + 1);
    assert_eq!(api.status(&api.token(&key)).await, 200);
}

/// Neither is the other document asked for meanwhile: it is the same issuer's.
#[tokio::test]
async fn of_the_set_and_of_the_metadata() {
    let key = signer("a", 1);
    let server = Issuer::start(Reply::set(key.jwks())).await;
    let good = Reply::set(document(&server.origin(), &server.url()));
    server.says_at(OPENID, good.clone());
    let clock = ManualClock::new(START);
    let issuer = RemoteIssuer::builder(server.origin());
    let issuer = issuer.clock(clock.clone()).build().unwrap();
    issuer.refresh().await.unwrap();
    server.asked();
    // The set: the metadata are not read instead.
    server.says(busy(503, "60"));
    issuer.refresh().await.unwrap_err();
    assert_eq!(server.asked(), ["/jwks.json"]);

    // The metadata: the set goes on to be fetched, and they are left alone.
    server.says(Reply::set(key.jwks()));
    server.says_at(OPENID, busy(503, "3600"));
    let skip = async |secs| {
        clock.advance(Duration::from_secs(secs));
        pass(Duration::from_secs(secs)).await;
    };
    skip(263).await;
    eventually("asked", || issuer.health().last_error().is_some()).await;
    assert_eq!(server.asked(), [OPENID, "/jwks.json"]);
    let before = server.requests();
    skip(263).await;
    eventually("the set", || server.requests() > before).await;
    let asked = server.asked();
    assert!(asked.iter().all(|path| path == "/jwks.json"), "{asked:?}");
    assert!(issuer.health().is_ready());
    // Not even where the set is gone.
    server.says(Reply::Answer(404, Vec::new(), String::new()));
    issuer.refresh().await.unwrap_err();
    let asked = server.asked();
    assert!(asked.iter().all(|path| path == "/jwks.json"), "{asked:?}");
}
