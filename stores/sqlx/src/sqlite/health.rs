//! The state of a database.

use std::time::Duration;

use sqlx::SqliteConnection;
use tokio::time::Instant;
use tower_bearer::{
    Timestamp,
    store::{StoreError, StoreErrorKind},
};

use super::{SqliteStore, fault::failed, file, schema};

/// The findings of [`SqliteStore::health`].
///
/// ```
/// use tower_bearer_sqlx::SqliteStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// let store = SqliteStore::open("sessions.db").await?;
/// let health = store.health().await?;
/// println!("SQLite {} answers within {:?}", health.version(), health.round_trip());
/// for warning in health.warnings() {
///     eprintln!("WARNING: {warning}");
/// }
/// # store.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteHealth {
    now: Timestamp,
    round_trip: Duration,
    version: String,
    schema_version: Option<i64>,
    journal_mode: String,
    /// As SQLite counts it: 2 is `FULL`, 3 is `EXTRA`.
    synchronous: i64,
    /// Milliseconds that a connection waits for the lock of another one.
    busy_timeout: i64,
    /// Why it takes no writes.
    refusal: Option<String>,
    readable_by_others: bool,
}

const FULL: i64 = 2;

impl SqliteStore {
    /// Asks the database whether it will do: at the start, or when an operator wants to know.
    ///
    /// It waits for the lock for writing, writes a page, and rolls that back. The disk's own room is the system's to
    /// tell.
    ///
    /// # Errors
    ///
    /// When the database does not answer in time, or is none.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped leaves nothing.
    pub async fn health(&self) -> Result<SqliteHealth, StoreError> {
        self.within(health(self)).await
    }
}

async fn health(store: &SqliteStore) -> Result<SqliteHealth, StoreError> {
    let begun = Instant::now();
    let refusal = try_to_write(store).await?;
    let round_trip = begun.elapsed();
    let mut writer = store.writer().await?;
    let on = writer.connection()?;
    let options = store.0.pool.connect_options();
    let health = SqliteHealth {
        now: store.now(),
        round_trip,
        version: ask(on, "SELECT sqlite_version()").await?,
        schema_version: schema::version(on).await?,
        journal_mode: ask(on, "PRAGMA journal_mode").await?,
        synchronous: ask(on, "PRAGMA synchronous").await?,
        busy_timeout: ask(on, "PRAGMA busy_timeout").await?,
        refusal,
        readable_by_others: file::is_readable_by_others(options.get_filename()).await,
    };
    writer.done();
    Ok(health)
}

/// Takes the lock for writing, and a page.
async fn try_to_write(store: &SqliteStore) -> Result<Option<String>, StoreError> {
    let mut writer = store.writer().await?;
    let tx = writer.begin().await?;
    // A table needs a page of its own, where an update might do with what is there.
    let table = sqlx::raw_sql("CREATE TABLE tower_bearer_health (page)");
    let written = table.execute(&mut *tx).await.map_err(failed);
    match written {
        Ok(_) => Ok(None),
        Err(error) if error.kind() == StoreErrorKind::Refused => {
            Ok(std::error::Error::source(&error).map(ToString::to_string))
        }
        Err(error) => Err(error),
    }
}

async fn ask<T>(on: &mut SqliteConnection, question: &'static str) -> Result<T, StoreError>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + Unpin,
{
    let answer = sqlx::query_scalar(question).fetch_one(on).await;
    answer.map_err(failed)
}

impl SqliteHealth {
    /// Returns the store's time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns how long it took to get the lock for writing and to write a page.
    pub fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// Returns the version of SQLite.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the version of the tables. None: there are none.
    pub fn schema_version(&self) -> Option<i64> {
        self.schema_version
    }

    /// Returns the journal mode, `wal` where [`open`](SqliteStore::open) made the connections.
    pub fn journal_mode(&self) -> &str {
        &self.journal_mode
    }

    /// Says whether the database takes writes.
    pub fn is_writable(&self) -> bool {
        self.refusal.is_none()
    }

    /// Returns the changes that the operator of the service should make, in sentences. Empty when all is well.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(refusal) = &self.refusal {
            warnings.push(format!(
                "the database takes no writes, so no user can sign in: {refusal}"
            ));
        }
        if self.schema_version.is_none() {
            warnings.push(
                "the tables are missing, so no user can sign in: call SqliteStore::migrate, or run schema/sqlite.sql of \
                 tower-bearer-sqlx"
                    .into(),
            );
        }
        match self.journal_mode.as_str() {
            "wal" => {}
            "memory" | "off" => warnings.push(
                "the database is in memory or keeps no journal. A crash loses sessions or damages the file: give \
                 the pool a file and journal_mode(Wal)"
                    .into(),
            ),
            mode => warnings.push(format!(
                "the journal mode is {mode}: requests wait for each write of another one; give the pool \
                 journal_mode(Wal)"
            )),
        }
        if self.synchronous < FULL {
            warnings.push(
                "a commit may be lost when the power fails. A session that was signed out is back, and a browser \
                 may hold a newer token than the store. Give the pool synchronous(Full)"
                    .into(),
            );
        }
        if self.busy_timeout == 0 {
            warnings.push(
                "a write that meets another one fails at once; give the pool a busy_timeout of a second".into(),
            );
        }
        if self.readable_by_others {
            warnings.push(
                "other users of this machine may open the file, which names subjects in clear. Run `chmod 600` on \
                 it and the two files beside it"
                    .into(),
            );
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> SqliteHealth {
        SqliteHealth {
            now: Timestamp::from_secs(1_800_000_000),
            round_trip: Duration::from_millis(1),
            version: "3.50.0".into(),
            schema_version: Some(1),
            journal_mode: "wal".into(),
            synchronous: FULL,
            busy_timeout: 1750,
            refusal: None,
            readable_by_others: false,
        }
    }

    #[test]
    fn each_setting_that_should_be_changed_is_named_with_its_cure() {
        assert!(good().warnings().is_empty(), "{:?}", good().warnings());
        type Change = fn(&mut SqliteHealth);
        let cases: [(Change, &str); 7] = [
            (|health| health.refusal = Some("no room".into()), "no room"),
            (|health| health.schema_version = None, "migrate"),
            (|health| health.journal_mode = "delete".into(), "Wal"),
            (|health| health.journal_mode = "memory".into(), "a file"),
            (|health| health.synchronous = 1, "synchronous(Full)"),
            (|health| health.busy_timeout = 0, "busy_timeout"),
            (|health| health.readable_by_others = true, "chmod 600"),
        ];
        for (change, cure) in cases {
            let mut health = good();
            change(&mut health);
            let warnings = health.warnings();
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].contains(cure), "{warnings:?}");
        }
        let mut health = good();
        health.refusal = Some("no room".into());
        assert!(good().is_writable() && !health.is_writable());
    }
}
