//! A key that was stolen, and the ways in which its issuer takes it back.

use super::{
    Api, both,
    issuer::{Issuer, Reply, eventually},
    private_jwk, signer,
};

fn set(keys: &[&str]) -> Reply {
    Reply::set(format!(r#"{{"keys":[{}]}}"#, keys.join(",")))
}

/// A key as it stands in a set.
fn entry(kid: &str, seed: u8) -> String {
    let jwks = signer(kid, seed).jwks();
    let list = jwks.strip_prefix(r#"{"keys":["#).unwrap();
    list.strip_suffix("]}").unwrap().to_owned()
}

#[tokio::test]
async fn it_is_refused_with_the_next_set_whatever_else_that_holds() {
    let (a, b) = (signer("a", 1), signer("b", 2));
    let (a_entry, b_entry) = (entry("a", 1), entry("b", 2));
    let private = private_jwk("a", 1);
    for (after, given_away) in [
        (set(&[&b_entry]), false),
        (set(&[&b_entry, r#"{"kty":"XYZ"}"#]), false),
        (set(&[&b_entry, "null"]), false),
        (set(&[r#"{"kty":"RSA","n":1}"#, &b_entry]), false),
        (set(&[&b_entry, &b_entry]), false),
        (set(&[&private, &b_entry]), true),
        (set(&[&a_entry, &private, &b_entry]), true),
        (
            set(&[&a_entry, &b_entry, &private.replace(r#""kid":"a","#, "")]),
            true,
        ),
    ] {
        let issuer = Issuer::start(Reply::set(both(&a, &b))).await;
        let api = Api::ready(&issuer).await;
        let stolen = api.token(&a);
        assert_eq!(api.status(&stolen).await, 200);
        issuer.says(after.clone());
        api.keys.refresh().await.unwrap();
        assert_eq!(api.status(&stolen).await, 401, "{after:?}");
        assert_eq!(api.status(&api.token(&b)).await, 200, "{after:?}");
        let said = api.events.take();
        assert_eq!(
            said.iter().any(|e| e.starts_with("compromised")),
            given_away
        );
        // Back in the set it is used again, unless its private half was there.
        issuer.says(Reply::set(both(&a, &b)));
        api.keys.refresh().await.unwrap();
        let status = if given_away { 401 } else { 200 };
        assert_eq!(api.status(&stolen).await, status, "{after:?}");
        assert_eq!(api.status(&api.token(&b)).await, 200);
    }
}

/// An empty set is asked for once more, a second later, and believed then.
#[tokio::test]
async fn a_set_without_keys_is_believed_the_second_time() {
    for empty in [
        set(&[]),
        set(&["null"]),
        set(&[r#"{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"}"#]),
        set(&[r#"{"kty":"oct","k":"c2VjcmV0LXNlY3JldA"}"#]),
    ] {
        let a = signer("a", 1);
        let issuer = Issuer::start(Reply::set(a.jwks())).await;
        let api = Api::ready(&issuer).await;
        let stolen = api.token(&a);
        issuer.says(empty.clone());
        api.keys.refresh().await.unwrap_err();
        assert_eq!(api.status(&stolen).await, 200, "it may be a slip");
        assert_eq!(api.keys.health().failures(), 1);
        api.events.take();
        api.skip_secs(1).await;
        eventually("asked again", || issuer.requests() == 3).await;
        eventually("believed", || !api.keys.health().is_ready()).await;
        assert_eq!(api.brief(&stolen).await.0, 503);
        eventually("said", || api.events.count() > 0).await;
        let said = api.events.take();
        assert_eq!(said.last().unwrap(), "withdrawn", "{empty:?}");
        let health = api.keys.health();
        assert_eq!((health.keys(), health.failures()), (0, 0));
        assert!(health.last_error().is_some() && health.confirmed_at().is_some());
        // A key comes back with the next set.
        issuer.says(Reply::set(a.jwks()));
        api.keys.refresh().await.unwrap();
        assert_eq!(api.status(&stolen).await, 200);
        assert_eq!(api.events.take(), ["fetched 1"]);
    }
}

/// An empty set that is asked for because a key was missing gets its second chance all the same.
#[tokio::test]
async fn a_missing_key_does_not_take_the_second_chance_away() {
    let a = signer("a", 1);
    let issuer = Issuer::start(Reply::set(a.jwks())).await;
    let api = Api::ready(&issuer).await;
    let token = api.token(&a);
    assert_eq!(api.status(&api.token(&signer("x", 9))).await, 401);
    issuer.says(set(&[]));
    api.skip_secs(10).await;
    eventually("doubted", || api.keys.health().failures() == 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(issuer.requests(), 2);
    assert_eq!(api.status(&token).await, 200);
}

/// An issuer that starts without keys. The service becomes ready by itself, though no request comes to one that is not
/// ready.
#[tokio::test]
async fn a_service_becomes_ready_after_an_empty_set() {
    let a = signer("a", 1);
    let lasting = |set: Reply| set.with("cache-control", "max-age=3600");
    let issuer = Issuer::start(lasting(set(&[]))).await;
    let api = Api::new(&issuer);
    eventually("doubted", || api.keys.health().failures() == 1).await;
    api.skip_secs(1).await;
    eventually("believed", || issuer.requests() == 2).await;
    eventually("said", || api.events.count() == 2).await;
    let (_, after) = api.brief(&api.token(&a)).await;
    assert!(
        after.unwrap() <= 10,
        "when the cool-down is over: {after:?}"
    );
    issuer.says(lasting(Reply::set(a.jwks())));
    for _ in 0..6 {
        api.skip_secs(10).await;
        // As a probe does.
        let _ = api.keys.health().is_ready();
    }
    eventually("ready", || api.keys.health().is_ready()).await;
    assert_eq!(api.status(&api.token(&a)).await, 200);
    // Nor does it expire, where there is nothing.
    assert!(!api.events.take().contains(&"expired".to_owned()));
}

/// A key that is taken out of the set in hand is reported. The next answer is read even if it is the old text.
#[tokio::test]
async fn a_key_that_is_taken_out_is_reported_ever_after() {
    let (a, b) = (signer("a", 1), signer("b", 2));
    let issuer = Issuer::start(Reply::set(both(&a, &b)).with("etag", "\"1\"")).await;
    let api = Api::ready(&issuer).await;
    let listed = || {
        let health = api.keys.health();
        let keys = health.unusable_keys().iter();
        (
            health.keys(),
            keys.filter(|key| key.is_compromised()).count(),
        )
    };
    issuer.says(set(&[&private_jwk("a", 1)]));
    api.keys.refresh().await.unwrap_err();
    assert_eq!(listed(), (1, 1));
    assert_eq!(api.status(&api.token(&a)).await, 401);
    assert_eq!(api.status(&api.token(&b)).await, 200);
    issuer.says(Reply::set(both(&a, &b)));
    api.keys.refresh().await.unwrap();
    assert!(issuer.last().get("if-none-match").is_none());
    assert_eq!(listed(), (1, 1));
    assert_eq!(api.status(&api.token(&a)).await, 401);
    let said = api.events.take();
    assert_eq!(
        said[said.len() - 3..],
        ["back", "compromised 1", "fetched 1"]
    );
}

/// The second empty set gives a key away that the first said nothing of.
#[tokio::test]
async fn a_private_half_in_the_second_answer_is_reported() {
    let a = signer("a", 1);
    let issuer = Issuer::start(Reply::set(a.jwks())).await;
    let api = Api::ready(&issuer).await;
    issuer.says(set(&[]));
    api.keys.refresh().await.unwrap_err();
    issuer.says(set(&[&private_jwk("a", 1)]));
    api.keys.refresh().await.unwrap_err();
    let said = api.events.take();
    assert_eq!(said[said.len() - 2..], ["compromised 1", "withdrawn"]);
}

/// A slip that is over a second later harms no token.
#[tokio::test]
async fn a_set_without_keys_for_a_moment() {
    let a = signer("a", 1);
    let issuer = Issuer::start(Reply::set(a.jwks())).await;
    let api = Api::ready(&issuer).await;
    let token = api.token(&a);
    for _ in 0..3 {
        issuer.says(set(&[]));
        api.keys.refresh().await.unwrap_err();
        issuer.says(Reply::set(a.jwks()));
        let asked = issuer.requests();
        api.skip_secs(1).await;
        eventually("asked again", || issuer.requests() == asked + 1).await;
        eventually("good", || api.keys.health().failures() == 0).await;
        assert_eq!(api.status(&token).await, 200);
    }
}

/// The only key, published with its private half: it goes at once, before the second answer.
#[tokio::test]
async fn a_private_half_counts_at_once() {
    let a = signer("a", 1);
    let issuer = Issuer::start(Reply::set(a.jwks())).await;
    let api = Api::ready(&issuer).await;
    let stolen = api.token(&a);
    issuer.says(set(&[&private_jwk("other name", 1)]));
    api.keys.refresh().await.unwrap_err();
    assert_eq!(api.status(&stolen).await, 503);
    // No time is promised for keys that are gone.
    assert_eq!(api.keys.health().usable_until(), None);
    let said = api.events.take();
    assert_eq!(said[1..], ["compromised 1", "unavailable Invalid 1 None"]);
    issuer.says(Reply::set(a.jwks()));
    let _ = api.keys.refresh().await;
    assert_ne!(api.status(&stolen).await, 200);
    issuer.says(Reply::set(both(&a, &signer("b", 2))));
    api.keys.refresh().await.unwrap();
    assert_eq!(api.status(&stolen).await, 401);
}

/// A document that is none says nothing of keys: those from before go on, within the limit.
#[tokio::test]
async fn a_mistake_of_the_issuers_changes_nothing_until_the_limit() {
    let a = signer("a", 1);
    let issuer = Issuer::start(Reply::set(a.jwks())).await;
    let api = Api::ready(&issuer).await;
    let token = api.token(&a);
    issuer.says(Reply::set("{}"));
    for _ in 0..5 {
        api.keys.refresh().await.unwrap_err();
        assert_eq!(api.status(&token).await, 200);
    }
    api.skip_secs(300 + 3600 - 1).await;
    assert_eq!(api.status(&token).await, 200);
    api.skip_secs(1).await;
    assert_eq!(api.status(&token).await, 503);
}

/// Cool-down and limit go by the clock that is never set.
#[tokio::test]
async fn a_date_that_is_set_back_keeps_the_cool_down_short() {
    let (a, b) = (signer("a", 1), signer("b", 2));
    let issuer = Issuer::start(Reply::set(a.jwks())).await;
    let api = Api::ready(&issuer).await;
    issuer.says(Reply::set(both(&a, &b)));
    let two_hours = std::time::Duration::from_secs(7200);
    api.clock.set(super::START - two_hours);
    let token = api.token(&b);
    assert_eq!(api.status(&token).await, 401);
    super::pass(std::time::Duration::from_secs(10)).await;
    eventually("both keys", || api.keys.health().keys() == 2).await;
    assert_eq!(api.status(&token).await, 200);
    // And the limit holds by the runtime's clock, whatever the date says.
    issuer.says(Reply::Close);
    for _ in 0..131 {
        super::pass(std::time::Duration::from_secs(30)).await;
    }
    eventually("expired", || !api.keys.health().is_ready()).await;
    assert_eq!(api.status(&token).await, 503);
}
