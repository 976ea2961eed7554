//! The search refutes rules that were not chosen, and worlds that are too much for the one that was.

use super::{
    bounds::{Bounds, Budget, NOTHING, honest},
    broken::{
        barriers_are_kept, changes_are_derived_as_rotations, newcomers_are_adopted_unnoted,
        newcomers_hold_what_is_adopted, presentations_open_no_window, seen_replays_move_the_window,
    },
    rule::{
        OTHER, Rule, Visitor, newcomers_rotate_at_once, notes_are_left_out, nothing_is_recovered,
        seen_tokens_are_final, seen_tokens_go_out_again,
    },
    search::{Report, search},
    worlds::run,
};
use crate::session::{policy::RotationPolicy, presenter::JarProof};

/// An honest user is accused.
fn assert_fails(name: &str, bounds: &Bounds) {
    let report = run(name, None, bounds);
    let path = report.accused.unwrap_or_else(|| {
        panic!("{name}: the search cannot fail, so it proves nothing, or the world is better than it is said to be")
    });
    println!("{}", path.join("\n"));
}

fn left(budget: Budget) -> Bounds {
    Bounds { budget, ..honest() }
}

fn requests(requests: u8) -> Budget {
    Budget {
        requests,
        ..NOTHING
    }
}

#[test]
fn newcomers_that_rotate_within_the_interval() {
    let bounds = Bounds {
        rule: newcomers_rotate_at_once,
        agents: 2,
        ..left(requests(5))
    };
    assert_fails("newcomers rotate within M", &bounds);
}

#[test]
fn a_crash_without_the_recovery_of_seen_tokens() {
    let bounds = Bounds {
        rule: seen_tokens_are_final,
        ..left(Budget {
            crashes: 1,
            ..requests(4)
        })
    };
    assert_fails("1 crash, seen tokens are not recovered", &bounds);
}

#[test]
fn notes_that_are_left_out() {
    let bounds = Bounds {
        rule: notes_are_left_out,
        ..left(Budget {
            losses: 1,
            ..requests(5)
        })
    };
    assert_fails("notes left out", &bounds);
}

#[test]
fn claims_that_take_as_long_as_the_grace() {
    let bounds = Bounds {
        work: 8,
        ..left(requests(3))
    };
    assert_fails("claims up to G", &bounds);
}

#[test]
fn an_interval_as_short_as_the_grace() {
    let rotation = RotationPolicy::default();
    let bounds = Bounds {
        // The builder refuses it; this is why.
        rotation: RotationPolicy {
            interval: rotation.grace,
            ..rotation
        },
        ..left(requests(6))
    };
    assert_fails("M = G", &bounds);
}

#[test]
fn delays_beyond_the_bound() {
    let bounds = Bounds {
        delay: 8,
        ..left(requests(6))
    };
    assert_fails("delays up to G", &bounds);
}

#[test]
fn no_recovery_of_a_lost_answer() {
    let bounds = Bounds {
        rule: nothing_is_recovered,
        ..left(Budget {
            losses: 1,
            ..requests(4)
        })
    };
    assert_fails("no recovery", &bounds);
}

#[test]
fn a_lost_answer_and_a_failover() {
    let bounds = left(Budget {
        losses: 1,
        failovers: 1,
        ..requests(5)
    });
    assert_fails("1 lost answer, 1 failover", &bounds);
}

#[test]
fn a_privilege_change_and_a_failover() {
    let bounds = left(Budget {
        step_ups: 1,
        failovers: 1,
        ..requests(4)
    });
    assert_fails("step-up, 1 failover", &bounds);
}

#[test]
fn a_crash_at_the_first_rotation_of_a_new_fingerprint() {
    let bounds = Bounds {
        agents: 2,
        ..left(Budget {
            crashes: 1,
            ..requests(4)
        })
    };
    assert_fails("2 fingerprints, 1 crash", &bounds);
}

/// If it were handed out again, the token that the dead browser has lost would rotate after its interval. Another
/// request with the one before would still be under way.
#[test]
fn a_crash_where_seen_tokens_go_out_again() {
    let bounds = Bounds {
        rule: seen_tokens_go_out_again,
        ..left(Budget {
            crashes: 1,
            ..requests(5)
        })
    };
    assert_fails("1 crash, seen tokens go out again", &bounds);
}

#[test]
fn a_crash_and_a_failover() {
    let bounds = left(Budget {
        crashes: 1,
        failovers: 1,
        ..requests(5)
    });
    assert_fails("1 crash, 1 failover", &bounds);
}

#[test]
fn a_clock_that_jumps_further_than_half_the_grace() {
    let bounds = Bounds {
        step: 11,
        ..left(Budget {
            clock_steps: 1,
            ..requests(4)
        })
    };
    assert_fails("the clock jumps 11/8 G", &bounds);
}

/// The answer to a client that calls itself another way is lost. The next request has its old name again. Without a jar
/// that may be a thief who has got an access token.
#[test]
fn two_fingerprints_that_take_turns_over_tokens_in_bodies() {
    let bounds = Bounds {
        jar: JarProof::Waived,
        bound: false,
        agents: 2,
        ..left(Budget {
            losses: 1,
            ..requests(4)
        })
    };
    assert_fails("bodies, 2 fingerprints, 1 lost answer", &bounds);
}

/// No honest user is accused, but a promise is broken.
fn search_of(name: &str, bounds: &Bounds) -> Report {
    let report = search(bounds);
    println!("{name}: {:?}, {} alarms", report.broken, report.alarms);
    assert_eq!(report.accused, None, "{name}");
    report
}

/// A token that was replaced and seen to be would be good for as long as its thief comes again.
#[test]
fn a_window_that_seen_replays_move() {
    let bounds = Bounds {
        rule: seen_replays_move_the_window,
        ..left(Budget {
            thefts: 3,
            ..requests(3)
        })
    };
    let report = search_of("seen replays move the window", &bounds);
    assert!(report.broken.lingering > 0);
}

/// The clock jumps behind the hand-out, and a request that was under way since is taken for theft.
#[test]
fn a_window_that_is_not_counted_from_the_presentation() {
    let bounds = Bounds {
        rule: presentations_open_no_window,
        step: 4,
        agents: 2,
        ..left(Budget {
            clock_steps: 1,
            ..requests(3)
        })
    };
    assert_fails("presentations open no window", &bounds);
}

/// The victim, whom the session knows, then brings the token that the thief holds. Both seem to share the jar.
#[test]
fn a_thief_that_holds_what_is_adopted() {
    for rule in [
        newcomers_hold_what_is_adopted as Rule,
        newcomers_are_adopted_unnoted,
    ] {
        let bounds = Bounds {
            rule,
            thief: Visitor::browser(OTHER),
            ..left(Budget {
                thefts: 2,
                failovers: 1,
                ..requests(2)
            })
        };
        let report = search_of("newcomers are adopted", &bounds);
        assert!(report.broken.adopted > 0);
    }
}

/// Behind it nothing is theft any more.
#[test]
fn a_barrier_that_is_kept() {
    let bounds = Bounds {
        rule: barriers_are_kept,
        ..left(Budget {
            thefts: 2,
            step_ups: 1,
            ..requests(3)
        })
    };
    let report = search_of("barriers are kept", &bounds);
    assert!(report.unnoticed.is_some());
}

/// A token from before a change of privilege would be the one behind it.
#[test]
fn a_change_of_privilege_that_leads_where_a_rotation_does() {
    let bounds = Bounds {
        rule: changes_are_derived_as_rotations,
        ..left(Budget {
            step_ups: 1,
            ..requests(3)
        })
    };
    let report = search_of("changes are derived as rotations", &bounds);
    assert!(report.broken.shared > 0);
}
