//! Worlds with millions of states. Too long for every day: `scripts/test --long` searches them.

use std::time::Duration;

use super::{
    bounds::{Bounds, Budget, NOTHING, honest},
    worlds::assert_undisturbed,
};

fn world(agents: u8, budget: Budget) -> Bounds {
    Bounds {
        agents,
        budget,
        ..honest()
    }
}

/// A grid on which a replay within `G/8` of the hand-out skips its note.
#[test]
#[ignore = "millions of states: scripts/test --long"]
fn a_finer_grid_with_skipped_writes_changes_nothing() {
    let bounds = Bounds {
        unit: Duration::from_millis(1_875),
        delay: 8,
        flush: 16,
        ..honest()
    }
    .with(|left| {
        left.requests = 5;
        left.losses = 1;
    });
    assert_undisturbed("1 lost answer, fine grid", None, &bounds);
}

#[test]
#[ignore = "millions of states: scripts/test --long"]
fn one_window_and_six_requests() {
    let base = Budget {
        requests: 6,
        ..NOTHING
    };
    let losses = Budget { losses: 2, ..base };
    assert_undisturbed("6 requests, 2 lost answers", None, &world(1, losses));
    let failovers = Budget {
        failovers: 2,
        ..base
    };
    assert_undisturbed("6 requests, 2 failovers", None, &world(1, failovers));
}

#[test]
#[ignore = "millions of states: scripts/test --long"]
fn more_windows_and_requests() {
    let base = Budget {
        requests: 5,
        ..NOTHING
    };
    let six = Budget {
        requests: 6,
        ..NOTHING
    };
    assert_undisturbed("2 fingerprints, 6 requests", None, &world(2, six));
    let lost = Budget { losses: 2, ..base };
    assert_undisturbed("2 fingerprints, 2 lost answers", None, &world(2, lost));
    let failovers = Budget {
        failovers: 2,
        ..base
    };
    assert_undisturbed("2 fingerprints, 2 failovers", None, &world(2, failovers));
    let four = Budget {
        requests: 4,
        losses: 1,
        ..NOTHING
    };
    assert_undisturbed("3 fingerprints, 1 lost answer", None, &world(3, four));
}

#[test]
#[ignore = "millions of states: scripts/test --long"]
fn more_crashes() {
    let bounds = Budget {
        requests: 5,
        crashes: 2,
        losses: 1,
        ..NOTHING
    };
    assert_undisturbed("2 crashes, 1 lost answer", None, &world(1, bounds));
    let bounds = Budget {
        requests: 4,
        crashes: 1,
        losses: 1,
        ..NOTHING
    };
    let known = Bounds {
        acquainted: true,
        ..world(2, bounds)
    };
    let name = "2 known fingerprints, 1 crash, 1 lost answer";
    assert_undisturbed(name, None, &known);
}

#[test]
#[ignore = "millions of states: scripts/test --long"]
fn more_jumps_of_the_clock() {
    let jump = |requests| Budget {
        requests,
        clock_steps: 1,
        ..NOTHING
    };
    let half = |agents, requests| Bounds {
        step: 4,
        ..world(agents, jump(requests))
    };
    assert_undisturbed("the clock jumps G/2, 5 requests", None, &half(1, 5));
    assert_undisturbed("the clock jumps G/2, 2 fingerprints", None, &half(2, 4));
}
