//! The statements, each about one table of ours.

use futures_util::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Either, Executor as _, Row as _, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
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

/// Reads every session of a subject, expired or not.
pub(super) async fn all(
    on: &mut SqliteConnection,
    subject: &SubjectTag,
) -> Result<Vec<SessionRecord>, StoreError> {
    let records: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT record FROM tower_bearer_sessions WHERE subject_tag = ?")
            .bind(&subject.as_bytes()[..])
            .fetch_all(on)
            .await
            .map_err(failed)?;
    decode(&records)
}

/// Reads the sessions of a subject that have not expired.
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
    decode(&records)
}

fn decode(records: &[Vec<u8>]) -> Result<Vec<SessionRecord>, StoreError> {
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

/// The row that a swap writes, and the bytes that it writes over. Both are of one session.
pub(super) struct Replacement {
    current: Vec<u8>,
    next: Row,
}

impl Replacement {
    pub(super) fn new(current: &SessionRecord, next: &SessionRecord) -> Self {
        Self {
            current: current.encode(),
            next: Row::of(next),
        }
    }

    pub(super) fn key(&self) -> ([u8; 16], [u8; 16]) {
        (self.next.subject_tag, self.next.session_id)
    }
}

/// Writes where the stored bytes are those of the current record in this release's layout, and says whether they were.
pub(super) async fn replace(
    on: &mut SqliteConnection,
    Replacement { current, next }: &Replacement,
) -> Result<bool, StoreError> {
    let update = sqlx::query(
        "UPDATE tower_bearer_sessions SET record = ?, expires_at = ?, rotated_at = ?, live = ?
         WHERE subject_tag = ? AND session_id = ? AND record = ?",
    )
    .bind(&next.record[..])
    .bind(next.expires_at)
    .bind(next.rotated_at)
    .bind(next.live)
    .bind(&next.subject_tag[..])
    .bind(&next.session_id[..])
    .bind(&current[..]);
    Ok(changed(on, update).await? > 0)
}

/// Does so for several sessions in one commit, or for none. Says for each whether it was written.
pub(super) async fn replace_all(
    on: &mut SqliteConnection,
    replacements: &[&Replacement],
) -> Result<Vec<bool>, StoreError> {
    let update = replacing(replacements.len());
    let mut update = sqlx::query(AssertSqlSafe(update));
    for Replacement { current, next } in replacements {
        update = update
            .bind(&next.subject_tag[..])
            .bind(&next.session_id[..])
            .bind(&next.record[..])
            .bind(next.expires_at)
            .bind(next.rotated_at)
            .bind(next.live)
            .bind(&current[..]);
    }
    let (written, _) = run(on, update).await.map_err(failed)?;
    let key = |row: &SqliteRow| Ok((row.try_get(0)?, row.try_get(1)?));
    let written: Result<Vec<(Vec<u8>, Vec<u8>)>, _> = written.iter().map(key).collect();
    let written = written.map_err(failed)?;
    let is_written = |replacement: &&Replacement| {
        let (subject, session) = replacement.key();
        written
            .iter()
            .any(|key| key.0 == subject && key.1 == session)
    };
    Ok(replacements.iter().map(is_written).collect())
}

/// The statement for so many.
fn replacing(sessions: usize) -> String {
    let rows = vec!["(?, ?, ?, ?, ?, ?, ?)"; sessions].join(", ");
    // Every row that it finds is there, so none is inserted. An update with a join would leave it to SQLite's estimates
    // which side is searched by its key. Where SQLite takes the table for a small one, it chooses the wrong side.
    format!(
        "INSERT INTO tower_bearer_sessions (subject_tag, session_id, record, expires_at, rotated_at, live)
         SELECT next.column1, next.column2, next.column3, next.column4, next.column5, next.column6
         FROM (VALUES {rows}) AS next CROSS JOIN tower_bearer_sessions AS stored
         WHERE stored.subject_tag = next.column1 AND stored.session_id = next.column2 AND stored.record = next.column7
         ON CONFLICT (subject_tag, session_id) DO UPDATE SET record = excluded.record,
             expires_at = excluded.expires_at, rotated_at = excluded.rotated_at, live = excluded.live
         RETURNING subject_tag, session_id"
    )
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

/// Moves as much as possible from the WAL into the file, and waits for no other connection.
pub(super) async fn checkpoint(on: &mut SqliteConnection) -> Result<(), StoreError> {
    let checkpoint = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)");
    run(on, checkpoint).await.map(drop).map_err(failed)
}

/// Runs a statement, and returns how many rows it has changed.
async fn changed<'q>(
    on: &mut SqliteConnection,
    statement: Query<'q, Sqlite, SqliteArguments>,
) -> Result<u64, StoreError> {
    let (_, changed) = run(on, statement).await.map_err(failed)?;
    Ok(changed)
}

/// Runs one statement to its end, the commit included where it is a transaction of its own. Returns its rows, and how
/// many it has changed.
///
/// It does not wait for the end of the driver's stream behind that, which takes another message.
async fn run<'q>(
    on: &mut SqliteConnection,
    statement: Query<'q, Sqlite, SqliteArguments>,
) -> Result<(Vec<SqliteRow>, u64), sqlx::Error> {
    let mut rows = Vec::new();
    let mut parts = on.fetch_many(statement);
    while let Some(part) = parts.try_next().await? {
        match part {
            Either::Right(row) => rows.push(row),
            Either::Left(done) => return Ok((rows, done.rows_affected())),
        }
    }
    Err(sqlx::Error::WorkerCrashed)
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    /// An application may have had the table judged when it was almost empty.
    #[tokio::test]
    async fn each_of_several_sessions_is_found_by_its_key_whatever_the_statistics_say() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        for statement in [
            include_str!("../../schema/sqlite.sql"),
            "INSERT INTO tower_bearer_sessions VALUES (x'00', x'00', x'00', 0, 0, 0); ANALYZE",
        ] {
            let statement = sqlx::raw_sql(statement);
            statement.execute(&mut connection).await.unwrap();
        }
        for sessions in [2, 16] {
            let plan = format!("EXPLAIN QUERY PLAN {}", replacing(sessions));
            let plan = sqlx::query(AssertSqlSafe(plan));
            let plan = plan.fetch_all(&mut connection).await.unwrap();
            let plan: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
            let search = "SEARCH stored USING PRIMARY KEY (subject_tag=? AND session_id=?)";
            assert!(plan.iter().any(|step| step == search), "{plan:?}");
            assert!(
                !plan.iter().any(|step| step.contains("SCAN stored")),
                "{plan:?}"
            );
        }
    }
}
