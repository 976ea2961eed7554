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
    session::{ClientFingerprint, ReusePolicy, RevokeReason, SessionId, SessionKey, SessionRecord},
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
struct Revocation {
    key: SessionKey,
    /// The record and the store's time, where they are known already.
    found: Option<(SessionRecord, Timestamp)>,
    reason: RevokeReason,
    theft: Option<ReuseReport>,
}

/// What gave a thief away. Told once, by whoever revokes the session.
pub(crate) struct ReuseReport {
    pub(crate) presented_by: ClientFingerprint,
    pub(crate) presented_generation: u64,
    /// Already told: only the subject's other sessions are left to end.
    pub(crate) told: bool,
}

/// Revokes the session of `record` in a task of its own, so that nobody cancels it by hanging up.
/// True when this call revoked it, false when it was over already. A `theft` is told and followed
/// up in the same task: who hangs up stays no more unnoticed than who waits.
pub(crate) async fn now(
    config: &Arc<Config>,
    record: SessionRecord,
    now: Timestamp,
    reason: RevokeReason,
    theft: Option<ReuseReport>,
) -> Result<bool, StoreError> {
    let revocation = Revocation {
        key: record.key(),
        found: Some((record, now)),
        reason,
        theft,
    };
    complete(revocation.at_once(config.clone())).await
}

/// Revokes the sessions at `keys`, whatever their state, in one task of its own.
pub(crate) async fn by_keys(
    config: &Arc<Config>,
    keys: Vec<SessionKey>,
    reason: RevokeReason,
) -> Result<(), StoreError> {
    let config = config.clone();
    let work = async move {
        let mut outcome = Ok(());
        for key in keys {
            let revocation = Revocation {
                key,
                found: None,
                reason,
                theft: None,
            };
            let done = revocation.at_once(config.clone()).await;
            outcome = outcome.and(done.map(drop));
        }
        outcome
    };
    complete(work).await
}

/// Revokes every session of the subject but `keep`, under the tag of every accepted key. `last` is
/// the tag of the session that asks: while anything is left undone it can ask again.
pub(crate) async fn all(
    config: &Arc<Config>,
    subject: String,
    keep: Option<SessionId>,
    last: Option<SubjectTag>,
) -> Result<Vec<SessionId>, StoreError> {
    let config = config.clone();
    let work = async move { all_now(&config, &subject, keep, last).await };
    complete(work).await
}

async fn all_now(
    config: &Config,
    subject: &str,
    keep: Option<SessionId>,
    last: Option<SubjectTag>,
) -> Result<Vec<SessionId>, StoreError> {
    let mut tags = tags(config, subject);
    tags.sort_by_key(|tag| Some(*tag) == last);
    let mut revoked = Vec::new();
    for tag in tags {
        let ended = config.store.revoke_all(&tag, keep.as_ref()).await?;
        for session in &ended {
            config.revoked(*session, RevokeReason::RevokedAll);
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
                    at: *now,
                });
            }
            if config.policy.reuse == ReusePolicy::Subject {
                all_now(config, record.subject(), None, None).await?;
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
        let (session, reason) = (self.key.id, self.reason);
        for _ in 0..ATTEMPTS {
            if !record.is_live() {
                return Ok(false);
            }
            let next = record.revoked_at(reason, now);
            match config.store.swap(&record, &next).await? {
                Swap::Applied => {
                    config.revoked(session, reason);
                    return Ok(true);
                }
                Swap::Conflict(Loaded {
                    record: Some(newer),
                    now: later,
                }) => (record, now) = (newer, later),
                Swap::Conflict(_) => return Ok(false),
            }
        }
        Err(StoreError::unavailable(
            "other requests kept changing the session",
        ))
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
