//! Ending every session at once: a walk through the table by its key, one transaction a batch.

use std::slice;

use sqlx::SqliteConnection;
use tower_bearer::{
    Timestamp,
    store::{self, SessionRecord, StoreError, StoreErrorKind},
};

use super::{SqliteStore, fault::failed, statements};
use crate::fault::Fault;

/// Others write in between.
const BATCH: usize = 200;

/// Where a batch begins: behind the row with this key.
type Cursor = (Vec<u8>, Vec<u8>);

/// The outcome of a batch.
struct Done {
    revoked: u64,
    unreadable: u64,
    /// Where the next one begins. None: this was the last.
    next: Option<Cursor>,
}

pub(super) async fn revoke(store: &SqliteStore, before: Timestamp) -> Result<u64, StoreError> {
    let (mut revoked, mut unreadable) = (0, 0);
    // No key is empty, so this is in front of them all.
    let mut cursor = Some(Cursor::default());
    while let Some(from) = cursor {
        let done = store.within(batch(store, before, from)).await?;
        revoked += done.revoked;
        unreadable += done.unreadable;
        cursor = done.next;
    }
    // A record that cannot be read signs no user in, and keeps no other session alive.
    match unreadable {
        0 => Ok(revoked),
        _ => Err(StoreError::new(
            StoreErrorKind::Corrupt,
            Fault::new(format!(
                "{unreadable} records cannot be read, and no token of theirs is accepted. All other sessions are \
                 revoked, {revoked} of them now"
            )),
        )),
    }
}

async fn batch(store: &SqliteStore, before: Timestamp, from: Cursor) -> Result<Done, StoreError> {
    let mut writer = store.writer().await?;
    let tx = writer.begin().await?;
    let now = store.now();
    let rows = page(tx, from).await?;
    let mut done = Done {
        revoked: 0,
        unreadable: 0,
        next: None,
    };
    if rows.len() == BATCH {
        let last = rows.last();
        done.next = last.map(|(subject, id, _)| (subject.clone(), id.clone()));
    }
    for bytes in rows.into_iter().filter_map(|(_, _, live)| live) {
        let Ok(mut session) = SessionRecord::decode(&bytes) else {
            done.unreadable += 1;
            continue;
        };
        for session in store::revoke_before(slice::from_mut(&mut session), before, now) {
            statements::put(tx, &session).await?;
            done.revoked += 1;
        }
    }
    writer.commit().await?;
    Ok(done)
}

/// The key of a row, and its record where the session is live.
type Keyed = (Vec<u8>, Vec<u8>, Option<Vec<u8>>);

/// So many rows by their keys, whatever they hold. A search for live ones would pass all that have ended, which may be
/// millions, while it holds the lock.
async fn page(on: &mut SqliteConnection, (subject, id): Cursor) -> Result<Vec<Keyed>, StoreError> {
    sqlx::query_as(
        "SELECT subject_tag, session_id, CASE WHEN live THEN record END FROM tower_bearer_sessions
         WHERE (subject_tag, session_id) > (?, ?) ORDER BY subject_tag, session_id LIMIT ?",
    )
    .bind(subject)
    .bind(id)
    .bind(BATCH as i64)
    .fetch_all(on)
    .await
    .map_err(failed)
}
