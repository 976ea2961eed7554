//! Another client has the cookie.

use tower_bearer::ReusePolicy;

use crate::support::world::World;

#[tokio::test]
async fn thief_uses_the_current_token_victim_returns_reuse_with_both_fingerprints() {
    let world = World::new();
    let mut victim = world.signed_in("ada").await;
    let mut thief = victim.thief();
    world.secs(100);
    // Its name is new to the session: it is told of, and first has to show its successor.
    let reply = thief.refresh(&world).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "superseded"));
    assert!(reply.set_cookie().is_some() && reply.body.get("access_token").is_none());
    assert_eq!(world.count("NewFingerprint"), 1);
    assert_eq!(thief.refresh(&world).await.status, 200);
    world.secs(100);
    let reply = victim.refresh(&world).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    assert!(reply.cleared());
    assert_eq!(thief.refresh(&world).await.status, 401);
    assert_eq!(world.count("ReuseDetected"), 1);
    let event = world.events.lock().unwrap();
    let event = event
        .iter()
        .find(|e| e.starts_with("ReuseDetected"))
        .unwrap();
    assert!(
        event.contains("held_by") && event.contains("presented_by"),
        "{event}"
    );
}

/// A thief that takes a successor and never shows it has got nothing for it: the victim goes on.
#[tokio::test]
async fn thief_that_never_confirms_signs_no_user_out() {
    let world = World::new();
    let mut victim = world.signed_in("ada").await;
    let mut thief = victim.thief();
    world.secs(100);
    assert_eq!(thief.refresh(&world).await.status, 409);
    world.secs(100);
    assert_eq!(victim.refresh(&world).await.status, 200);
    assert_eq!(world.outcomes("recovered"), 1);
    world.secs(100);
    assert!(thief.refresh(&world).await.cleared());
    assert_eq!(world.count("ReuseDetected"), 1);
}

#[tokio::test]
async fn thief_replays_the_predecessor_from_another_client_gets_nothing_and_is_told_of() {
    let world = World::new();
    let mut victim = world.signed_in("ada").await;
    let mut thief = victim.thief();
    victim.refresh(&world).await;
    world.secs(1);
    let reply = thief.refresh(&world).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "superseded"));
    assert!(reply.set_cookie().is_none());
    assert_eq!(world.count("OldToken"), 1);
    assert_eq!(victim.refresh(&world).await.status, 200);
    // Later it may be another window of a browser that died before its cookies were on the disk.
    world.secs(100);
    assert_eq!(thief.refresh(&world).await.status, 409);
    assert_eq!(world.count("NewFingerprint"), 1);
    assert_eq!(thief.refresh(&world).await.status, 200);
    world.secs(100);
    // The other one now holds what was burned.
    assert_eq!(victim.refresh(&world).await.status, 401);
    assert_eq!(thief.refresh(&world).await.status, 401);
    assert_eq!(world.count("ReuseDetected"), 1);
}

#[tokio::test]
async fn two_generations_old_inside_grace_is_reuse() {
    let world = World::with(|b| {
        let fast = tower_bearer::RotationPolicy::builder()
            .grace(std::time::Duration::from_secs(30))
            .interval(std::time::Duration::from_secs(60));
        b.rotation(fast.build().unwrap())
    });
    let mut victim = world.signed_in("ada").await;
    let oldest = victim.clone();
    victim.refresh(&world).await;
    world.secs(61);
    victim.refresh(&world).await;
    world.secs(1);
    // The same client, even: only the direct predecessor is forgiven.
    assert_eq!(oldest.refresh_lost(&world).await.status, 401);
    assert_eq!(world.count("ReuseDetected"), 1);
}

#[tokio::test]
async fn after_reuse_every_token_of_the_session_incl_the_newest_is_refused() {
    let world = World::new();
    let mut victim = world.signed_in("ada").await;
    let mut held = vec![victim.clone()];
    for _ in 0..3 {
        victim.refresh(&world).await;
        held.push(victim.clone());
        world.secs(120);
    }
    assert_eq!(held[0].thief().refresh(&world).await.status, 401);
    for mut browser in held {
        let reply = browser.refresh(&world).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (401, "invalid_session")
        );
        assert!(reply.cleared());
    }
    assert_eq!(world.count("ReuseDetected"), 1);
}

#[tokio::test]
async fn ancient_token_a_hundred_times_against_a_revoked_session_no_second_event() {
    let world = World::with(|b| b.reuse(ReusePolicy::Session));
    let mut victim = world.signed_in("ada").await;
    let mut elsewhere = world.signed_in("ada").await;
    let ancient = victim.thief();
    victim.refresh(&world).await;
    world.secs(120);
    victim.refresh(&world).await;
    for _ in 0..100 {
        assert_eq!(ancient.refresh_lost(&world).await.status, 401);
    }
    assert_eq!(world.count("ReuseDetected"), 1);
    assert_eq!(
        elsewhere.refresh(&world).await.status,
        200,
        "other sessions are untouched"
    );
}

#[tokio::test]
async fn reuse_policy_subject_ends_every_session_of_the_subject() {
    let world = World::with(|b| b.reuse(ReusePolicy::Subject));
    let mut victim = world.signed_in("ada").await;
    let mut elsewhere = world.signed_in("ada").await;
    let mut other = world.signed_in("bob").await;
    let mut thief = victim.thief();
    for _ in 0..2 {
        victim.refresh(&world).await;
        world.secs(61);
    }
    thief.refresh(&world).await;
    assert_eq!(elsewhere.refresh(&world).await.status, 401);
    assert_eq!(other.refresh(&world).await.status, 200);
    assert_eq!(world.count("ReuseDetected"), 1);
}

#[tokio::test]
async fn expired_genuine_token_does_not_revoke() {
    let world = World::with(|b| b.idle_lifetime(std::time::Duration::from_secs(86_400)));
    let mut victim = world.signed_in("ada").await;
    let stale = victim.thief();
    victim.refresh(&world).await;
    world.secs(86_400);
    let reply = stale.refresh_lost(&world).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.set_cookie(), None);
    assert_eq!(world.count("ReuseDetected") + world.count("Revoked"), 0);
}

#[tokio::test]
async fn right_seal_wrong_parent_is_not_adopted() {
    // A genuine token of a history that the store never had. The store is rolled back by one write and then rotates
    // differently, because the session was re-seeded meanwhile.
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    world.secs(120);
    let mut other_history = browser.clone();
    let before = world.store.last().await;
    other_history.refresh(&world).await;
    world.store.roll_back_to(&before).await;
    browser.call(&world, http::Method::POST, "/elevate").await;
    let before = world.store.last().await.generation();
    world.secs(120);
    let reply = other_history.refresh(&world).await;
    assert_eq!(reply.status, 401);
    assert_eq!(world.count("WriteRestored"), 0);
    assert_eq!(world.store.last().await.generation(), before);
}

#[tokio::test]
async fn one_character_or_bit_changed_anywhere_is_401_with_zero_store_calls() {
    let world = World::new();
    let browser = world.signed_in("ada").await;
    let cookie = browser.cookie.clone().unwrap();
    assert!(cookie.len() < 512, "{}", cookie.len());
    let calls = world.store.calls();
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. %";
    for place in 0..cookie.len() {
        // Every other base64url digit in every place, all single-bit flips among them.
        for digit in DIGITS {
            let mut bytes = cookie.clone().into_bytes();
            if bytes[place] == *digit {
                continue;
            }
            bytes[place] = *digit;
            let mut forged = browser.clone();
            forged.cookie = Some(String::from_utf8(bytes).unwrap());
            let reply = forged.refresh_lost(&world).await;
            assert_eq!(
                (reply.status.as_u16(), reply.code()),
                (401, "invalid_session")
            );
            assert!(reply.set_cookie().is_none());
        }
    }
    for garbage in [
        "x",
        "",
        "AAAA",
        &cookie[1..],
        &cookie[..cookie.len() - 1],
        &"A".repeat(9000),
    ] {
        let mut forged = browser.clone();
        forged.cookie = Some(garbage.to_owned());
        assert_eq!(forged.refresh_lost(&world).await.status, 401);
    }
    assert_eq!(world.store.calls(), calls);
}

#[tokio::test]
async fn cookie_of_service_a_at_service_b_is_401() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let other_keys =
        tower_bearer::KeyRing::from_master(b"qW3nZ6tR1yPc9vMx4kLs8bDf2gHj7uEa0oTiXrCw").unwrap();
    let other = world.server_with_keys(other_keys);
    let calls = world.store.calls();
    assert_eq!(browser.refresh(&other).await.status, 401);
    // The same keys under another cookie name are another service as well.
    let named = World::over(
        world.keys.clone(),
        world.clock.clone(),
        world.clock.clone(),
        world.store.clone(),
        |b| b.cookie_name("other_token"),
    );
    let request = browser.request(http::Method::POST, "/refresh").header(
        "cookie",
        format!("__Secure-other_token={}", browser.cookie.clone().unwrap()),
    );
    let reply = named
        .send(request.body(http_body_util::Full::default()).unwrap())
        .await;
    assert_eq!(reply.status, 401);
    assert_eq!(world.store.calls(), calls);
    assert_eq!(browser.refresh(&world).await.status, 200);
}

#[tokio::test]
async fn access_token_in_the_refresh_cookie_and_the_reverse_are_401() {
    let world = World::new();
    let mut browser = world.browser();
    let login = browser.login(&world, "ada").await;
    let access = login.body["access_token"].as_str().unwrap().to_owned();
    let refresh = browser.cookie.clone().unwrap();
    assert!(world.codec.verify(&refresh).is_err());
    browser.cookie = Some(access);
    assert_eq!(browser.refresh(&world).await.status, 401);
}

#[tokio::test]
async fn thief_who_only_lists_and_ends_sessions_has_to_take_the_session_over_first() {
    use http::Method;

    let world = World::new();
    let mut victim = world.signed_in("ada").await;
    let mut phone = world.signed_in("ada").await;
    victim.refresh(&world).await;
    let mut thief = victim.thief();
    let list = phone.call(&world, Method::GET, "/sessions").await;
    let id = list.body["sessions"][0]["id"].as_str().unwrap().to_owned();
    for (method, path) in [
        (Method::GET, "/sessions".to_owned()),
        (Method::DELETE, format!("/sessions/{id}")),
        (Method::POST, "/logout-all".to_owned()),
    ] {
        let reply = thief.call(&world, method, &path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (409, "refresh_first")
        );
        assert!(reply.set_cookie().is_none());
    }
    assert_eq!(phone.refresh(&world).await.status, 200, "nothing was ended");
    // The way in is the way out: the successor it takes is what gives it away.
    world.secs(61);
    assert_eq!(thief.refresh(&world).await.status, 409);
    assert_eq!(thief.refresh(&world).await.status, 200);
    assert_eq!(
        thief.call(&world, Method::GET, "/sessions").await.status,
        200
    );
    world.secs(31);
    assert_eq!(victim.refresh(&world).await.status, 401);
    assert_eq!(world.count("ReuseDetected"), 1);
}
