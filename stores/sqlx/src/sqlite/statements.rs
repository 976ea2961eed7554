//! The statements, each about one table of ours.

use sqlx::{Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};
use tower_bearer::{
    Timestamp,
    store::{SessionKey, SessionRecord, StoreError, SubjectTag},
};

use super::fault::failed;
use crate::row::{Row, millis};

/// Reads one session, expired or not.
pub(super) async fn find(
    on: &mut SqliteConnection,
    key: &SessionKey,
) -> Result<Option<SessionRecord>, StoreError> {
    let record: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT record FROM tower_bearer_sessions WHERE subject_tag = ? AND session_id = ?",
    )
    .bind(&key.subject().as_bytes()[..])
    .bind(&key.id().as_bytes()[..])
    .fetch_optional(on)
    .await
    .map_err(failed)?;
    // An error, and never "not there": that would sign a user out for a broken disk.
    let record = record.map(|bytes| SessionRecord::decode(&bytes));
    Ok(record.transpose()?)
}

/// Reads what has not expired of a subject.
pub(super) async fn unexpired(
    on: &mut SqliteConnection,
    subject: &SubjectTag,
    now: Timestamp,
) -> Result<Vec<SessionRecord>, StoreError> {
    let records: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT record FROM tower_bearer_sessions WHERE subject_tag = ? AND expires_at > ?",
    )
    .bind(&subject.as_bytes()[..])
    .bind(millis(now))
    .fetch_all(on)
    .await
    .map_err(failed)?;
    let records = records.iter().map(|bytes| SessionRecord::decode(bytes));
    Ok(records.collect::<Result<_, _>>()?)
}

pub(super) async fn add(
    on: &mut SqliteConnection,
    record: &SessionRecord,
) -> Result<(), StoreError> {
    let row = Row::of(record);
    let insert = sqlx::query(
        "INSERT INTO tower_bearer_sessions (subject_tag, session_id, record, expires_at, rotated_at, live)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(&row.subject_tag[..])
    .bind(&row.session_id[..])
    .bind(row.record)
    .bind(row.expires_at)
    .bind(row.rotated_at)
    .bind(row.live);
    changed(on, insert).await.map(drop)
}

/// Writes a session that is there already.
pub(super) async fn put(
    on: &mut SqliteConnection,
    record: &SessionRecord,
) -> Result<(), StoreError> {
    let row = Row::of(record);
    let update = sqlx::query(
        "UPDATE tower_bearer_sessions SET record = ?, expires_at = ?, rotated_at = ?, live = ?
         WHERE subject_tag = ? AND session_id = ?",
    )
    .bind(row.record)
    .bind(row.expires_at)
    .bind(row.rotated_at)
    .bind(row.live)
    .bind(&row.subject_tag[..])
    .bind(&row.session_id[..]);
    changed(on, update).await.map(drop)
}

/// Writes `next` where the stored bytes are those of `current` in this release's layout, and says whether they were.
/// Both have one key.
pub(super) async fn replace(
    on: &mut SqliteConnection,
    current: &SessionRecord,
    next: &SessionRecord,
) -> Result<bool, StoreError> {
    let row = Row::of(next);
    let update = sqlx::query(
        "UPDATE tower_bearer_sessions SET record = ?, expires_at = ?, rotated_at = ?, live = ?
         WHERE subject_tag = ? AND session_id = ? AND record = ?",
    )
    .bind(row.record)
    .bind(row.expires_at)
    .bind(row.rotated_at)
    .bind(row.live)
    .bind(&row.subject_tag[..])
    .bind(&row.session_id[..])
    .bind(current.encode());
    Ok(changed(on, update).await? > 0)
}

pub(super) async fn delete(on: &mut SqliteConnection, key: &SessionKey) -> Result<(), StoreError> {
    let delete =
        sqlx::query("DELETE FROM tower_bearer_sessions WHERE subject_tag = ? AND session_id = ?")
            .bind(&key.subject().as_bytes()[..])
            .bind(&key.id().as_bytes()[..]);
    changed(on, delete).await.map(drop)
}

/// Takes the lock for writing, and holds it until the transaction ends.
pub(super) async fn lock(on: &mut SqliteConnection) -> Result<(), StoreError> {
    // It is about no row, and SQLite takes the lock before it finds that out.
    let nothing = sqlx::query("UPDATE tower_bearer_sessions SET live = live WHERE false");
    changed(on, nothing).await.map(drop)
}

/// Deletes up to `most` that have expired, the oldest first, and returns how many.
pub(super) async fn delete_expired(
    on: &mut SqliteConnection,
    now: Timestamp,
    most: u32,
) -> Result<u64, StoreError> {
    let delete = sqlx::query(
        "DELETE FROM tower_bearer_sessions WHERE (subject_tag, session_id) IN
             (SELECT subject_tag, session_id FROM tower_bearer_sessions
              WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)",
    )
    .bind(millis(now))
    .bind(most);
    changed(on, delete).await
}

/// Runs a statement, and returns how many rows it has changed.
async fn changed<'q>(
    on: &mut SqliteConnection,
    statement: Query<'q, Sqlite, SqliteArguments>,
) -> Result<u64, StoreError> {
    let done = statement.execute(on).await.map_err(failed)?;
    Ok(done.rows_affected())
}
