//! A thief that ends the session behind itself, and answers that were lost at a change of privilege.

use http::Method;
use tower_bearer::RotationPolicy;

use crate::support::world::{Browser, World};

/// A thief that has refreshed, confirmed, and holds the newest token.
async fn in_charge(world: &World, victim: &Browser) -> Browser {
    let mut thief = victim.thief();
    world.secs(100);
    assert_eq!(thief.refresh(world).await.status, 409);
    assert_eq!(thief.refresh(world).await.status, 200);
    thief
}

/// Ends the session one way or another.
async fn end(world: &World, client: &mut Browser, how: &str) {
    match how {
        "sign-out" => drop(client.logout(world).await),
        "sign-in" => drop(client.login(world, "mallory").await),
        "all" => drop(client.call(world, Method::POST, "/logout-all").await),
        _ => {
            let list = client.call(world, Method::GET, "/sessions").await;
            let id = list.body["sessions"][0]["id"].as_str().unwrap().to_owned();
            let path = format!("/sessions/{id}");
            client.call(world, Method::DELETE, &path).await;
        }
    }
}

#[tokio::test]
async fn a_thief_that_ends_the_session_behind_itself_is_told_once() {
    for how in ["sign-out", "sign-in", "all", "own"] {
        let world = World::new();
        let mut victim = world.signed_in("ada").await;
        let mut thief = in_charge(&world, &victim).await;
        end(&world, &mut thief, how).await;
        assert_eq!(world.count("ReuseDetected"), 0);
        world.secs(31);
        for _ in 0..3 {
            let reply = victim.clone().refresh(&world).await;
            assert_eq!(
                (reply.status.as_u16(), reply.code()),
                (401, "invalid_session"),
                "{how}"
            );
            assert!(reply.cleared(), "{how}");
        }
        assert_eq!(world.count("ReuseDetected"), 1, "{how}");
        let told = |name: &str, part: &str| {
            let events = world.events.lock().unwrap();
            let event = events.iter().find(|event| event.starts_with(name));
            assert!(event.unwrap().contains(part), "{how}: {event:?}");
        };
        told("ReuseDetected", "ended: Some(");
        told("Revoked", "by_known: Some(false)");
        assert_eq!(victim.refresh(&world).await.status, 401);
    }
}

/// The user ends the session, and an older tab, or the disk of a browser that died, comes back late.
#[tokio::test]
async fn a_user_that_ends_the_session_raises_no_alarm() {
    for how in ["sign-out", "sign-in", "all", "own"] {
        let world = World::new();
        let mut browser = world.signed_in("ada").await;
        let old = browser.clone();
        browser.refresh(&world).await;
        world.secs(100);
        let newest = browser.clone();
        end(&world, &mut browser, how).await;
        for wait in [0, 31, 3600] {
            world.secs(wait);
            for late in [&old, &newest] {
                let status = late.refresh_lost(&world).await.status;
                assert!([401, 409].contains(&status.as_u16()), "{how}");
            }
        }
        assert_eq!(world.count("ReuseDetected"), 0, "{how}");
    }
}

#[tokio::test]
async fn the_strict_policy_tells_of_it_at_once() {
    let world = World::with(|b| b.rotation(RotationPolicy::strict()));
    let mut victim = world.signed_in("ada").await;
    let mut thief = victim.thief();
    assert_eq!(thief.refresh(&world).await.status, 200);
    assert_eq!(thief.logout(&world).await.status, 204);
    world.secs(1);
    assert_eq!(victim.refresh(&world).await.status, 401);
    assert_eq!(world.count("ReuseDetected"), 1);
}

/// The application checks the second factor again, and the browser gets the token that was lost.
#[tokio::test]
async fn a_change_of_privilege_whose_answer_was_lost_costs_no_sign_in() {
    let path = "/elevate";
    for wait in [1, 100, 100_000] {
        let world = World::new();
        let mut browser = world.signed_in("ada").await;
        browser.refresh(&world).await;
        world.secs(100);
        let lost = browser.clone().call(&world, Method::POST, path).await;
        assert_eq!(lost.status, 200);
        world.secs(wait);
        let again = browser.call(&world, Method::POST, path).await;
        assert_eq!(again.status, 200, "{path} after {wait} s");
        assert!(again.set_cookie().is_some());
        assert_eq!(
            world.store.last().await.generation(),
            2,
            "the same step, not a second one"
        );
        assert_eq!(browser.refresh(&world).await.status, 200);
        world.secs(100);
        assert_eq!(browser.refresh(&world).await.status, 200);
        assert_eq!(world.count("ReuseDetected") + world.count("Revoked"), 0);
    }
}

/// The browser has shown the new token: no answer was lost. The token from before is a stolen one then, and what it
/// leads to would be the elevated session.
#[tokio::test]
async fn a_change_of_privilege_whose_answer_came_is_not_given_twice() {
    for wait in [1, 45, 600] {
        let world = World::new();
        let mut browser = world.signed_in("ada").await;
        browser.refresh(&world).await;
        world.secs(100);
        let stolen = browser.clone();
        browser.call(&world, Method::POST, "/elevate").await;
        assert_eq!(browser.refresh(&world).await.status, 200);
        world.secs(wait);
        for path in ["/elevate", "/end-others", "/logout-all", "/refresh"] {
            let reply = stolen.clone().call(&world, Method::POST, path).await;
            assert!(
                [401, 409].contains(&reply.status.as_u16()),
                "{path}: {reply:?}"
            );
            assert!(reply.set_cookie().is_none(), "{path}");
        }
        assert!(world.count("OldToken") > 0);
        assert_eq!(browser.refresh(&world).await.status, 200);
    }
    // Nor is the change that follows a new password: that one cannot be asked for twice.
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let stolen = browser.clone();
    browser.call(&world, Method::POST, "/end-others").await;
    let reply = stolen
        .clone()
        .call(&world, Method::POST, "/end-others")
        .await;
    assert_eq!((reply.status.as_u16(), reply.set_cookie()), (409, None));
}

/// The victim's old token comes while the thief signs out, and the sign-out is written first.
#[tokio::test]
async fn a_sign_out_that_crosses_an_alarm_does_not_silence_it() {
    let world = World::new();
    let mut victim = world.signed_in("ada").await;
    let mut thief = in_charge(&world, &victim).await;
    world.secs(100);
    let live = world.store.last().await;
    let ended = {
        thief.logout(&world).await;
        world.store.last().await
    };
    // The victim's request is judged by the record that was live a moment ago.
    world.store.show_once(&live);
    assert_eq!(victim.refresh(&world).await.status, 401);
    assert!(!ended.is_live());
    assert_eq!(world.count("ReuseDetected"), 1);
}

/// The token from before is good for the same change alone, asked for by a client of the session.
#[tokio::test]
async fn a_token_from_before_a_change_of_privilege_leads_to_nothing_else() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    world.secs(100);
    let before = browser.clone();
    assert_eq!(
        browser.call(&world, Method::POST, "/elevate").await.status,
        200
    );
    assert_eq!(before.refresh_lost(&world).await.status, 409);
    // A client that wants to leave need not wait for a newer cookie.
    for (method, path, status) in [
        (Method::GET, "/sessions", 409),
        (Method::POST, "/logout-all", 401),
    ] {
        let reply = before.clone().call(&world, method, path).await;
        assert_eq!(reply.status, status, "{path}");
        assert!(world.store.last().await.is_live());
    }
    let reply = before.thief().call(&world, Method::POST, "/elevate").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (409, "refresh_first")
    );
    // One step further it is history.
    world.secs(100);
    browser.refresh(&world).await;
    let reply = before.clone().call(&world, Method::POST, "/elevate").await;
    assert_eq!(reply.status, 401);
}
