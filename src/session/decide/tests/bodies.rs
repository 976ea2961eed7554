//! Where tokens travel in bodies: no jar, and nothing to confirm.

use super::*;
use crate::session::{
    fixture::{BROWSER, from_jar},
    presenter::Presenter,
};

fn app(fingerprint: ClientFingerprint) -> Presenter {
    Presenter {
        jar: JarProof::Waived,
        ..from_jar(fingerprint)
    }
}

/// The world, and the two newest tokens of a session that has rotated.
fn rotated() -> (World, RefreshToken, RefreshToken) {
    let (mut world, first) = World::new(SessionPolicy {
        confirms: false,
        ..default()
    });
    let second = world.take_as(&first, &app(BROWSER)).successor.unwrap();
    (world, first, second)
}

/// The same, held by a newcomer.
fn with_newcomer() -> (World, RefreshToken, RefreshToken) {
    let (mut world, _, current) = rotated();
    world.wait_ms(M);
    let decision = world.take_as(&current, &app(STRANGER));
    assert_eq!(told(&decision), ("6b", Outcome::Rotated, false));
    (world, current, decision.successor.unwrap())
}

#[test]
fn in_bodies_rows_6b_8_9_10_and_10b_confirm_nothing() {
    let (mut world, previous, current) = with_newcomer();
    let replayed = world.take_as(&previous, &app(STRANGER));
    assert_eq!(told(&replayed), ("8", Outcome::Replayed, false));
    world.wait_ms(G + 1);
    let recovered = world.ask_as(&previous, &app(STRANGER));
    assert_eq!(told(&recovered), ("10", Outcome::Recovered, false));
    world.take_as(&current, &app(STRANGER));
    let seen = world.ask_as(&previous, &app(STRANGER));
    assert_eq!(told(&seen), ("9", Outcome::Replayed, false));

    let (mut world, previous, _) = rotated();
    world.wait_ms(G + 1);
    let recovered = world.take_as(&previous, &app(STRANGER));
    assert_eq!(told(&recovered), ("10b", Outcome::Recovered, false));
    assert!(!world.record.bound);
}

#[test]
fn in_bodies_row_7_waits_all_the_same() {
    let (mut world, previous, _) = with_newcomer();
    world.wait_ms(G);
    let decision = world.ask_as(&previous, &app(BROWSER));
    assert_eq!(told(&decision), ("7", Outcome::Superseded, false));
}

/// The newcomer got an access token with its successor, shown or not.
#[test]
fn in_bodies_row_10c_is_13() {
    let (mut world, previous, _) = with_newcomer();
    world.wait_ms(G + 1);
    for client in [BROWSER, OTHER] {
        let decision = world.ask_as(&previous, &app(client));
        assert_eq!(told(&decision), ("13", Outcome::Reuse, false));
    }
}
