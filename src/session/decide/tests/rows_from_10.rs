//! Rows 10 to 13.

use super::*;
use crate::{
    secret::Secret,
    session::{
        RotationPolicy,
        fixture::{BROWSER, STRANGER},
    },
};

#[test]
fn row_10_a_lost_answer_is_recovered_and_its_token_burned() {
    let (mut world, previous, burned) = World::rotated();
    world.wait_ms(G);
    assert_eq!(world.ask(&previous, BROWSER).outcome, Outcome::Replayed);
    world.wait_ms(1);
    let decision = world.take(&previous);
    assert_eq!(decision.outcome, Outcome::Recovered);
    assert!(decision.must_write);
    let successor = decision.successor.unwrap();
    assert_ne!(successor.hash(), burned.hash());
    assert_eq!((world.record.generation, world.record.recoveries), (1, 1));
    assert_eq!(world.record.previous, Some(previous.hash()));
    // Two tabs recover at once: the second gets what the first got.
    let again = world.take(&previous);
    assert_eq!(again.outcome, Outcome::Replayed);
    assert_eq!(again.successor.unwrap().hash(), successor.hash());
    // Whoever has the burned token is not this browser.
    assert_eq!(world.take(&burned).outcome, Outcome::Reuse);
}

#[test]
fn row_10_recovers_three_times_in_a_row_and_then_revokes() {
    let (mut world, previous, _) = World::rotated();
    for recoveries in 1..=3 {
        world.wait_ms(3_600_000);
        assert_eq!(world.take(&previous).outcome, Outcome::Recovered);
        assert_eq!(world.record.recoveries, recoveries);
    }
    world.wait_ms(3_600_000);
    assert_eq!(world.take(&previous).outcome, Outcome::Reuse);
}

#[test]
fn row_10_a_rotation_begins_the_count_again() {
    let (mut world, previous, _) = World::rotated();
    world.wait_ms(G + 1);
    let recovered = world.take(&previous).successor.unwrap();
    world.wait_ms(M);
    assert_eq!(world.take(&recovered).outcome, Outcome::Rotated);
    assert_eq!((world.record.generation, world.record.recoveries), (2, 0));
}

/// A rotation that the store has lost, newest token first and predecessor first.
#[test]
fn row_11_a_lost_rotation_is_adopted_or_derived_again() {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(M);
    let before = world.record.clone();
    let newest = world.take(&current).successor.unwrap();

    world.record = before.clone();
    let decision = world.take(&newest);
    assert_eq!(decision.outcome, Outcome::Adopted);
    assert!(decision.must_write && decision.successor.is_none());
    assert_eq!(world.record.current, newest.hash());
    assert_eq!(world.record.previous, Some(current.hash()));
    assert_eq!(world.record.presented_at, Some(world.now));
    let replay = world.take(&current);
    assert_eq!(replay.outcome, Outcome::Replayed);
    assert_eq!(replay.successor.unwrap().hash(), newest.hash());

    world.record = before;
    let decision = world.take(&current);
    assert_eq!(decision.outcome, Outcome::Rotated);
    assert_eq!(decision.successor.unwrap().hash(), newest.hash());
}

#[test]
fn row_11_a_lost_recovery_is_adopted() {
    let (mut world, previous, burned) = World::rotated();
    world.wait_ms(G + 1);
    let before = world.record.clone();
    let recovered = world.take(&previous).successor.unwrap();
    world.record = before;
    assert_eq!(world.take(&recovered).outcome, Outcome::Adopted);
    assert_eq!((world.record.generation, world.record.recoveries), (1, 1));
    assert_eq!(world.record.previous, Some(previous.hash()));
    assert_eq!(world.take(&burned).outcome, Outcome::Reuse);
}

#[test]
fn row_11_an_adopted_token_of_a_thief_is_bound_to_the_thief() {
    let (mut world, _, current) = World::rotated();
    let before = world.record.clone();
    let stolen = world.take_from(&current, STRANGER).successor.unwrap();
    world.record = before;
    assert_eq!(world.take_from(&stolen, STRANGER).outcome, Outcome::Adopted);
    assert_eq!(world.take(&current).outcome, Outcome::Reuse);
}

#[test]
fn row_12_two_writes_ahead_or_a_wrong_parent_is_lost_state_and_revokes_nothing() {
    let (mut world, _, current) = World::rotated();
    let before = world.record.clone();
    world.wait_ms(M);
    let second = world.take(&current).successor.unwrap();
    world.wait_ms(M);
    let third = world.take(&second).successor.unwrap();
    world.record = before;
    let mut stray = second.clone();
    stray.parent = [7; 16];
    let mut sibling = current.clone();
    sibling.recoveries = 1;
    sibling.secret = Secret::new([7; 32]);
    sibling.parent = [7; 16];
    for token in [&third, &stray, &sibling] {
        let decision = world.ask(token, BROWSER);
        assert_eq!(decision.outcome, Outcome::StateLost);
        assert!(decision.next.is_none() && decision.successor.is_none());
    }
}

#[test]
fn row_13_two_generations_old_is_reuse_even_within_the_grace() {
    let (mut world, oldest, previous) = World::rotated();
    world.wait_ms(M);
    world.take(&previous);
    assert_eq!(world.take(&oldest).outcome, Outcome::Reuse);
    assert!(is_revoked_for_reuse(&world.record));
}

#[test]
fn row_13_a_sibling_with_as_many_recoveries_is_reuse() {
    let (world, _, current) = World::rotated();
    let mut sibling = current.clone();
    sibling.secret = Secret::new([7; 32]);
    assert_eq!(world.ask(&sibling, BROWSER).outcome, Outcome::Reuse);
}

#[test]
fn row_13_two_rotations_in_one_millisecond_are_told_apart_by_generation() {
    let (mut world, first) = World::new(SessionPolicy {
        rotation: RotationPolicy {
            interval: Duration::ZERO,
            ..RotationPolicy::default()
        },
        ..default()
    });
    let second = world.take(&first).successor.unwrap();
    world.take(&second);
    assert_eq!(world.record.generation, 2);
    assert_eq!(world.take(&first).outcome, Outcome::Reuse);
}
