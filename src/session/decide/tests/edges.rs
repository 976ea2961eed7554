//! The strict policy, clocks, keys and ten thousand rotations.

use super::*;
use crate::{
    keys::SessionKeys,
    session::{
        RotationPolicy,
        fixture::{BROWSER, NEW, NOW, OLD, fresh},
    },
};

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
