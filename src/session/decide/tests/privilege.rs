//! Across a change of privilege.

use super::*;
use crate::session::fixture::{BROWSER, STRANGER, fresh};

/// A session that has rotated and then changed its privilege: the world, the token of before and
/// the one of after.
fn elevated() -> (World, RefreshToken, RefreshToken) {
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
    for wait in [0, G, 1, 3_600_000] {
        world.wait_ms(wait);
        let decision = world.ask(&before, BROWSER);
        assert_eq!(decision.outcome, Outcome::Superseded);
        assert!(decision.next.is_none() && decision.successor.is_none());
    }
    assert_eq!(world.take(&after).outcome, Outcome::Rotated);
    world.wait_ms(M);
    assert_eq!(world.ask(&before, BROWSER).outcome, Outcome::Reuse);
}

/// The token before last, when a tab was late across a rotation and a privilege change.
#[test]
fn behind_a_privilege_change_an_older_token_is_refused_within_the_window() {
    let (mut world, first) = World::new(default());
    let second = world.take(&first).successor.unwrap();
    world.wait_ms(3_000);
    let active = world.keys.active().unwrap();
    let (record, token) =
        world
            .record
            .elevated(&fresh(2), BROWSER, world.now, &world.policy, active);
    world.record = record;
    world.wait_ms(G);
    assert_eq!(world.ask(&first, BROWSER).outcome, Outcome::Superseded);
    assert_eq!(world.ask(&first, STRANGER).outcome, Outcome::Reuse);
    assert_eq!(world.take(&token).outcome, Outcome::Coalesced);
    world.wait_ms(G + 1);
    assert_eq!(world.ask(&first, BROWSER).outcome, Outcome::Reuse);
    assert_eq!(world.ask(&second, BROWSER).outcome, Outcome::Superseded);
}

#[test]
fn behind_a_privilege_change_a_stranger_is_a_thief() {
    let (world, before, _) = elevated();
    assert_eq!(world.ask(&before, STRANGER).outcome, Outcome::Reuse);
}

#[test]
fn behind_a_privilege_change_a_sibling_of_the_new_token_is_reuse() {
    let (world, _, after) = elevated();
    let mut sibling = after.clone();
    sibling.secret = crate::secret::Secret::new([7; 32]);
    assert_eq!(world.ask(&sibling, BROWSER).outcome, Outcome::Reuse);
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

/// Nothing that descends from the token of before leads across, however many recoveries it claims.
#[test]
fn behind_a_privilege_change_a_recovered_sibling_is_not_adopted() {
    let (mut world, _, current) = World::rotated();
    let recovered = current
        .successor(&current.hash(), &world.record, 1, &world.keys)
        .unwrap();
    let active = world.keys.active().unwrap();
    let (record, _) = world
        .record
        .elevated(&fresh(2), BROWSER, world.now, &world.policy, active);
    world.record = record;
    let decision = world.ask(&recovered, BROWSER);
    assert_eq!(decision.outcome, Outcome::StateLost);
    assert!(decision.next.is_none());
}
