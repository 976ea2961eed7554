//! Active and passive clients, and what they do to the idle end.

use super::*;
use crate::session::fixture::{BROWSER, NOW, from_jar, passive};

const IDLE: u64 = 600_000;

/// A session with an idle lifetime of ten minutes that has just rotated, and its tokens.
fn rotated() -> (World, RefreshToken, RefreshToken) {
    let (mut world, previous, current) = World::rotated();
    world.policy.idle = Duration::from_millis(IDLE);
    world.record.idle_expires_at = idle_from(NOW);
    (world, previous, current)
}

fn idle_from(at: Timestamp) -> Timestamp {
    at + Duration::from_millis(IDLE)
}

/// The row, and whether the idle end moved to where it counts from now.
fn told_and_moved(world: &World, token: &RefreshToken, by: &Presenter) -> (&'static str, bool) {
    let decision = world.ask_as(token, by);
    let before = world.record.idle_expires_at;
    let after = decision
        .next
        .as_ref()
        .map_or(before, |next| next.idle_expires_at);
    assert_eq!(decision.extends, after != before);
    if decision.extends {
        assert_eq!(after, idle_from(world.now));
    }
    (decision.row.as_str(), decision.extends)
}

#[test]
fn each_row_that_writes_a_token_moves_the_idle_end_for_an_active_client_alone() {
    let (_, previous, current) = rotated();
    let later = |millis| {
        let mut world = rotated().0;
        world.wait_ms(millis);
        world
    };
    let mut unserved = later(M);
    unserved.record.fingerprints = Fingerprints::one(BROWSER).held_by(STRANGER);
    let mut lost = later(M);
    let successor = lost.ask(&current, BROWSER).successor.unwrap();
    lost.wait_ms(1);
    // The presented token, the presenter, and the row.
    let rows = [
        (later(M), &current, BROWSER, "6"),
        (later(M), &current, STRANGER, "6b"),
        (later(M), &previous, BROWSER, "10"),
        (later(M), &previous, STRANGER, "10b"),
        (unserved, &previous, BROWSER, "10c"),
        (lost, &successor, BROWSER, "11"),
    ];
    for (world, token, client, row) in rows {
        let active = told_and_moved(&world, token, &from_jar(client));
        assert_eq!(active, (row, true));
        let idle = told_and_moved(&world, token, &passive(client));
        assert_eq!(idle, (row, false));
    }
}

#[test]
fn a_passive_refresh_writes_all_the_rest() {
    let (mut world, _, current) = rotated();
    world.wait_ms(M);
    let active = world.ask(&current, BROWSER).next.unwrap();
    let idle = world.ask_as(&current, &passive(BROWSER)).next.unwrap();
    let idle_expires_at = world.record.idle_expires_at;
    let expected = SessionRecord {
        idle_expires_at,
        ..active
    };
    assert_eq!(idle, expected);
}

/// Another tab's timer rotates; the tab in use comes within the interval, or with the token before.
#[test]
fn rows_5_8_and_9_note_the_use_that_a_passive_rotation_did_not() {
    let (mut world, _, current) = rotated();
    world.wait_ms(M);
    let newest = world
        .take_as(&current, &passive(BROWSER))
        .successor
        .unwrap();
    for (token, row) in [(&newest, "5"), (&current, "8")] {
        assert_eq!(
            told_and_moved(&world, token, &from_jar(BROWSER)),
            (row, true)
        );
        assert_eq!(
            told_and_moved(&world, token, &passive(BROWSER)),
            (row, false)
        );
    }
    world.take_as(&newest, &passive(BROWSER));
    assert_eq!(
        told_and_moved(&world, &current, &from_jar(BROWSER)),
        ("9", true)
    );
    // A newcomer is answered by row 5, so it counts as well.
    assert_eq!(
        told_and_moved(&world, &newest, &from_jar(STRANGER)),
        ("5", true)
    );
    // One note, and nothing more within the interval.
    let noted = world.take(&current);
    let next = noted.next.unwrap();
    assert_eq!(
        (next.handed_out_at, next.presented_at),
        (world.now, Some(world.now))
    );
    for wait in [0, G / 2, G / 2] {
        world.wait_ms(wait);
        for token in [&newest, &current] {
            assert!(world.ask(token, BROWSER).next.is_none(), "after {wait} ms");
        }
    }
}

#[test]
fn a_note_is_due_when_it_moves_the_idle_end_by_the_interval() {
    let (mut world, _, current) = rotated();
    world.take(&current);
    let interval = Duration::from_millis(M);
    world.wait_ms(M - 1);
    let end = idle_from(world.now);
    for (before, due) in [
        (end - interval, true),
        (end - interval + Duration::from_millis(1), false),
        (end, false),
        // The store's clock went back.
        (end + interval, false),
    ] {
        world.record.idle_expires_at = before;
        assert_eq!(
            told_and_moved(&world, &current, &from_jar(BROWSER)),
            ("5", due)
        );
        assert_eq!(world.ask(&current, BROWSER).next.is_some(), due);
    }
}

#[test]
fn where_the_idle_lifetime_is_as_long_as_the_session_no_note_is_due() {
    let (mut world, _, current) = World::rotated();
    world.take(&current);
    world.record.idle_expires_at = world.record.absolute_expires_at;
    world.wait_ms(M - 1);
    assert!(world.ask(&current, BROWSER).next.is_none());
}

#[test]
fn an_idle_session_is_over_for_active_and_passive_clients() {
    let (mut world, _, current) = rotated();
    world.wait_ms(IDLE);
    for presenter in [from_jar(BROWSER), passive(BROWSER)] {
        let decision = world.ask_as(&current, &presenter);
        assert_eq!(told(&decision), ("1", Outcome::Expired, false));
        assert!(is_mere_refusal(&decision));
    }
}

#[test]
fn claims_that_take_their_time_move_the_idle_end_of_active_clients_alone() {
    let (mut world, _, current) = rotated();
    world.wait_ms(M);
    let newest = world
        .take_as(&current, &passive(BROWSER))
        .successor
        .unwrap();
    world.wait_ms(1);
    let later = world.now + Duration::from_secs(5);
    for token in [&newest, &current] {
        for (presenter, end) in [
            (from_jar(BROWSER), idle_from(later)),
            (passive(BROWSER), world.record.idle_expires_at),
        ] {
            let mut decision = world.ask_as(token, &presenter);
            decision.date(world.now, later, &world.policy);
            let next = decision
                .next
                .map_or(world.record.idle_expires_at, |next| next.idle_expires_at);
            assert_eq!(next, end);
        }
    }
    world.wait_ms(M);
    let later = world.now + Duration::from_secs(5);
    for (presenter, end) in [
        (from_jar(BROWSER), idle_from(later)),
        (passive(BROWSER), world.record.idle_expires_at),
    ] {
        let mut decision = world.ask_as(&newest, &presenter);
        assert_eq!(decision.outcome, Outcome::Rotated);
        decision.date(world.now, later, &world.policy);
        assert_eq!(decision.next.unwrap().idle_expires_at, end);
    }
}
