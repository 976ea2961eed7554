//! Sessions that end because they are not used, and the last tokens of those that end because of their age.

use std::time::Duration;

use http::Method;
use tower_bearer::Clock;

use crate::support::{
    faults::Fault,
    world::{Browser, Reply, World},
};

const IDLE: u64 = 3600;
/// How often a page refreshes.
const TURN: u64 = 14 * 60;

fn world() -> World {
    World::with(|builder| builder.idle_lifetime(Duration::from_secs(IDLE)))
}

/// A browser that has just refreshed.
async fn used(world: &World) -> Browser {
    let mut browser = world.signed_in("ada").await;
    browser.refresh(world).await;
    browser
}

fn member(reply: &Reply, name: &str) -> u64 {
    reply.body[name].as_u64().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_open_tab_that_only_refreshes_passively_ends_at_the_idle_lifetime() {
    let world = world();
    let mut browser = used(&world).await;
    for turn in 1..=4 {
        world.secs(TURN);
        let reply = browser.passive(&world).await;
        assert_eq!(reply.status, 200, "a token all the same");
        world.verify(&reply);
        assert_eq!(member(&reply, "idle_expires_in"), IDLE - turn * TURN);
        // The browser keeps the cookie for a user that comes back in time.
        assert_eq!(reply.max_age(), Some(IDLE));
    }
    world.secs(IDLE - 4 * TURN - 1);
    assert_eq!(browser.clone().passive(&world).await.status, 200);
    world.secs(1);
    for reply in [
        browser.clone().passive(&world).await,
        browser.refresh(&world).await,
    ] {
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (401, "invalid_session")
        );
    }
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test(start_paused = true)]
async fn one_active_refresh_begins_the_idle_lifetime_anew() {
    let world = world();
    let mut browser = used(&world).await;
    world.secs(IDLE - 1);
    assert_eq!(browser.passive(&world).await.status, 200);
    // The same token comes again: coalesced, and noted.
    let reply = browser.refresh(&world).await;
    assert!(reply.set_cookie().is_none());
    assert_eq!(member(&reply, "idle_expires_in"), IDLE);
    world.secs(IDLE - 1);
    let reply = browser.refresh(&world).await;
    assert_eq!((reply.status.as_u16(), reply.max_age()), (200, Some(IDLE)));
}

/// Otherwise a page without a user would have its API for most of a token's life after the end.
#[tokio::test(start_paused = true)]
async fn a_passive_token_ends_with_the_idle_lifetime() {
    const IDLE: u64 = 1800;
    let world = World::with(|builder| builder.idle_lifetime(Duration::from_secs(IDLE)));
    let mut browser = used(&world).await;
    let end = world.clock.now() + Duration::from_secs(IDLE);
    // The last two come within the token that ends with the session, and get no longer one.
    for (wait, life) in [(TURN, 900), (TURN, 120), (60, 60), (59, 1)] {
        world.secs(wait);
        let reply = browser.passive(&world).await;
        assert_eq!(reply.status, 200);
        assert_eq!(member(&reply, "expires_in"), life);
        let left = end.since(world.clock.now()).as_secs();
        assert_eq!(member(&reply, "idle_expires_in"), left);
        let claims = world.verify(&reply);
        assert_eq!(
            claims.expires_at(),
            world.clock.now() + Duration::from_secs(life)
        );
        assert!(claims.expires_at() <= end);
    }
    // Less than a second is no token, and nothing is written.
    world.advance(Duration::from_millis(1));
    let record = world.store.last().await;
    let reply = browser.passive(&world).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    assert!(reply.set_cookie().is_none());
    assert!(world.store.last().await == record);
    // A user who comes back in that second has a session, and a whole token.
    let reply = browser.refresh(&world).await;
    assert_eq!(member(&reply, "expires_in"), 900);
    assert_eq!(member(&reply, "idle_expires_in"), IDLE);
}

/// A page would ask its user to move the mouse, and the session would end all the same.
#[tokio::test(start_paused = true)]
async fn an_idle_end_that_is_the_absolute_one_is_not_told() {
    let whole = 4 * IDLE;
    let world = World::with(|builder| {
        let builder = builder.absolute_lifetime(Duration::from_secs(whole));
        builder.idle_lifetime(Duration::from_secs(IDLE))
    });
    let mut browser = used(&world).await;
    let mut gone = 0;
    while gone + TURN < whole {
        world.secs(TURN);
        gone += TURN;
        let reply = browser.refresh(&world).await;
        let left = whole - gone;
        assert_eq!(member(&reply, "session_expires_in"), left);
        let told = reply.body["idle_expires_in"].as_u64();
        assert_eq!(told, (IDLE < left).then_some(IDLE), "{left} left");
    }
}

/// Without the note the session would end too early.
#[tokio::test(start_paused = true)]
async fn a_use_that_cannot_be_noted_is_told_to_come_again() {
    let world = world();
    let mut timer = used(&world).await;
    world.secs(TURN);
    let mut late = timer.clone();
    timer.passive(&world).await;
    for (tab, turn) in [(&mut late, 0), (&mut timer, 1)] {
        world.secs(turn * TURN);
        tab.passive(&world).await;
        world.store.fail_swap(Fault::Refuse);
        let reply = tab.refresh(&world).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (503, "unavailable"));
        let reply = tab.refresh(&world).await;
        assert_eq!(member(&reply, "idle_expires_in"), IDLE);
    }
}

/// Two tabs. The timer of the one rotates each time. The other one, in use, comes a moment later or with the token
/// before.
#[tokio::test(start_paused = true)]
async fn a_tab_in_use_keeps_a_session_that_another_tab_rotates_passively() {
    let world = world();
    let mut timer = used(&world).await;
    for turn in 0..40 {
        world.secs(TURN);
        let mut tab = timer.clone();
        assert_eq!(timer.passive(&world).await.status, 200, "turn {turn}");
        if turn % 2 == 0 {
            tab = timer.clone();
        }
        let reply = tab.refresh(&world).await;
        assert_eq!(member(&reply, "idle_expires_in"), IDLE, "turn {turn}");
    }
    assert_eq!(world.count("ReuseDetected"), 0);
}

/// They are acts of the user, whatever the page says.
#[tokio::test(start_paused = true)]
async fn a_change_of_privilege_is_a_use() {
    let world = world();
    for path in ["/elevate", "/end-others"] {
        let mut browser = used(&world).await;
        world.secs(TURN);
        let reply = browser.call_passive(&world, path).await;
        assert_eq!(member(&reply, "idle_expires_in"), IDLE, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_access_token_outlives_its_session() {
    let world = World::with(|builder| builder.absolute_lifetime(Duration::from_secs(7200)));
    let mut browser = world.signed_in("ada").await;
    let mut last = Vec::new();
    // Ten minutes before the end, and so on; a token lasts fifteen.
    for (wait, left) in [(6600, 600), (100, 500), (498, 2), (1, 1)] {
        world.secs(wait);
        for path in ["/refresh", "/elevate", "/end-others"] {
            let reply = browser.call(&world, Method::POST, path).await;
            assert_eq!(reply.status, 200, "{path}, {left} s before the end");
            assert_eq!(member(&reply, "expires_in"), left);
            assert_eq!(member(&reply, "session_expires_in"), left);
            let claims = world.verify(&reply);
            let end = claims.expires_at();
            assert_eq!(end.since(world.clock.now()).as_secs(), left);
            last.push(end);
        }
    }
    last.dedup();
    assert_eq!(last.len(), 1, "the end of the session");
    // Less than a second is less than a token can say: the session is over, and nothing is written.
    world.advance(Duration::from_millis(1));
    let record = world.store.last().await;
    for path in ["/refresh", "/elevate", "/end-others"] {
        let reply = browser.call(&world, Method::POST, path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (401, "invalid_session")
        );
        assert!(reply.set_cookie().is_none());
    }
    assert!(world.store.last().await == record);
}

/// Tokens count in whole seconds, and sessions do not end at one.
#[tokio::test(start_paused = true)]
async fn no_last_token_lives_shorter_than_its_answer_says() {
    let millis = Duration::from_millis;
    for (begins, waits) in [999, 1, 500].into_iter().flat_map(|begins| {
        let waits = [0, 1, 499, 500, 501, 998, 999, 1000, 1001, 1500, 1999];
        waits.map(|waits| (begins, waits))
    }) {
        let world = World::with(|builder| builder.absolute_lifetime(Duration::from_secs(7200)));
        world.advance(millis(begins));
        let mut browser = world.signed_in("ada").await;
        let end = world.store.last().await.expires_at();
        world.secs(7197);
        world.advance(millis(waits));
        let now = world.clock.now();
        // The second in which the session ends is no token's.
        let left = end.since(now).saturating_sub(millis(begins)).as_secs();
        let reply = browser.refresh(&world).await;
        if left == 0 {
            assert_eq!(reply.status, 401, "{begins} {waits}");
            continue;
        }
        assert_eq!(reply.status, 200, "{begins} {waits}");
        let ends = world.verify(&reply).expires_at();
        assert!(ends <= end, "{begins} {waits}");
        assert_eq!(ends.since(now).as_secs(), left, "{begins} {waits}");
        assert_eq!(member(&reply, "expires_in"), left, "{begins} {waits}");
    }
}

/// A session that is as short as a token.
#[tokio::test]
async fn no_answer_says_that_the_session_ends_before_its_token() {
    let world = World::with(|builder| builder.absolute_lifetime(Duration::from_secs(900)));
    let mut browser = world.browser();
    let reply = browser.login(&world, "ada").await;
    let (token, session) = (
        member(&reply, "expires_in"),
        member(&reply, "session_expires_in"),
    );
    assert_eq!((token, session), (900, 900));
}
