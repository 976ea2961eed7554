//! The operations that a refresh asks of the store are one load, and then one swap where something changes. Where
//! nothing changes and an access token goes out, it is a second load. That one shows an end that was written while the
//! claims were computed. A swap would have met it, and an answer without a token needs none.

use std::time::Duration;

use super::ends_that_hold::{ONE, TWO, ring};
use crate::support::world::{Browser, World};

/// A browser whose next refresh rotates.
async fn due(world: &World) -> Browser {
    let mut browser = world.signed_in("ada").await;
    browser.refresh(world).await;
    world.secs(100);
    browser
}

/// The status of a refresh, and the operations that it asked for.
async fn asked(world: &World, browser: &mut Browser) -> (u16, usize) {
    let before = world.store.calls();
    let reply = browser.refresh(world).await;
    (reply.status.as_u16(), world.store.calls() - before)
}

#[tokio::test]
async fn a_refresh_loads_and_swaps_or_looks_again() {
    let world = World::new();
    let mut browser = due(&world).await;
    let mut late = browser.clone();
    let mut second = browser.clone();
    let mut copied = browser.without_jar();
    assert_eq!(asked(&world, &mut copied).await, (401, 1), "foreign");
    assert_eq!(asked(&world, &mut browser).await, (200, 2), "rotated");
    assert_eq!(asked(&world, &mut late).await, (200, 2), "replayed");
    assert_eq!(
        asked(&world, &mut browser).await,
        (200, 2),
        "coalesced, seen"
    );
    assert_eq!(asked(&world, &mut browser).await, (200, 2), "coalesced");
    assert_eq!(asked(&world, &mut second).await, (200, 2), "replayed, seen");
}

#[tokio::test]
async fn a_late_replay_and_a_recovery_swap() {
    let world = World::new();
    let browser = due(&world).await;
    assert_eq!(
        asked(&world, &mut browser.clone()).await,
        (200, 2),
        "rotated"
    );
    world.secs(10);
    let moved = asked(&world, &mut browser.clone()).await;
    assert_eq!(moved, (200, 2), "replayed, and the window moves");
    world.secs(100);
    assert_eq!(
        asked(&world, &mut browser.clone()).await,
        (200, 2),
        "recovered"
    );
}

/// A note for the tab in use, where another tab's timer has rotated without it. There is no second one within the
/// interval.
#[tokio::test]
async fn an_active_tab_notes_its_use_once_an_interval() {
    let world = World::with(|builder| builder.idle_lifetime(Duration::from_secs(3600)));
    let mut timer = due(&world).await;
    let mut late = timer.clone();
    assert_eq!(timer.passive(&world).await.status, 200);
    assert_eq!(timer.passive(&world).await.status, 200);
    let mut used = timer.clone();
    assert!(notes(&world, &mut used).await, "coalesced, used");
    for browser in [&mut used, &mut late] {
        assert!(!notes(&world, browser).await, "noted before");
    }

    let mut timer = due(&world).await;
    let mut late = timer.clone();
    assert_eq!(timer.passive(&world).await.status, 200);
    assert!(notes(&world, &mut late.clone()).await, "replayed, used");
    assert!(!notes(&world, &mut late).await, "noted before");
}

/// Whether a refresh that succeeds changes the record. It asks the store twice, either way.
async fn notes(world: &World, browser: &mut Browser) -> bool {
    let before = world.store.last().await;
    assert_eq!(asked(world, browser).await, (200, 2));
    world.store.last().await != before
}

#[tokio::test]
async fn a_newcomer_costs_one_round_trip_once() {
    let world = World::new();
    let mut browser = due(&world).await;
    let mut late = browser.clone();
    browser.agent = "another window".to_owned();
    assert_eq!(asked(&world, &mut browser).await, (409, 2), "confirm");
    assert_eq!(
        asked(&world, &mut browser).await,
        (200, 2),
        "coalesced, seen"
    );
    assert_eq!(asked(&world, &mut late).await, (409, 1), "superseded");
    late.cookie.clone_from(&browser.cookie);
    assert_eq!(
        asked(&world, &mut late).await,
        (200, 2),
        "coalesced, known from now on"
    );
    for _ in 0..2 {
        assert_eq!(asked(&world, &mut late).await, (200, 2), "coalesced");
        assert_eq!(asked(&world, &mut browser).await, (200, 2), "coalesced");
    }
}

#[tokio::test]
async fn a_theft_costs_the_revocation() {
    let world = World::new();
    let mut browser = due(&world).await;
    let mut older = browser.clone();
    for _ in 0..2 {
        browser.refresh(&world).await;
        world.secs(100);
    }
    assert_eq!(asked(&world, &mut older).await, (401, 2), "reuse");
    assert_eq!(asked(&world, &mut browser).await, (401, 1), "over");
}

/// A sign-in asks for the time and inserts. The session that it replaces costs a load and a swap, and a second key two
/// lists. The store counts the sessions of one key, and the limit is about those of all.
#[tokio::test]
async fn a_sign_in_asks_twice_and_more_where_it_replaces_or_keys_change() {
    let world = World::new();
    let two = world.server_with_keys(ring(ONE, TWO));
    for (world, first, again) in [(&world, 2, 4), (&two, 4, 6)] {
        let mut browser = world.browser();
        for calls in [first, again] {
            let before = world.store.calls();
            browser.login(world, "ada").await;
            assert_eq!(world.store.calls() - before, calls);
        }
        let dead = browser.clone();
        browser.logout(world).await;
        let before = world.store.calls();
        dead.clone().login(world, "ada").await;
        assert_eq!(
            world.store.calls() - before,
            first + 1,
            "it is over already"
        );
    }
}
