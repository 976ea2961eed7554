//! The store's operations.

use tokio::time::Instant;
use tower_bearer::{
    SessionId, Timestamp,
    store::{
        self, Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, StoreError, SubjectTag,
        Swap,
    },
};

use super::{SqliteStore, everything, statements, swaps};

/// Rows that a sign-in deletes at most. So a table that grows stays small, and one sign-in never has much to do.
const DELETED_BY_A_SIGN_IN: u32 = 100;

impl RefreshStore for SqliteStore {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.within(insert(self, record, limit)).await
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        self.within(load(self, key)).await
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let deadline = self.deadline();
        self.within(swap(self, current, next, deadline)).await
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        self.within(list(self, subject)).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let rule = |sessions: &mut [_], now| store::revoke_all(sessions, keep, now);
        self.within(revoke(self, subject, rule)).await
    }

    async fn revoke_older(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
        before: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let rule = |sessions: &mut [_], now| store::revoke_older(sessions, keep, before, now);
        self.within(revoke(self, subject, rule)).await
    }

    async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
        everything::revoke(self, before).await
    }
}

async fn insert(
    store: &SqliteStore,
    record: &SessionRecord,
    limit: usize,
) -> Result<Inserted, StoreError> {
    let key = record.key();
    let mut writer = store.writer().await?;
    let tx = writer.begin().await?;
    if let Some(stored) = statements::find(tx, &key).await? {
        return match stored == *record {
            true => Ok(Inserted::new(vec![])),
            false => Err(StoreError::unavailable("the session id is taken")),
        };
    }
    let now = store.now();
    statements::delete_expired(tx, now, DELETED_BY_A_SIGN_IN).await?;

    let before = statements::unexpired(tx, key.subject(), now).await?;
    let mut after = before.clone();
    // The crate's own rules: the limit, and which ended sessions stay to be recognised.
    let dropped = store::admit(&mut after, record, limit, now)?;
    for session in &before {
        if !after.iter().any(|kept| kept.id() == session.id()) {
            statements::delete(tx, &session.key()).await?;
        }
    }
    for session in &dropped {
        statements::put(tx, session).await?;
    }
    statements::add(tx, record).await?;
    writer.commit().await?;
    Ok(Inserted::new(dropped))
}

async fn load(store: &SqliteStore, key: &SessionKey) -> Result<Loaded, StoreError> {
    let mut reader = store.reader().await?;
    let record = statements::find(reader.connection()?, key).await?;
    reader.done();
    Ok(Loaded::new(record, store.now()))
}

async fn swap(
    store: &SqliteStore,
    current: &SessionRecord,
    next: &SessionRecord,
    deadline: Instant,
) -> Result<Swap, StoreError> {
    // At another address it would be another session.
    let moves = next.key() != current.key();
    if !moves {
        // One statement is one transaction, and takes the lock before it reads.
        if swaps::replace(store, current, next, deadline).await? {
            return Ok(Swap::Applied);
        }
    }
    let mut reader = store.reader().await?;
    let found = statements::find(reader.connection()?, &current.key()).await?;
    reader.done();
    match found {
        // The second of two applications finds the work of the first.
        Some(found) if found == *next && !moves => Ok(Swap::Applied),
        // An equal record in other bytes: an earlier release has written it.
        Some(found) if found == *current && !moves => swap_older(store, current, next).await,
        found => Ok(Swap::Conflict(Loaded::new(found, store.now()))),
    }
}

/// The same where the layouts differ: compares records, under the lock for writing.
async fn swap_older(
    store: &SqliteStore,
    current: &SessionRecord,
    next: &SessionRecord,
) -> Result<Swap, StoreError> {
    let mut writer = store.writer().await?;
    let tx = writer.begin().await?;
    let found = statements::find(tx, &current.key()).await?;
    if found.as_ref() == Some(next) {
        return Ok(Swap::Applied);
    }
    if found.as_ref() != Some(current) {
        return Ok(Swap::Conflict(Loaded::new(found, store.now())));
    }
    statements::put(tx, next).await?;
    writer.commit().await?;
    Ok(Swap::Applied)
}

async fn list(store: &SqliteStore, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
    let mut reader = store.reader().await?;
    let sessions = statements::unexpired(reader.connection()?, subject, store.now()).await?;
    reader.done();
    Ok(sessions)
}

/// Revokes those of the subject's sessions that `rule` revokes.
async fn revoke(
    store: &SqliteStore,
    subject: &SubjectTag,
    rule: impl Fn(&mut [SessionRecord], Timestamp) -> Vec<SessionRecord>,
) -> Result<Vec<SessionRecord>, StoreError> {
    let mut writer = store.writer().await?;
    let tx = writer.begin().await?;
    // Expired sessions too: a swap that waits for the lock may still prolong one.
    let mut sessions = statements::all(tx, subject).await?;
    let revoked = rule(&mut sessions, store.now());
    for session in &revoked {
        statements::put(tx, session).await?;
    }
    writer.commit().await?;
    Ok(revoked)
}
