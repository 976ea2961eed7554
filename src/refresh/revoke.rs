//! Ending sessions: at once where the store answers, later where it does not.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{config::Config, spawn};
use crate::{
    clock::Timestamp,
    event::Event,
    keys::SubjectTag,
    session::{
        ClientFingerprint, Presenter, ReusePolicy, RevokeReason, SessionId, SessionKey,
        SessionRecord, SessionState,
    },
    store::{Loaded, RefreshStore, StoreError, Swap},
    telemetry::in_current_span,
};

/// Revocation always wins in the end; a refresh rotates at most once an interval, so a handful of
/// lost races is already unusual.
const ATTEMPTS: usize = 16;
/// Revocations that may wait for the store at one time.
const MOST_WAITING: usize = 1024;
/// Tries of a waiting revocation: with doubling pauses from a quarter of a second, four minutes.
const RETRIES: u32 = 10;

/// Counts the revocations that wait, so that a dead store cannot fill the memory.
#[derive(Debug, Default)]
pub(crate) struct Retries(AtomicUsize);

/// One session to end, and what else is to be done about it.
pub(crate) struct Revocation {
    key: SessionKey,
    /// The record and the store's time, where they are known already.
    found: Option<(SessionRecord, Timestamp)>,
    reason: RevokeReason,
    /// The client of the session that ends it. One that comes without the session's jar ends nothing.
    by: Option<Presenter>,
    theft: Option<ReuseReport>,
}

/// The evidence of a theft. Told once, where the session is revoked.
pub(crate) struct ReuseReport {
    pub(crate) presented_by: ClientFingerprint,
    pub(crate) presented_generation: u64,
    /// The right jar came along.
    pub(crate) jar: bool,
    /// The session had been ended before, for this reason.
    pub(crate) ended: Option<RevokeReason>,
    /// Already told: only the subject's other sessions are left to end.
    pub(crate) told: bool,
}

/// Revokes every session of the subject of `own`, and `own` at last: while anything is left undone its client can
/// ask again.
pub(crate) async fn all_of(config: &Arc<Config>, own: Revocation) -> Result<(), StoreError> {
    let config = config.clone();
    let subject = own
        .found
        .as_ref()
        .map(|(record, _)| record.subject().to_owned());
    let work = async move {
        if let Some(subject) = subject {
            all_now(&config, &subject, Some(own.key.id)).await?;
        }
        own.at_once(config).await.map(drop)
    };
    complete(work).await
}

/// Revokes every session of the subject but `keep`, under the tag of every accepted key.
pub(crate) async fn all(
    config: &Arc<Config>,
    subject: String,
    keep: Option<SessionId>,
) -> Result<Vec<SessionId>, StoreError> {
    let config = config.clone();
    let work = async move { all_now(&config, &subject, keep).await };
    complete(work).await
}

async fn all_now(
    config: &Config,
    subject: &str,
    keep: Option<SessionId>,
) -> Result<Vec<SessionId>, StoreError> {
    let mut revoked = Vec::new();
    for tag in tags(config, subject) {
        let ended = config.store.revoke_all(&tag, keep.as_ref()).await?;
        for session in &ended {
            config.revoked(*session, RevokeReason::RevokedAll, None);
        }
        revoked.extend(ended);
    }
    Ok(revoked)
}

fn complete<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> impl Future<Output = Result<T, StoreError>> + Send {
    let done = spawn::complete(in_current_span(work));
    async move {
        let cut_off = || Err(StoreError::unavailable("revocation was cut off"));
        done.await.unwrap_or_else(cut_off)
    }
}

/// The names a subject's sessions may lie under: one for each refresh secret in use.
pub(crate) fn tags(config: &Config, subject: &str) -> Vec<SubjectTag> {
    let keys = config.cookies.keys.load();
    let sets = keys.sessions.iter().flat_map(|sessions| sessions.iter());
    sets.map(|set| set.subject_tag(subject)).collect()
}

impl Revocation {
    /// To end the session at `key`, whatever the store holds there.
    pub(crate) fn at(key: SessionKey, reason: RevokeReason) -> Self {
        Self {
            key,
            found: None,
            reason,
            by: None,
            theft: None,
        }
    }

    /// To end the session of `record`, which the store held at `now`.
    pub(crate) fn of(record: SessionRecord, now: Timestamp, reason: RevokeReason) -> Self {
        Self {
            found: Some((record.clone(), now)),
            ..Self::at(record.key(), reason)
        }
    }

    /// The same, by a client of the session.
    pub(crate) fn by(self, by: Presenter) -> Self {
        Self {
            by: Some(by),
            ..self
        }
    }

    /// The same, because of a theft. It is told and followed up with the revocation.
    pub(crate) fn because_of(self, theft: ReuseReport) -> Self {
        Self {
            theft: Some(theft),
            ..self
        }
    }

    /// Revokes in a task of its own, so that no client cancels it by hanging up: it stays no more unnoticed then
    /// than one that waits. True when this call revoked the session, false when it was over already.
    pub(crate) async fn run(self, config: &Arc<Config>) -> Result<bool, StoreError> {
        complete(self.at_once(config.clone())).await
    }

    /// Tries once; what fails is tried again in the background.
    async fn at_once(mut self, config: Arc<Config>) -> Result<bool, StoreError> {
        let outcome = self.attempt(&config).await;
        if outcome.is_err() {
            later(&config, self);
        }
        outcome
    }

    async fn attempt(&mut self, config: &Config) -> Result<bool, StoreError> {
        let told = self.theft.as_ref().is_some_and(|theft| theft.told);
        let revoked = told || self.write(config).await?;
        if revoked && let (Some(theft), Some((record, now))) = (&mut self.theft, &self.found) {
            if !theft.told {
                theft.told = true;
                config.events.emit(&Event::ReuseDetected {
                    session: record.id(),
                    subject: record.subject(),
                    held_by: record.client(),
                    presented_by: theft.presented_by,
                    expected_generation: record.generation(),
                    presented_generation: theft.presented_generation,
                    jar: theft.jar,
                    ended: theft.ended,
                    at: *now,
                });
            }
            if config.policy.reuse == ReusePolicy::Subject {
                all_now(config, record.subject(), None).await?;
            }
        }
        Ok(revoked)
    }

    async fn write(&mut self, config: &Config) -> Result<bool, StoreError> {
        // A known record is tried first even when an attempt has failed: that attempt may have
        // been applied all the same, and the store then recognises it.
        let (mut record, mut now) = match &self.found {
            Some(found) => found.clone(),
            None => {
                let loaded = config.store.load(&self.key).await?;
                match loaded.record {
                    // Kept for the next attempt: should this one be applied and its answer be lost, the
                    // store recognises the same swap.
                    Some(record) => self.found.insert((record, loaded.now)).clone(),
                    None => return Ok(false),
                }
            }
        };
        for _ in 0..ATTEMPTS {
            let foreign = |by: &Presenter| record.is_foreign_to(by);
            if record.is_live() && self.by.as_ref().is_some_and(foreign) {
                config.foreign_jar(self.key.id, now);
                return Ok(false);
            }
            let next = match (record.state(), &mut self.theft) {
                (SessionState::Live, _) => record.ended(self.reason, self.by.as_ref(), now),
                // Told once, and also where the thief's own sign-out was quicker.
                (SessionState::Revoked(reason), Some(theft)) if reason != RevokeReason::Reuse => {
                    theft.ended = Some(reason);
                    record.alarmed()
                }
                _ => return Ok(false),
            };
            match config.store.swap(&record, &next).await? {
                Swap::Applied => {
                    // One that had ended before has been told of then.
                    if record.is_live() {
                        config.revoked(self.key.id, self.reason, self.is_known(config, &record));
                    }
                    return Ok(true);
                }
                Swap::Conflict(Loaded {
                    record: Some(newer),
                    now: later,
                }) => {
                    // The next attempt goes on from here, or it would not recognise this one's work.
                    self.found = Some((newer.clone(), later));
                    (record, now) = (newer, later);
                }
                Swap::Conflict(_) => return Ok(false),
            }
        }
        Err(StoreError::unavailable(
            "other requests kept changing the session",
        ))
    }
}

impl Revocation {
    /// Whether the client that ends the session is known to be its own; nothing where no client does.
    fn is_known(&self, config: &Config, record: &SessionRecord) -> Option<bool> {
        let by = self.by.as_ref()?;
        let met = record.fingerprints_for(by);
        Some(config.policy.knows(&met, by.fingerprint))
    }
}

/// Keeps trying until the store is back, within bounds, and says so either way.
fn later(config: &Arc<Config>, mut revocation: Revocation) {
    let session = revocation.key.id;
    let waiting = &config.retries.0;
    let runtime = tokio::runtime::Handle::try_current();
    let (Ok(runtime), true) = (
        runtime,
        waiting.fetch_add(1, Ordering::AcqRel) < MOST_WAITING,
    ) else {
        waiting.fetch_sub(1, Ordering::AcqRel);
        config.events.emit(&Event::RevocationLost { session });
        return;
    };
    config.events.emit(&Event::RevocationQueued { session });
    let config = config.clone();
    runtime.spawn(in_current_span(async move {
        let mut pause = Duration::from_millis(250);
        let mut done = false;
        for _ in 0..RETRIES {
            tokio::time::sleep(pause).await;
            pause *= 2;
            if revocation.attempt(&config).await.is_ok() {
                done = true;
                break;
            }
        }
        if !done {
            config.events.emit(&Event::RevocationLost { session });
        }
        config.retries.0.fetch_sub(1, Ordering::AcqRel);
    }));
}
