//! The worlds in which no honest user is accused, nor signed out but where it is said.

use std::time::Duration;

use super::{
    bounds::{Bounds, honest},
    promises::Broken,
    search::{Report, search},
};
use crate::session::{
    fingerprints::FingerprintPolicy, policy::RotationPolicy, presenter::JarProof,
};

/// Searches a world and prints what was found. `goal` is a number of states to compare with.
pub(super) fn run(name: &str, goal: Option<usize>, bounds: &Bounds) -> Report {
    let report = search(bounds);
    let (tokens, records, questions) = report.ledger;
    println!(
        "{name}: {} states{}, {tokens} tokens, {records} records, {questions} questions; told to come again {}, \
         to sign in {}, state lost {}, unused {}; {}",
        report.states,
        goal.map(|goal| format!(" (goal: {goal})"))
            .unwrap_or_default(),
        report.later,
        report.outdated,
        report.state_lost,
        report.unused,
        match &report.accused {
            Some(path) => format!("an honest user is accused in {} steps", path.len()),
            None => "no honest user is accused".to_owned(),
        },
    );
    report
}

pub(super) fn assert_holds(name: &str, goal: Option<usize>, bounds: &Bounds) -> Report {
    let report = run(name, goal, bounds);
    if let Some(path) = &report.accused {
        panic!("{name}: the promise breaks:\n{}", path.join("\n"));
    }
    assert_eq!(report.broken, Broken::default(), "{name}");
    report
}

/// Holds, and no user has to sign in again.
pub(super) fn assert_undisturbed(name: &str, goal: Option<usize>, bounds: &Bounds) {
    let report = assert_holds(name, goal, bounds);
    assert_eq!((report.outdated, report.state_lost), (0, 0), "{name}");
}

fn two_windows() -> Bounds {
    Bounds {
        agents: 2,
        ..honest()
    }
}

#[test]
fn two_lost_answers() {
    let bounds = honest().with(|left| {
        left.requests = 5;
        left.losses = 2;
    });
    assert_undisturbed("2 lost answers", Some(509_785), &bounds);
}

#[test]
fn two_failovers() {
    let bounds = honest().with(|left| {
        left.requests = 5;
        left.failovers = 2;
    });
    assert_undisturbed("2 failovers", Some(373_436), &bounds);
}

#[test]
fn two_windows_over_one_jar() {
    let bounds = two_windows().with(|left| left.requests = 5);
    assert_undisturbed("2 fingerprints", Some(1_563_336), &bounds);
}

#[test]
fn two_windows_and_a_lost_answer() {
    let bounds = two_windows().with(|left| left.losses = 1);
    assert_undisturbed("2 fingerprints, 1 lost answer", Some(763_996), &bounds);
}

#[test]
fn two_windows_and_a_failover() {
    let bounds = two_windows().with(|left| left.failovers = 1);
    assert_undisturbed("2 fingerprints, 1 failover", Some(662_163), &bounds);
}

#[test]
fn two_windows_a_sign_out_and_a_lost_answer() {
    let bounds = two_windows().with(|left| {
        left.losses = 1;
        left.sign_outs = 1;
    });
    let goal = Some(3_158_418);
    assert_undisturbed("2 fingerprints, sign-out, 1 lost answer", goal, &bounds);
}

#[test]
fn a_browser_that_dies_before_its_cookies_are_on_the_disk() {
    let one = honest().with(|left| left.crashes = 1);
    assert_undisturbed("1 crash", Some(241_959), &one);
    let five = one.with(|left| left.requests = 5);
    assert_undisturbed("1 crash, 5 requests", None, &five);
}

#[test]
fn a_browser_that_dies_twice() {
    let two = honest().with(|left| left.crashes = 2);
    assert_undisturbed("2 crashes", Some(288_677), &two);
}

#[test]
fn a_browser_that_dies_and_a_lost_answer() {
    let bounds = honest().with(|left| {
        left.crashes = 1;
        left.losses = 1;
    });
    assert_undisturbed("1 crash, 1 lost answer", Some(412_418), &bounds);
}

#[test]
fn a_browser_that_dies_and_a_sign_out() {
    let bounds = honest().with(|left| {
        left.crashes = 1;
        left.sign_outs = 1;
    });
    assert_undisturbed("1 crash, sign-out", Some(714_771), &bounds);
}

#[test]
fn a_browser_that_dies_and_a_privilege_change() {
    let bounds = honest().with(|left| {
        left.crashes = 1;
        left.step_ups = 1;
    });
    assert_holds("1 crash, step-up", Some(981_847), &bounds);
}

#[test]
fn claims_that_take_their_time() {
    let quarter = Bounds {
        work: 2,
        ..honest()
    }
    .with(|left| {
        left.requests = 3;
        left.losses = 1;
    });
    assert_undisturbed("claims G/4, 1 lost answer", Some(49_694), &quarter);
    let half = Bounds {
        work: 4,
        delay: 2,
        ..honest()
    };
    assert_undisturbed("claims G/2, delays G/4", Some(165_812), &half);
}

#[test]
fn a_store_that_refuses_a_write() {
    let bounds = honest().with(|left| {
        left.requests = 5;
        left.losses = 1;
        left.refusals = 1;
    });
    let goal = Some(462_873);
    assert_undisturbed("a write refused, 1 lost answer", goal, &bounds);
}

#[test]
fn two_policies_beside_each_other() {
    let shorter = RotationPolicy {
        grace: Duration::from_secs(15),
        interval: Duration::from_secs(30),
        ..RotationPolicy::default()
    };
    let bounds = Bounds {
        beside: Some(shorter),
        delay: 2,
        ..honest()
    }
    .with(|left| {
        left.requests = 5;
        left.losses = 1;
    });
    let goal = Some(209_666);
    assert_undisturbed("G/M 30/60 beside 15/30, 1 lost answer", goal, &bounds);
}

/// Late requests of other pages are refused, but they end nothing.
#[test]
fn a_privilege_change_and_a_lost_answer() {
    let bounds = honest().with(|left| {
        left.step_ups = 1;
        left.losses = 1;
    });
    let report = assert_holds("step-up, 1 lost answer", Some(396_259), &bounds);
    assert!(report.later > 0);
}

#[test]
fn a_privilege_change_a_lost_answer_and_two_windows() {
    let bounds = two_windows().with(|left| {
        left.requests = 3;
        left.step_ups = 1;
        left.losses = 1;
    });
    let goal = Some(355_481);
    assert_holds("step-up, 1 lost answer, 2 fingerprints", goal, &bounds);
}

#[test]
fn a_privilege_change_and_two_windows() {
    let bounds = two_windows().with(|left| left.step_ups = 1);
    assert_holds("step-up, 2 fingerprints", Some(1_896_907), &bounds);
}

#[test]
fn a_clock_that_jumps_by_half_the_grace() {
    let bounds = Bounds {
        step: 4,
        ..honest()
    }
    .with(|left| left.clock_steps = 1);
    assert_undisturbed("the clock jumps G/2", None, &bounds);
}

/// The clock makes the hand-out older than it is: the window is still open, because the token has come back.
#[test]
fn a_clock_that_jumps_by_half_the_grace_and_two_windows() {
    let bounds = Bounds {
        step: 4,
        ..two_windows()
    }
    .with(|left| {
        left.requests = 3;
        left.clock_steps = 1;
    });
    assert_undisturbed("the clock jumps G/2, 2 fingerprints", None, &bounds);
}

/// Two windows that the session knows may die at any time.
#[test]
fn two_known_windows_and_a_crash() {
    let bounds = Bounds {
        acquainted: true,
        ..two_windows()
    }
    .with(|left| {
        left.requests = 3;
        left.crashes = 1;
    });
    assert_undisturbed("2 known fingerprints, 1 crash", None, &bounds);
}

#[test]
fn fingerprints_that_do_not_count() {
    let bounds = Bounds {
        fingerprints: FingerprintPolicy::Ignored,
        ..two_windows()
    }
    .with(|left| left.losses = 1);
    assert_undisturbed("fingerprints ignored, 1 lost answer", None, &bounds);
    let bounds = bounds.with(|left| {
        left.requests = 3;
        left.crashes = 1;
    });
    assert_undisturbed(
        "fingerprints ignored, 1 lost answer, 1 crash",
        None,
        &bounds,
    );
}

/// The sign-in's answer is the first that brings the jar cookie. Until it is shown, the session is open to all.
#[test]
fn a_session_that_is_not_bound_yet() {
    let bounds = Bounds {
        bound: false,
        ..two_windows()
    }
    .with(|left| {
        left.requests = 3;
        left.losses = 1;
    });
    assert_undisturbed(
        "not bound yet, 2 fingerprints, 1 lost answer",
        None,
        &bounds,
    );
}

/// Where tokens travel in bodies there is no jar. A client that calls itself another way gets its access token at
/// once.
#[test]
fn tokens_in_bodies() {
    let bounds = Bounds {
        jar: JarProof::Waived,
        bound: false,
        ..honest()
    }
    .with(|left| left.losses = 2);
    assert_undisturbed("bodies, 2 lost answers", None, &bounds);
    let bounds = Bounds {
        jar: JarProof::Waived,
        bound: false,
        ..two_windows()
    };
    assert_undisturbed("bodies, 2 fingerprints", None, &bounds);
}
