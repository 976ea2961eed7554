//! The strict policy, clocks, keys and ten thousand rotations.

use super::*;
use crate::{
    keys::SessionKeys,
    secret::Secret,
    session::{
        RotationPolicy,
        fixture::{BROWSER, NEW, NOW, OLD, from_jar},
    },
};

#[test]
fn the_strict_policy_forgives_nothing() {
    let (mut world, first) = World::new(SessionPolicy {
        rotation: RotationPolicy::strict(),
        ..default()
    });
    let second = world.take(&first).successor.unwrap();
    let third = world.take(&second);
    assert_eq!(third.row, Row::Rotated, "in the same millisecond");
    for wait in [0, 1] {
        world.wait_ms(wait);
        for client in [BROWSER, STRANGER] {
            assert_eq!(world.ask(&second, client).row, Row::Reuse);
            assert_eq!(world.ask(&first, client).row, Row::Reuse);
        }
    }
}

/// The one-time rule knows no rows 5, 6b to 10c and 13a; the jar it looks at all the same.
#[test]
fn the_strict_policy_confirms_nothing_and_waits_for_nothing() {
    let (mut world, first) = World::new(SessionPolicy {
        rotation: RotationPolicy::strict(),
        ..default()
    });
    let second = world.take_from(&first, STRANGER);
    assert_eq!(told(&second), ("6", Outcome::Rotated, false));
    let mut sibling = second.successor.unwrap();
    sibling.secret = Secret::new([7; 32]);
    assert_eq!(world.ask(&sibling, STRANGER).row, Row::Reuse);
    let elsewhere = Presenter {
        jar: JarProof::Missing,
        ..from_jar(BROWSER)
    };
    assert!(!world.record.bound, "a newcomer binds nothing");
    world.record.bound = true;
    assert_eq!(world.ask_as(&first, &elsewhere).row, Row::ForeignJar);
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
    for keys in [
        SessionKeys::new([OLD, NEW]).unwrap(),
        SessionKeys::new([NEW, OLD]).unwrap(),
    ] {
        world.keys = keys;
        let decision = world.take(&previous);
        assert_eq!(decision.outcome, Outcome::Replayed);
        assert_eq!(decision.successor.unwrap().hash(), current.hash());
    }
    // Unsealing refuses a token without its key; deciding about one hands out nothing.
    world.keys = SessionKeys::new([NEW]).unwrap();
    assert_eq!(world.ask(&previous, BROWSER).outcome, Outcome::Unknown);
    world.wait_ms(M);
    let decision = world.ask(&current, BROWSER);
    assert_eq!(decision.outcome, Outcome::Unknown);
    assert!(decision.next.is_none());
}

#[test]
fn ten_thousand_rotations_by_as_many_clients_leave_a_record_of_the_same_size() {
    let (mut world, mut token) = World::new(default());
    let size = world.record.encode().len();
    for n in 0_u64..10_000 {
        world.wait_ms(M);
        let client = ClientFingerprint::from_bytes((n / 2).to_be_bytes());
        token = world.take_from(&token, client).successor.unwrap();
        assert_eq!(world.record.encode().len(), size);
    }
    assert_eq!(world.record.generation, 10_000);
}
