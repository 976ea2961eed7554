//! Across a change of privilege.

use super::*;
use crate::session::fixture::{BROWSER, STRANGER, fresh};

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
