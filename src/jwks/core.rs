//! What the handles and the task share: the ring, what is known of the issuer, and one round of asking.

use std::{
    str,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, header};
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    task::AbortHandle,
};

use super::{
    client::{Client, Fetched},
    error::{JwksError, JwksErrorKind},
    freshness::freshness,
    policy::{Held, Jitter, Limits, State, Verdict},
    task::{End, run},
};
use crate::{
    clock::{Clock, Timestamp},
    config::ConfigError,
    event::{Event, EventSink},
    keys::{KeyRing, SignatureAlgorithm},
    random::random,
    secret::sha256,
};

/// The outcome of one round.
pub(super) type Outcome = Result<(), JwksError>;

pub(super) struct Core {
    pub(super) client: Client,
    pub(super) limits: Limits,
    pub(super) rsa: Option<SignatureAlgorithm>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) events: EventSink,
    /// What the codecs verify with. Never asked for anything while the state is locked but its
    /// generation.
    pub(super) ring: KeyRing,
    /// Never locked over I/O, an event or a look into a set; not at all where a key is found.
    pub(super) state: Mutex<State>,
    /// The task, while it runs.
    pub(super) task: Mutex<Task>,
    /// Ends the task's wait.
    pub(super) wake: Notify,
    /// Tells how each round ended.
    pub(super) outcomes: watch::Sender<Outcome>,
}

#[derive(Default)]
pub(super) struct Task {
    running: bool,
    abort: Option<AbortHandle>,
}

impl Core {
    pub(super) fn new(
        client: Client,
        limits: Limits,
        rsa: Option<SignatureAlgorithm>,
        clock: Arc<dyn Clock>,
        events: EventSink,
    ) -> Self {
        Self {
            client,
            limits,
            rsa,
            clock,
            events,
            ring: KeyRing::vacant(),
            state: Mutex::default(),
            task: Mutex::default(),
            wake: Notify::new(),
            outcomes: watch::Sender::new(Ok(())),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn task_lock(&self) -> MutexGuard<'_, Task> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sees to it that the task runs, if there is a runtime to run it.
    pub(super) fn start(self: &Arc<Self>) -> Outcome {
        if self.task_lock().running {
            return Ok(());
        }
        let runtime = Handle::try_current()
            .map_err(|error| JwksError::with_source(JwksErrorKind::Runtime, error))?;
        if std::mem::replace(&mut self.task_lock().running, true) {
            return Ok(());
        }
        // No lock is held: a runtime that is shutting down drops the task here and now.
        let task = runtime.spawn(run(End::new(self.clone())));
        self.task_lock().abort = Some(task.abort_handle());
        Ok(())
    }

    /// Nobody is interested any more.
    pub(super) fn stop(&self) {
        // The lock is given back first: a task that is dropped here and now takes it again.
        let task = self.task_lock().abort.take();
        if let Some(task) = task {
            task.abort();
        }
    }

    /// The task has ended, for whatever reason. With nobody to renew them, the keys go too.
    pub(super) fn stopped(&self) {
        self.clear();
        self.task_lock().running = false;
        let mut state = self.state();
        state.ended(self.now());
        let _ = self.outcomes.send_replace(Err(no_task()));
    }

    /// Waits for the outcome of the round that is under way, or of one that is started for it.
    pub(super) async fn wanted(&self) -> Outcome {
        let mut outcomes = {
            let mut state = self.state();
            // Under the lock, so that the outcome of an earlier round is not taken for this one's.
            let outcomes = self.outcomes.subscribe();
            if !std::mem::replace(&mut state.busy, true) {
                self.wake.notify_one();
            }
            outcomes
        };
        // A task that ended before nobody listened to it has told nobody.
        if !self.task_lock().running {
            return Err(no_task());
        }
        // Its sender is here, so it does not fail.
        let _ = outcomes.changed().await;
        outcomes.borrow().clone()
    }

    /// What is to be said to a token whose key is not in the snapshot of this generation.
    pub(super) fn judge(&self, generation: u64) -> Verdict {
        let now = self.now();
        let mut state = self.state();
        // The token was looked up in a set that has been replaced since: it has to be looked up again.
        if self.ring.load().generation != generation {
            return Verdict::NotYet;
        }
        let verdict = state.ask(&self.limits, now);
        if verdict == Verdict::Fetch {
            self.wake.notify_one();
        }
        verdict
    }

    /// Asks the issuer once and takes what it says.
    pub(super) async fn round(&self) {
        let etag = {
            let mut state = self.state();
            state.busy = true;
            state.held.as_ref().and_then(|held| held.etag.clone())
        };
        let fetched = self.client.fetch(etag.as_ref()).await;
        let now = self.now();
        let taken = fetched.and_then(|fetched| match fetched {
            Fetched::Unchanged { headers } => self.confirmed(&headers, now),
            Fetched::Set { headers, body } => self.take(&headers, &body, now),
        });
        match taken {
            Ok((held, changed)) => self.succeeded(held, changed),
            Err(error) => self.failed(error, now),
        }
    }

    /// The set in hand is still the issuer's. Headers that the answer repeats replace those from
    /// before (RFC 9111 section 4.3.4).
    fn confirmed(&self, headers: &HeaderMap, now: Timestamp) -> Result<(Held, bool), JwksError> {
        let state = self.state();
        let Some(held) = &state.held else {
            return Err(JwksError::new(JwksErrorKind::Invalid));
        };
        let stated = freshness(headers);
        let lifetime = stated.map_or(held.lifetime, |_| self.limits.fresh_for(stated));
        let etag = headers.get(header::ETAG).or(held.etag.as_ref());
        Ok((
            Held {
                digest: held.digest,
                etag: etag.cloned(),
                lifetime,
                confirmed: now,
            },
            false,
        ))
    }

    /// Puts a set into the ring, if it is good and another one.
    fn take(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
        now: Timestamp,
    ) -> Result<(Held, bool), JwksError> {
        let held = Held {
            digest: sha256(&[body]),
            etag: headers.get(header::ETAG).cloned(),
            lifetime: self.limits.fresh_for(freshness(headers)),
            confirmed: now,
        };
        let current = self.state().held.as_ref().map(|held| held.digest);
        let changed = current != Some(held.digest);
        if changed {
            let next = self.read(body);
            let next = next.map_err(|e| JwksError::with_source(JwksErrorKind::Invalid, e))?;
            // Before the state knows of it: who finds the state new has to find the ring new.
            self.ring.replace(&next);
        }
        // The same keys stay the same snapshot, so that tokens verified with them stay remembered.
        Ok((held, changed))
    }

    fn read(&self, body: &[u8]) -> Result<KeyRing, ConfigError> {
        let text = str::from_utf8(body).map_err(|_| ConfigError::new("JWK Set", "is not utf-8"))?;
        KeyRing::verifier_of(text, self.rsa)
    }

    fn succeeded(&self, held: Held, changed: bool) {
        let back = {
            let mut state = self.state();
            let back = state.succeeded(held, jitter());
            let _ = self.outcomes.send_replace(Ok(()));
            back
        };
        let url = self.client.address().shown();
        if back {
            self.events.emit(&Event::KeysBack { url });
        }
        if changed {
            let keys = self.ring.load().signing.len();
            self.events.emit(&Event::KeysFetched { url, keys });
        }
    }

    fn failed(&self, error: JwksError, now: Timestamp) {
        let (failures, usable_until) = {
            let mut state = self.state();
            state.failed(error.clone(), now, jitter());
            let _ = self.outcomes.send_replace(Err(error.clone()));
            (state.failures, state.usable_until(&self.limits))
        };
        self.events.emit(&Event::KeysUnavailable {
            url: self.client.address().shown(),
            error: &error,
            failures,
            usable_until,
        });
    }

    /// The issuer has been silent for too long: its keys are not used any more.
    pub(super) fn withdraw(&self) {
        self.clear();
        let url = self.client.address().shown();
        self.events.emit(&Event::KeysWithdrawn { url });
    }

    /// Takes all keys out. The state goes first: nobody may find keys gone that it says are known.
    fn clear(&self) {
        self.state().held = None;
        self.ring.replace(&KeyRing::vacant());
    }
}

fn no_task() -> JwksError {
    JwksError::new(JwksErrorKind::Runtime)
}

/// Without random bytes it is the middle; nothing secret depends on it.
fn jitter() -> Jitter {
    Jitter(random().map_or(u16::MAX / 2, u16::from_ne_bytes))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::address::Address, *};
    use crate::clock::ManualClock;

    const SET: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    /// A look-up in the keys from before is no word on those of now.
    #[test]
    fn a_token_that_was_looked_up_in_replaced_keys_is_not_refused_for_good() {
        let minute = Duration::from_secs(60);
        let address = Address::parse("http://127.0.0.1:9/", false).unwrap();
        let core = Core::new(
            Client::new(address, None, minute, 1024).unwrap(),
            Limits {
                lifetime: minute,
                floor: minute,
                ceiling: minute,
                stale_limit: minute,
                cool_down: minute,
            },
            None,
            Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000))),
            EventSink::default(),
        );
        let before = core.ring.load().generation;
        assert_eq!(core.judge(before), Verdict::NotYet, "no set yet");
        let take = || {
            core.take(
                &HeaderMap::new(),
                &Bytes::from_static(SET.as_bytes()),
                core.now(),
            )
        };
        let (held, changed) = take().unwrap();
        core.succeeded(held, changed);
        assert_eq!(core.judge(before), Verdict::NotYet, "looked up too early");
        let now = core.ring.load().generation;
        assert_eq!(core.judge(now), Verdict::Never);
        assert!(!take().unwrap().1, "the same text is the same set");
        assert_eq!(core.ring.load().generation, now);
    }
}
