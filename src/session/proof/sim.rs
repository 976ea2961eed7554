//! A discrete-event simulation: one server, one browser with one cookie jar, any number of tabs.

use std::{cmp::Reverse, collections::BinaryHeap};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    clock::Timestamp,
    session::{
        fixture::{NOW, STRANGER, World},
        policy::{RotationPolicy, SessionPolicy},
        record::{RevokeReason, SessionState},
        refresh_token::RefreshToken,
    },
};

pub(super) const RUNS: u64 = 4_000;
pub(super) const SECOND: u64 = 1_000;
pub(super) const MINUTE: u64 = 60 * SECOND;

/// How the network treats requests and answers.
#[derive(Clone, Copy)]
pub(super) struct Network {
    /// How many of the round trips are slow, and for how long at most, in seconds.
    pub(super) tail: f64,
    pub(super) tail_to: f64,
    /// How many answers never arrive.
    pub(super) lost: f64,
    /// How many requests reach the server twice.
    pub(super) twice: f64,
}

impl Network {
    pub(super) const USUAL: Self = Self {
        tail: 0.03,
        tail_to: 12.0,
        lost: 0.01,
        twice: 0.01,
    };

    /// A round trip in milliseconds, cut at random into the way there and the way back.
    fn trip(&self, rng: &mut ChaCha8Rng) -> (u64, u64) {
        let seconds = if rng.random_bool(self.tail) {
            rng.random_range(0.5..self.tail_to)
        } else {
            // Log-normal with a median of 0.1 s; the sum of twelve uniforms is normal enough.
            let normal: f64 = (0..12).map(|_| rng.random_range(0.0..1.0)).sum::<f64>() - 6.0;
            0.1 * (0.5 * normal).exp()
        };
        let there = rng.random_range(0.0..1.0);
        let millis = |part: f64| (seconds * part * 1000.0) as u64;
        (millis(there), millis(1.0 - there))
    }
}

/// One page: it refreshes now and then, and knows nothing of the other pages.
pub(super) struct Tab {
    /// Refreshes still to come, and the time between them in milliseconds.
    pub(super) left: u32,
    pub(super) every: u64,
    /// The share of its requests that the user cuts off by reloading.
    pub(super) aborted: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Send {
        tab: usize,
        attempt: u32,
    },
    Arrive {
        request: usize,
    },
    Answer {
        request: usize,
    },
    Fail {
        tab: usize,
        attempt: u32,
    },
    Steal,
    /// The thief presents the token it holds at this index.
    Thief {
        token: usize,
    },
}

struct Request {
    tab: usize,
    attempt: u32,
    token: RefreshToken,
    back: u64,
    /// Whether the browser is still there to take the answer.
    lost: bool,
    aborted: bool,
    answer: Option<(bool, Option<RefreshToken>)>,
}

/// What a thief does after it has copied the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thief {
    Absent,
    Periodic,
    OneShotLater,
    OneShotAtOnce,
    Stale,
    Shadow,
}

pub(super) struct Sim {
    pub(super) rng: ChaCha8Rng,
    network: Network,
    server: World,
    jar: RefreshToken,
    tabs: Vec<Tab>,
    requests: Vec<Request>,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    now: u64,
    sequence: u64,
    signed_out: bool,
    thief: Thief,
    stolen: Vec<RefreshToken>,
    watching: bool,
}

impl Sim {
    /// A session that has just begun.
    pub(super) fn new(rotation: RotationPolicy, network: Network, seed: u64) -> Self {
        let policy = SessionPolicy {
            rotation,
            ..SessionPolicy::default()
        };
        let (server, jar) = World::new(policy);
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            network,
            server,
            jar,
            tabs: vec![],
            requests: vec![],
            queue: BinaryHeap::new(),
            now: 0,
            sequence: 0,
            signed_out: false,
            thief: Thief::Absent,
            stolen: vec![],
            watching: false,
        }
    }

    /// Refreshes once, then leaves the browser closed for an hour.
    pub(super) fn rest_an_hour(&mut self) {
        if let Some(successor) = self.server.take(&self.jar).successor {
            self.jar = successor;
        }
        self.now += 60 * MINUTE;
    }

    /// Opens a page that refreshes first after `delay` milliseconds.
    pub(super) fn open(&mut self, delay: u64, tab: Tab) {
        self.tabs.push(tab);
        let tab = self.tabs.len() - 1;
        self.after(delay, Event::Send { tab, attempt: 0 });
    }

    /// Lets `thief` copy the cookie after `delay` milliseconds.
    pub(super) fn rob(&mut self, delay: u64, thief: Thief) {
        self.thief = thief;
        self.after(delay, Event::Steal);
    }

    pub(super) fn after(&mut self, delay: u64, event: Event) {
        self.sequence += 1;
        self.queue
            .push(Reverse((self.now + delay, self.sequence, event)));
    }

    /// Plays until nobody has anything to do. Whether a user was signed out.
    pub(super) fn play(&mut self) -> bool {
        while let Some(Reverse((at, _, event))) = self.queue.pop() {
            self.now = at;
            self.server.now = Timestamp::from_millis(NOW.as_millis() + at);
            match event {
                Event::Send { tab, attempt } => self.send(tab, attempt),
                Event::Arrive { request } => self.arrive(request),
                Event::Answer { request } => self.answer(request),
                Event::Fail { tab, attempt } => self.fail(tab, attempt),
                Event::Steal => self.steal(),
                Event::Thief { token } => self.use_stolen(token),
            }
        }
        self.signed_out
    }

    /// Whether the theft was noticed.
    pub(super) fn caught(&self) -> bool {
        self.server.record.state == SessionState::Revoked(RevokeReason::Reuse)
    }

    fn send(&mut self, tab: usize, attempt: u32) {
        if self.signed_out {
            return;
        }
        let (there, back) = self.network.trip(&mut self.rng);
        let request = self.requests.len();
        self.requests.push(Request {
            tab,
            attempt,
            token: self.jar.clone(),
            back,
            lost: self.rng.random_bool(self.network.lost),
            aborted: self.rng.random_bool(self.tabs[tab].aborted),
            answer: None,
        });
        self.after(there, Event::Arrive { request });
        if self.rng.random_bool(self.network.twice) {
            let (more, _) = self.network.trip(&mut self.rng);
            self.after(there + more, Event::Arrive { request });
        }
        if self.watching {
            // The shadow saw the cookie go by and follows with it.
            self.stolen.push(self.jar.clone());
            let token = self.stolen.len() - 1;
            let delay = self.rng.random_range(0..5 * SECOND);
            self.after(delay, Event::Thief { token });
        }
    }

    fn arrive(&mut self, request: usize) {
        let token = self.requests[request].token.clone();
        let decision = self.server.take(&token);
        let Request {
            tab,
            attempt,
            back,
            lost,
            aborted,
            ref mut answer,
            ..
        } = self.requests[request];
        if answer.is_some() {
            return; // The second copy of a request: its answer goes nowhere.
        }
        *answer = Some((decision.outcome.success().is_some(), decision.successor));
        if aborted {
            // The page is gone, and its successor comes with a request of its own.
            self.schedule(tab);
        } else if lost {
            let notice = self.rng.random_range(SECOND..10 * SECOND);
            self.after(notice, Event::Fail { tab, attempt });
        } else {
            self.after(back, Event::Answer { request });
        }
    }

    fn answer(&mut self, request: usize) {
        let tab = self.requests[request].tab;
        match self.requests[request].answer.take() {
            Some((true, cookie)) => {
                // Whatever the order of sending, the jar keeps what arrived last.
                if let Some(cookie) = cookie {
                    self.jar = cookie;
                }
                self.schedule(tab);
            }
            Some((false, _)) => self.signed_out = true,
            None => {}
        }
        // A copy that is still under way finds the request answered.
        self.requests[request].answer = Some((true, None));
    }

    /// One retry; then the page waits for its next turn.
    fn fail(&mut self, tab: usize, attempt: u32) {
        if attempt == 0 {
            self.send(tab, 1);
        } else {
            self.schedule(tab);
        }
    }

    fn schedule(&mut self, tab: usize) {
        let Tab { left, every, .. } = &mut self.tabs[tab];
        *left = left.saturating_sub(1);
        if *left > 0 {
            let every = *every;
            let jitter = self.rng.random_range(0..every / 10 + 1);
            self.after(every - jitter, Event::Send { tab, attempt: 0 });
        }
    }

    fn steal(&mut self) {
        self.stolen.push(self.jar.clone());
        let token = self.stolen.len() - 1;
        let delay = match self.thief {
            Thief::Absent => return,
            Thief::Shadow => {
                self.watching = true;
                return;
            }
            Thief::Periodic | Thief::OneShotAtOnce => 0,
            Thief::OneShotLater => self.rng.random_range(0..40 * MINUTE),
            // Four periods of the victim later it holds the token of at least three before.
            Thief::Stale => 56 * MINUTE,
        };
        self.after(delay, Event::Thief { token });
    }

    fn use_stolen(&mut self, token: usize) {
        let stolen = self.stolen[token].clone();
        let decision = self.server.take_from(&stolen, STRANGER);
        if let Some(successor) = decision.successor {
            self.stolen[token] = successor;
        }
        if self.thief == Thief::Periodic && decision.outcome.success().is_some() {
            self.after(10 * MINUTE, Event::Thief { token });
        }
    }
}
