//! Rows 10 to 13, for one client.

use super::*;
use crate::{
    secret::Secret,
    session::{RotationPolicy, fixture::BROWSER},
};

#[test]
fn row_10_a_lost_answer_is_recovered_and_its_token_burned() {
    let (mut world, previous, burned) = World::rotated();
    world.wait_ms(G);
    assert_eq!(world.ask(&previous, BROWSER).outcome, Outcome::Replayed);
    world.wait_ms(1);
    let decision = world.take(&previous);
    assert_eq!(told(&decision), ("10", Outcome::Recovered, false));
    let successor = decision.successor.unwrap();
    assert_ne!(successor.hash(), burned.hash());
    assert_eq!((world.record.generation, world.record.recoveries), (1, 1));
    assert_eq!(world.record.previous, Some(previous.hash()));
    // Two tabs recover at once: the second gets what the first got.
    let again = world.take(&previous);
    assert_eq!(again.outcome, Outcome::Replayed);
    assert_eq!(again.successor.unwrap().hash(), successor.hash());
}

/// A browser writes its cookies late, and comes back without them when it is killed.
#[test]
fn row_10_a_successor_that_was_seen_is_recovered_from_too() {
    let (mut world, previous, burned) = World::rotated();
    assert_eq!(world.take(&burned).outcome, Outcome::Coalesced);
    world.wait_ms(G + 1);
    let decision = world.take(&previous);
    assert_eq!(told(&decision), ("10", Outcome::Recovered, false));
    assert_ne!(decision.successor.unwrap().hash(), burned.hash());
    assert_eq!(
        (world.record.recoveries, world.record.presented_at),
        (1, None)
    );
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

#[test]
fn row_10_recoveries_that_are_used_up_are_outdated_and_no_alarm() {
    let (mut world, previous, _) = World::rotated();
    world.policy.rotation.recoveries = 3;
    for recoveries in 1..=3 {
        world.wait_ms(3_600_000);
        assert_eq!(world.take(&previous).outcome, Outcome::Recovered);
        assert_eq!(world.record.recoveries, recoveries);
    }
    world.wait_ms(3_600_000);
    for (client, row) in [(BROWSER, "10"), (STRANGER, "10b")] {
        let decision = world.ask(&previous, client);
        assert_eq!(told(&decision), (row, Outcome::Outdated, false));
        assert!(is_mere_refusal(&decision));
    }
    let (mut world, previous, _) = with_newcomer();
    world.record.recoveries = u8::MAX;
    world.wait_ms(G + 1);
    for (client, row) in [(STRANGER, "10"), (BROWSER, "10c")] {
        let decision = world.ask(&previous, client);
        assert_eq!(told(&decision), (row, Outcome::Outdated, false));
        assert!(is_mere_refusal(&decision));
    }
}

#[test]
fn row_10_a_generation_is_recovered_255_times() {
    let (mut world, previous, _) = World::rotated();
    for recoveries in 1..=u8::MAX {
        world.wait_ms(G + 1);
        assert_eq!(world.take(&previous).outcome, Outcome::Recovered);
        assert_eq!(world.record.recoveries, recoveries);
    }
    world.wait_ms(G + 1);
    assert_eq!(world.take(&previous).outcome, Outcome::Outdated);
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
    assert_eq!(told(&decision), ("11", Outcome::Adopted, false));
    assert!(decision.successor.is_none());
    assert_eq!(world.record.current, newest.hash());
    assert_eq!(world.record.previous, Some(current.hash()));
    assert_eq!(world.record.presented_at, Some(world.now));
    let replay = world.take(&current);
    assert_eq!(replay.outcome, Outcome::Replayed);
    assert!(replay.successor.is_none(), "it has been seen");

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
    assert_eq!(
        told(&world.take(&recovered)),
        ("11", Outcome::Adopted, false)
    );
    assert_eq!((world.record.generation, world.record.recoveries), (1, 1));
    assert_eq!(world.record.previous, Some(previous.hash()));
    assert_eq!(world.take(&burned).row, Row::BurnedSibling);
}

/// The write that was lost knew who held the token. A newcomer that brings it is not taken for that one.
#[test]
fn row_11_a_newcomer_does_not_become_the_holder() {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(M);
    let before = world.record.clone();
    let stolen = world.take_from(&current, STRANGER).successor.unwrap();
    world.record = before;
    assert_eq!(
        told(&world.take_from(&stolen, STRANGER)),
        ("11", Outcome::Adopted, false)
    );
    let fingerprints = world.record.fingerprints;
    assert_eq!(fingerprints.holder(), BROWSER);
    assert!(fingerprints.has_met(STRANGER) && !fingerprints.is_known(STRANGER));
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
        assert_eq!(told(&decision), ("12", Outcome::StateLost, false));
        assert!(is_mere_refusal(&decision));
    }
}

/// An early recovery crosses with the answer that it has burned.
#[test]
fn row_13a_a_burned_sibling_waits_until_the_grace_of_the_recovery_is_over() {
    let (mut world, previous, burned) = World::rotated();
    world.wait_ms(G + 1);
    let recovered = world.take(&previous).successor.unwrap();
    world.wait_ms(G);
    for client in [BROWSER, STRANGER] {
        let decision = world.ask(&burned, client);
        assert_eq!(told(&decision), ("13a", Outcome::Superseded, false));
        assert!(is_mere_refusal(&decision));
    }
    // Neither a presentation nor a replay makes it longer.
    world.take(&recovered);
    world.take(&previous);
    world.wait_ms(1);
    assert_eq!(told(&world.take(&burned)), ("13", Outcome::Reuse, false));
    assert!(is_revoked_for_reuse(&world.record));
}

#[test]
fn row_13_two_generations_old_is_reuse_even_within_the_grace() {
    let (mut world, oldest, previous) = World::rotated();
    world.wait_ms(M);
    world.take(&previous);
    let decision = world.take(&oldest);
    assert_eq!(told(&decision), ("13", Outcome::Reuse, false));
    assert!(decision.successor.is_none());
    assert!(is_revoked_for_reuse(&world.record));
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
    assert_eq!(world.take(&first).row, Row::Reuse);
}
