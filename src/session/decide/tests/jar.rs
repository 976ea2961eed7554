//! Row 3b, and how a session becomes bound to its cookie jar.

use super::*;
use crate::session::{
    fixture::{BROWSER, from_jar},
    presenter::Presenter,
};

const FOREIGN: (&str, Outcome, bool) = ("3b", Outcome::Foreign, false);

fn browser(jar: JarProof) -> Presenter {
    Presenter {
        jar,
        ..from_jar(BROWSER)
    }
}

/// A session that has rotated and has never been shown its jar: the world, its previous and its current token.
fn unbound() -> (World, RefreshToken, RefreshToken) {
    let (mut world, first) = World::new(default());
    let decision = world.take_as(&first, &browser(JarProof::Missing));
    assert_eq!(told(&decision), ("6", Outcome::Rotated, false));
    assert!(!world.record.bound);
    (world, first, decision.successor.unwrap())
}

#[test]
fn row_3b_a_bound_session_refuses_every_token_without_its_jar() {
    let (mut world, oldest, previous) = World::rotated();
    world.wait_ms(M);
    let current = world.take(&previous).successor.unwrap();
    let future = current
        .successor(&current.hash(), &world.record, 0, &world.keys)
        .unwrap();
    assert!(world.record.bound);
    for wait in [0, G + 1, 3_600_000] {
        world.wait_ms(wait);
        for token in [&oldest, &previous, &current, &future] {
            let decision = world.ask_as(token, &browser(JarProof::Missing));
            assert_eq!(told(&decision), FOREIGN);
            assert!(is_mere_refusal(&decision), "the session is intact");
        }
    }
    // Where there is no jar to look at, there is none to miss.
    let waived = world.ask_as(&current, &browser(JarProof::Waived));
    assert_eq!(told(&waived), ("6", Outcome::Rotated, false));
}

#[test]
fn row_3b_comes_after_rows_1_2_and_3() {
    let (mut world, _, current) = World::rotated();
    let missing = browser(JarProof::Missing);
    world.record = world.record.revoked(RevokeReason::Denied);
    assert_eq!(world.ask_as(&current, &missing).row, Row::Over);
    world.now = world.record.absolute_expires_at;
    assert_eq!(world.ask_as(&current, &missing).row, Row::Expired);
}

#[test]
fn row_5_binds_by_the_first_request_that_shows_the_jar() {
    let (mut world, _, current) = unbound();
    let missing = browser(JarProof::Missing);
    assert_eq!(world.take_as(&current, &missing).row, Row::Coalesced);
    assert!(!world.record.bound);
    assert!(world.ask_as(&current, &missing).next.is_none());

    let before = world.record.clone();
    assert_eq!(world.take(&current).row, Row::Coalesced);
    assert_eq!(
        world.record,
        SessionRecord {
            bound: true,
            ..before
        }
    );
    assert!(world.take(&current).next.is_none(), "once");
    assert_eq!(told(&world.ask_as(&current, &missing)), FOREIGN);
}

#[test]
fn row_6_binds() {
    let (mut world, _, current) = unbound();
    world.wait_ms(M);
    assert_eq!(world.take(&current).row, Row::Rotated);
    assert!(world.record.bound);
}

#[test]
fn rows_8_and_9_bind_and_move_no_window_for_it() {
    for (seen, row) in [(false, Row::Replayed), (true, Row::ReplayedSeen)] {
        let (mut world, previous, current) = unbound();
        let missing = browser(JarProof::Missing);
        if seen {
            world.take_as(&current, &missing);
        }
        world.wait_ms(1);
        assert!(world.ask_as(&previous, &missing).next.is_none());
        let before = world.record.clone();
        assert_eq!(world.take(&previous).row, row);
        assert_eq!(
            world.record,
            SessionRecord {
                bound: true,
                ..before
            }
        );
    }
}

#[test]
fn rows_10_and_11_bind() {
    let (mut world, previous, _) = unbound();
    world.wait_ms(G + 1);
    let lost = world.record.clone();
    let recovered = world.take(&previous);
    assert_eq!(recovered.row, Row::Recovered);
    assert!(world.record.bound);

    world.record = lost;
    let recovered = recovered.successor.unwrap();
    assert_eq!(world.take(&recovered).row, Row::Adopted);
    assert!(world.record.bound);
}

#[test]
fn a_refusal_binds_nothing() {
    let (world, previous, _) = unbound();
    let decision = world.ask(&previous, STRANGER);
    assert_eq!(decision.row, Row::PreviousElsewhere);
    assert!(is_mere_refusal(&decision));
}

#[test]
fn a_waived_jar_binds_nothing_and_misses_nothing() {
    let waived = browser(JarProof::Waived);
    let (mut world, first) = World::new(default());
    let current = world.take_as(&first, &waived).successor.unwrap();
    assert_eq!(world.take_as(&current, &waived).row, Row::Coalesced);
    assert_eq!(world.take_as(&first, &waived).row, Row::ReplayedSeen);
    world.wait_ms(M);
    assert_eq!(world.take_as(&current, &waived).row, Row::Rotated);
    assert!(!world.record.bound);
}
