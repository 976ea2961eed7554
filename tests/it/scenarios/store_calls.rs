//! The operations that a refresh asks of the store: one load, and one swap where something changes.

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
async fn a_refresh_loads_once_and_swaps_where_something_changes() {
    let world = World::new();
    let mut browser = due(&world).await;
    let mut late = browser.clone();
    let mut second = browser.clone();
    let mut copied = browser.without_jar();
    assert_eq!(asked(&world, &mut copied).await, (401, 1), "foreign");
    assert_eq!(asked(&world, &mut browser).await, (200, 2), "rotated");
    assert_eq!(asked(&world, &mut late).await, (200, 1), "replayed");
    assert_eq!(
        asked(&world, &mut browser).await,
        (200, 2),
        "coalesced, seen"
    );
    assert_eq!(asked(&world, &mut browser).await, (200, 1), "coalesced");
    assert_eq!(asked(&world, &mut second).await, (200, 1), "replayed, seen");
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
        assert_eq!(asked(&world, &mut late).await, (200, 1), "coalesced");
        assert_eq!(asked(&world, &mut browser).await, (200, 1), "coalesced");
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
