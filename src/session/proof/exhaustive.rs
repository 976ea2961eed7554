//! Every path of a small world, breadth first.
//!
//! One honest browser with one cookie jar. At any moment it may send a request with the cookie it
//! has, a request under way may reach the server, an answer under way may reach the jar (in any
//! order), an answer may be lost, the store may fail over and lose its last write, a thief may
//! copy the cookie or present what it has, or time may pass. A message is under way for at most
//! `delay` units in each direction: time cannot pass while one is due.
//!
//! An answer without a cookie changes nothing in the browser, so it is not tracked.

use std::{
    collections::{HashMap, hash_map::Entry},
    time::Duration,
};

use super::ledger::{Ledger, NONE, Rec, Token};
use crate::session::{outcome::Outcome, policy::RotationPolicy};

/// The bounds of a world.
#[derive(Clone)]
pub(super) struct Bounds {
    pub(super) rotation: RotationPolicy,
    pub(super) unit: Duration,
    /// The longest way in one direction, in units.
    pub(super) delay: u8,
    pub(super) requests: u8,
    pub(super) losses: u8,
    pub(super) failovers: u8,
    /// How often a thief presents a token.
    pub(super) thefts: u8,
    /// How many of the requests may ask for a change of privilege: none or one.
    pub(super) elevations: u8,
    /// Breaks the protocol on purpose: a replay does not move the hand-out.
    pub(super) forget_replays: bool,
    /// The thief has copied the signature of the victim's client too.
    pub(super) disguised: bool,
}

/// What the search found.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) states: usize,
    /// Tokens and distinct questions to the decision function.
    pub(super) ledger: (usize, usize),
    /// Arrivals at which an honest user would have to sign in again without a revocation.
    pub(super) state_lost: usize,
    /// Late requests refused across a privilege change, without further harm.
    pub(super) superseded: usize,
    /// Honest arrivals after a thief's, all of which ended the session.
    pub(super) thefts_noticed: usize,
    /// The first path that breaks a promise.
    pub(super) counter_example: Option<Vec<State>>,
}

const IN_FLIGHT: usize = 3;

/// A message under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Flight {
    /// To the server, or back to the jar.
    there: bool,
    /// It asks for a change of privilege.
    elevates: bool,
    token: Token,
    age: u8,
}

const IDLE: Flight = Flight {
    there: false,
    elevates: false,
    token: NONE,
    age: 0,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    store: Rec,
    /// What the store falls back to when it loses its last write.
    before: Option<Rec>,
    jar: Token,
    /// Sorted: which slot a message is in means nothing.
    flights: [Flight; IN_FLIGHT],
    requests: u8,
    losses: u8,
    failovers: u8,
    thefts: u8,
    elevations: u8,
    stolen: Token,
    thief_presented: bool,
}

/// An answer with `token` as its cookie.
fn back(token: Token) -> Flight {
    Flight {
        there: false,
        elevates: false,
        token,
        age: 0,
    }
}

struct Search<'a> {
    bounds: &'a Bounds,
    ledger: Ledger,
    index: HashMap<State, u32>,
    /// Every state and the one it was first reached from.
    states: Vec<(State, u32)>,
    state_lost: usize,
    superseded: usize,
    thefts_noticed: usize,
    broken: Option<u32>,
}

pub(super) fn search(bounds: &Bounds) -> Report {
    let (ledger, store) = Ledger::new(bounds.rotation.clone(), bounds.unit);
    let start = State {
        store,
        before: None,
        jar: store.current,
        flights: [IDLE; IN_FLIGHT],
        requests: bounds.requests,
        losses: bounds.losses,
        failovers: bounds.failovers,
        thefts: bounds.thefts,
        elevations: bounds.elevations,
        stolen: NONE,
        thief_presented: false,
    };
    let mut search = Search {
        bounds,
        ledger,
        index: HashMap::new(),
        states: vec![],
        state_lost: 0,
        superseded: 0,
        thefts_noticed: 0,
        broken: None,
    };
    search.reach(start, 0);
    let mut next = 0;
    while search.broken.is_none() && next < search.states.len() {
        let state = search.states[next].0;
        search.expand(state, u32::try_from(next).unwrap());
        next += 1;
    }
    Report {
        states: search.states.len(),
        ledger: search.ledger.size(),
        state_lost: search.state_lost,
        superseded: search.superseded,
        thefts_noticed: search.thefts_noticed,
        counter_example: search.broken.map(|end| search.path(end)),
    }
}

impl Search<'_> {
    fn reach(&mut self, mut state: State, from: u32) -> u32 {
        state.flights.sort_unstable();
        let next = u32::try_from(self.states.len()).unwrap();
        match self.index.entry(state) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                entry.insert(next);
                self.states.push((state, from));
                next
            }
        }
    }

    fn expand(&mut self, state: State, from: u32) {
        let under_way = |flight: &Flight| flight.token != NONE;
        let asking = state.requests > 0 || state.flights.iter().any(|f| under_way(f) && f.there);
        if !asking && state.thefts == 0 {
            return; // Nobody will ask the server anything any more.
        }
        // Time passes, unless a message is due.
        if !state
            .flights
            .iter()
            .any(|f| under_way(f) && f.age == self.bounds.delay)
        {
            let mut later = state;
            later.store = self.ledger.age(state.store);
            later.before = state.before.map(|rec| self.ledger.age(rec));
            for flight in later.flights.iter_mut().filter(|f| under_way(f)) {
                flight.age += 1;
            }
            self.reach(later, from);
        }
        // The browser sends.
        if let Some(slot) = state.flights.iter().position(|f| !under_way(f))
            && state.requests > 0
        {
            let mut sent = state;
            sent.requests -= 1;
            sent.flights[slot] = Flight {
                there: true,
                elevates: false,
                token: state.jar,
                age: 0,
            };
            self.reach(sent, from);
            if state.elevations > 0 {
                sent.elevations -= 1;
                sent.flights[slot].elevates = true;
                self.reach(sent, from);
            }
        }
        for slot in 0..IN_FLIGHT {
            let flight = state.flights[slot];
            if !under_way(&flight) {
                continue;
            }
            let mut landed = state;
            landed.flights[slot] = IDLE;
            if flight.there {
                if flight.elevates && flight.token == state.store.current && state.store.live {
                    self.elevate(landed, slot, from);
                } else {
                    self.arrive(landed, slot, flight, from);
                }
            } else {
                landed.jar = flight.token;
                self.reach(landed, from);
            }
        }
        if let Some(before) = state.before
            && state.failovers > 0
        {
            let mut back = state;
            back.failovers -= 1;
            back.store = before;
            back.before = None;
            self.reach(back, from);
        }
        if state.thefts > 0 {
            if state.stolen == NONE {
                let mut robbed = state;
                robbed.stolen = state.jar;
                self.reach(robbed, from);
            } else {
                self.thief(state, from);
            }
        }
    }

    /// A request of the browser reaches the server; its slot is already free.
    fn arrive(&mut self, mut state: State, slot: usize, flight: Flight, from: u32) {
        let verdict = self.ledger.decide(state.store, flight.token, false);
        let forgotten = self.bounds.forget_replays && verdict.outcome == Outcome::Replayed;
        if let Some(next) = verdict.next
            && !forgotten
        {
            state.before = Some(state.store);
            state.store = next;
        }
        if state.thief_presented {
            // Both have presented: the session must be over, for everybody.
            self.thefts_noticed += 1;
            let over = verdict.outcome.success().is_none() && self.is_over(&state);
            self.finish(state, from, over);
            return;
        }
        if verdict.outcome == Outcome::Superseded || flight.elevates {
            // Refused for this once: the browser keeps what it has.
            let kept = verdict.outcome != Outcome::Reuse;
            if kept {
                self.superseded += 1;
                self.reach(state, from);
            } else {
                self.finish(state, from, false);
            }
            return;
        }
        if verdict.outcome == Outcome::StateLost {
            self.state_lost += 1;
            self.reach(state, from); // The user signs in again: the end of this path.
            return;
        }
        if verdict.outcome.success().is_none() {
            self.finish(state, from, false);
            return;
        }
        if verdict.successor == NONE {
            self.reach(state, from);
            return;
        }
        if state.losses > 0 {
            let mut lost = state;
            lost.losses -= 1;
            self.reach(lost, from);
        }
        state.flights[slot] = back(verdict.successor);
        self.reach(state, from);
    }

    /// A request for a change of privilege reaches the server with the current token.
    fn elevate(&mut self, mut state: State, slot: usize, from: u32) {
        let (next, token) = self.ledger.elevate(state.store);
        state.before = Some(state.store);
        state.store = next;
        state.flights[slot] = back(token);
        self.reach(state, from);
    }

    fn thief(&mut self, mut state: State, from: u32) {
        let verdict = self
            .ledger
            .decide(state.store, state.stolen, !self.bounds.disguised);
        state.thefts -= 1;
        state.thief_presented = true;
        if let Some(next) = verdict.next {
            state.before = Some(state.store);
            state.store = next;
        }
        if verdict.successor != NONE {
            state.stolen = verdict.successor;
        }
        if state.store.live {
            self.reach(state, from);
        } else {
            self.thefts_noticed += 1;
            let over = self.is_over(&state);
            self.finish(state, from, over);
        }
    }

    /// Whether no token that anybody has opens the session any more.
    fn is_over(&mut self, state: &State) -> bool {
        let mut tokens = vec![state.jar, state.stolen, state.store.current];
        tokens.extend(state.flights.map(|flight| flight.token));
        tokens.push(state.store.previous);
        !state.store.live
            && tokens
                .into_iter()
                .filter(|token| *token != NONE)
                .all(|token| {
                    [false, true].into_iter().all(|stranger| {
                        let verdict = self.ledger.decide(state.store, token, stranger);
                        verdict.outcome == Outcome::Revoked && verdict.next.is_none()
                    })
                })
    }

    /// The end of a path, and whether it is the promised one.
    fn finish(&mut self, mut state: State, from: u32, promised: bool) {
        state.requests = 0;
        state.thefts = 0;
        state.flights = [IDLE; IN_FLIGHT];
        let end = self.reach(state, from);
        if !promised {
            self.broken.get_or_insert(end);
        }
    }

    fn path(&self, end: u32) -> Vec<State> {
        let mut path = vec![];
        let mut at = end;
        loop {
            let (state, from) = self.states[at as usize];
            path.push(state);
            if at == 0 {
                path.reverse();
                return path;
            }
            at = from;
        }
    }
}
