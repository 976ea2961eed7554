//! Rows 1, 2, 5, 6, 8 and 9, for one client.

use super::*;
use crate::{
    keys::SubjectTag,
    secret::Secret,
    session::{
        fixture::{BROWSER, NOW, from_jar},
        id::SessionId,
    },
};

#[test]
fn row_1_whatever_has_expired_is_refused_before_anything_else() {
    let (world, _, current) = World::rotated();
    let ask = |token: &RefreshToken, record: Option<&SessionRecord>, now| {
        let presenter = &from_jar(BROWSER);
        told(&decide(
            token,
            record,
            now,
            presenter,
            &world.policy,
            &world.keys,
        ))
    };
    let expired = ("1", Outcome::Expired, false);
    let end = world.record.absolute_expires_at;
    let mut idle = world.record.clone();
    idle.idle_expires_at = NOW + Duration::from_secs(5);
    let mut absolute = world.record.clone();
    absolute.absolute_expires_at = NOW + Duration::from_secs(5);
    let at = |millis| NOW + Duration::from_millis(millis);
    for record in [&idle, &absolute] {
        assert_ne!(ask(&current, Some(record), at(4_999)), expired);
        assert_eq!(ask(&current, Some(record), at(5_000)), expired);
    }
    // The token says so itself, record or not, and an expired token never revokes.
    assert_eq!(ask(&current, None, end), expired);
    let mut stale = current.clone();
    stale.generation = 0;
    stale.secret = Secret::new([0; 32]);
    stale.expires_at = NOW;
    let decision = world.ask(&stale, STRANGER);
    assert_eq!(told(&decision), expired);
    assert!(is_mere_refusal(&decision));
}

#[test]
fn row_2_no_record_is_unknown_and_writes_nothing() {
    let (world, _, current) = World::rotated();
    let mut other = world.record.clone();
    other.id = SessionId::from_bytes([9; 16]);
    let mut foreign = world.record.clone();
    foreign.subject_tag = SubjectTag::from_bytes([9; 16]);
    for record in [None, Some(&other), Some(&foreign)] {
        let presenter = from_jar(BROWSER);
        let decision = decide(
            &current,
            record,
            NOW,
            &presenter,
            &world.policy,
            &world.keys,
        );
        assert_eq!(told(&decision), ("2", Outcome::Unknown, false));
        assert!(is_mere_refusal(&decision));
    }
}

#[test]
fn row_5_current_before_the_interval_is_coalesced() {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(M - 1);
    let before = world.record.clone();
    let first = world.take(&current);
    assert_eq!(told(&first), ("5", Outcome::Coalesced, false));
    assert!(first.successor.is_none());
    let seen = SessionRecord {
        presented_at: Some(world.now),
        ..before
    };
    assert_eq!(world.record, seen, "no expiry moves");
    // Presented is when it was seen first.
    let second = world.take(&current);
    assert_eq!(told(&second), ("5", Outcome::Coalesced, false));
    assert!(second.next.is_none());
}

#[test]
fn row_6_current_at_the_interval_is_rotated() {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(M);
    let before = world.record.clone();
    let decision = world.take(&current);
    assert_eq!(told(&decision), ("6", Outcome::Rotated, false));
    let successor = decision.successor.unwrap();
    let rotated = SessionRecord {
        generation: before.generation + 1,
        current: successor.hash(),
        previous: Some(current.hash()),
        handed_out_at: world.now,
        rotated_at: world.now,
        ..before
    };
    assert_eq!(world.record, rotated);
    assert_eq!(world.record.recoveries, 0);
}

#[test]
fn row_6_a_session_that_never_rotated_rotates_at_its_first_refresh() {
    let (mut world, first) = World::new(default());
    assert_eq!(told(&world.take(&first)), ("6", Outcome::Rotated, false));
    // The other tabs come with the same token and get the same successor.
    assert_eq!(world.take(&first).outcome, Outcome::Replayed);
    assert_eq!(world.record.generation, 1);
}

#[test]
fn row_6_the_idle_expiry_moves_and_stays_within_the_absolute_one() {
    let policy = SessionPolicy {
        idle: Duration::from_secs(600),
        absolute: Duration::from_secs(1_000),
        ..default()
    };
    let (mut world, first) = World::new(policy);
    assert_eq!(world.record.idle_expires_at, NOW + Duration::from_secs(600));
    world.wait_ms(300_000);
    let second = world.take(&first).successor.unwrap();
    assert_eq!(world.record.idle_expires_at, NOW + Duration::from_secs(900));
    world.wait_ms(300_000);
    world.take(&second);
    assert_eq!(
        world.record.idle_expires_at,
        NOW + Duration::from_secs(1_000)
    );
}

/// A successor begins unseen, whatever became of its predecessor.
#[test]
fn row_6_the_successor_of_a_seen_token_has_not_been_seen() {
    let (mut world, _, current) = World::rotated();
    assert_eq!(world.take(&current).outcome, Outcome::Coalesced);
    assert_eq!(world.record.presented_at, Some(world.now));
    world.wait_ms(M);
    assert_eq!(world.take(&current).outcome, Outcome::Rotated);
    assert_eq!(world.record.presented_at, None);
}

#[test]
fn row_8_previous_before_its_successor_is_seen_gets_the_same_successor() {
    let (mut world, previous, current) = World::rotated();
    for wait in [0, G / 8, G, G, G] {
        world.wait_ms(wait);
        let idle = world.record.idle_expires_at;
        let decision = world.take(&previous);
        let replayed = ("8", Outcome::Replayed, false);
        assert_eq!(told(&decision), replayed, "after {wait} ms");
        assert_eq!(decision.successor.unwrap().hash(), current.hash());
        assert_eq!(world.record.handed_out_at, world.now, "after {wait} ms");
        assert_eq!(
            world.record.idle_expires_at, idle,
            "a replay extends nothing"
        );
    }
    assert_eq!(
        world.record.presented_at, None,
        "the successor has not come"
    );
}

#[test]
fn row_8_a_burst_of_replays_writes_nothing_until_an_eighth_of_the_grace() {
    let (mut world, previous, _) = World::rotated();
    world.wait_ms(G / 8 - 1);
    assert!(world.ask(&previous, BROWSER).next.is_none());
    world.wait_ms(1);
    assert!(world.ask(&previous, BROWSER).next.is_some());
}

#[test]
fn row_9_once_the_successor_is_seen_replays_no_longer_move_the_window() {
    let (mut world, previous, current) = World::rotated();
    world.wait_ms(1_000);
    assert_eq!(world.take(&current).outcome, Outcome::Coalesced);
    for wait in [0, G - 1, 1] {
        world.wait_ms(wait);
        let decision = world.take(&previous);
        assert_eq!(told(&decision), ("9", Outcome::Replayed, false));
        assert!(decision.next.is_none(), "the window stands");
        assert!(
            decision.successor.is_none(),
            "the jar has it, or has lost it for good"
        );
    }
    world.wait_ms(1);
    assert_eq!(world.ask(&previous, BROWSER).row, Row::Recovered);
}

#[test]
fn row_9_the_window_counts_from_the_hand_out_too() {
    let (mut world, previous, current) = World::rotated();
    world.take(&current);
    world.record.presented_at = Some(NOW - Duration::from_secs(3600));
    world.wait_ms(G);
    assert_eq!(world.ask(&previous, BROWSER).row, Row::ReplayedSeen);
    world.wait_ms(1);
    assert_eq!(world.ask(&previous, BROWSER).row, Row::Recovered);
}

/// A record that contradicts itself: its current token does not follow from the previous one.
#[test]
fn a_replay_hands_out_no_other_successor_than_the_stored_one() {
    let (mut world, previous, _) = World::rotated();
    world.record.seed = [7; 32];
    let decision = world.ask(&previous, BROWSER);
    assert_eq!(told(&decision), ("8", Outcome::StateLost, false));
    assert!(is_mere_refusal(&decision));
}
