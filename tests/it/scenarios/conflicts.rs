//! Writes that come second.

use http::Method;
use tower_bearer::Clock;

use crate::support::{
    faults::Fault,
    world::{Browser, Reply, World},
};

async fn elevate(world: &World, browser: &mut Browser) -> Reply {
    browser.call(world, Method::POST, "/elevate").await
}

/// Another tab rotates while the claims are under way, and they take longer than the grace.
#[tokio::test]
async fn a_refresh_that_lost_a_race_is_judged_by_the_time_of_the_conflict() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let (inner, other) = (world.clone(), browser.clone());
    *world.between.lock().unwrap() = Some(Box::pin(async move {
        // At one time both would write the same, which is no conflict.
        inner.secs(1);
        assert_eq!(other.refresh_lost(&inner).await.status, 200);
        inner.secs(31);
    }));
    assert_eq!(browser.refresh(&world).await.status, 200);
    // By the time of its load it would have been a replay within the window.
    assert_eq!(world.outcomes("rotated"), 1);
    assert_eq!(world.outcomes("replayed"), 0);
    assert_eq!(world.outcomes("recovered"), 1);
}

#[tokio::test]
async fn a_replay_that_lost_a_race_moves_the_window_all_the_same() {
    let world = World::new();
    let browser = world.signed_in("ada").await;
    browser.refresh_lost(&world).await;
    world.secs(20);
    world.store.fail_swap(Fault::LoseRace);
    assert_eq!(browser.refresh_lost(&world).await.status, 200);
    assert_eq!(world.store.last().await.last_seen(), world.clock.now());
    // Its answer may be under way for as long as any other.
    world.secs(29);
    assert_eq!(browser.refresh_lost(&world).await.status, 200);
    assert_eq!(world.outcomes("replayed"), 2);
    assert_eq!(world.outcomes("recovered"), 0);
}

#[tokio::test]
async fn a_first_use_that_lost_a_race_is_written_down_all_the_same() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    world.secs(5);
    world.store.fail_swap(Fault::LoseRace);
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(world.outcomes("coalesced"), 1);
    assert_eq!(world.store.last().await.last_seen(), world.clock.now());
}

#[tokio::test]
async fn a_change_of_privilege_that_lost_a_race_to_a_note_goes_on() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    world.store.fail_swap(Fault::LoseRace);
    assert_eq!(elevate(&world, &mut browser).await.status, 200);
    assert_eq!(world.store.last().await.generation(), 1);
}

#[tokio::test]
async fn a_change_of_privilege_that_lost_a_race_to_a_sign_out_changes_nothing() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let (inner, mut leaving) = (world.clone(), browser.clone());
    *world.between.lock().unwrap() = Some(Box::pin(async move {
        assert_eq!(leaving.logout(&inner).await.status, 204);
    }));
    let reply = elevate(&world, &mut browser).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "superseded"));
    assert!(reply.set_cookie().is_none());
    assert_eq!(world.store.last().await.generation(), 0);
}

/// The token of a change of privilege goes out again until it has come back, and no longer.
#[tokio::test]
async fn a_change_that_is_asked_for_again_loses_against_its_token() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let mut late = browser.clone();
    assert_eq!(elevate(&world, &mut browser).await.status, 200);
    let (inner, other) = (world.clone(), browser.clone());
    *world.between.lock().unwrap() = Some(Box::pin(async move {
        assert_eq!(other.refresh_lost(&inner).await.status, 200);
    }));
    let reply = elevate(&world, &mut late).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "superseded"));
    assert!(reply.set_cookie().is_none());
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_repeated_whatever_came_before_it() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    // The token that it replaces has been seen.
    browser.refresh(&world).await;
    browser.refresh(&world).await;
    let mut lost = browser.clone();
    assert_eq!(elevate(&world, &mut lost).await.status, 200);
    assert_eq!(elevate(&world, &mut browser).await.status, 200);
    assert_eq!(world.store.last().await.generation(), 2);
    assert_eq!(browser.refresh(&world).await.status, 200);
}

/// It has got nowhere, and the owner is gone.
#[tokio::test]
async fn a_newcomer_that_lost_a_race_to_a_sign_out_is_not_told_of() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    let mut other = browser.thief();
    other.agent = "bot/1".to_owned();
    let (inner, mut leaving) = (world.clone(), browser.clone());
    *world.between.lock().unwrap() = Some(Box::pin(async move {
        assert_eq!(leaving.logout(&inner).await.status, 204);
    }));
    assert_ne!(other.refresh(&world).await.status, 200);
    assert_eq!(world.count("NewFingerprint"), 0);
}
