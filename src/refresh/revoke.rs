//! Ending sessions: at once where the store answers, later where it does not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::shared::Shared;
use crate::{
    background,
    event::Event,
    session::{RevokeReason, SessionId, SessionKey, SessionRecord, SubjectTag},
    store::{RefreshStore, StoreError, Swap},
};

/// Revocation always wins in the end; a refresh rotates at most once an interval, so a handful of
/// lost races is already unusual.
const ATTEMPTS: usize = 16;
/// Revocations that may wait for the store at one time.
const MOST_WAITING: usize = 1024;
/// Tries of a waiting revocation: with doubling pauses from a quarter of a second, two minutes.
const RETRIES: u32 = 10;

/// Counts the revocations that wait, so that a dead store cannot fill the memory.
#[derive(Debug, Default)]
pub(crate) struct Retries(AtomicUsize);

/// Revokes the session of `record` in a task of its own, so that nobody cancels it by hanging up.
/// True when this call revoked it, false when it was over already.
pub(crate) async fn now(
    shared: &Arc<Shared>,
    record: SessionRecord,
    reason: RevokeReason,
) -> Result<bool, StoreError> {
    let (shared, key) = (shared.clone(), record.key());
    let work = async move {
        match write(&shared, record, reason).await {
            Ok(revoked) => Ok(revoked),
            Err(error) => {
                later(&shared, key, reason);
                Err(error)
            }
        }
    };
    background::complete(work)
        .await
        .unwrap_or_else(|| Err(StoreError::unavailable("revocation was cut off")))
}

/// Revokes the session at `key`, whatever its state, in a task of its own.
pub(crate) async fn by_key(
    shared: &Arc<Shared>,
    key: SessionKey,
    reason: RevokeReason,
) -> Result<bool, StoreError> {
    let shared = shared.clone();
    let work = async move {
        match find_and_write(&shared, &key, reason).await {
            Ok(revoked) => Ok(revoked),
            Err(error) => {
                later(&shared, key, reason);
                Err(error)
            }
        }
    };
    background::complete(work)
        .await
        .unwrap_or_else(|| Err(StoreError::unavailable("revocation was cut off")))
}

/// Revokes every session of the subject but `keep`, under the tag of every accepted key.
pub(crate) async fn all(
    shared: &Arc<Shared>,
    subject: String,
    keep: Option<SessionId>,
) -> Result<Vec<SessionId>, StoreError> {
    let shared = shared.clone();
    let work = async move {
        let mut revoked = Vec::new();
        for tag in tags(&shared, &subject) {
            revoked.extend(shared.store.revoke_all(&tag, keep.as_ref()).await?);
        }
        for session in &revoked {
            shared.events.emit(&Event::Revoked {
                session: *session,
                reason: RevokeReason::RevokedAll,
            });
        }
        Ok(revoked)
    };
    background::complete(work)
        .await
        .unwrap_or_else(|| Err(StoreError::unavailable("revocation was cut off")))
}

/// The names a subject's sessions may lie under: one for each refresh secret in use.
pub(crate) fn tags(shared: &Shared, subject: &str) -> Vec<SubjectTag> {
    let keys = shared.keys.load();
    let sets = keys.sessions.iter().flat_map(|sessions| sessions.iter());
    sets.map(|set| set.subject_tag(subject)).collect()
}

async fn find_and_write(
    shared: &Shared,
    key: &SessionKey,
    reason: RevokeReason,
) -> Result<bool, StoreError> {
    match shared.store.load(key).await?.record {
        Some(record) => write(shared, record, reason).await,
        None => Ok(false),
    }
}

async fn write(
    shared: &Shared,
    mut record: SessionRecord,
    reason: RevokeReason,
) -> Result<bool, StoreError> {
    for _ in 0..ATTEMPTS {
        if !record.is_live() {
            return Ok(false);
        }
        match shared.store.swap(&record, &record.revoked(reason)).await? {
            Swap::Applied => {
                shared.events.emit(&Event::Revoked {
                    session: record.key().id,
                    reason,
                });
                return Ok(true);
            }
            Swap::Conflict(newer) => match newer.record {
                Some(newer) => record = newer,
                None => return Ok(false),
            },
        }
    }
    Err(StoreError::unavailable(
        "other requests kept changing the session",
    ))
}

/// Keeps trying until the store is back, within bounds, and says so either way.
fn later(shared: &Arc<Shared>, key: SessionKey, reason: RevokeReason) {
    let waiting = &shared.retries.0;
    let runtime = tokio::runtime::Handle::try_current();
    let (Ok(runtime), true) = (
        runtime,
        waiting.fetch_add(1, Ordering::AcqRel) < MOST_WAITING,
    ) else {
        waiting.fetch_sub(1, Ordering::AcqRel);
        shared
            .events
            .emit(&Event::RevocationLost { session: key.id });
        return;
    };
    shared
        .events
        .emit(&Event::RevocationQueued { session: key.id });
    let shared = shared.clone();
    runtime.spawn(async move {
        let mut pause = Duration::from_millis(250);
        let mut done = false;
        for _ in 0..RETRIES {
            tokio::time::sleep(pause).await;
            pause *= 2;
            if find_and_write(&shared, &key, reason).await.is_ok() {
                done = true;
                break;
            }
        }
        if !done {
            shared
                .events
                .emit(&Event::RevocationLost { session: key.id });
        }
        shared.retries.0.fetch_sub(1, Ordering::AcqRel);
    });
}
