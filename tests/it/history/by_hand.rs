//! Histories by hand, good and bad: a checker that finds nothing in these finds nothing.

use super::checker::{Answer, Call, Checked, Did, Flaw, SOME, Version, check};

const fn live(session: u32, mark: u32) -> Version {
    Version {
        session,
        mark,
        is_live: true,
    }
}

const fn dead(session: u32, mark: u32) -> Version {
    Version {
        session,
        mark,
        is_live: false,
    }
}

const A: Version = live(1, 0);
const B: Version = live(1, 1);
const C: Version = live(1, 2);
const D: Version = live(1, 3);

fn inserts(version: Version) -> Did {
    Did::Insert {
        version,
        is_answered: true,
    }
}

fn swaps(from: Version, to: Version, answer: Answer) -> Did {
    Did::Swap { from, to, answer }
}

fn applies(from: Version, to: Version) -> Did {
    swaps(from, to, Answer::Applied)
}

fn loses(from: Version, to: Version, found: Version) -> Did {
    swaps(from, to, Answer::Conflict(Some(found)))
}

fn loads(version: Version) -> Did {
    Did::Load {
        session: version.session,
        found: Some(version),
    }
}

fn revokes(keep: Option<u32>, revoked: &[u32]) -> Did {
    Did::RevokeAll {
        keep,
        revoked: Some(revoked.into()),
    }
}

/// One call after the other.
fn in_turn(calls: impl IntoIterator<Item = Did>) -> Vec<Call> {
    let timed = calls
        .into_iter()
        .zip(0..)
        .map(|(did, n)| at(10 * n, 10 * n + 5, did));
    timed.collect()
}

fn at(start: u64, end: u64, did: Did) -> Call {
    Call { start, end, did }
}

fn flaw(calls: impl IntoIterator<Item = Did>) -> Flaw {
    check(&in_turn(calls), true).unwrap_err()
}

#[test]
fn histories_of_a_correct_store_pass() {
    let calls = [
        inserts(A),
        applies(A, B),
        loads(B),
        loses(A, C, B),
        inserts(live(2, 9)),
        Did::List(vec![B, live(2, 9)]),
        revokes(Some(2), &[1]),
        loads(dead(1, 1)),
        loses(B, D, dead(1, 1)),
        applies(live(2, 9), dead(2, 10)),
        Did::List(vec![dead(1, 1), dead(2, 10)]),
    ];
    let checked = Checked {
        applied: 2,
        conflicts: 2,
        revocations: 1,
        ..Checked::default()
    };
    assert_eq!(check(&in_turn(calls), false), Ok(checked));
}

/// Calls that overlap may be seen in either order.
#[test]
fn overlapping_calls_have_no_order() {
    for seen in [A, B] {
        let history = [
            at(0, 1, inserts(A)),
            at(2, 9, applies(A, B)),
            at(3, 4, loads(seen)),
        ];
        assert!(check(&history, false).is_ok(), "{seen:?}");
    }
    let new = live(2, 9);
    for seen in [new, dead(2, 9)] {
        let history = [
            at(0, 9, inserts(new)),
            at(1, 8, revokes(None, &[])),
            at(10, 11, loads(seen)),
        ];
        assert!(check(&history, false).is_ok(), "{seen:?}");
    }
}

#[test]
fn a_fork_is_found() {
    assert_eq!(
        flaw([inserts(A), applies(A, B), applies(A, C)]),
        Flaw::Fork(A)
    );
    // One of the two without an answer, and seen later.
    let lost = swaps(A, C, Answer::Unknown);
    assert_eq!(
        flaw([inserts(A), lost, applies(A, B), loads(C)]),
        Flaw::Fork(A)
    );
    // One of the two is the work of `revoke_all`.
    let history = [
        at(0, 1, inserts(A)),
        at(2, 9, revokes(None, &[])),
        at(3, 4, applies(A, B)),
        at(10, 11, loads(dead(1, 0))),
    ];
    assert_eq!(check(&history, true), Err(Flaw::Fork(A)));
}

#[test]
fn a_lost_update_is_found() {
    assert_eq!(
        flaw([inserts(A), applies(A, B), loads(A)]),
        Flaw::LostUpdate(Some(A))
    );
    assert_eq!(
        flaw([inserts(A), applies(A, B), Did::List(vec![A])]),
        Flaw::LostUpdate(Some(A))
    );
    assert_eq!(
        flaw([inserts(A), applies(A, B), loses(D, C, A)]),
        Flaw::LostUpdate(Some(A))
    );
    assert_eq!(
        flaw([inserts(A), Did::List(vec![])]),
        Flaw::LostUpdate(None)
    );
    let gone = Did::Load {
        session: 1,
        found: None,
    };
    assert_eq!(flaw([inserts(A), gone]), Flaw::LostUpdate(None));
}

#[test]
fn an_answer_of_the_past_is_found() {
    let lost = swaps(A, B, Answer::Unknown);
    assert_eq!(
        flaw([inserts(A), lost, loads(B), loads(A)]),
        Flaw::Stale(Some(A))
    );
    // A conflict shows what was there at some moment of its own.
    let history = [
        at(0, 1, inserts(A)),
        at(2, 3, applies(A, B)),
        at(4, 9, applies(B, C)),
        at(5, 6, loads(C)),
        at(7, 8, loses(A, D, B)),
    ];
    assert_eq!(check(&history, true), Err(Flaw::Stale(Some(B))));
}

#[test]
fn a_survivor_is_found() {
    assert_eq!(
        flaw([inserts(A), revokes(None, &[]), loads(A)]),
        Flaw::Survivor(A)
    );
    assert_eq!(
        flaw([inserts(A), revokes(Some(2), &[1]), applies(A, B)]),
        Flaw::Survivor(B)
    );
    assert_eq!(
        flaw([
            inserts(A),
            revokes(None, &[1]),
            loads(dead(1, 0)),
            Did::List(vec![A])
        ]),
        Flaw::Stale(Some(A))
    );
    // It came up meanwhile, and is said to be revoked.
    let history = [
        at(0, 9, inserts(A)),
        at(1, 8, revokes(None, &[1])),
        at(10, 11, loads(A)),
    ];
    assert_eq!(check(&history, true), Err(Flaw::Survivor(A)));
    // An ended session that goes on.
    assert_eq!(
        flaw([inserts(A), applies(A, dead(1, 7)), applies(dead(1, 7), B)]),
        Flaw::Survivor(B)
    );
}

#[test]
fn values_that_were_never_written_are_found() {
    assert_eq!(flaw([inserts(A), loads(B)]), Flaw::Invented(B));
    assert_eq!(flaw([inserts(A), applies(C, B)]), Flaw::Invented(C));
    assert_eq!(
        flaw([inserts(A), loads(B), applies(A, B)]),
        Flaw::Invented(B)
    );
    // Revoked, and each revocation kept it.
    assert_eq!(
        flaw([inserts(A), revokes(Some(1), &[]), loads(dead(1, 0))]),
        Flaw::Invented(dead(1, 0))
    );
}

#[test]
fn a_conflict_with_itself_is_found() {
    assert_eq!(flaw([inserts(A), loses(A, B, A)]), Flaw::NoConflict(A));
    assert_eq!(
        flaw([inserts(A), applies(A, B), loses(A, B, B)]),
        Flaw::NoConflict(B)
    );
}

/// The first of two was applied and its answer lost; another writer came; the second is a conflict.
#[test]
fn a_conflict_may_hide_a_swap_that_was_sent_twice_and_no_other() {
    let history = [
        at(0, 1, inserts(A)),
        at(2, 9, loses(A, B, C)),
        at(3, 4, loads(B)),
        at(5, 6, applies(B, C)),
    ];
    assert_eq!(check(&history, true).map(|checked| checked.hidden), Ok(1));
    assert_eq!(check(&history, false), Err(Flaw::HiddenBy(B)));
}

#[test]
fn a_swap_without_an_answer_may_happen_late() {
    let lost = swaps(A, B, Answer::Unknown);
    for rest in [
        vec![loads(A)],
        vec![loads(A), loads(B)],
        vec![applies(A, C), loads(C)],
    ] {
        let calls = [inserts(A), lost.clone()].into_iter().chain(rest);
        assert!(check(&in_turn(calls), true).is_ok());
    }
}

/// An instance says that a session has ended, and not which version of it.
#[test]
fn an_end_that_is_remembered_is_an_end() {
    let ended = dead(1, SOME);
    let out = dead(1, 7);
    let over = |rest: Did| [inserts(A), applies(A, out), loads(ended), rest];
    assert!(check(&in_turn(over(loads(out))), true).is_ok());
    assert_eq!(flaw(over(loads(A))), Flaw::LostUpdate(Some(A)));
    assert_eq!(
        flaw([inserts(A), loads(ended), applies(A, out)]),
        Flaw::Invented(ended)
    );
    let unknown = swaps(A, out, Answer::Unknown);
    assert_eq!(
        flaw([inserts(A), unknown, loads(ended), applies(A, B)]),
        Flaw::Survivor(B)
    );
}
