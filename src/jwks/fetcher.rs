//! The parts that the handles and the task share: the ring, the issuer's state, and one round of requests.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{Notify, watch};

use super::{
    client::Client,
    discovery::Place,
    error::JwksError,
    point_in_time::PointInTime,
    schedule::{Doubt, Held, Jitter, Limits, State, Want},
    task::Task,
};
use crate::{
    clock::{Clock, RuntimeClock, Timestamp},
    event::{Event, EventSink},
    keys::{Compromised, KeyRing, Keys, PublicSet, UnusableKey, nothing_usable},
    random::random,
};

/// The outcome of one round.
pub(super) type Outcome = Result<(), JwksError>;

pub(super) struct Fetcher {
    pub(super) client: Client,
    pub(super) place: Place,
    pub(super) limits: Limits,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) runtime_clock: RuntimeClock,
    pub(super) events: EventSink,
    /// Whether the sink is running.
    pub(super) telling: AtomicBool,
    /// The keys that the codecs verify with.
    pub(super) ring: KeyRing,
    /// Never locked over I/O, an event or a look into a set; not at all where a key is found.
    pub(super) state: Mutex<State>,
    /// The keys whose private half the issuer has published.
    pub(super) compromised: Mutex<Compromised>,
    /// The task, while it runs.
    pub(super) task: Mutex<Task>,
    /// Ends the task's wait.
    pub(super) wake: Notify,
    /// Tells how each round ended.
    pub(super) outcomes: watch::Sender<Outcome>,
}

/// A good answer, read.
pub(super) struct Taken {
    pub(super) held: Held,
    /// The set, when it is not the current one.
    pub(super) set: Option<PublicSet>,
}

impl Fetcher {
    pub(super) fn new(
        client: Client,
        place: Place,
        limits: Limits,
        clock: Arc<dyn Clock>,
        events: EventSink,
    ) -> Self {
        Self {
            client,
            place,
            limits,
            clock,
            runtime_clock: RuntimeClock::start(),
            events,
            telling: AtomicBool::new(false),
            ring: KeyRing::vacant(),
            state: Mutex::default(),
            compromised: Mutex::default(),
            task: Mutex::default(),
            wake: Notify::new(),
            outcomes: watch::Sender::new(Ok(())),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> PointInTime {
        PointInTime {
            date: self.clock.now(),
            elapsed: self.runtime_clock.elapsed(),
        }
    }

    /// A key is missing: requests the set again.
    pub(super) fn request_refresh(&self) {
        let now = self.now();
        let (want, due) = {
            let mut state = self.state();
            let want = state.want(&self.limits, now);
            (want, state.left(&self.limits, now).is_zero())
        };
        // The date may have jumped since the task began to wait.
        if want != Want::Unchanged || due {
            self.wake.notify_one();
        }
    }

    /// Ends the time of keys that are past their limit by the clock that is never set. Verifications compare the date
    /// alone, so they see it.
    pub(super) fn expire_old_keys(&self) {
        let elapsed = self.runtime_clock.elapsed();
        // Locked, so that keys that are confirmed meanwhile stay.
        let state = self.state();
        if state.is_over(&self.limits, elapsed) {
            self.ring.load().validity.end();
        }
    }

    /// Asks the issuer once and takes what it says, unless another task has taken over from `task`.
    pub(super) async fn round(&self, task: u64) {
        if !self.is_current(task) {
            return;
        }
        self.state().begin(self.now());
        let back = self.place.failures() > 0;
        let taken = self.ask().await;
        if !self.is_current(task) {
            return;
        }
        match taken {
            Ok(taken) => self.take(taken, back),
            Err(error) => self.failed(error),
        }
    }

    pub(super) fn compromised(&self) -> MutexGuard<'_, Compromised> {
        let lock = self.compromised.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the set into the ring. One without a usable key is asked for once more, and believed then. `back` says
    /// that the metadata could not be read in the round before.
    fn take(&self, Taken { held, set }: Taken, back: bool) {
        let Some(set) = set else {
            return self.succeeded(held, back, None);
        };
        let findings = set.unusable();
        if set.keys.is_empty() {
            let error = self.nothing(&findings);
            self.drop_given_away(&set);
            match self.doubt(&error, &held) {
                Doubt::First => return self.told_of_failure(error, &findings),
                Doubt::SameAgain => {}
                Doubt::OtherAgain => self.report(&findings),
            }
        }
        // Before the state knows of it: where the state is new, the ring is new.
        self.install(set);
        self.succeeded(held, back, Some(&findings));
    }

    /// The set has no key that verifies, and these that do not.
    fn nothing(&self, findings: &[UnusableKey]) -> JwksError {
        JwksError::invalid(&nothing_usable(findings)).at(self.place.shown())
    }

    fn install(&self, set: PublicSet) {
        let named = self.place.found().and_then(|found| found.metadata.rsa());
        self.ring.replace(Keys::of_set(set).with_rsa(named));
    }

    /// Removes from the current set the keys that the issuer compromises in another one.
    fn drop_given_away(&self, other: &PublicSet) {
        let held = self.ring.load();
        if let Some(left) = other.without_given_away(&held.signing, &held.reports) {
            self.install(left);
            let mut state = self.state();
            state.held_was_changed();
            self.stamp(&state);
        }
    }

    /// Notes a set without a usable key.
    fn doubt(&self, error: &JwksError, set: &Held) -> Doubt {
        let mut state = self.state();
        let doubt = state.doubt(error.clone(), set);
        if doubt == Doubt::First {
            self.publish(&state, Err(error.clone()));
        }
        doubt
    }

    fn succeeded(&self, held: Held, back: bool, findings: Option<&[UnusableKey]>) {
        let keys = self.ring.load().signing.len();
        let nothing = (keys == 0).then(|| self.nothing(&self.ring.unusable_keys()));
        let found = self.place.found();
        let back = {
            let mut state = self.state();
            let back = state.succeeded(held, keys > 0, jitter()) || back;
            // A set that verifies nothing is an answer, and no success to wait for.
            state.last_error = nothing.clone();
            if let Some(found) = found {
                state.next = state.next.or_earlier(found.due);
                state.last_error = nothing.clone().or(found.last_error);
            }
            self.publish(&state, nothing.clone().map_or(Ok(()), Err));
            back
        };
        let url = self.place.shown();
        // While the metadata fail, their countdown continues.
        if back && keys > 0 && self.place.failures() == 0 {
            self.emit(&Event::KeysRecovered { url });
        }
        match (findings, &nothing) {
            (None, _) => {}
            // Its keys are reported where the set is doubted.
            (Some(_), Some(error)) => self.emit(&Event::KeysWithdrawn { url, error }),
            (Some(findings), None) => {
                self.report(findings);
                self.emit(&Event::KeysFetched { url, keys });
            }
        }
    }

    fn failed(&self, error: JwksError) {
        {
            let mut state = self.state();
            state.failed(error.clone(), self.now(), jitter());
            self.publish(&state, Err(error.clone()));
        }
        self.told_of_failure(error, &[]);
    }

    /// Tells verifications and waiters what the locked state knows now.
    fn publish(&self, state: &State, outcome: Outcome) {
        self.stamp(state);
        let _ = self.outcomes.send_replace(outcome);
    }

    /// The state knows of a failure; tells everything else.
    fn told_of_failure(&self, error: JwksError, findings: &[UnusableKey]) {
        let (failures, usable_until) = {
            let state = self.state();
            (state.failures, self.usable_until(&state))
        };
        self.report(findings);
        self.emit(&Event::KeysUnavailable {
            url: self.place.shown(),
            error: &error,
            failures,
            usable_until,
        });
    }

    /// Until when the current keys verify, if there are any.
    pub(super) fn usable_until(&self, state: &State) -> Option<Timestamp> {
        let held = state.held.as_ref()?;
        let until = self.limits.usable_until(held).date;
        (!self.ring.load().signing.is_empty()).then_some(until)
    }

    /// Reports the keys of a set that are not used.
    fn report(&self, findings: &[UnusableKey]) {
        let url = self.place.shown();
        let (given_away, passed_over): (Vec<_>, Vec<_>) = findings
            .iter()
            .cloned()
            .partition(|key| key.is_compromised());
        if !given_away.is_empty() {
            let keys = &given_away;
            self.emit(&Event::KeysCompromised { url, keys });
        }
        if !passed_over.is_empty() {
            let keys = &passed_over;
            self.emit(&Event::KeysPassedOver { url, keys });
        }
    }

    /// Writes into the snapshot until when it is good, for verifications to see.
    fn stamp(&self, state: &State) {
        if let Some(held) = &state.held {
            let until = self.limits.usable_until(held).date;
            let ensure_running = state.ensure_running(&self.limits);
            self.ring.load().validity.set(until, ensure_running);
        }
    }

    /// The issuer has been silent for too long: its keys are not used any more.
    pub(super) fn expire(&self) {
        // The state goes first: where it says that keys are known, they are there.
        self.state().held = None;
        let had_keys = !self.ring.load().signing.is_empty();
        self.ring.replace(Keys::empty());
        if had_keys {
            let url = self.place.shown();
            self.emit(&Event::KeysExpired { url });
        }
    }

    /// Tells the sink, unless it has not returned from an earlier event. One that never returns holds the
    /// task that called it; the next task must not be held by it, too.
    pub(super) fn emit(&self, event: &Event<'_>) {
        if !self.telling.swap(true, Ordering::AcqRel) {
            self.events.emit(event);
            self.telling.store(false, Ordering::Release);
        }
    }
}

/// Without random bytes it is the middle; nothing secret depends on it.
pub(super) fn jitter() -> Jitter {
    Jitter(random().map_or(u16::MAX / 2, u16::from_ne_bytes))
}
