//! The gain of thieves in the simulation, and whether the application hears of it.

use rand::RngExt;

use super::{
    network::Network,
    robbery::Habit,
    rule::{OTHER, Visitor},
    sim::{MINUTE, Page, Sim},
};
use crate::session::{policy::RotationPolicy, presenter::JarProof};

const RUNS: u64 = 1_000;

/// The goal: alarms and told of 1 000, tokens in the median and at most.
type Goal = (u64, u64, u32, u32);

struct Count {
    alarms: u64,
    /// Of the others, those of which the application was told by an event.
    told: u64,
    tokens: Vec<u32>,
    /// Seconds from the first access token to the alarm.
    lags: Vec<u64>,
}

impl Count {
    fn median(&self) -> u32 {
        self.tokens[self.tokens.len() / 2]
    }

    fn worst(&self) -> u32 {
        self.tokens.last().copied().unwrap_or_default()
    }
}

/// A victim with one page, robbed within the first hour.
fn count(habit: Option<Habit>, visitor: Visitor, runs: u64) -> Count {
    let mut count = Count {
        alarms: 0,
        told: 0,
        tokens: vec![],
        lags: vec![],
    };
    let patient = matches!(
        habit,
        Some(Habit::Periodic | Habit::Shadow | Habit::BlindFollower)
    );
    for seed in 0..runs {
        let mut sim = Sim::new(RotationPolicy::default(), Network::USUAL, seed);
        sim.open(0, Page::new(if patient { 100 } else { 50 }));
        let delay = sim.rng.random_range(0..60 * MINUTE);
        if let Some(habit) = habit {
            sim.rob(delay, habit, visitor);
        }
        sim.play();
        count.alarms += u64::from(sim.is_alarmed());
        count.told += u64::from(!sim.is_alarmed() && sim.robbery.is_told);
        count.tokens.push(sim.robbery.tokens);
        count.lags.extend(sim.robbery.lag());
    }
    count.tokens.sort_unstable();
    count.lags.sort_unstable();
    count
}

fn rob(name: &str, habit: Habit, visitor: Visitor, runs: u64, goal: Option<Goal>) -> Count {
    let count = count(Some(habit), visitor, runs);
    let goal = goal.map_or(String::new(), |(alarms, told, median, worst)| {
        format!(" (goal of 1000: {alarms} + {told}, {median}/{worst})")
    });
    println!(
        "{name} | {habit:?}: alarms {} + told {} of {runs}, tokens {}/{}{goal}; s from token to alarm {}/{}",
        count.alarms,
        count.told,
        count.median(),
        count.worst(),
        count.lags.get(count.lags.len() / 2).unwrap_or(&0),
        count.lags.last().unwrap_or(&0),
    );
    count
}

const HABITS: [(Habit, u64); 8] = [
    (Habit::Periodic, RUNS),
    (Habit::OneShotLater, RUNS),
    (Habit::OneShotAtOnce, RUNS),
    (Habit::Stale, RUNS),
    (Habit::Shadow, RUNS),
    (Habit::SignOut, RUNS),
    (Habit::ListTimed, RUNS / 10),
    (Habit::BlindFollower, RUNS),
];

#[test]
fn thieves_with_the_jar_and_another_fingerprint() {
    let goals = [
        Some((1000, 0, 1, 2)),
        Some((987, 13, 1, 1)),
        Some((934, 66, 1, 1)),
        Some((1000, 0, 0, 0)),
        Some((925, 75, 13, 20)),
        Some((902, 98, 1, 1)),
        Some((1000, 0, 0, 0)),
        None,
    ];
    let thief = Visitor {
        agent: OTHER,
        ..Visitor::browser(0)
    };
    for ((habit, runs), goal) in HABITS.into_iter().zip(goals) {
        let count = rob("jar, other fingerprint", habit, thief, runs, goal);
        // Each is told of, and most end with an alarm.
        assert_eq!(count.alarms + count.told, runs, "{habit:?}");
        assert!(count.alarms * 100 >= runs * 85, "{habit:?}");
        let most = if habit == Habit::Shadow { 30 } else { 2 };
        assert!(count.worst() <= most, "{habit:?}");
    }
}

#[test]
fn thieves_with_the_jar_and_the_fingerprint() {
    let goals = [
        Some((947, 53, 1, 2)),
        Some((800, 0, 1, 1)),
        Some((0, 0, 1, 1)),
        Some((1000, 0, 0, 0)),
        Some((0, 0, 100, 100)),
        Some((0, 0, 1, 1)),
        None,
        Some((1000, 0, 1, 5)),
    ];
    let thief = Visitor::browser(0);
    for ((habit, runs), goal) in HABITS.into_iter().zip(goals) {
        let count = rob("jar, same fingerprint", habit, thief, runs, goal);
        match habit {
            // Rotation cannot see a thief that comes once, or right behind the victim each time.
            Habit::OneShotAtOnce | Habit::OneShotLater | Habit::SignOut | Habit::Shadow => {}
            // All others are ended.
            _ => {
                assert!(count.alarms * 100 >= runs * 90, "{habit:?}");
                assert!(count.worst() <= 8, "{habit:?}");
            }
        }
    }
}

#[test]
fn thieves_without_the_jar() {
    for agent in [0, OTHER] {
        let thief = Visitor {
            jar: JarProof::Missing,
            ..Visitor::browser(agent)
        };
        for (habit, runs) in HABITS {
            let name = if agent == 0 {
                "no jar, same fingerprint"
            } else {
                "no jar, other fingerprint"
            };
            let count = rob(name, habit, thief, runs, Some((0, 1000, 0, 0)));
            assert_eq!(count.worst(), 0, "{habit:?}");
            assert_eq!((count.alarms, count.told), (0, runs), "{habit:?}");
        }
    }
}

/// So that an alarm means something: none where there is no thief.
#[test]
fn without_a_thief_there_is_no_alarm() {
    let count = count(None, Visitor::browser(0), RUNS);
    assert_eq!((count.alarms, count.told, count.worst()), (0, 0, 0));
}
