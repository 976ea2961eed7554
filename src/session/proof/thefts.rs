//! Thieves in the worlds: no thief is served on and on unnoticed.

use super::{
    bounds::{Bounds, Budget, NOTHING, honest},
    promises::Broken,
    rule::{OTHER, Visitor, newcomers_wait},
    search::{Report, search},
};
use crate::session::presenter::{Activity, JarProof};

/// A thief, with the jar cookie or without it, with the fingerprint of the victim or another one.
struct Thief {
    name: &'static str,
    visitor: Visitor,
}

const fn thief(name: &'static str, agent: u8, jar: JarProof) -> Thief {
    Thief {
        name,
        visitor: Visitor {
            agent,
            jar,
            version: 0,
            activity: Activity::Active,
        },
    }
}

const NO_JAR: [Thief; 2] = [
    thief("no jar, other fingerprint", OTHER, JarProof::Missing),
    thief("no jar, same fingerprint", 0, JarProof::Missing),
];
const STRANGER: Thief = thief("jar, other fingerprint", OTHER, JarProof::Shown);
const DISGUISED: Thief = thief("jar, same fingerprint", 0, JarProof::Shown);

/// The worlds around the theft.
fn circumstances(requests: u8) -> Vec<(&'static str, Bounds)> {
    let base = Budget {
        requests,
        thefts: 2,
        ..NOTHING
    };
    let with = |budget| Bounds { budget, ..honest() };
    let losses = Budget {
        losses: 1,
        thefts: 3,
        ..base
    };
    let failovers = Budget {
        failovers: 1,
        ..base
    };
    let crashes = Budget { crashes: 1, ..base };
    let step_ups = Budget {
        step_ups: 1,
        ..base
    };
    vec![
        ("3 shots, 1 lost answer", with(losses)),
        ("2 shots, 1 failover", with(failovers)),
        ("2 shots, 1 crash", with(crashes)),
        (
            "2 shots, 2 fingerprints",
            Bounds {
                agents: 2,
                ..with(base)
            },
        ),
        ("2 shots, step-up", with(step_ups)),
        (
            "2 shots, sign-out",
            Bounds {
                thief_signs_out: true,
                ..with(base)
            },
        ),
    ]
}

fn run(thief: &Thief, circumstance: &str, bounds: &Bounds) -> Report {
    let bounds = Bounds {
        thief: thief.visitor,
        ..bounds.clone()
    };
    let report = search(&bounds);
    println!(
        "{} | {circumstance}: {} states, {} alarms, {}; of {} ends {} without an alarm after a token, {} of them \
         silent; most tokens {}; honest: {}",
        thief.name,
        report.states,
        report.alarms,
        match &report.unnoticed {
            Some(path) => format!("SERVED ON UNNOTICED in {} steps", path.len()),
            None => "never served on unnoticed".to_owned(),
        },
        report.ends,
        report.escapes,
        report.silent,
        report.most,
        match &report.accused {
            Some(path) => format!("ACCUSED in {} steps", path.len()),
            None => "not accused".to_owned(),
        },
    );
    report
}

/// No honest user is accused before the thief comes, and the thief does not go on and on.
fn assert_noticed(thief: &Thief, circumstance: &str, bounds: &Bounds) -> Report {
    let report = run(thief, circumstance, bounds);
    let first = report.accused.iter().chain(&report.unnoticed).next();
    if let Some(path) = first {
        panic!("{} | {circumstance}:\n{}", thief.name, path.join("\n"));
    }
    assert_eq!(
        report.broken,
        Broken::default(),
        "{} | {circumstance}",
        thief.name
    );
    report
}

fn without_the_jar(requests: u8) {
    for thief in &NO_JAR {
        for (circumstance, bounds) in circumstances(requests) {
            let report = assert_noticed(thief, circumstance, &bounds);
            assert_eq!(report.most, 0);
        }
    }
}

fn with_another_fingerprint(requests: u8) {
    for (circumstance, bounds) in circumstances(requests) {
        let report = assert_noticed(&STRANGER, circumstance, &bounds);
        assert_eq!(report.silent, 0);
        assert!(report.alarms > 0);
    }
}

fn in_disguise(requests: u8) {
    for (circumstance, bounds) in circumstances(requests) {
        let report = assert_noticed(&DISGUISED, circumstance, &bounds);
        assert!(report.alarms > 0);
        // No rotation sees a thief that comes once and never again, and so the search must find it.
        assert!(report.silent > 0);
    }
}

#[test]
fn without_the_jar_cookie_a_thief_gets_nothing() {
    without_the_jar(3);
}

#[test]
fn a_thief_with_another_fingerprint_gets_nothing_in_silence() {
    with_another_fingerprint(3);
}

#[test]
fn a_thief_in_disguise_is_not_served_on_unnoticed() {
    in_disguise(3);
}

#[test]
#[ignore = "millions of states: scripts/test --long"]
fn longer_without_the_jar_cookie_a_thief_gets_nothing() {
    without_the_jar(4);
}

#[test]
#[ignore = "millions of states: scripts/test --long"]
fn longer_a_thief_with_another_fingerprint_gets_nothing_in_silence() {
    with_another_fingerprint(4);
}

#[test]
#[ignore = "millions of states: scripts/test --long"]
fn longer_a_thief_in_disguise_is_not_served_on_unnoticed() {
    in_disguise(4);
}

/// The price of coalescing: without it no single use of a stranger would stay without an alarm.
#[test]
fn one_use_within_the_interval_is_all_that_escapes_the_alarm() {
    let one = Budget {
        requests: 4,
        thefts: 1,
        losses: 1,
        ..NOTHING
    };
    let bounds = Bounds {
        budget: one,
        ..honest()
    };
    let report = assert_noticed(&STRANGER, "1 shot, 1 lost answer", &bounds);
    assert!(report.escapes > 0);
    assert_eq!(report.silent, 0);
    let strict = Bounds {
        rule: newcomers_wait,
        ..bounds
    };
    let report = assert_noticed(&STRANGER, "1 shot, denied within M", &strict);
    assert_eq!(report.escapes, 0);
}

/// Until the browser has shown the jar cookie once, the session asks no client for it.
#[test]
fn before_the_session_is_bound_a_thief_needs_no_jar() {
    let bounds = Bounds {
        bound: false,
        budget: Budget {
            requests: 3,
            thefts: 2,
            ..NOTHING
        },
        ..honest()
    };
    for thief in &NO_JAR {
        let report = assert_noticed(thief, "2 shots, not bound yet", &bounds);
        assert!(report.most > 0);
    }
}
