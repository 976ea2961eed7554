//! Thieves on another client: every one of them is noticed.

use rand::RngExt;

use super::sim::{MINUTE, Network, RUNS, Sim, Tab, Thief};
use crate::session::policy::RotationPolicy;

/// A victim with one page for three hours, robbed within the first.
fn caught(thief: Thief, policy: &RotationPolicy) -> u64 {
    (0..RUNS)
        .filter(|seed| {
            let mut sim = Sim::new(policy.clone(), Network::USUAL, *seed);
            let page = Tab {
                left: 14,
                every: 14 * MINUTE,
                aborted: 0.0,
            };
            sim.open(0, page);
            let delay = sim.rng.random_range(0..60 * MINUTE);
            sim.rob(delay, thief);
            sim.play();
            sim.caught()
        })
        .count() as u64
}

#[test]
fn thieves_on_another_client_are_caught() {
    let thieves = [
        (Thief::Periodic, "periodic"),
        (Thief::OneShotLater, "one shot at a random time"),
        (Thief::OneShotAtOnce, "one shot at once"),
        (Thief::Stale, "three generations stale"),
        (Thief::Shadow, "shadowing within 5 s"),
    ];
    println!("caught of {RUNS} runs           default  strict");
    let mut escaped = vec![];
    for (thief, name) in thieves {
        let default = caught(thief, &RotationPolicy::default());
        let strict = caught(thief, &RotationPolicy::strict());
        println!("{name:<30} {default:>7} {strict:>7}");
        if default != RUNS {
            escaped.push(name);
        }
    }
    assert!(escaped.is_empty(), "not always caught: {escaped:?}");
}

/// So that "caught" means something: nobody is accused where nobody stole.
#[test]
fn without_a_thief_nobody_is_caught() {
    assert_eq!(caught(Thief::Absent, &RotationPolicy::default()), 0);
}
