//! A discrete-event simulation: one server, one browser with one cookie jar, any number of pages in it.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    ledger::Ask,
    network::Network,
    robbery::{Move, Robbery},
    rule::{Answer, Question, Visitor, Words, ours},
};
use crate::{
    clock::Timestamp,
    keys::SessionKeys,
    session::{
        fixture::{NOW, keys, start},
        policy::{RotationPolicy, SessionPolicy},
        record::{RevokeReason, SessionRecord, SessionState},
        refresh_token::RefreshToken,
    },
};

pub(super) const SECOND: u64 = 1_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;

/// A page that is told to ask again gives up there, until its next turn. Each time counts twice: see `Fail`.
const TRIES: u32 = 60;
/// How late a browser writes its cookies to the disk.
const FLUSH: u64 = 30 * SECOND;

/// The server, without its network.
pub(super) struct Server {
    keys: SessionKeys,
    pub(super) policy: SessionPolicy,
    pub(super) record: SessionRecord,
    now: Timestamp,
}

impl Server {
    /// Answers, and writes what that takes.
    pub(super) fn answer(&mut self, token: &RefreshToken, visitor: Visitor, ask: Ask) -> Answer {
        let question = Question {
            token,
            record: &self.record,
            now: self.now,
            worked: Duration::ZERO,
            presenter: visitor.presenter(),
            policy: &self.policy,
            keys: &self.keys,
        };
        let mut answer = question.put(ours, ask);
        if let Some(next) = answer.next.take() {
            self.record = next;
        }
        answer
    }
}

/// One page: it refreshes now and then, and knows nothing of the other pages.
#[derive(Clone, Copy)]
pub(super) struct Page {
    /// Refreshes still to come, and the time between them in milliseconds.
    left: u32,
    every: u64,
    /// The share of its requests that the user cuts off by reloading.
    aborted: f64,
    pub(super) visitor: Visitor,
    /// The browser that shows it: a crash ends it.
    life: u32,
}

impl Page {
    /// Asks `left` times, an access token of 15 minutes apart.
    pub(super) fn new(left: u32) -> Self {
        Self {
            left,
            every: 14 * MINUTE,
            aborted: 0.0,
            visitor: Visitor::browser(0),
            life: 0,
        }
    }

    /// A page that is left in the middle of that share of its requests.
    pub(super) fn aborted(self, aborted: f64) -> Self {
        Self { aborted, ..self }
    }

    /// A page that the browser asks for with another `User-Agent`.
    pub(super) fn of(self, agent: u8) -> Self {
        Self {
            visitor: Visitor::browser(agent),
            ..self
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Open {
        page: usize,
    },
    Send {
        page: usize,
        attempt: u32,
    },
    Arrive {
        request: usize,
    },
    Answer {
        request: usize,
    },
    Fail {
        page: usize,
        attempt: u32,
    },
    /// The cookies that changed at `number` go to the disk.
    Flush {
        number: u64,
    },
    Crash,
    Clock {
        millis: i64,
    },
    /// All servers use the new function of fingerprints from here on.
    Deployed,
    Thief(Move),
}

struct Request {
    page: usize,
    attempt: u32,
    token: RefreshToken,
    /// How long the answer takes, if any page is there to take it.
    back: Option<u64>,
    aborted: bool,
    answer: Option<(Words, Option<RefreshToken>)>,
}

pub(super) struct Sim {
    pub(super) rng: ChaCha8Rng,
    network: Network,
    pub(super) server: Server,
    pub(super) jar: RefreshToken,
    disk: RefreshToken,
    /// Which change of the jar is not on the disk yet.
    unwritten: Option<u64>,
    changes: u64,
    pages: Vec<Page>,
    requests: Vec<Request>,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    pub(super) now: u64,
    sequence: u64,
    /// How far the store's clock is off.
    skew: i64,
    /// How many of the servers make fingerprints with the new function.
    new_servers: f64,
    life: u32,
    signed_out: bool,
    pub(super) robbery: Robbery,
}

impl Sim {
    /// A session that has just begun.
    pub(super) fn new(rotation: RotationPolicy, network: Network, seed: u64) -> Self {
        let month = Duration::from_millis(60 * DAY);
        let policy = SessionPolicy {
            rotation,
            absolute: month,
            idle: month,
            ..SessionPolicy::default()
        };
        let keys = keys();
        let (mut record, jar) = start(&policy, &keys);
        record.bound = true;
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            network,
            server: Server {
                keys,
                policy,
                record,
                now: NOW,
            },
            disk: jar.clone(),
            jar,
            unwritten: None,
            changes: 0,
            pages: vec![],
            requests: vec![],
            queue: BinaryHeap::new(),
            now: 0,
            sequence: 0,
            skew: 0,
            new_servers: 0.0,
            life: 0,
            signed_out: false,
            robbery: Robbery::none(),
        }
    }

    /// Refreshes once, then leaves the browser closed for an hour.
    pub(super) fn rest_an_hour(&mut self) {
        let visitor = Visitor::browser(0);
        let answer = self.server.answer(&self.jar, visitor, Ask::Refresh);
        if let Some(cookie) = answer.cookie {
            self.disk = cookie.clone();
            self.jar = cookie;
        }
        self.now += HOUR;
    }

    /// Half of the servers have another function of fingerprints, and all of them after `delay` milliseconds.
    pub(super) fn deploy(&mut self, delay: u64) {
        self.new_servers = 0.5;
        self.after(delay, Event::Deployed);
    }

    /// A number below `end`, for scripts.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.rng.random_range(0..end)
    }

    /// Opens a page that refreshes first after `delay` milliseconds.
    pub(super) fn open(&mut self, delay: u64, page: Page) {
        self.pages.push(page);
        let page = self.pages.len() - 1;
        self.after(delay, Event::Open { page });
    }

    pub(super) fn after(&mut self, delay: u64, event: Event) {
        self.sequence += 1;
        self.queue
            .push(Reverse((self.now + delay, self.sequence, event)));
    }

    /// Plays until there is nothing left to do.
    pub(super) fn play(&mut self) {
        while let Some(Reverse((at, _, event))) = self.queue.pop() {
            self.now = at;
            let store = NOW.as_millis() + at;
            self.server.now = Timestamp::from_millis(store.saturating_add_signed(self.skew));
            match event {
                Event::Open { page } => {
                    self.pages[page].life = self.life;
                    self.send(page, 0);
                }
                Event::Send { page, attempt } => self.send(page, attempt),
                Event::Arrive { request } => self.arrive(request),
                Event::Answer { request } => self.answer(request),
                // One retry; then the page waits for its next turn.
                Event::Fail { page, attempt: 0 } => self.send(page, 1),
                Event::Fail { page, .. } => self.schedule(page),
                Event::Flush { number } if self.unwritten == Some(number) => {
                    self.disk = self.jar.clone();
                    self.unwritten = None;
                }
                Event::Flush { .. } => {}
                Event::Crash => {
                    self.life += 1;
                    self.jar = self.disk.clone();
                    self.unwritten = None;
                }
                Event::Clock { millis } => self.skew += millis,
                Event::Deployed => self.new_servers = 1.0,
                Event::Thief(step) => self.thief(step),
            }
            self.robbery.watch(at, self.is_alarmed());
        }
    }

    /// Whether the session ended with an alarm.
    pub(super) fn is_alarmed(&self) -> bool {
        self.server.record.state == SessionState::Revoked(RevokeReason::Reuse)
    }

    /// Whether the user has to sign in again.
    pub(super) fn is_signed_out(&self) -> bool {
        self.signed_out || self.is_alarmed()
    }

    fn send(&mut self, page: usize, attempt: u32) {
        let Page { aborted, life, .. } = self.pages[page];
        if self.signed_out || life != self.life {
            return;
        }
        let trip = self.network.trip(&mut self.rng);
        let lost = self.rng.random_bool(self.network.lost);
        let aborted = self.rng.random_bool(aborted);
        let late = trip.there + trip.back > self.network.patience;
        let request = self.requests.len();
        self.requests.push(Request {
            page,
            attempt,
            token: self.jar.clone(),
            back: (!lost && !late).then_some(trip.back),
            aborted,
            answer: None,
        });
        self.after(trip.there, Event::Arrive { request });
        if aborted {
            // The page will not be there to notice.
        } else if late {
            self.after(self.network.patience, Event::Fail { page, attempt });
        } else if lost {
            let notice = self.rng.random_range(SECOND..10 * SECOND);
            self.after(trip.there + notice, Event::Fail { page, attempt });
        }
        if self.rng.random_bool(self.network.twice) {
            let again = self.network.trip(&mut self.rng).there;
            self.after(trip.there + again, Event::Arrive { request });
        }
        self.shadow();
    }

    fn arrive(&mut self, request: usize) {
        let Request {
            page,
            back,
            aborted,
            ref token,
            ..
        } = self.requests[request];
        let visitor = Visitor {
            version: u8::from(self.rng.random_bool(self.new_servers)),
            ..self.pages[page].visitor
        };
        let answer = self.server.answer(token, visitor, Ask::Refresh);
        let place = &mut self.requests[request].answer;
        if place.is_some() {
            return; // The second copy of a request: its answer goes nowhere.
        }
        *place = Some((answer.words, answer.cookie));
        if aborted {
            // The page is gone, and its successor comes with a request of its own.
            self.schedule(page);
        } else if let Some(back) = back {
            self.after(back, Event::Answer { request });
        }
    }

    fn answer(&mut self, request: usize) {
        let Request { page, attempt, .. } = self.requests[request];
        // A copy that is still under way finds the request answered.
        let answer = self.requests[request].answer.replace((Words::Over, None));
        let Some((words, cookie)) = answer.filter(|_| self.pages[page].life == self.life) else {
            return;
        };
        // The jar keeps what arrived last, in whatever order it was sent.
        if let Some(cookie) = cookie {
            self.put(cookie);
        }
        match words {
            Words::Served => self.schedule(page),
            Words::Confirm | Words::Later if attempt >= TRIES => self.schedule(page),
            Words::Confirm | Words::Later => {
                let pause = match words {
                    Words::Confirm => SECOND / 20,
                    _ => self.rng.random_range(SECOND..2 * SECOND),
                };
                let attempt = attempt + 2;
                self.after(pause, Event::Send { page, attempt });
            }
            _ => self.signed_out = true,
        }
    }

    fn put(&mut self, cookie: RefreshToken) {
        self.jar = cookie;
        if self.unwritten.is_none() {
            self.changes += 1;
            let number = self.changes;
            self.unwritten = Some(number);
            self.after(FLUSH, Event::Flush { number });
        }
    }

    fn schedule(&mut self, page: usize) {
        let Page { left, every, .. } = &mut self.pages[page];
        *left = left.saturating_sub(1);
        if *left > 0 {
            let every = *every;
            let jitter = self.below(every / 10 + 1);
            self.after(every - jitter, Event::Send { page, attempt: 0 });
        }
    }
}
