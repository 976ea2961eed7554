//! SQLite's names for failures, and the cures.

use sqlx::Error;
use tower_bearer::store::{StoreError, StoreErrorKind};

use crate::fault::Fault;

// <https://www.sqlite.org/rescode.html>
const ERROR: u32 = 1;
const PERMISSION: u32 = 3;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READ_ONLY: u32 = 8;
const DISK_FAILED: u32 = 10;
const DAMAGED: u32 = 11;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const NO_DATABASE: u32 = 26;
/// Another connection has written since this transaction began to read.
const BUSY_SNAPSHOT: u32 = 517;

/// The error of a call: the kind tells an operator whether it passes by itself, the source names the cure.
pub(super) fn failed(error: Error) -> StoreError {
    let kind = match primary(&error) {
        READ_ONLY | FULL => StoreErrorKind::Refused,
        ERROR if is_of_the_schema(&error) => StoreErrorKind::Refused,
        DAMAGED | NO_DATABASE => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    };
    let cure = cure(&error);
    StoreError::new(kind, Fault::from(error, cure))
}

/// Whether another connection is at it, so that a later try may succeed.
pub(super) fn is_busy(error: &Error) -> bool {
    matches!(primary(error), BUSY | LOCKED)
}

/// Whether a `ROLLBACK` says by this that there was nothing to roll back: SQLite has no other code for it.
pub(super) fn is_without_transaction(error: &Error) -> bool {
    code(error) == ERROR
}

fn cure(error: &Error) -> &'static str {
    match error {
        Error::PoolClosed => return "the store is closed",
        Error::PoolTimedOut => {
            return "no connection was free in time: give the pool more of them, or return them sooner";
        }
        _ => {}
    }
    match primary(error) {
        ERROR if is_of_the_schema(error) => {
            "the tables of tower-bearer-sqlx are missing or older than this release: call SqliteStore::migrate, or run \
             its schema/sqlite.sql"
        }
        BUSY if code(error) == BUSY_SNAPSHOT => {
            "the transaction had read before another connection wrote, and cannot write any more. Roll it back, \
             and begin it with `BEGIN IMMEDIATE`"
        }
        BUSY | LOCKED => {
            "another process or a transaction of the application held the lock for writing too long: keep its \
             transactions short"
        }
        PERMISSION | READ_ONLY => {
            "the database cannot be written. Give this user the right to write the file and its folder, and open \
             the pool for writing"
        }
        DISK_FAILED => "the disk failed: look into the system's log",
        DAMAGED => {
            "the database is damaged: stop the processes that use it, and restore the file or recover it with \
             `sqlite3 FILE .recover`"
        }
        FULL => "there is no room: free some on the disk, or raise the pool's max_page_count",
        CANNOT_OPEN => {
            "the file cannot be opened. It and its folder have to exist, and this user needs the right to write \
             both"
        }
        NO_DATABASE => "the file is no SQLite database: give another path, or move the file away",
        _ => "SQLite did not do what it was asked",
    }
}

/// Whether it misses a table or a column of ours.
fn is_of_the_schema(error: &Error) -> bool {
    let message = error.as_database_error().map(|error| error.message());
    message.is_some_and(|message| {
        message.starts_with("no such table: tower_bearer") || message.starts_with("no such column")
    })
}

/// The kind of failure: the lower byte. The bytes above it say more.
fn primary(error: &Error) -> u32 {
    code(error) & 0xff
}

fn code(error: &Error) -> u32 {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, SqliteConnection, raw_sql, sqlite::SqliteConnectOptions};

    use super::*;

    async fn refused(on: &mut SqliteConnection, statement: &'static str) -> Error {
        raw_sql(statement).execute(on).await.unwrap_err()
    }

    #[tokio::test]
    async fn nothing_to_roll_back_is_told_from_what_fails() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("a.db"))
            .create_if_missing(true)
            .busy_timeout(std::time::Duration::ZERO);
        let mut one = SqliteConnection::connect_with(&options).await.unwrap();
        let mut other = SqliteConnection::connect_with(&options).await.unwrap();
        assert!(is_without_transaction(&refused(&mut one, "ROLLBACK").await));
        let begin = raw_sql("BEGIN IMMEDIATE").execute(&mut one);
        begin.await.unwrap();
        let busy = refused(&mut other, "BEGIN IMMEDIATE").await;
        assert!(is_busy(&busy) && !is_without_transaction(&busy));
        assert!(!is_without_transaction(&Error::WorkerCrashed));
    }
}
