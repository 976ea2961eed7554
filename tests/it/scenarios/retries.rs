//! Endings whose writes fail, are lost or come second: each is told of once.

use std::time::Duration;

use http::Method;
use tower_bearer::ReusePolicy;

use crate::support::{
    faults::Fault,
    world::{Browser, World},
};

/// A victim that has rotated twice, and the thief who copied its jar before.
async fn robbed(world: &World) -> (Browser, Browser) {
    let mut victim = world.signed_in("ada").await;
    let thief = victim.thief();
    for _ in 0..2 {
        victim.refresh(world).await;
        world.secs(61);
    }
    (victim, thief)
}

/// Revocations that wait are tried now.
async fn retried(world: &World) {
    assert_eq!(world.layer.drain(Duration::from_secs(10)).await, 0);
}

/// The session of the theft is ended, and then the store fails: the others are ended once it answers.
#[tokio::test]
async fn the_other_sessions_of_a_theft_are_ended_though_the_store_failed_in_between() {
    let world = World::with(|b| b.reuse(ReusePolicy::Subject));
    let mut elsewhere = world.signed_in("ada").await;
    let (_, mut thief) = robbed(&world).await;
    world.store.fail_revoke_all(0, Fault::Refuse);
    assert_eq!(thief.refresh(&world).await.status, 503);
    assert!(!world.store.last().await.is_live());
    assert_eq!(elsewhere.refresh(&world).await.status, 200, "not yet");
    retried(&world).await;
    assert_eq!(elsewhere.refresh(&world).await.status, 401);
    assert_eq!(world.count("ReuseDetected"), 1);
    assert_eq!(world.count("Revoked"), 2, "each end is told of once");
}

/// The first write loses a race, and the answer to the second one is lost. The third finds its own work.
#[tokio::test]
async fn a_theft_is_told_of_though_its_write_was_lost_after_a_race() {
    let world = World::new();
    let (mut victim, mut thief) = robbed(&world).await;
    let before = world.store.last().await;
    victim.refresh(&world).await;
    world.store.show_once(&before);
    world.store.fail_swap(Fault::ApplyThenLose);
    world.store.fail_swap(Fault::LoseRace);
    assert_eq!(thief.refresh(&world).await.status, 503);
    assert!(!world.store.last().await.is_live());
    retried(&world).await;
    assert_eq!(world.count("ReuseDetected"), 1);
}

#[tokio::test]
async fn an_alarm_that_comes_second_to_another_one_tells_of_nothing() {
    let world = World::new();
    let (mut victim, mut thief) = robbed(&world).await;
    let before = world.store.last().await;
    victim.refresh(&world).await;
    assert_eq!(thief.clone().refresh(&world).await.status, 401);
    world.store.show_once(&before);
    assert_eq!(thief.refresh(&world).await.status, 401);
    assert_eq!(
        (world.count("ReuseDetected"), world.count("Revoked")),
        (1, 1)
    );
}

#[tokio::test]
async fn an_alarm_after_the_sign_out_tells_of_no_second_end() {
    let world = World::new();
    let (mut victim, mut thief) = robbed(&world).await;
    assert_eq!(victim.logout(&world).await.status, 204);
    world.secs(31);
    assert_eq!(thief.refresh(&world).await.status, 401);
    assert_eq!(
        (world.count("ReuseDetected"), world.count("Revoked")),
        (1, 1)
    );
}

#[tokio::test]
async fn a_sign_out_whose_answer_was_lost_is_told_of() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    world.store.fail_swap(Fault::ApplyThenLose);
    assert_eq!(browser.logout(&world).await.status, 503);
    assert_eq!(world.count("Revoked"), 0);
    retried(&world).await;
    assert_eq!(world.count("Revoked"), 1);
}

/// The first write loses a race, and the answer to the second one is lost.
#[tokio::test]
async fn a_sign_out_whose_answer_was_lost_after_a_race_is_told_of() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    world.secs(61);
    let before = world.store.last().await;
    browser.refresh(&world).await;
    world.store.show_once(&before);
    world.store.fail_swap(Fault::ApplyThenLose);
    world.store.fail_swap(Fault::LoseRace);
    assert_eq!(browser.logout(&world).await.status, 503);
    assert!(!world.store.last().await.is_live());
    assert_eq!(world.count("Revoked"), 0);
    retried(&world).await;
    assert_eq!(world.count("Revoked"), 1);
}

/// The store ends the others and its answer is lost. So the server cannot find out which call ended them. The own
/// session is reported once.
#[tokio::test]
async fn an_end_of_all_whose_answer_was_lost_tells_of_its_own_session_once_and_ends_the_others() {
    let world = World::new();
    let mut elsewhere = world.signed_in("ada").await;
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    world.store.fail_revoke_all(0, Fault::ApplyThenLose);
    let reply = browser.call(&world, Method::POST, "/logout-all").await;
    assert_eq!(reply.status, 503);
    assert_eq!(world.count("Revoked"), 0);
    assert_eq!(world.count("RevocationQueued"), 1);
    retried(&world).await;
    assert_eq!(
        (world.count("Revoked"), world.count("RevocationLost")),
        (1, 0)
    );
    assert_eq!(elsewhere.refresh(&world).await.status, 401);
    assert_eq!(browser.refresh(&world).await.status, 401);
}

#[tokio::test]
async fn a_sign_out_waits_for_a_store_that_is_away_for_longer() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    world.store.down(true);
    assert_eq!(browser.logout(&world).await.status, 503);
    let left = world.layer.drain(Duration::from_millis(300)).await;
    assert_eq!(left, 1, "tried while it is away");
    world.store.down(false);
    retried(&world).await;
    assert!(!world.store.last().await.is_live());
    assert_eq!(world.count("RevocationLost"), 0);
}

#[tokio::test]
async fn a_session_that_is_one_too_many_is_told_of() {
    let world = World::with(|b| b.session_limit(1));
    world.signed_in("ada").await;
    world.signed_in("ada").await;
    assert_eq!(world.count("Revoked"), 1);
    assert!(
        world
            .events
            .lock()
            .unwrap()
            .iter()
            .any(|event| event.contains("reason: Limit"))
    );
}

#[tokio::test]
async fn a_session_of_another_subject_makes_no_room() {
    let world = World::with(|b| b.session_limit(2));
    let mut oldest = world.signed_in("bob").await;
    world.secs(1);
    world.signed_in("bob").await;
    let mut browser = world.signed_in("ada").await;
    assert_eq!(browser.login(&world, "bob").await.status, 200);
    assert_eq!(oldest.refresh(&world).await.status, 401);
}
