//! A fingerprint that the session does not know: rows 5 to 10c and 13 for more than one client.

use super::*;
use crate::session::fixture::BROWSER;

#[test]
fn row_5_any_fingerprint_gets_an_access_token_and_is_noted_once() {
    let (mut world, _, current) = World::rotated();
    world.take(&current);
    world.wait_ms(M - 1);
    let before = world.record.clone();
    let decision = world.take_from(&current, STRANGER);
    assert_eq!(told(&decision), ("5", Outcome::Coalesced, false));
    assert!(decision.successor.is_none());
    let met = before.fingerprints.met(STRANGER);
    let noted = SessionRecord {
        fingerprints: met,
        ..before
    };
    assert_eq!(world.record, noted);
    assert!(met.has_met(STRANGER) && !met.is_known(STRANGER));
    assert_eq!(met.holder(), BROWSER);
    assert!(world.take_from(&current, STRANGER).next.is_none(), "once");
}

#[test]
fn row_6b_a_newcomer_confirms_first() {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(M);
    let before = world.record.clone();
    let decision = world.take_from(&current, STRANGER);
    assert_eq!(told(&decision), ("6b", Outcome::Rotated, true));
    let successor = decision.successor.unwrap();
    let rotated = SessionRecord {
        generation: before.generation + 1,
        current: successor.hash(),
        previous: Some(current.hash()),
        handed_out_at: world.now,
        rotated_at: world.now,
        fingerprints: before.fingerprints.held_by(STRANGER),
        ..before
    };
    assert_eq!(world.record, rotated);
    assert!(!world.record.fingerprints.is_known(STRANGER));
}

#[test]
fn row_6b_the_first_refresh_of_a_session_may_be_a_newcomers() {
    let (mut world, first) = World::new(default());
    let decision = world.take_from(&first, STRANGER);
    assert_eq!(told(&decision), ("6b", Outcome::Rotated, true));
}

#[test]
fn row_6_the_holder_need_not_be_known() {
    let (mut world, _, current) = with_newcomer();
    world.wait_ms(M);
    let decision = world.take_from(&current, STRANGER);
    assert_eq!(told(&decision), ("6", Outcome::Rotated, false));
    // Its own token coming back shows nothing of the jar.
    assert!(!world.record.fingerprints.is_known(STRANGER));
}

/// Two windows over one jar: one round trip more, once, and they are one client from then on.
#[test]
fn row_6b_the_round_trip_of_a_second_fingerprint() {
    let (mut world, before, current) = with_newcomer();
    // With the cookie of that answer it gets its access token.
    let confirmed = world.take_from(&current, STRANGER);
    assert_eq!(told(&confirmed), ("5", Outcome::Coalesced, false));
    // The first window was late with the old cookie, and has the new one when it tries again.
    let late = world.take(&before);
    assert_eq!(told(&late), ("7", Outcome::Superseded, false));
    assert!(!world.record.fingerprints.is_known(STRANGER));
    let again = world.take(&current);
    assert_eq!(told(&again), ("5", Outcome::Coalesced, false));
    assert!(world.record.fingerprints.is_known(STRANGER));
    assert_eq!(world.record.fingerprints.holder(), STRANGER);
    // No difference is made between the two any more.
    world.wait_ms(M);
    assert_eq!(
        told(&world.take_from(&current, STRANGER)),
        ("6", Outcome::Rotated, false)
    );
    assert_eq!(told(&world.take(&current)), ("8", Outcome::Replayed, false));
    world.wait_ms(3_600_000);
    assert_eq!(
        told(&world.take(&current)),
        ("10", Outcome::Recovered, false)
    );
}

#[test]
fn row_6_too_makes_the_holder_known_when_a_known_one_brings_its_token() {
    let (mut world, _, current) = with_newcomer();
    world.wait_ms(M);
    assert_eq!(told(&world.take(&current)), ("6", Outcome::Rotated, false));
    assert!(world.record.fingerprints.is_known(STRANGER));
    assert_eq!(world.record.fingerprints.holder(), BROWSER);
}

#[test]
fn row_6b_one_newcomer_makes_no_other_known() {
    let (mut world, _, current) = with_newcomer();
    assert_eq!(
        told(&world.take_from(&current, OTHER)),
        ("5", Outcome::Coalesced, false)
    );
    world.wait_ms(M);
    assert_eq!(
        told(&world.take_from(&current, OTHER)),
        ("6b", Outcome::Rotated, true)
    );
    let fingerprints = world.record.fingerprints;
    assert!(!fingerprints.is_known(STRANGER) && !fingerprints.is_known(OTHER));
    assert_eq!(fingerprints.holder(), OTHER);
}

#[test]
fn row_7_previous_of_another_client_waits_until_the_window_is_over() {
    let (mut world, previous, current) = World::rotated();
    world.wait_ms(G);
    for seen in [false, true] {
        let decision = world.ask(&previous, STRANGER);
        assert_eq!(told(&decision), ("7", Outcome::Superseded, false));
        assert!(is_mere_refusal(&decision), "seen: {seen}");
        world.take(&current);
    }
    // Now the window is that of the first presentation.
    world.wait_ms(G);
    assert_eq!(world.ask(&previous, STRANGER).row, Row::PreviousElsewhere);
    world.wait_ms(1);
    assert_eq!(world.ask(&previous, STRANGER).row, Row::RecoveredNewcomer);

    // A known one behind a newcomer is another client all the same.
    let (mut world, previous, _) = with_newcomer();
    world.wait_ms(G);
    assert_eq!(world.ask(&previous, BROWSER).row, Row::PreviousElsewhere);
    assert_eq!(world.ask(&previous, OTHER).row, Row::PreviousElsewhere);
    world.wait_ms(1);
    assert_eq!(world.ask(&previous, BROWSER).row, Row::RecoveredUnserved);
}

#[test]
fn row_8_and_9_a_newcomer_confirms_what_is_replayed() {
    let (mut world, previous, current) = with_newcomer();
    world.wait_ms(G / 8);
    let decision = world.take_from(&previous, STRANGER);
    assert_eq!(told(&decision), ("8", Outcome::Replayed, true));
    assert_eq!(decision.successor.unwrap().hash(), current.hash());
    assert_eq!(world.record.handed_out_at, world.now);

    world.take_from(&current, STRANGER);
    world.wait_ms(G);
    let decision = world.take_from(&previous, STRANGER);
    assert_eq!(told(&decision), ("9", Outcome::Replayed, true));
    assert_eq!(decision.successor.unwrap().hash(), current.hash());
    assert!(decision.next.is_none());
}

#[test]
fn row_10_a_newcomer_recovers_what_has_not_been_seen_and_confirms() {
    let (mut world, previous, burned) = with_newcomer();
    world.wait_ms(G + 1);
    let decision = world.take_from(&previous, STRANGER);
    assert_eq!(told(&decision), ("10", Outcome::Recovered, true));
    assert_ne!(decision.successor.unwrap().hash(), burned.hash());
    assert_eq!(world.record.fingerprints.holder(), STRANGER);
    assert!(!world.record.fingerprints.is_known(STRANGER));
}

/// A shadow that comes after each of its own refreshes would keep its window open for ever.
#[test]
fn row_13_a_newcomer_recovers_nothing_that_was_seen() {
    let (mut world, previous, current) = with_newcomer();
    world.take_from(&current, STRANGER);
    world.wait_ms(G + 1);
    assert_eq!(
        told(&world.take_from(&previous, STRANGER)),
        ("13", Outcome::Reuse, false)
    );
    assert!(is_revoked_for_reuse(&world.record));
}

#[test]
fn row_10b_a_newcomer_late_behind_a_known_holder_confirms_a_recovery() {
    for seen in [false, true] {
        let (mut world, previous, burned) = World::rotated();
        if seen {
            world.take(&burned);
        }
        world.wait_ms(G + 1);
        let decision = world.take_from(&previous, STRANGER);
        assert_eq!(told(&decision), ("10b", Outcome::Recovered, true));
        let successor = decision.successor.unwrap();
        assert_ne!(successor.hash(), burned.hash());
        let record = &world.record;
        assert_eq!((record.generation, record.recoveries), (1, 1));
        assert_eq!(
            (record.current, record.presented_at),
            (successor.hash(), None)
        );
        assert_eq!(record.fingerprints.holder(), STRANGER);
        assert!(!record.fingerprints.is_known(STRANGER));
        // In the jar of the known one the burned token is the newest. It stands out once the window is over.
        assert_eq!(world.ask(&burned, BROWSER).row, Row::BurnedSibling);
        world.wait_ms(G + 1);
        assert_eq!(world.ask(&burned, BROWSER).row, Row::Reuse);
    }
}

#[test]
fn row_10c_a_newcomer_that_never_showed_its_token_stands_in_no_ones_way() {
    for (client, confirm) in [(BROWSER, false), (OTHER, true)] {
        let (mut world, previous, burned) = with_newcomer();
        world.wait_ms(G + 1);
        let decision = world.take_from(&previous, client);
        assert_eq!(told(&decision), ("10c", Outcome::Recovered, confirm));
        assert_ne!(decision.successor.unwrap().hash(), burned.hash());
        assert_eq!(world.record.recoveries, 1);
        assert_eq!(world.record.fingerprints.holder(), client);
        assert!(!world.record.fingerprints.is_known(STRANGER));
        // A thief that keeps its token for later gets an alarm for it.
        world.wait_ms(G + 1);
        assert_eq!(world.ask(&burned, STRANGER).row, Row::Reuse);
    }
}

/// The thief has taken the current token and shown what it got; now the victim comes, or another newcomer.
#[test]
fn row_13_previous_behind_a_newcomer_that_has_shown_its_token_is_reuse() {
    for client in [BROWSER, OTHER] {
        let (mut world, previous, current) = with_newcomer();
        world.take_from(&current, STRANGER);
        world.wait_ms(G + 1);
        let decision = world.take_from(&previous, client);
        assert_eq!(told(&decision), ("13", Outcome::Reuse, false));
        assert!(decision.successor.is_none());
        assert!(is_revoked_for_reuse(&world.record));
        assert_eq!(told(&world.take(&current)), ("3", Outcome::Revoked, false));
    }
}
