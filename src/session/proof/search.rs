//! Every path of a small world, breadth first.
//!
//! One honest browser with one cookie jar and one or two `User-Agent`s. At any moment it may send a request with the
//! cookie it has. A request under way may reach the server, and the server may come to its write. An answer under way
//! may reach the jar (in any order), or be lost. The browser may die and come back with what its disk had. The store
//! may lose its last write or refuse one, and its clock may jump. A thief may copy the cookie or present what it has.
//! Time may pass. Where there is an idle lifetime, the user does something before a request or does not. A message is
//! under way for at most `delay` units in each direction. The server works for at most `work` units. Time cannot pass
//! while one is due.

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use super::{
    bounds::Bounds,
    closing::Closings,
    ledger::{Ask, Ledger, NONE, Put, Rec, Verdict},
    promises::Broken,
    rule::{Question, Words},
    state::{FREE, Flight, Stage, State},
};
use crate::session::{outcome::Decision, presenter::Activity};

/// The findings of a search.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) states: usize,
    pub(super) broken: Broken,
    /// Different tokens, records and questions to the decision function.
    pub(super) ledger: (usize, usize, usize),
    /// The first path on which an honest user is accused, or signed out for no given reason. Also one on which a user
    /// goes on without having used the session.
    pub(super) accused: Option<Vec<String>>,
    /// The first path on which a thief goes on and on.
    pub(super) unnoticed: Option<Vec<String>>,
    /// Honest arrivals that were told to come again, or that only a sign-in helps.
    pub(super) later: usize,
    pub(super) outdated: usize,
    pub(super) state_lost: usize,
    /// How often the session ended because it was not used.
    pub(super) unused: usize,
    /// How often a thief's session ended with an alarm.
    pub(super) alarms: usize,
    /// Moments at which a thief may stop for good. Then those at which it has got a token and the victim brings no
    /// alarm. Then those of them that no other event reported to the application either.
    pub(super) ends: usize,
    pub(super) escapes: usize,
    pub(super) silent: usize,
    /// The most access tokens a thief got.
    pub(super) most: u8,
}

pub(super) struct Search<'a> {
    pub(super) bounds: &'a Bounds,
    pub(super) ledger: Ledger,
    index: HashMap<State, u32>,
    /// From which state each was first reached.
    from: Vec<u32>,
    waiting: VecDeque<State>,
    pub(super) closings: Closings,
    pub(super) report: Report,
    accused: Option<u32>,
    pub(super) unnoticed: Option<u32>,
    /// The state that is expanded.
    pub(super) here: u32,
}

/// Walks until an honest user is accused, or to the end.
pub(super) fn search(bounds: &Bounds) -> Report {
    let mut search = Search::new(bounds);
    search.walk();
    search.report()
}

/// Walks to the end, past each accusation, and shows each question to the decision function.
pub(super) fn questions(bounds: &Bounds, look: impl FnMut(&Question<'_>, &Decision)) {
    let mut search = Search::new(bounds);
    while !search.waiting.is_empty() {
        search.accused = None;
        search.walk();
    }
    search.ledger.questions(look);
}

impl<'a> Search<'a> {
    fn new(bounds: &'a Bounds) -> Self {
        let (ledger, store) = Ledger::new(bounds);
        let start = State::start(store, ledger.current(store), bounds.budget);
        let mut search = Self {
            bounds,
            ledger,
            index: HashMap::new(),
            from: vec![],
            waiting: VecDeque::new(),
            closings: Closings::default(),
            report: Report::default(),
            accused: None,
            unnoticed: None,
            here: 0,
        };
        search.reach(start);
        search
    }

    fn walk(&mut self) {
        while self.accused.is_none()
            && let Some(state) = self.waiting.pop_front()
        {
            self.expand(state);
            self.here += 1;
        }
    }

    fn report(mut self) -> Report {
        self.report.states = self.from.len();
        self.report.ledger = self.ledger.size();
        self.report.broken = Broken::of(&self.ledger);
        self.report.accused = self.accused.map(|end| self.path(end));
        self.report.unnoticed = self.unnoticed.map(|end| self.path(end));
        self.report
    }

    pub(super) fn reach(&mut self, mut state: State) -> u32 {
        state.flights.sort_unstable();
        let next = u32::try_from(self.from.len()).unwrap();
        match self.index.entry(state) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                entry.insert(next);
                self.from.push(self.here);
                self.waiting.push_back(state);
                next
            }
        }
    }

    pub(super) fn accuse(&mut self, state: State) {
        let end = self.reach(state);
        self.accused.get_or_insert(end);
    }

    fn expand(&mut self, state: State) {
        if state.over {
            return;
        }
        let thief_may_stop = state.left.thefts == 0 || !state.can_send();
        if state.presented && state.is_quiet() && thief_may_stop {
            self.close(&state);
        }
        if !state.is_asking() && state.left.thefts == 0 {
            return; // Nothing more is asked.
        }
        self.pass_time(state);
        self.send(state);
        for place in 0..state.flights.len() {
            self.advance(state, place);
        }
        self.trouble(state);
        self.steal(state);
    }

    /// Time passes, unless a message is due.
    fn pass_time(&mut self, state: State) {
        let due = |flight: &Flight| match flight.stage {
            Stage::Free => false,
            Stage::There | Stage::Back => flight.age == self.bounds.delay,
            Stage::AtWork => flight.age == self.bounds.work,
        };
        if state.flights.iter().any(due) {
            return;
        }
        let mut later = state;
        later.store = self.ledger.later(state.store);
        later.before = state.before.map(|rec| self.ledger.later(rec));
        for flight in &mut later.flights {
            if flight.stage != Stage::Free {
                flight.age += 1;
            }
        }
        if let Some(idle) = self.bounds.idle {
            later.unused = (state.unused + 1).min(idle + self.bounds.work);
        }
        if later.jar != later.disk {
            later.stale += 1;
            if later.stale == self.bounds.flush {
                later.flush();
            }
        }
        self.reach(later);
    }

    /// The browser sends.
    fn send(&mut self, state: State) {
        let Some(place) = state.free_place().filter(|_| state.can_send()) else {
            return;
        };
        for agent in 0..self.bounds.agents {
            let mut sent = state;
            sent.left.requests -= 1;
            sent.flights[place] = Flight {
                stage: Stage::There,
                agent,
                token: state.jar,
                ..FREE
            };
            self.reach(sent);
            if self.bounds.idle.is_some() {
                let mut other = sent;
                other.flights[place].passive = true;
                self.reach(other);
            }
            if state.left.step_ups > 0 {
                let mut other = sent;
                other.left.step_ups -= 1;
                other.flights[place].ask = Ask::StepUp;
                self.reach(other);
            }
            if state.left.sign_outs > 0 {
                let mut other = sent;
                other.left.sign_outs -= 1;
                other.flights[place].ask = Ask::SignOut;
                self.reach(other);
            }
        }
    }

    /// A message comes to its next stage.
    fn advance(&mut self, state: State, place: usize) {
        let flight = state.flights[place];
        let mut next = state;
        next.flights[place] = FREE;
        match flight.stage {
            Stage::Free => {}
            Stage::There => {
                for policy in 0..self.ledger.policies() {
                    self.arrive(next, flight, place, policy);
                }
            }
            Stage::AtWork => self.commit(next, flight),
            Stage::Back => {
                next.take(flight.token);
                self.reach(next);
            }
        }
    }

    fn arrive(&mut self, mut state: State, flight: Flight, place: usize, policy: u8) {
        let verdict = self.judge(state.store, &flight, policy, 0);
        // Nothing else takes time: a refusal asks for no claims.
        if verdict.words.is_success() && self.bounds.work > 0 && flight.ask == Ask::Refresh {
            state.flights[place] = Flight {
                stage: Stage::AtWork,
                age: 0,
                read: Some(state.store),
                ..flight
            };
            self.reach(state);
        } else {
            self.settle(state, flight, verdict);
        }
    }

    /// The server writes what it decided when it read; if the record has changed, it decides anew.
    fn commit(&mut self, state: State, flight: Flight) {
        let read = flight.read.unwrap();
        let unchanged = self.ledger.shifted(read, flight.age.into()) == state.store;
        let verdict = if unchanged {
            self.judge(read, &flight, 0, flight.age)
        } else {
            self.judge(state.store, &flight, 0, 0)
        };
        self.settle(state, flight, verdict);
    }

    fn judge(&mut self, rec: Rec, flight: &Flight, policy: u8, worked: u8) -> Verdict {
        let mut visitor = self.bounds.window(flight.agent);
        if flight.passive {
            visitor.activity = Activity::Passive;
        }
        self.ledger.answer(Put {
            policy,
            ask: flight.ask,
            worked,
            ..Put::refresh(rec, flight.token, visitor)
        })
    }

    /// The server writes and answers.
    fn settle(&mut self, mut state: State, flight: Flight, verdict: Verdict) {
        if let Some(next) = verdict.next {
            if state.left.refusals > 0 {
                // Without its write there is no answer that counts.
                let mut refused = state;
                refused.left.refusals -= 1;
                self.reach(refused);
            }
            state.write(next);
        }
        if self.judge_use(&mut state, flight.passive, verdict.words) {
            return;
        }
        match verdict.words {
            Words::Served | Words::Confirm | Words::SignedOut => {
                state.ended |= verdict.words == Words::SignedOut;
                let is_told = verdict.cookie != NONE || verdict.words == Words::SignedOut;
                if !is_told || flight.orphan {
                    self.reach(state);
                    return;
                }
                if state.left.losses > 0 {
                    let mut lost = state;
                    lost.left.losses -= 1;
                    self.reach(lost);
                }
                let place = state.free_place().unwrap();
                state.flights[place] = Flight {
                    stage: Stage::Back,
                    token: verdict.cookie,
                    ..FREE
                };
                self.reach(state);
            }
            Words::Later => {
                self.report.later += 1;
                self.reach(state);
            }
            Words::Outdated => {
                self.report.outdated += 1;
                self.reach(state);
            }
            Words::StateLost => {
                self.report.state_lost += 1;
                self.reach(state);
            }
            Words::Over if state.ended || state.presented => {
                self.reach(state);
            }
            Words::Alarm if state.presented => {
                self.alarm(&state);
                state.over = true;
                self.reach(state);
            }
            Words::Alarm | Words::Over | Words::Foreign | Words::Refused => self.accuse(state),
        }
    }

    /// Things go wrong outside the protocol.
    fn trouble(&mut self, state: State) {
        if state.left.crashes > 0 && state.jar != state.disk {
            let mut dead = state;
            dead.crash();
            self.reach(dead);
            // A browser may write earlier than it has to.
            let mut written = state;
            written.flush();
            self.reach(written);
        }
        if let Some(before) = state.before {
            let mut back = state;
            back.left.failovers -= 1;
            back.store = before;
            back.before = None;
            self.reach(back);
        }
        if state.left.clock_steps > 0 {
            for step in [i64::from(self.bounds.step), -i64::from(self.bounds.step)] {
                let mut jumped = state;
                jumped.left.clock_steps -= 1;
                jumped.store = self.ledger.shifted(state.store, step);
                jumped.before = state.before.map(|rec| self.ledger.shifted(rec, step));
                self.reach(jumped);
            }
        }
    }

    /// The way to that state, a line each.
    fn path(&self, end: u32) -> Vec<String> {
        let mut numbers = vec![end];
        while let Some(at) = numbers.last().copied().filter(|at| *at != 0) {
            numbers.push(self.from[at as usize]);
        }
        let mut path: Vec<_> = self
            .index
            .iter()
            .filter(|(_, number)| numbers.contains(number))
            .collect();
        path.sort_by_key(|(_, number)| **number);
        let lines = path.into_iter();
        lines
            .map(|(state, _)| self.ledger.describe(state))
            .collect()
    }
}
