//! Tokens that name a key which is not there: one request, however many they are.

use std::time::Duration;

use tower_bearer::{KeyRing, NoClaims, SignatureAlgorithm, TokenCache};

use super::{
    Api, both,
    issuer::{Issuer, Reply, eventually},
    signer,
};

#[tokio::test]
async fn a_thousand_at_once_cause_one_request() {
    let (old, new) = (signer("a", 1), signer("b", 2));
    let issuer = Issuer::start(Reply::set(old.jwks())).await;
    let api = Api::ready(&issuer).await;
    let token = api.token(&new);
    issuer.says(Reply::set(both(&old, &new)));
    issuer.hold();
    api.skip_secs(10).await;
    // From several threads, as on a server.
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (codec, token) = (api.codec.clone(), token.clone());
            let runtime = tokio::runtime::Handle::current();
            std::thread::spawn(move || {
                let _runtime = runtime.enter();
                (0..250).filter(|_| codec.verify(&token).is_err()).count()
            })
        })
        .collect();
    let refused: usize = threads.into_iter().map(|t| t.join().unwrap()).sum();
    assert_eq!(refused, 1000);
    eventually("asked", || issuer.requests() == 2).await;
    for _ in 0..100 {
        // The issuer has said which keys there are: made-up names must not look like a broken service.
        assert_eq!(api.brief(&token).await, (401, None));
        assert_eq!(api.status(&api.token(&old)).await, 200);
    }
    issuer.release();
    eventually("both keys", || api.keys.health().keys() == 2).await;
    assert_eq!(api.status(&token).await, 200);
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test]
async fn many_that_wait_for_the_keys_share_a_request() {
    let issuer = Issuer::start(Reply::set(signer("a", 1).jwks())).await;
    issuer.hold();
    let api = Api::new(&issuer);
    let waiting: Vec<_> = (0..200)
        .map(|_| {
            let keys = api.keys.clone();
            tokio::spawn(async move { keys.refresh().await })
        })
        .collect();
    eventually("asked", || issuer.requests() == 1).await;
    // Some give up.
    for task in waiting.iter().take(100) {
        task.abort();
    }
    issuer.release();
    for task in waiting.into_iter().skip(100) {
        task.await.unwrap().unwrap();
    }
    assert_eq!(issuer.requests(), 1);
    assert_eq!(api.events.take(), ["fetched 1"]);
}

#[tokio::test]
async fn a_flood_of_made_up_names_costs_a_request_a_cool_down() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks()).with("cache-control", "max-age=86400")).await;
    let api = Api::ready(&issuer).await;
    let good = api.token(&key);
    for second in 0..100_u64 {
        for each in 0..20_u64 {
            let forged = api.token(&signer(&format!("kid-{second}-{each}"), 9));
            assert_eq!(api.status(&forged).await, 401);
        }
        assert_eq!(api.status(&good).await, 200);
        api.skip_secs(1).await;
        // The one that is due is over before time goes on.
        let due = 1 + (second + 1) / 10;
        eventually("answered", || {
            let confirmed = api.keys.health().confirmed_at().unwrap();
            confirmed.since(super::START).as_secs() / 10 == due - 1
        })
        .await;
        assert_eq!(issuer.requests() as u64, due, "after {second} seconds");
    }
    assert_eq!(api.events.take(), ["fetched 1"]);
}

#[tokio::test]
async fn a_name_that_is_not_there_is_asked_for_when_the_cool_down_is_over() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let api = Api::ready(&issuer).await;
    let forged = api.token(&signer("x", 9));
    assert_eq!(api.brief(&forged).await, (401, None));
    // The clock of the pauses goes on by itself, too.
    api.skip_secs(9).await;
    assert_eq!(api.brief(&forged).await, (401, None));
    assert_eq!(issuer.requests(), 1);
    // Its owner need not come again for it.
    api.skip_secs(1).await;
    eventually("asked", || issuer.requests() == 2).await;
    let confirmed = || api.keys.health().confirmed_at();
    eventually("answered", || {
        confirmed() == Some(super::START + Duration::from_secs(10))
    })
    .await;
    // Once, and no more before another token misses its key.
    api.skip_secs(100).await;
    assert_eq!(issuer.requests(), 2);
    issuer.hold();
    assert_eq!(api.brief(&forged).await, (401, None));
    eventually("asked again", || issuer.requests() == 3).await;
    assert_eq!(api.brief(&forged).await, (401, None));
    assert_eq!(api.status(&api.token(&key)).await, 200);
    issuer.release();
}

/// A missing key, and an issuer that then fails: the pauses hold.
#[tokio::test]
async fn a_missing_key_does_not_hurry_an_issuer_that_fails() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let api = Api::ready(&issuer).await;
    assert_eq!(api.status(&api.token(&signer("x", 9))).await, 401);
    issuer.says(Reply::Answer(500, Vec::new(), "down".into()));
    api.skip_secs(10).await;
    eventually("failed", || api.keys.health().failures() == 1).await;
    // Real time, in which a task without a pause would ask hundreds of times.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(issuer.requests(), 2);
    assert_eq!(api.keys.health().failures(), 1);
}

/// A new key, used at the moment it is published, and by a client that comes only now and then.
#[tokio::test]
async fn a_key_is_known_a_cool_down_after_it_was_published() {
    let (old, new) = (signer("a", 1), signer("b", 2));
    let issuer = Issuer::start(Reply::set(old.jwks())).await;
    let api = Api::ready(&issuer).await;
    let token = api.token(&new);
    issuer.says(Reply::set(both(&old, &new)));
    api.skip_secs(3).await;
    assert_eq!(api.status(&token).await, 401);
    api.skip_secs(7).await;
    eventually("both keys", || api.keys.health().keys() == 2).await;
    assert_eq!(api.status(&token).await, 200);
}

/// An issuer that replaces a key and keeps its name: one request, and the new key is there.
#[tokio::test]
async fn a_key_that_is_replaced_under_its_name() {
    let (old, new) = (signer("a", 1), signer("a", 2));
    let issuer = Issuer::start(Reply::set(old.jwks())).await;
    let api = Api::ready(&issuer).await;
    let tokens = [api.token(&old), api.token(&new)];
    issuer.says(Reply::set(new.jwks()));
    api.skip_secs(10).await;
    for _ in 0..50 {
        assert_eq!(api.status(&tokens[1]).await, 401);
    }
    eventually("fetched", || api.events.count() == 2).await;
    assert_eq!(
        [api.status(&tokens[0]).await, api.status(&tokens[1]).await],
        [401, 200]
    );
    // Tokens of the old key are forgeries now, and ask no more often than any other.
    for _ in 0..50 {
        assert_eq!(api.status(&tokens[0]).await, 401);
    }
    assert_eq!(issuer.requests(), 2);
    // The same with another kind of key.
    let ec = ec_signer()
        .jwks()
        .replace(r#""use":"sig","#, r#""use":"sig","kid":"a","#);
    issuer.says(Reply::set(ec));
    let token = api.token(&ec_signer());
    let (_, rest) = token.split_once('.').unwrap();
    let header = r#"{"alg":"ES256","typ":"at+jwt","kid":"a"}"#;
    let header = base64_simd::URL_SAFE_NO_PAD.encode_to_string(header);
    api.skip_secs(10).await;
    assert_eq!(api.status(&format!("{header}.{rest}")).await, 401);
    eventually("fetched", || issuer.requests() == 3).await;
}

/// A forgery that another set would not change causes no request.
#[tokio::test]
async fn forgeries_of_other_kinds_cause_none() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let eddsa = [SignatureAlgorithm::EdDsa];
    let api = Api::built(issuer.url(), |b| b, |codec| codec.algorithms(eddsa));
    api.keys.refresh().await.unwrap();
    api.skip_secs(60).await;
    let good = api.token(&key);
    let (_, rest) = good.split_once('.').unwrap();
    let with = |header: &str| {
        format!(
            "{}.{rest}",
            base64_simd::URL_SAFE_NO_PAD.encode_to_string(header)
        )
    };
    let forged = [
        with(r#"{"alg":"ES256","kid":"a","typ":"at+jwt"}"#),
        with(r#"{"alg":"HS256","kid":"x","typ":"at+jwt"}"#),
        with(r#"{"alg":"RS256","kid":"x","typ":"at+jwt"}"#),
        with(r#"{"alg":"none","kid":"x","typ":"at+jwt"}"#),
        with(r#"{"alg":"EdDSA","kid":1,"typ":"at+jwt"}"#),
        "a.b.c".into(),
    ];
    for token in &forged {
        assert_eq!(api.brief(token).await, (401, None), "{token}");
    }
    assert_eq!(issuer.requests(), 1);
    // While this does.
    let unknown = with(r#"{"alg":"EdDSA","kid":"x","typ":"at+jwt"}"#);
    assert_eq!(api.status(&unknown).await, 401);
    eventually("asked", || issuer.requests() == 2).await;
}

/// An issuer that names no key: a token for an algorithm that none has may be of the next one.
#[tokio::test]
async fn without_names_the_algorithm_tells() {
    let nameless = |ring: &KeyRing| ring.jwks().replace(r#","kid":"a""#, "");
    let key = KeyRing::builder()
        .jwk(&super::private_jwk("a", 1).replace(r#""kid":"a","#, ""))
        .build()
        .unwrap();
    let ec = ec_signer();
    let issuer = Issuer::start(Reply::set(nameless(&key))).await;
    let api = Api::ready(&issuer).await;
    let token = api.token(&ec);
    assert_eq!(api.status(&api.token(&key)).await, 200);
    issuer.says(Reply::set(ec.jwks()));
    assert_eq!(api.status(&token).await, 401);
    api.skip_secs(10).await;
    eventually("the other key", || api.events.count() == 2).await;
    assert_eq!(api.status(&token).await, 200);
    // And by another of its own kind.
    let next = KeyRing::builder()
        .jwk(&super::private_jwk("a", 7).replace(r#""kid":"a","#, ""))
        .build()
        .unwrap();
    issuer.says(Reply::set(both(&key, &next)));
    api.skip_secs(10).await;
    assert_eq!(api.status(&api.token(&next)).await, 401);
    eventually("two keys", || api.keys.health().keys() == 2).await;
    for ring in [&key, &next] {
        assert_eq!(api.status(&api.token(ring)).await, 200);
    }
}

/// The key pair of RFC 7515 appendix A.3.
fn ec_signer() -> KeyRing {
    KeyRing::builder()
        .jwk(
            r#"{"kty":"EC","crv":"P-256",
            "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#,
        )
        .build()
        .unwrap()
}

#[tokio::test]
async fn rsa_keys_that_do_not_say_what_they_are_for() {
    let rows = std::fs::read_to_string("tests/data/tokens/rfc.jsonl").unwrap();
    let rows = rows
        .lines()
        .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
    let rsa = rows
        .map(|row| row["key"].clone())
        .find(|key| key["kty"] == "RSA");
    let rsa = rsa.expect("an RSA key among the committed vectors");
    let set = serde_json::json!({ "keys": [{
        "kty": "RSA", "kid": "r", "use": "sig", "n": rsa["n"], "e": rsa["e"],
    }]});
    let issuer = Issuer::start(Reply::set(set.to_string())).await;
    let api = Api::ready(&issuer).await;
    assert_eq!(api.keys.health().keys(), 1);
    assert!(api.keys.keys().jwks().contains(r#""alg":"RS256""#));
}

/// A token that is remembered is good for as long as its key, and no longer.
#[tokio::test]
async fn the_cache_follows_the_issuer() {
    let (old, new) = (signer("a", 1), signer("b", 2));
    let issuer = Issuer::start(Reply::set(old.jwks())).await;
    let cached = |codec: tower_bearer::token::TokenCodecBuilder<NoClaims>| {
        codec.cache(TokenCache::new(1 << 20))
    };
    let api = Api::built(issuer.url(), |b| b, cached);
    api.keys.refresh().await.unwrap();
    let token = api.token(&old);
    let hits = || api.codec.cache().unwrap().hits();
    assert_eq!(api.status(&token).await, 200);
    assert_eq!(api.status(&token).await, 200);
    assert_eq!(hits(), 1);
    // The same set again: nothing is forgotten, and a broken one changes nothing either.
    let before = format!("{:?}", api.keys.keys());
    api.keys.refresh().await.unwrap();
    issuer.says(Reply::Close);
    api.keys.refresh().await.unwrap_err();
    assert_eq!(format!("{:?}", api.keys.keys()), before);
    assert_eq!(api.status(&token).await, 200);
    assert_eq!(hits(), 2);
    issuer.says(Reply::set(new.jwks()));
    api.keys.refresh().await.unwrap();
    assert_eq!(api.status(&token).await, 401);
    assert_eq!(hits(), 2);
}
