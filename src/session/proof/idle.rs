//! Worlds with an idle lifetime, in which each refresh may be active or passive.
//!
//! An *active* user sends requests that reach the server within a time of each other. That time is the idle lifetime
//! less `M`, and less the time of the claims. The builder refuses a lifetime in which a client that refreshes when its
//! access token ends would come later. Such a user is never signed out, and a session that is not used ends.

use std::time::Duration;

use super::{
    bounds::{Bounds, honest},
    network::Network,
    rule::{Question, Rule, Words, ours},
    search::Search,
    sim::{MINUTE, Page, SECOND, Sim},
    state::State,
    worlds::{assert_holds, assert_undisturbed, run},
};
use crate::session::{
    fixture::NOW,
    outcome::{Decision, Outcome},
    policy::RotationPolicy,
    presenter::Activity,
};

impl Search<'_> {
    /// Judges an answer by how long the session was not used. True where that settles it.
    pub(super) fn judge_use(&mut self, state: &mut State, passive: bool, words: Words) -> bool {
        let Bounds { idle, work, .. } = *self.bounds;
        let Some(idle) = idle else {
            return false;
        };
        if words.is_success() {
            let goes_on = state.unused >= idle + work;
            if goes_on {
                self.accuse(*state);
            } else if !passive {
                state.unused = 0;
            }
            return goes_on;
        }
        // Expired. The record may know of the last use by an interval too little, and by the time of its claims.
        let lag = self.bounds.interval() + work;
        let is_over = words == Words::Refused && state.unused > idle - lag;
        if is_over {
            state.over = true;
            self.report.unused += 1;
            self.reach(*state);
        }
        is_over
    }
}

/// A timer is as good as a user.
fn passive_refreshes_count(question: &Question<'_>) -> Decision {
    let mut presenter = question.presenter;
    presenter.activity = Activity::Active;
    ours(&Question {
        presenter,
        ..*question
    })
}

/// A coalesced refresh is no use of the session.
fn coalesced_uses_are_not_noted(question: &Question<'_>) -> Decision {
    without_note_of_use(question, Outcome::Coalesced)
}

/// A replay is no use of the session.
fn replayed_uses_are_not_noted(question: &Question<'_>) -> Decision {
    without_note_of_use(question, Outcome::Replayed)
}

fn without_note_of_use(question: &Question<'_>, outcome: Outcome) -> Decision {
    let mut decision = ours(question);
    if decision.outcome == outcome
        && let Some(next) = &mut decision.next
    {
        next.idle_expires_at = question.record.idle_expires_at;
        decision.extends = false;
    }
    decision
}

/// On a grid of `G/4`: `G` is 4 units and `M` 8.
fn unused_for(idle: u8) -> Bounds {
    Bounds {
        unit: Duration::from_millis(7_500),
        delay: 2,
        flush: 4,
        idle: Some(idle),
        ..honest()
    }
}

#[test]
fn an_active_user_stays_signed_in_and_an_open_tab_does_not() {
    let one = unused_for(14);
    assert_undisturbed("idle, 4 requests", None, &one);
    let lossy = one.clone().with(|left| left.losses = 1);
    assert_undisturbed("idle, 1 lost answer", None, &lossy);
    let changed = one.clone().with(|left| {
        left.requests = 3;
        left.step_ups = 1;
    });
    assert_holds("idle, step-up", None, &changed);
    let claims = Bounds { work: 1, ..one };
    let claims = claims.with(|left| left.requests = 3);
    assert_undisturbed("idle, claims G/4", None, &claims);
}

#[test]
fn an_active_user_with_two_windows_stays_signed_in() {
    let two = Bounds {
        agents: 2,
        ..unused_for(14)
    }
    .with(|left| left.requests = 3);
    assert_undisturbed("idle, 2 fingerprints", None, &two);
}

#[test]
#[ignore = "millions of states: scripts/test --long"]
fn longer_an_active_user_with_two_windows_stays_signed_in() {
    let two = Bounds {
        agents: 2,
        ..unused_for(14)
    };
    assert_undisturbed("idle, 2 fingerprints, 4 requests", None, &two);
    let lossy = two.with(|left| {
        left.requests = 3;
        left.losses = 1;
    });
    assert_undisturbed("idle, 2 fingerprints, 1 lost answer", None, &lossy);
    let dying = unused_for(14).with(|left| left.crashes = 1);
    assert_undisturbed("idle, 1 crash", None, &dying);
}

fn assert_refuted(name: &str, rule: Rule) {
    let bounds = Bounds {
        rule,
        ..unused_for(16)
    }
    .with(|left| left.requests = 3);
    let report = run(name, None, &bounds);
    let path = report
        .accused
        .unwrap_or_else(|| panic!("{name}: not refuted"));
    println!("{}", path.join("\n"));
}

#[test]
fn passive_refreshes_that_count_as_use() {
    assert_refuted("idle, passive refreshes count", passive_refreshes_count);
}

#[test]
fn coalesced_uses_that_are_not_noted() {
    assert_refuted("idle, row 5 notes no use", coalesced_uses_are_not_noted);
}

#[test]
fn replayed_uses_that_are_not_noted() {
    assert_refuted(
        "idle, rows 8 and 9 note no use",
        replayed_uses_are_not_noted,
    );
}

/// The least that the builder takes with access tokens of 15 minutes, which the pages refresh a minute earlier.
const IDLE: u64 = 15 * MINUTE + 91 * SECOND;
const RUNS: u64 = 1_000;

/// A tab that is used for `active` refreshes, and tabs that are not.
fn tabs(seed: u64, active: u32) -> Sim {
    let mut sim = Sim::new(RotationPolicy::default(), Network::USUAL, seed);
    sim.server.policy.idle = Duration::from_millis(IDLE);
    sim.server.record.idle_expires_at = sim.server.record.idle_from(NOW, &sim.server.policy);
    for _ in 0..3 {
        let mut page = Page::new(40);
        page.visitor.activity = Activity::Passive;
        let delay = sim.below(MINUTE);
        sim.open(delay, page);
    }
    if active > 0 {
        sim.open(0, Page::new(active));
    }
    sim.play();
    sim
}

#[test]
fn tabs_that_are_left_open_end_and_the_one_in_use_keeps_them() {
    let (mut used, mut left) = (0, 0);
    for seed in 0..RUNS {
        // A page comes again after 12.6 to 14 minutes, so the one in use is the last.
        let sim = tabs(seed, 50);
        used += u64::from(sim.is_signed_out());
        let sim = tabs(seed, 0);
        assert!(!sim.is_alarmed());
        left += u64::from(sim.is_signed_out());
        // Each page has found that out in its turn.
        assert!(sim.now < IDLE + 30 * MINUTE);
    }
    println!("idle: of {RUNS}, one tab in use: {used} signed out; none in use: {left}");
    assert_eq!((used, left), (0, RUNS));
}
