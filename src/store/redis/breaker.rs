//! Leaves a server alone that does not answer.
//!
//! A request may wait its whole time-out while nothing else is answered either. That is taken as a sign that the server
//! is gone. For a moment every request fails at once, and then one goes first. So a dead server costs one time-out and
//! not one a request. A single lost reply among many good ones costs no client anything.
//!
//! Breakers of existing crates count failures in a window. Either the first one trips them, however many requests are
//! answered meanwhile, or a dead server costs several time-outs.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

/// Time on a clock that never goes back, from some moment in the past.
pub(super) type Uptime = Duration;

/// No server is left alone until here.
const CLOSED: u64 = 0;

#[derive(Debug)]
pub(super) struct Breaker {
    pause: Duration,
    /// How many requests were answered so far, in whatever way.
    answers: AtomicU64,
    /// Requests fail at once until then, in milliseconds; [`CLOSED`] when they do not.
    open_until: AtomicU64,
    /// One request is finding out whether the server is back.
    probing: AtomicBool,
}

/// A request that was let through. When it is dropped without a result, it says nothing about the server.
#[must_use]
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    answers: u64,
    probe: bool,
}

impl Breaker {
    /// Leaves a silent server alone for `pause` at a time; never when it is zero.
    pub(super) fn new(pause: Duration) -> Self {
        Self {
            pause,
            answers: AtomicU64::new(0),
            open_until: AtomicU64::new(CLOSED),
            probing: AtomicBool::new(false),
        }
    }

    /// Lets a request through, unless the server is being left alone.
    pub(super) fn admit(&self, now: Uptime) -> Option<Permit<'_>> {
        let open_until = self.open_until.load(Ordering::Acquire);
        let probe = open_until != CLOSED;
        if probe && (millis(now) < open_until || self.probing.swap(true, Ordering::AcqRel)) {
            return None;
        }
        Some(Permit {
            breaker: self,
            answers: self.answers.load(Ordering::Acquire),
            probe,
        })
    }

    /// Whether requests fail at once.
    pub(super) fn is_open(&self) -> bool {
        self.open_until.load(Ordering::Acquire) != CLOSED
    }
}

impl Permit<'_> {
    /// The server has answered. True when it had been silent before.
    pub(super) fn answered(self) -> bool {
        self.breaker.answers.fetch_add(1, Ordering::AcqRel);
        self.breaker.open_until.swap(CLOSED, Ordering::AcqRel) != CLOSED
    }

    /// Nothing at all has come back since this request was let through.
    pub(super) fn is_alone(&self) -> bool {
        self.breaker.answers.load(Ordering::Acquire) == self.answers
    }

    /// The server has not answered. True when it is left alone from now on, and was not before.
    pub(super) fn silent(self, now: Uptime) -> bool {
        if !self.is_alone() || self.breaker.pause.is_zero() {
            return false;
        }
        let until = millis(now + self.breaker.pause).max(CLOSED + 1);
        let was = self.breaker.open_until.swap(until, Ordering::AcqRel);
        if !self.is_alone() {
            // Another request was answered in this very moment, and may have closed it just before.
            let open = &self.breaker.open_until;
            let _ = open.compare_exchange(until, CLOSED, Ordering::AcqRel, Ordering::Acquire);
            return false;
        }
        was == CLOSED
    }

    /// The server was found silent after this request was let through. So this request does not have to find that out
    /// again.
    pub(super) fn is_void(&self) -> bool {
        !self.probe && self.breaker.is_open()
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.probing.store(false, Ordering::Release);
        }
    }
}

fn millis(uptime: Uptime) -> u64 {
    u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_millis(500);

    fn at(millis: u64) -> Uptime {
        Duration::from_millis(millis)
    }

    #[test]
    fn one_silence_opens_it_for_a_pause_and_then_one_request_goes_first() {
        let breaker = Breaker::new(PAUSE);
        assert!(breaker.admit(at(0)).unwrap().silent(at(100)));
        assert!(breaker.admit(at(599)).is_none());
        let probe = breaker.admit(at(600)).unwrap();
        assert!(breaker.admit(at(601)).is_none(), "one goes first");
        assert!(!probe.silent(at(700)), "it was open before");
        assert!(breaker.admit(at(1199)).is_none());
        let probe = breaker.admit(at(1200)).unwrap();
        assert!(probe.answered(), "it is back");
        assert!(!breaker.is_open());
        assert!(!breaker.admit(at(1201)).unwrap().answered());
    }

    #[test]
    fn a_lost_reply_among_good_ones_opens_nothing() {
        let breaker = Breaker::new(PAUSE);
        let lost = breaker.admit(at(0)).unwrap();
        assert!(!breaker.admit(at(10)).unwrap().answered());
        assert!(!lost.silent(at(500)));
        assert!(breaker.admit(at(501)).is_some());
    }

    #[test]
    fn a_late_answer_of_a_request_that_was_under_way_closes_it() {
        let breaker = Breaker::new(PAUSE);
        let slow = breaker.admit(at(0)).unwrap();
        assert!(breaker.admit(at(0)).unwrap().silent(at(500)));
        assert!(slow.answered());
        assert!(breaker.admit(at(501)).is_some());
    }

    #[test]
    fn a_probe_that_is_given_up_makes_room_for_the_next() {
        let breaker = Breaker::new(PAUSE);
        assert!(breaker.admit(at(0)).unwrap().silent(at(0)));
        drop(breaker.admit(at(500)).unwrap());
        assert!(breaker.admit(at(500)).is_some());
    }

    #[test]
    fn many_that_wait_at_the_same_time_open_it_once() {
        let breaker = Breaker::new(PAUSE);
        let waiting: Vec<_> = (0..50).map(|_| breaker.admit(at(0)).unwrap()).collect();
        assert!(waiting.iter().all(|permit| !permit.is_void()));
        let mut waiting = waiting.into_iter();
        assert!(waiting.next().unwrap().silent(at(500)));
        assert!(waiting.all(|permit| permit.is_void() && !permit.silent(at(500))));
    }

    #[test]
    fn without_a_pause_it_never_opens() {
        let breaker = Breaker::new(Duration::ZERO);
        assert!(!breaker.admit(at(0)).unwrap().silent(at(100)));
        assert!(breaker.admit(at(100)).is_some());
    }
}
