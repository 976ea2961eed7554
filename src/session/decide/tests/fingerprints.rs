//! Fingerprints that are ignored, and those of another function.

use super::*;
use crate::session::{
    fixture::{BROWSER, from_jar},
    presenter::Presenter,
};

fn of_version(fingerprint: ClientFingerprint, version: u8) -> Presenter {
    Presenter {
        version,
        ..from_jar(fingerprint)
    }
}

/// Terminals that call themselves something else each time.
#[test]
fn where_fingerprints_are_ignored_all_of_a_jar_is_one_client() {
    let (mut world, first, second) = World::rotated();
    world.policy.fingerprints = FingerprintPolicy::Ignored;
    assert_eq!(
        told(&world.take_from(&first, STRANGER)),
        ("8", Outcome::Replayed, false)
    );
    world.wait_ms(M);
    let rotated = world.take_from(&second, STRANGER);
    assert_eq!(told(&rotated), ("6", Outcome::Rotated, false));
    let third = rotated.successor.unwrap();
    world.take_from(&third, OTHER);
    assert_eq!(told(&world.take(&second)), ("9", Outcome::Replayed, false));
    world.wait_ms(G + 1);
    assert_eq!(
        told(&world.take_from(&second, OTHER)),
        ("10", Outcome::Recovered, false)
    );
    // Older tokens give a thief away as ever, and the jar counts.
    assert_eq!(world.ask(&first, OTHER).row, Row::Reuse);
    let elsewhere = Presenter {
        jar: JarProof::Missing,
        ..from_jar(STRANGER)
    };
    assert_eq!(world.ask_as(&second, &elsewhere).row, Row::ForeignJar);

    let by = from_jar(STRANGER);
    world.record = world
        .record
        .ended(RevokeReason::SignedOut, Some(&by), world.now);
    world.wait_ms(G + 1);
    assert_eq!(world.ask(&second, BROWSER).row, Row::Over);
}

/// A new function makes newcomers of all clients. The session takes what it sees first for its own.
#[test]
fn another_version_is_the_same_client_once() {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(M);
    let rotated = world.take_as(&current, &of_version(STRANGER, 1));
    assert_eq!(told(&rotated), ("6", Outcome::Rotated, false));
    assert_eq!(world.record.fields.fingerprint_version, 1);
    assert_eq!(world.record.fingerprints, Fingerprints::one(STRANGER));
    // Others of that version are newcomers again.
    world.wait_ms(M);
    let next = rotated.successor.unwrap();
    assert_eq!(
        told(&world.ask_as(&next, &of_version(BROWSER, 1))),
        ("6b", Outcome::Rotated, true)
    );
    assert_eq!(
        told(&world.ask_as(&next, &of_version(STRANGER, 1))),
        ("6", Outcome::Rotated, false)
    );
}

#[test]
fn another_version_is_noted_at_row_5_once() {
    let (mut world, _, current) = World::rotated();
    world.take(&current);
    let presenter = of_version(STRANGER, 1);
    assert_eq!(
        told(&world.take_as(&current, &presenter)),
        ("5", Outcome::Coalesced, false)
    );
    assert_eq!(world.record.fingerprints, Fingerprints::one(STRANGER));
    assert_eq!(world.record.fields.fingerprint_version, 1);
    assert!(world.take_as(&current, &presenter).next.is_none());
}

/// A deploy that changes the function, and half of the servers have it.
#[test]
fn another_version_is_the_same_client_with_the_previous_token() {
    let (mut world, previous, _) = World::rotated();
    let presenter = of_version(STRANGER, 1);
    assert_eq!(
        told(&world.ask_as(&previous, &presenter)),
        ("8", Outcome::Replayed, false)
    );
    world.wait_ms(G + 1);
    assert_eq!(
        told(&world.take_as(&previous, &presenter)),
        ("10", Outcome::Recovered, false)
    );
    assert_eq!(world.record.fingerprints, Fingerprints::one(STRANGER));
    assert_eq!(
        told(&world.take(&previous)),
        ("8", Outcome::Replayed, false)
    );
}

#[test]
fn another_version_raises_no_alarm_about_a_session_that_was_ended() {
    let (mut world, previous, _) = World::rotated();
    let by = from_jar(BROWSER);
    world.record = world
        .record
        .ended(RevokeReason::SignedOut, Some(&by), world.now);
    world.wait_ms(G + 1);
    assert_eq!(world.ask(&previous, STRANGER).row, Row::OverAlarm);
    let other = world.ask_as(&previous, &of_version(STRANGER, 1));
    assert_eq!(other.row, Row::Over);
}
