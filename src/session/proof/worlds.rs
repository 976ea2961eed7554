//! The worlds that are searched, and those that must fail the search.

use std::time::Duration;

use super::exhaustive::{Bounds, Report, search};
use crate::session::policy::RotationPolicy;

/// An eighth of the default grace: `G` is 8 units, `M` is 16, and the delay bound `G/2` is 4.
const EIGHTH: Duration = Duration::from_millis(3_750);
/// A sixteenth: fine enough for the row that skips its write within `G/8`.
const SIXTEENTH: Duration = Duration::from_millis(1_875);

fn honest() -> Bounds {
    Bounds {
        rotation: RotationPolicy::default(),
        unit: EIGHTH,
        delay: 4,
        requests: 6,
        losses: 0,
        failovers: 0,
        thefts: 0,
        elevations: 0,
        forget_replays: false,
        disguised: false,
    }
}

fn run(name: &str, bounds: &Bounds) -> Report {
    let report = search(bounds);
    println!(
        "{name}: {} states, {} tokens, {} questions, {} sign-ins after lost state, {} superseded, {} thefts noticed, {}",
        report.states,
        report.ledger.0,
        report.ledger.1,
        report.state_lost,
        report.superseded,
        report.thefts_noticed,
        if report.counter_example.is_some() {
            "counter-example"
        } else {
            "no counter-example"
        },
    );
    report
}

fn assert_holds(name: &str, bounds: &Bounds) -> Report {
    let report = run(name, bounds);
    if let Some(path) = &report.counter_example {
        let steps: Vec<String> = path.iter().map(|state| format!("{state:?}")).collect();
        panic!("{name}: the promise breaks:\n{}", steps.join("\n"));
    }
    report
}

fn assert_breaks(name: &str, bounds: &Bounds) {
    let report = run(name, bounds);
    assert!(
        report.counter_example.is_some(),
        "{name}: the search cannot fail, so it proves nothing"
    );
}

#[test]
fn no_path_of_an_honest_browser_with_two_lost_answers_ends_in_revocation() {
    let bounds = Bounds {
        losses: 2,
        ..honest()
    };
    let report = assert_holds("6 requests, 2 lost answers", &bounds);
    assert_eq!(report.state_lost, 0);
}

#[test]
fn no_path_with_two_failovers_ends_in_revocation() {
    let bounds = Bounds {
        failovers: 2,
        ..honest()
    };
    assert_holds("6 requests, 2 failovers", &bounds);
}

/// Fewer requests on a finer grid, with the delay bound that skipping writes within `G/8` leaves.
#[test]
fn a_finer_grid_with_skipped_writes_changes_nothing() {
    let bounds = Bounds {
        unit: SIXTEENTH,
        delay: 7,
        requests: 5,
        losses: 1,
        ..honest()
    };
    assert_holds("5 requests, 1 lost answer, fine grid", &bounds);
}

#[test]
fn every_path_on_which_both_have_presented_ends_the_session() {
    let bounds = Bounds {
        requests: 5,
        losses: 1,
        thefts: 2,
        ..honest()
    };
    let report = assert_holds("5 requests, 1 lost answer, a thief", &bounds);
    assert!(report.thefts_noticed > 0);
}

/// Late requests of other tabs are refused, but they end nothing. (A failover within seconds of
/// both a rotation and a privilege change can: two histories then share a generation.)
#[test]
fn no_path_with_a_privilege_change_ends_in_revocation() {
    let bounds = Bounds {
        elevations: 1,
        ..honest()
    };
    let report = assert_holds("6 requests, one changes the privilege", &bounds);
    assert!(report.superseded > 0);
    let lost = Bounds {
        requests: 5,
        losses: 1,
        ..bounds
    };
    assert_holds("5 requests, a privilege change, 1 lost answer", &lost);
}

/// A thief across a privilege change is noticed like any other.
#[test]
fn every_path_of_a_thief_across_a_privilege_change_ends_the_session() {
    let bounds = Bounds {
        requests: 4,
        elevations: 1,
        thefts: 2,
        ..honest()
    };
    let report = assert_holds("4 requests, a privilege change, a thief", &bounds);
    assert!(report.thefts_noticed > 0);
}

/// What no rotation scheme sees, and so the search must find.
#[test]
fn a_thief_with_the_signature_of_the_victims_client_escapes() {
    let bounds = Bounds {
        thefts: 2,
        disguised: true,
        ..honest()
    };
    assert_breaks("a thief in disguise", &bounds);
}

#[test]
fn an_interval_as_short_as_the_grace_is_refuted() {
    let mut bounds = honest();
    // The builder refuses it; this is why.
    bounds.rotation.interval = bounds.rotation.grace;
    assert_breaks("M = G", &bounds);
}

#[test]
fn grace_counted_from_the_rotation_only_is_refuted() {
    let bounds = Bounds {
        forget_replays: true,
        losses: 1,
        ..honest()
    };
    assert_breaks("replays do not move the hand-out", &bounds);
}

#[test]
fn delays_beyond_the_bound_are_refuted() {
    let bounds = Bounds {
        delay: 8,
        ..honest()
    };
    assert_breaks("delays up to G", &bounds);
}

#[test]
fn no_recovery_is_refuted() {
    let mut bounds = Bounds {
        losses: 1,
        ..honest()
    };
    bounds.rotation.recoveries = 0;
    assert_breaks("no recovery of a lost answer", &bounds);
}
