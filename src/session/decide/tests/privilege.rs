//! Row 7b, and what else lies across a change of privilege.

use super::*;
use crate::{
    secret::Secret,
    session::{
        RotationPolicy,
        fixture::{BROWSER, from_jar},
    },
};

/// Changes the privilege of the session for the browser, with its `current` token: the token of after.
fn elevate(world: &mut World, current: &RefreshToken) -> RefreshToken {
    let World {
        record,
        now,
        policy,
        keys,
        ..
    } = world;
    let elevated = record.elevated(current, &from_jar(BROWSER), *now, policy, keys);
    let (record, token) = elevated.unwrap();
    world.record = record;
    token
}

/// A session that has rotated and then changed its privilege. Returns the world, the token of before and the one of
/// after.
fn elevated() -> (World, RefreshToken, RefreshToken) {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(M);
    let token = elevate(&mut world, &current);
    (world, current, token)
}

#[test]
fn row_7b_previous_is_superseded_in_the_window_and_outdated_later() {
    let (mut world, before, after) = elevated();
    for (wait, outcome) in [
        (0, Outcome::Superseded),
        (G, Outcome::Superseded),
        (1, Outcome::Outdated),
        (3_600_000, Outcome::Outdated),
    ] {
        world.wait_ms(wait);
        for client in [BROWSER, STRANGER] {
            let decision = world.ask(&before, client);
            assert_eq!(told(&decision), ("7b", outcome, false));
            assert!(is_mere_refusal(&decision));
        }
    }
    // One rotation later it is older, like any other.
    assert_eq!(world.take(&after).outcome, Outcome::Rotated);
    world.wait_ms(M);
    assert_eq!(world.ask(&before, BROWSER).row, Row::Reuse);
}

#[test]
fn row_7b_the_window_counts_from_the_first_presentation_too() {
    let (mut world, before, after) = elevated();
    world.wait_ms(G);
    world.take(&after);
    world.wait_ms(G);
    assert_eq!(world.ask(&before, BROWSER).outcome, Outcome::Superseded);
    world.wait_ms(1);
    assert_eq!(world.ask(&before, BROWSER).outcome, Outcome::Outdated);
}

/// The token before last, when a tab was late across a rotation and a privilege change.
#[test]
fn row_7b_older_is_superseded_in_the_window_and_outdated_later() {
    let (mut world, first) = World::new(default());
    let second = world.take(&first).successor.unwrap();
    world.wait_ms(3_000);
    elevate(&mut world, &second);
    world.wait_ms(G);
    for (wait, outcome) in [(0, Outcome::Superseded), (1, Outcome::Outdated)] {
        world.wait_ms(wait);
        for client in [BROWSER, STRANGER] {
            let decision = world.ask(&first, client);
            assert_eq!(told(&decision), ("7b", outcome, false));
            assert!(is_mere_refusal(&decision));
        }
    }
}

#[test]
fn behind_a_privilege_change_the_new_token_is_coalesced_and_rotated_as_ever() {
    let (mut world, _, after) = elevated();
    world.wait_ms(M - 1);
    assert_eq!(told(&world.take(&after)), ("5", Outcome::Coalesced, false));
    world.wait_ms(1);
    assert_eq!(told(&world.take(&after)), ("6", Outcome::Rotated, false));
    assert!(!world.record.barrier, "one rotation later it is history");
    assert_eq!(told(&world.take(&after)), ("8", Outcome::Replayed, false));
}

#[test]
fn behind_a_privilege_change_a_sibling_of_the_new_token_is_reuse() {
    let (mut world, _, after) = elevated();
    let mut sibling = after.clone();
    sibling.secret = Secret::new([7; 32]);
    world.wait_ms(G + 1);
    assert_eq!(world.ask(&sibling, BROWSER).row, Row::Reuse);
}

#[test]
fn a_privilege_change_that_the_store_lost_is_adopted_with_its_barrier() {
    let (mut world, _, current) = World::rotated();
    let lost = world.record.clone();
    let token = elevate(&mut world, &current);
    world.record = lost;
    assert_eq!(told(&world.take(&token)), ("11", Outcome::Adopted, false));
    assert!(world.record.barrier);
    assert_eq!(world.take(&current).row, Row::Barrier);
}

/// Nothing that descends from the token of before leads across, however many recoveries it claims.
#[test]
fn behind_a_privilege_change_a_recovered_sibling_is_not_adopted() {
    let (mut world, _, current) = World::rotated();
    let recovered = current
        .successor(&current.hash(), &world.record, 1, &world.keys)
        .unwrap();
    elevate(&mut world, &current);
    let decision = world.ask(&recovered, BROWSER);
    assert_eq!(told(&decision), ("12", Outcome::StateLost, false));
    assert!(is_mere_refusal(&decision));
}

#[test]
fn the_strict_policy_takes_a_token_of_before_a_privilege_change_for_theft() {
    let (mut world, first) = World::new(SessionPolicy {
        rotation: RotationPolicy::strict(),
        ..default()
    });
    let second = world.take(&first).successor.unwrap();
    elevate(&mut world, &second);
    for token in [&first, &second] {
        assert_eq!(world.ask(token, BROWSER).row, Row::Reuse);
    }
}
