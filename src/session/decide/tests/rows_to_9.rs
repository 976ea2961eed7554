//! Rows 1 to 9.

use super::*;
use crate::{
    keys::SubjectTag,
    secret::Secret,
    session::{
        fixture::{BROWSER, NOW, STRANGER},
        id::SessionId,
    },
};

#[test]
fn row_1_whatever_has_expired_is_refused_before_anything_else() {
    let (world, _, current) = World::rotated();
    let outcome = |token: &RefreshToken, record: Option<&SessionRecord>, now| {
        decide(token, record, now, BROWSER, &world.policy, &world.keys).outcome
    };
    let end = world.record.absolute_expires_at;
    let mut idle = world.record.clone();
    idle.idle_expires_at = NOW + Duration::from_secs(5);
    let mut absolute = world.record.clone();
    absolute.absolute_expires_at = NOW + Duration::from_secs(5);
    let at = |millis| NOW + Duration::from_millis(millis);
    for record in [&idle, &absolute] {
        assert_ne!(outcome(&current, Some(record), at(4_999)), Outcome::Expired);
        assert_eq!(outcome(&current, Some(record), at(5_000)), Outcome::Expired);
    }
    // The token says so itself, record or not, and an expired token never revokes.
    assert_eq!(outcome(&current, None, end), Outcome::Expired);
    let mut stale = current.clone();
    stale.generation = 0;
    stale.secret = Secret::new([0; 32]);
    stale.expires_at = NOW;
    let decision = decide(
        &stale,
        Some(&world.record),
        NOW,
        STRANGER,
        &world.policy,
        &world.keys,
    );
    assert_eq!(decision.outcome, Outcome::Expired);
    assert!(decision.next.is_none());
}

#[test]
fn row_2_no_record_is_unknown_and_writes_nothing() {
    let (world, _, current) = World::rotated();
    let ask = |record: Option<&SessionRecord>| {
        decide(&current, record, NOW, BROWSER, &world.policy, &world.keys)
    };
    let mut other = world.record.clone();
    other.id = SessionId::from_bytes([9; 16]);
    let mut foreign = world.record.clone();
    foreign.subject_tag = SubjectTag::from_bytes([9; 16]);
    for record in [None, Some(&other), Some(&foreign)] {
        let decision = ask(record);
        assert_eq!(decision.outcome, Outcome::Unknown);
        assert!(decision.next.is_none() && decision.successor.is_none());
    }
}

#[test]
fn row_3_a_revoked_session_answers_every_token_the_same() {
    let (mut world, previous, current) = World::rotated();
    world.record = world.record.revoked(RevokeReason::SignedOut);
    let future = current
        .successor(&current.hash(), &world.record, 0, &world.keys)
        .unwrap();
    for token in [&previous, &current, &future] {
        for client in [BROWSER, STRANGER] {
            let decision = world.ask(token, client);
            assert_eq!(decision.outcome, Outcome::Revoked);
            assert!(decision.next.is_none(), "no second event, no second write");
        }
    }
}

#[test]
fn row_5_current_before_the_interval_is_coalesced() {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(M - 1);
    let idle = world.record.idle_expires_at;
    let first = world.take(&current);
    assert_eq!(first.outcome, Outcome::Coalesced);
    assert!(first.successor.is_none() && !first.must_write);
    assert_eq!(world.record.presented_at, Some(world.now));
    assert_eq!(world.record.idle_expires_at, idle);
    // Presented is when it was seen first.
    let second = world.take(&current);
    assert_eq!(second.outcome, Outcome::Coalesced);
    assert!(second.next.is_none());
}

#[test]
fn row_6_current_at_the_interval_is_rotated() {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(M);
    let before = world.record.clone();
    let decision = world.take(&current);
    assert_eq!(decision.outcome, Outcome::Rotated);
    assert!(decision.must_write);
    let successor = decision.successor.unwrap();
    let record = &world.record;
    assert_eq!(record.generation, before.generation + 1);
    assert_eq!(record.current, successor.hash());
    assert_eq!(record.previous, Some(current.hash()));
    assert_eq!(record.handed_out_at, world.now);
    assert_eq!(record.rotated_at, world.now);
    assert_eq!(record.presented_at, None);
    assert_eq!(record.recoveries, 0);
    assert_eq!(record.seed, before.seed);
    assert_eq!(record.created_at, before.created_at);
    assert_eq!(record.absolute_expires_at, before.absolute_expires_at);
}

#[test]
fn row_6_a_session_that_never_rotated_rotates_at_its_first_refresh() {
    let (mut world, first) = World::new(default());
    assert_eq!(world.take(&first).outcome, Outcome::Rotated);
    // The other tabs come with the same token and get the same successor.
    assert_eq!(world.take(&first).outcome, Outcome::Replayed);
    assert_eq!(world.record.generation, 1);
}

#[test]
fn row_6_current_from_another_client_is_rotated_at_once_and_binds_it() {
    let (mut world, _, current) = World::rotated();
    let decision = world.take_from(&current, STRANGER);
    assert_eq!(decision.outcome, Outcome::Rotated);
    assert_eq!(world.record.client, STRANGER);
    // The victim still has the token that was replaced: now it is the other client.
    assert_eq!(world.take(&current).outcome, Outcome::Reuse);
    assert!(is_revoked_for_reuse(&world.record));
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

#[test]
fn row_7_previous_from_another_client_is_reuse_at_once() {
    let (mut world, previous, current) = World::rotated();
    let decision = world.take_from(&previous, STRANGER);
    assert_eq!(decision.outcome, Outcome::Reuse);
    assert!(decision.must_write && decision.successor.is_none());
    assert!(is_revoked_for_reuse(&world.record));
    assert_eq!(world.take(&current).outcome, Outcome::Revoked);
}

#[test]
fn row_8_previous_before_its_successor_is_seen_gets_the_same_successor() {
    let (mut world, previous, current) = World::rotated();
    for wait in [0, G / 8, G, G, G] {
        world.wait_ms(wait);
        let idle = world.record.idle_expires_at;
        let decision = world.take(&previous);
        assert_eq!(decision.outcome, Outcome::Replayed, "after {wait} ms");
        assert!(!decision.must_write);
        assert_eq!(decision.successor.unwrap().hash(), current.hash());
        assert_eq!(world.record.handed_out_at, world.now, "after {wait} ms");
        assert_eq!(
            world.record.idle_expires_at, idle,
            "a replay extends nothing"
        );
    }
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
        assert_eq!(decision.outcome, Outcome::Replayed);
        assert!(decision.next.is_none(), "the window stands");
        assert_eq!(decision.successor.unwrap().hash(), current.hash());
    }
    world.wait_ms(1);
    assert_eq!(world.take(&previous).outcome, Outcome::Reuse);
}

#[test]
fn row_9_the_window_counts_from_the_hand_out_too() {
    let (mut world, previous, current) = World::rotated();
    world.take(&current);
    world.record.presented_at = Some(NOW - Duration::from_secs(3600));
    world.wait_ms(G);
    assert_eq!(world.ask(&previous, BROWSER).outcome, Outcome::Replayed);
    world.wait_ms(1);
    assert_eq!(world.ask(&previous, BROWSER).outcome, Outcome::Reuse);
}

/// What was seen of the last token says nothing of the next one.
#[test]
fn row_6_the_successor_of_a_seen_token_has_not_been_seen() {
    let (mut world, _, current) = World::rotated();
    assert_eq!(world.take(&current).outcome, Outcome::Coalesced);
    assert_eq!(world.record.presented_at, Some(world.now));
    world.wait_ms(M);
    assert_eq!(world.take(&current).outcome, Outcome::Rotated);
    assert_eq!(world.record.presented_at, None);
    world.wait_ms(3_600_000);
    assert_eq!(world.take(&current).outcome, Outcome::Recovered);
}
