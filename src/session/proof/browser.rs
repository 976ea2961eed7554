//! Honest browsers: none of them is signed out.

use rand::RngExt;

use super::sim::{MINUTE, Network, RUNS, SECOND, Sim, Tab};
use crate::session::policy::RotationPolicy;

/// An access token of 15 minutes, refreshed a minute before its end.
const TURN: u64 = 14 * MINUTE;

fn tab(left: u32) -> Tab {
    Tab {
        left,
        every: TURN,
        aborted: 0.0,
    }
}

/// A browser with 20 tabs is started again: all refresh within 6 s, and together ever after.
fn restored_tabs(sim: &mut Sim) {
    sim.rest_an_hour();
    for _ in 0..20 {
        let delay = sim.rng.random_range(0..6 * SECOND);
        sim.open(delay, tab(4));
    }
}

fn three_tabs(sim: &mut Sim) {
    for _ in 0..3 {
        let delay = sim.rng.random_range(0..TURN);
        sim.open(delay, tab(10));
    }
}

/// Eight pages one after the other, each of which is left before its answer one time in five.
fn fast_reloads(sim: &mut Sim) {
    let mut at = 0;
    for reload in 0..8 {
        let last = reload == 7;
        let page = Tab {
            left: if last { 4 } else { 1 },
            every: TURN,
            aborted: if last { 0.0 } else { 0.2 },
        };
        sim.open(at, page);
        at += sim.rng.random_range(200..2 * SECOND);
    }
}

fn one_tab(sim: &mut Sim) {
    sim.open(0, tab(30));
}

/// A phone that is woken now and then: two pages refresh a few seconds apart.
fn mobile(sim: &mut Sim) {
    for _ in 0..2 {
        let delay = sim.rng.random_range(0..3 * SECOND);
        sim.open(delay, tab(10));
    }
}

struct Scenario {
    name: &'static str,
    network: Network,
    script: fn(&mut Sim),
    /// How many of the runs may end with the user signed out.
    bound: u64,
}

fn sign_outs(scenario: &Scenario, policy: &RotationPolicy) -> u64 {
    (0..RUNS)
        .filter(|seed| {
            let mut sim = Sim::new(policy.clone(), scenario.network, *seed);
            (scenario.script)(&mut sim);
            sim.play()
        })
        .count() as u64
}

#[test]
fn honest_browsers_stay_signed_in() {
    let usual = Network::USUAL;
    let scenarios = [
        Scenario {
            name: "20 tabs restored",
            network: usual,
            script: restored_tabs,
            bound: 0,
        },
        Scenario {
            name: "3 tabs",
            network: usual,
            script: three_tabs,
            bound: 0,
        },
        Scenario {
            name: "8 fast reloads, 20 % aborted",
            network: usual,
            script: fast_reloads,
            bound: 0,
        },
        Scenario {
            name: "one tab, 30 refreshes, 1 % lost",
            network: usual,
            script: one_tab,
            bound: 0,
        },
        Scenario {
            name: "one tab, 30 refreshes, 5 % lost",
            network: Network {
                lost: 0.05,
                ..usual
            },
            script: one_tab,
            bound: 2,
        },
        Scenario {
            name: "bad mobile, 20 % tails to 40 s, 5 % lost",
            network: Network {
                tail: 0.2,
                tail_to: 40.0,
                lost: 0.05,
                ..usual
            },
            script: mobile,
            bound: RUNS / 100,
        },
    ];
    println!("sign-outs of {RUNS} runs                       default  strict");
    let mut broken = vec![];
    for scenario in &scenarios {
        let default = sign_outs(scenario, &RotationPolicy::default());
        let strict = sign_outs(scenario, &RotationPolicy::strict());
        println!("{:<44} {default:>7} {strict:>7}", scenario.name);
        if default > scenario.bound {
            broken.push(scenario.name);
        }
        assert!(
            strict > default,
            "{}: a simulation that the literal rule survives shows nothing",
            scenario.name
        );
    }
    assert!(broken.is_empty(), "signed out too often: {broken:?}");
}
