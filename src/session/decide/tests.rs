//! One test for each row of the table, its borders, and what holds for every input.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    keys::SessionKeys,
    secret::Secret,
    session::{
        ReusePolicy, RotationPolicy, SessionState,
        fixture::{BROWSER, NEW, NOW, OLD, STRANGER, World, fresh, keys, start},
        id::{SessionId, SubjectTag},
    },
};

const G: u64 = 30_000;
const M: u64 = 60_000;

fn default() -> SessionPolicy {
    SessionPolicy::default()
}

fn is_revoked_for_reuse(record: &SessionRecord) -> bool {
    record.state == SessionState::Revoked(RevokeReason::Reuse)
}

#[test]
fn row_1_whatever_has_expired_is_refused_before_anything_else() {
    let (world, _, current) = World::rotated();
    let outcome = |token: &Envelope, record: Option<&SessionRecord>, now| {
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
    // The envelope says so itself, record or not, and an expired token never revokes.
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
    let future = current.successor(&world.record, 0, &world.keys).unwrap();
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
    assert!(first.successor.is_none() && !first.insist);
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
    assert!(decision.insist);
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
    assert!(decision.insist && decision.successor.is_none());
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
        assert!(!decision.insist);
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

#[test]
fn row_10_a_lost_answer_is_recovered_and_its_token_burned() {
    let (mut world, previous, burned) = World::rotated();
    world.wait_ms(G);
    assert_eq!(world.ask(&previous, BROWSER).outcome, Outcome::Replayed);
    world.wait_ms(1);
    let decision = world.take(&previous);
    assert_eq!(decision.outcome, Outcome::Recovered);
    assert!(decision.insist);
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
    assert!(decision.insist && decision.successor.is_none());
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

/// A session that has rotated and then changed its privilege: the world, the token of before and
/// the one of after.
fn elevated() -> (World, Envelope, Envelope) {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(M);
    let active = world.keys.active().unwrap();
    let (record, token) =
        world
            .record
            .elevated(&fresh(2), BROWSER, world.now, &world.policy, active);
    world.record = record;
    (world, current, token)
}

#[test]
fn behind_a_privilege_change_the_previous_token_is_refused_and_revokes_nothing() {
    let (mut world, before, after) = elevated();
    for wait in [0, G] {
        world.wait_ms(wait);
        let decision = world.ask(&before, BROWSER);
        assert_eq!(decision.outcome, Outcome::Superseded);
        assert!(decision.next.is_none() && decision.successor.is_none());
    }
    // The first presentation of the new token opens the window once more.
    assert_eq!(world.take(&after).outcome, Outcome::Coalesced);
    world.wait_ms(G);
    assert_eq!(world.ask(&before, BROWSER).outcome, Outcome::Superseded);
    world.wait_ms(1);
    assert_eq!(world.ask(&before, BROWSER).outcome, Outcome::Reuse);
}

#[test]
fn behind_a_privilege_change_nothing_is_recovered() {
    let (mut world, before, _) = elevated();
    world.wait_ms(G + 1);
    assert_eq!(world.take(&before).outcome, Outcome::Reuse);
}

#[test]
fn behind_a_privilege_change_a_stranger_or_an_older_token_is_reuse() {
    let (world, before, _) = elevated();
    assert_eq!(world.ask(&before, STRANGER).outcome, Outcome::Reuse);
    let (_, first) = World::new(default());
    assert_eq!(world.ask(&first, BROWSER).outcome, Outcome::Reuse);
}

#[test]
fn a_privilege_change_that_the_store_lost_is_adopted_with_its_barrier() {
    let (mut world, _, current) = World::rotated();
    let lost = world.record.clone();
    let active = world.keys.active().unwrap();
    let (_, token) = lost.elevated(&fresh(2), BROWSER, world.now, &world.policy, active);
    assert_eq!(world.take(&token).outcome, Outcome::Adopted);
    assert!(world.record.barrier);
    assert_eq!(world.take(&current).outcome, Outcome::Superseded);
    world.wait_ms(M);
    let next = world.take(&token);
    assert_eq!(next.outcome, Outcome::Rotated);
    assert!(!world.record.barrier, "one rotation later it is history");
    assert_eq!(world.take(&token).outcome, Outcome::Replayed);
}

#[test]
fn the_strict_policy_forgives_nothing() {
    let strict = || SessionPolicy {
        rotation: RotationPolicy::strict(),
        ..default()
    };
    let (mut world, first) = World::new(strict());
    let second = world.take(&first).successor.unwrap();
    let third = world.take(&second);
    assert_eq!(third.outcome, Outcome::Rotated, "in the same millisecond");
    assert_eq!(world.ask(&second, BROWSER).outcome, Outcome::Reuse);
    world.wait_ms(1);
    assert_eq!(world.ask(&second, BROWSER).outcome, Outcome::Reuse);
    assert_eq!(world.ask(&first, BROWSER).outcome, Outcome::Reuse);

    let (mut world, first) = World::new(strict());
    let active = world.keys.active().unwrap();
    let (record, _) = world
        .record
        .elevated(&fresh(2), BROWSER, world.now, &world.policy, active);
    world.record = record;
    assert_eq!(world.ask(&first, BROWSER).outcome, Outcome::Reuse);
}

#[test]
fn a_clock_that_steps_back_an_hour_gives_no_verdict() {
    let (mut world, previous, current) = World::rotated();
    world.now = NOW - Duration::from_secs(3600);
    assert_eq!(world.ask(&previous, BROWSER).outcome, Outcome::Replayed);
    assert_eq!(world.take(&current).outcome, Outcome::Coalesced);
    assert_eq!(world.ask(&previous, BROWSER).outcome, Outcome::Replayed);
    world.now = Timestamp::from_millis(0);
    assert_eq!(world.ask(&previous, BROWSER).outcome, Outcome::Replayed);
    assert!(world.ask(&previous, BROWSER).next.is_none());
}

#[test]
fn a_key_changed_between_two_retries_leads_to_the_same_successor() {
    let (mut world, previous, current) = World::rotated();
    for keys in [SessionKeys::new([OLD, NEW]), SessionKeys::new([NEW, OLD])] {
        world.keys = keys;
        let decision = world.take(&previous);
        assert_eq!(decision.outcome, Outcome::Replayed);
        assert_eq!(decision.successor.unwrap().hash(), current.hash());
    }
    // Unsealing refuses a token without its key; deciding about one hands out nothing.
    world.keys = SessionKeys::new([NEW]);
    assert_eq!(world.ask(&previous, BROWSER).outcome, Outcome::Unknown);
    world.wait_ms(M);
    let decision = world.ask(&current, BROWSER);
    assert_eq!(decision.outcome, Outcome::Unknown);
    assert!(decision.next.is_none());
}

#[test]
fn ten_thousand_rotations_leave_a_record_of_the_same_size() {
    let (mut world, mut token) = World::new(default());
    let size = world.record.encode().len();
    for _ in 0..10_000 {
        world.wait_ms(M);
        token = world.take(&token).successor.unwrap();
        assert_eq!(world.record.encode().len(), size);
    }
    assert_eq!(world.record.generation, 10_000);
}

prop_compose! {
    fn times()(
        handed_out in any::<u64>(),
        presented in any::<Option<u64>>(),
        absolute in any::<u64>(),
        idle in any::<u64>(),
        now in any::<u64>(),
    ) -> [Option<u64>; 5] {
        [Some(handed_out), presented, Some(absolute), Some(idle), Some(now)]
    }
}

proptest! {
    /// No panic, and what is written makes sense: the same session, no way back in generation,
    /// never beyond its end, and a successor only ever beside the hash that expects it.
    #[test]
    fn any_token_against_any_record_is_decided(
        times in times(),
        generations in (any::<u64>(), any::<u64>(), -2_i64..3, any::<bool>()),
        recoveries in any::<(u8, u8)>(),
        relation in 0_u8..6,
        flags in any::<(bool, bool, bool, bool)>(),
        policy in (any::<u32>(), any::<u32>(), any::<u8>(), any::<u64>()),
    ) {
        let time = |at: Option<u64>| Timestamp::from_millis(at.unwrap_or_default());
        let [handed_out, presented, absolute, idle, now] = times;
        let (barrier, stranger, live, near) = flags;
        let policy = SessionPolicy {
            rotation: RotationPolicy {
                grace: Duration::from_millis(policy.0.into()),
                interval: Duration::from_millis(policy.1.into()),
                recoveries: policy.2,
            },
            idle: Duration::from_millis(policy.3),
            reuse: ReusePolicy::Session,
            ..SessionPolicy::default()
        };
        let keys = keys();
        let (mut record, mut token) = start(&policy, &keys);
        record.generation = generations.0;
        token.generation = if near {
            generations.0.saturating_add_signed(generations.2)
        } else {
            generations.1
        };
        token.expires_at = if generations.3 { time(absolute) } else { time(Some(u64::MAX)) };
        (record.recoveries, token.recoveries) = recoveries;
        record.handed_out_at = time(handed_out);
        record.presented_at = presented.map(|at| time(Some(at)));
        record.absolute_expires_at = time(absolute);
        record.idle_expires_at = time(idle);
        record.barrier = barrier;
        record.previous = Some([3; 32]);
        record.current = [4; 32];
        match relation {
            0 => record.current = token.hash(),
            1 => record.previous = Some(token.hash()),
            2 => token.parent = parent(&record.current),
            3 => token.parent = barrier_parent(&record.current),
            4 => token.parent = parent(&[3; 32]),
            _ => {}
        }
        if !live {
            record = record.revoked(RevokeReason::SignedOut);
        }
        let client = if stranger { STRANGER } else { BROWSER };
        let decision = decide(&token, Some(&record), time(now), client, &policy, &keys);
        if let Some(next) = &decision.next {
            prop_assert!(live);
            prop_assert_eq!(next.key(), record.key());
            prop_assert!((next.generation, next.recoveries) >= (record.generation, record.recoveries));
            prop_assert_eq!(next.absolute_expires_at, record.absolute_expires_at);
            prop_assert!(next.idle_expires_at <= record.absolute_expires_at || next.idle_expires_at == record.idle_expires_at);
        }
        if let Some(successor) = &decision.successor {
            let stored = decision.next.as_ref().unwrap_or(&record);
            prop_assert_eq!(successor.hash(), stored.current);
            prop_assert_eq!(successor.session, record.id);
        }
        if matches!(decision.outcome, Outcome::Reuse) {
            prop_assert!(!decision.next.unwrap().is_live());
        }
    }
}
