//! When to ask an issuer, how long to rely on its answer, and what to say meanwhile. Nothing here
//! reads a clock, draws a random number or does I/O.

use std::time::Duration;

use http::HeaderValue;

use super::error::JwksError;
use crate::clock::Timestamp;

/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Where it stops: an issuer that comes back is noticed within a minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// What clients are told while a request is under way: most take less.
const SOON: Duration = Duration::from_secs(1);

/// What was configured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How long a set is fresh whose issuer does not say.
    pub(super) lifetime: Duration,
    /// Nothing is fresh for less,
    pub(super) floor: Duration,
    /// and nothing for more.
    pub(super) ceiling: Duration,
    /// How long a set goes on to verify when it is not fresh any more and no other can be had.
    pub(super) stale_limit: Duration,
    /// How long after an answer unknown names cause no request.
    pub(super) cool_down: Duration,
}

/// Where between two points in time something happens, so that many instances do not do it at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jitter(pub(super) u16);

impl Jitter {
    /// Between `least` sixteenths and `most` sixteenths of `of`.
    fn part(self, of: Duration, least: u32, most: u32) -> Duration {
        let low = of / 16 * least;
        let high = of / 16 * most;
        low + (high - low).mul_f64(f64::from(self.0) / f64::from(u16::MAX))
    }
}

/// The set that the ring holds.
#[derive(Debug)]
pub(super) struct Held {
    /// Of its text, so that an equal one is known without a look at its keys.
    pub(super) digest: [u8; 32],
    pub(super) etag: Option<HeaderValue>,
    /// How long it is fresh, from when it was last confirmed.
    pub(super) lifetime: Duration,
    /// When the issuer last said that this is its set.
    pub(super) confirmed: Timestamp,
}

/// What there is to say to a token whose key the ring does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nobody can tell, and a request that will is under way or due.
    NotYet,
    /// Nobody can tell; a request has to be started now.
    Fetch,
    /// The issuer has just said which keys there are.
    Never,
}

/// All that is known of an issuer.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) held: Option<Held>,
    /// A request is wanted or under way.
    pub(super) busy: bool,
    /// When the next one is due of itself: at once, in the beginning.
    pub(super) next: Timestamp,
    /// How many have failed since one succeeded.
    pub(super) failures: u32,
    pub(super) last_error: Option<JwksError>,
}

impl Limits {
    /// How long an answer is fresh that says `stated` of itself.
    pub(super) fn fresh_for(&self, stated: Option<Duration>) -> Duration {
        stated
            .unwrap_or(self.lifetime)
            .clamp(self.floor, self.ceiling)
    }

    /// Until when a set verifies if it is never confirmed again.
    pub(super) fn usable_until(&self, held: &Held) -> Timestamp {
        held.confirmed + held.lifetime + self.stale_limit
    }
}

impl State {
    /// Judges a token whose key is not there, and notes when that has to cause a request.
    ///
    /// The one case that is answered for good is a set that came within the cool-down. After a
    /// failure nobody knows whether the token is good: its sender keeps it and comes back. And
    /// however many ask, they cause one request, and none before the pause after a failure is over.
    pub(super) fn ask(&mut self, limits: &Limits, now: Timestamp) -> Verdict {
        match &self.held {
            Some(held) if !self.busy && self.failures == 0 => {
                if now.since(held.confirmed) < limits.cool_down {
                    return Verdict::Never;
                }
                self.busy = true;
                Verdict::Fetch
            }
            _ => Verdict::NotYet,
        }
    }

    /// When a client should come back after it was told that nobody can tell.
    pub(super) fn retry_after(&self, now: Timestamp) -> Duration {
        if self.busy {
            return SOON;
        }
        // Up to the whole second in which the next request is surely over or under way.
        let wait = Duration::from_secs(self.next.since(now).as_millis().div_ceil(1000) as u64);
        wait.clamp(SOON, LONGEST_PAUSE)
    }

    /// The issuer has answered with `held`, which is in the ring. True when it had failed before.
    pub(super) fn succeeded(&mut self, held: Held, jitter: Jitter) -> bool {
        // Before it ends, so that no request ever waits for the new one.
        self.next = held.confirmed + jitter.part(held.lifetime, 12, 14);
        self.held = Some(held);
        self.busy = false;
        self.last_error = None;
        std::mem::take(&mut self.failures) > 0
    }

    /// The issuer has not answered, or not with a usable set.
    pub(super) fn failed(&mut self, error: JwksError, now: Timestamp, jitter: Jitter) {
        self.next = now + jitter.part(pause(self.failures), 8, 16);
        self.busy = false;
        self.last_error = Some(error);
        self.failures = self.failures.saturating_add(1);
    }

    /// Nobody asks the issuer any more. Whoever begins again does so soon, and not at once: what ended
    /// the one may end the other.
    pub(super) fn ended(&mut self, now: Timestamp) {
        self.held = None;
        self.busy = false;
        if self.failures == 0 {
            self.next = now + FIRST_PAUSE;
        }
    }

    /// Until when the set in hand may be used.
    pub(super) fn usable_until(&self, limits: &Limits) -> Option<Timestamp> {
        self.held.as_ref().map(|held| limits.usable_until(held))
    }
}

/// How long to leave an issuer alone that has failed `before` times and once more.
fn pause(before: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1 << before.min(16))
        .min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::{super::error::JwksErrorKind, *};

    const LIMITS: Limits = Limits {
        lifetime: Duration::from_secs(300),
        floor: Duration::from_secs(60),
        ceiling: Duration::from_secs(86_400),
        stale_limit: Duration::from_secs(86_400),
        cool_down: Duration::from_secs(10),
    };
    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn at(secs: u64) -> Timestamp {
        START + Duration::from_secs(secs)
    }

    fn held(confirmed: Timestamp) -> Held {
        Held {
            digest: [0; 32],
            etag: None,
            lifetime: LIMITS.fresh_for(None),
            confirmed,
        }
    }

    fn error() -> JwksError {
        JwksError::new(JwksErrorKind::TimedOut)
    }

    #[test]
    fn freshness_has_a_floor_and_a_ceiling() {
        let fresh = |secs: u64| LIMITS.fresh_for(Some(Duration::from_secs(secs))).as_secs();
        assert_eq!([0, 59, 60, 7200].map(fresh), [60, 60, 60, 7200]);
        assert_eq!([86_400, 86_401, u64::MAX].map(fresh), [86_400; 3]);
        assert_eq!(LIMITS.fresh_for(None).as_secs(), 300);
    }

    #[test]
    fn the_next_request_comes_before_the_set_is_stale_and_not_everywhere_at_once() {
        let next = |jitter| {
            let mut state = State::default();
            state.succeeded(held(START), Jitter(jitter));
            state.next.since(START).as_secs_f64()
        };
        assert_eq!(next(0), 225.0);
        assert_eq!(next(u16::MAX), 262.5);
        assert!(225.0 < next(30_000) && next(30_000) < 262.5);
    }

    #[test]
    fn failures_are_answered_with_ever_longer_pauses() {
        let mut state = State::default();
        let mut pauses = Vec::new();
        for _ in 0..9 {
            state.failed(error(), START, Jitter(u16::MAX));
            pauses.push(state.next.since(START).as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        state.failed(error(), START, Jitter(0));
        assert_eq!(state.next.since(START).as_secs(), 30);
        state.failures = u32::MAX;
        state.failed(error(), START, Jitter(0));
        assert_eq!(state.failures, u32::MAX);
        assert!(state.succeeded(held(START), Jitter(0)), "it is back");
        assert!(!state.succeeded(held(START), Jitter(0)));
        assert!(state.last_error.is_none());
    }

    #[test]
    fn unknown_names_cause_one_request_a_cool_down() {
        let mut state = State::default();
        state.succeeded(held(at(0)), Jitter(0));
        let mut fetches = 0;
        // Ten in a second, and every request takes half of one.
        for tenth in 0..6000_u64 {
            let now = START + Duration::from_millis(tenth * 100);
            match state.ask(&LIMITS, now) {
                Verdict::Fetch => fetches += 1,
                Verdict::NotYet if tenth % 5 == 0 => {
                    state.succeeded(held(now), Jitter(0));
                }
                _ => {}
            }
        }
        // In 600 seconds, at most one in ten, and hardly fewer.
        assert!((50..=60).contains(&fetches), "{fetches}");
    }

    #[test]
    fn what_an_unknown_name_is_told() {
        let mut state = State::default();
        assert_eq!(state.ask(&LIMITS, at(0)), Verdict::NotYet, "no set yet");
        state.failed(error(), at(0), Jitter(u16::MAX));
        assert_eq!(state.ask(&LIMITS, at(60)), Verdict::NotYet, "nor now");
        state.succeeded(held(at(60)), Jitter(0));
        assert_eq!(state.ask(&LIMITS, at(60)), Verdict::Never);
        assert_eq!(state.ask(&LIMITS, at(69)), Verdict::Never);
        assert_eq!(state.ask(&LIMITS, at(70)), Verdict::Fetch);
        assert_eq!(state.ask(&LIMITS, at(70)), Verdict::NotYet, "under way");
        state.failed(error(), at(71), Jitter(u16::MAX));
        for secs in [71, 72, 80, 1000] {
            // The task is to try again when it is due; nobody hurries it.
            assert_eq!(state.ask(&LIMITS, at(secs)), Verdict::NotYet, "{secs}");
        }
        state.succeeded(held(at(1000)), Jitter(0));
        assert_eq!(state.ask(&LIMITS, at(1001)), Verdict::Never);
        // A clock that was set back does not open the gate.
        assert_eq!(state.ask(&LIMITS, at(0)), Verdict::Never);
    }

    #[test]
    fn when_to_come_back() {
        let mut state = State::default();
        let secs = |state: &State, at| state.retry_after(at).as_secs();
        assert_eq!(secs(&state, at(0)), 1);
        state.failures = 5;
        state.failed(error(), at(0), Jitter(u16::MAX));
        assert_eq!(secs(&state, at(0)), 32);
        assert_eq!(
            secs(&state, START + Duration::from_millis(30_001)),
            2,
            "up to the whole second"
        );
        assert_eq!(secs(&state, at(33)), 1);
        state.busy = true;
        assert_eq!(secs(&state, at(0)), 1);
        state.busy = false;
        state.next = at(10_000);
        assert_eq!(secs(&state, at(0)), 60);
    }

    #[test]
    fn after_the_end_somebody_else_begins_soon() {
        let mut state = State::default();
        state.succeeded(held(START), Jitter(0));
        state.busy = true;
        state.ended(at(5));
        assert!(state.held.is_none() && !state.busy);
        assert_eq!(state.next, at(6));
        state.failures = 6;
        state.failed(error(), at(6), Jitter(u16::MAX));
        state.ended(at(7));
        assert_eq!(state.next, at(66), "no earlier than without the end");
    }

    #[test]
    fn a_set_is_usable_until_the_stale_limit_after_it_was_fresh() {
        let mut state = State::default();
        assert_eq!(state.usable_until(&LIMITS), None);
        state.succeeded(held(at(7)), Jitter(0));
        state.failed(error(), at(500), Jitter(0));
        assert_eq!(state.usable_until(&LIMITS), Some(at(7 + 300 + 86_400)));
    }
}
