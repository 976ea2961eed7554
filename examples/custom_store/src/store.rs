//! Sessions in SQLite: durable, for the processes of one machine.

use std::{path::Path, time::Duration};

use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::sleep;
use tower_bearer::{
    Clock, SessionId, SystemClock, Timestamp,
    store::{
        self, Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, StoreError,
        StoreErrorKind, SubjectTag, Swap,
    },
};

/// One row a session, with those of a subject side by side, since three operations are about all of them.
/// Both names are of fixed length and say nothing; the record is compared and replaced as a whole.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS sessions (
        subject    BLOB    NOT NULL,
        id         BLOB    NOT NULL,
        record     BLOB    NOT NULL,
        expires_at INTEGER NOT NULL, -- milliseconds since 1970
        PRIMARY KEY (subject, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires_at);
";

/// How long anybody waits for a connection, and a connection for the lock of another process. A user who
/// has waited this long is better served by a 503.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sessions in one file, which any number of processes of this machine may open.
///
/// Their clock is the store's, as they all have the same one. Over a network file system SQLite cannot
/// lock: several machines want `RedisStore`, or this store over a database with a server.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    /// One connection: SQLite has one writer at a time, and whoever waits does so here, in line.
    writer: SqlitePool,
    /// In WAL mode readers neither wait for the writer nor see less than it has committed.
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, or creates it for this user alone: it holds the names of subjects in clear.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let mut file = tokio::fs::OpenOptions::new();
        file.create(true).append(true);
        // The two files that SQLite puts beside it get the same mode.
        #[cfg(unix)]
        file.mode(0o600);
        file.open(&path).await.map_err(StoreError::unavailable)?;

        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // What was answered has reached the disk. `NORMAL`, which is often advised for WAL, may lose
            // the last commits when the power fails: a session that was signed out would be back, and a
            // browser would hold a newer token than the store.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(PATIENCE)
                .connect_lazy_with(options.clone())
        };
        let store = Self {
            writer: pool(1),
            readers: pool(4),
        };
        // Whoever opens a new file switches it to WAL, and for that moment SQLite lets nobody wait.
        for tries in (0..20).rev() {
            match sqlx::raw_sql(SCHEMA).execute(&store.writer).await {
                Ok(_) => break,
                Err(error) if code(&error) == BUSY && tries > 0 => sleep(PATIENCE / 20).await,
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(store)
    }

    /// A transaction that holds the lock for writing from its beginning. One that began by reading and
    /// then wrote would decide by what another one has changed since. Dropped, it is rolled back.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await;
        transaction.map_err(failed)
    }
}

/// A future that is dropped leaves no half: each operation is one statement or one transaction.
impl RefreshStore for SqliteStore {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        let key = record.key();
        let (subject, id) = (key.subject(), key.id());
        let mut tx = self.write().await?;
        if let Some(stored) = find(&mut *tx, &record.key()).await? {
            return match stored == *record {
                true => Ok(Inserted::new(vec![])),
                false => Err(StoreError::unavailable("the session id is taken")),
            };
        }
        // Each sign-in clears some away that have expired: what makes the table grow keeps it small, and there is never
        // much to do at once.
        let now = SystemClock.now();
        sqlx::query(
            "DELETE FROM sessions WHERE (subject, id) IN
                (SELECT subject, id FROM sessions WHERE expires_at <= ? LIMIT 100)",
        )
        .bind(millis(now))
        .execute(&mut *tx)
        .await
        .map_err(failed)?;

        let before = unexpired(&mut *tx, subject, now).await?;
        let mut after = before.clone();
        // The crate's own rules: the limit, and which ended sessions stay to be recognised.
        let dropped = store::admit(&mut after, record, limit, now)?;
        for session in &before {
            if !after.iter().any(|kept| kept.id() == session.id()) {
                delete(&mut tx, &session.key()).await?;
            }
        }
        for session in after.iter().filter(|session| *session != record) {
            if !before.contains(session) {
                put(&mut tx, session).await?;
            }
        }
        sqlx::query("INSERT INTO sessions (subject, id, record, expires_at) VALUES (?, ?, ?, ?)")
            .bind(subject.as_bytes().as_slice())
            .bind(id.as_bytes().as_slice())
            .bind(record.encode())
            .bind(millis(record.expires_at()))
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(Inserted::new(dropped))
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        let record = find(&self.readers, key).await?;
        let now = SystemClock.now();
        Ok(Loaded::new(record, now))
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let mut tx = self.write().await?;
        let found = find(&mut *tx, &current.key()).await?;
        // The second of two applications finds the work of the first.
        if found.as_ref() == Some(next) {
            return Ok(Swap::Applied);
        }
        // Compares records and not their bytes: an earlier release may have written them in another layout. A
        // record never moves: at another address it would be another session.
        if found.as_ref() != Some(current) || next.key() != current.key() {
            return Ok(Swap::Conflict(Loaded::new(found, SystemClock.now())));
        }
        put(&mut tx, next).await?;
        tx.commit().await.map_err(failed)?;
        Ok(Swap::Applied)
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        unexpired(&self.readers, subject, SystemClock.now()).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut tx = self.write().await?;
        let now = SystemClock.now();
        let mut sessions = unexpired(&mut *tx, subject, now).await?;
        let revoked = store::revoke_all(&mut sessions, keep, now);
        for session in sessions.iter().filter(|s| revoked.contains(&s.id())) {
            put(&mut tx, session).await?;
        }
        tx.commit().await.map_err(failed)?;
        Ok(revoked)
    }
}

async fn find(
    on: impl sqlx::SqliteExecutor<'_>,
    key: &SessionKey,
) -> Result<Option<SessionRecord>, StoreError> {
    let record: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT record FROM sessions WHERE subject = ? AND id = ?")
            .bind(key.subject().as_bytes().as_slice())
            .bind(key.id().as_bytes().as_slice())
            .fetch_optional(on)
            .await
            .map_err(failed)?;
    Ok(record
        .map(|bytes| SessionRecord::decode(&bytes))
        .transpose()?)
}

async fn unexpired(
    on: impl sqlx::SqliteExecutor<'_>,
    subject: &SubjectTag,
    now: Timestamp,
) -> Result<Vec<SessionRecord>, StoreError> {
    let records: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT record FROM sessions WHERE subject = ? AND expires_at > ?")
            .bind(subject.as_bytes().as_slice())
            .bind(millis(now))
            .fetch_all(on)
            .await
            .map_err(failed)?;
    records
        .iter()
        .map(|bytes| Ok(SessionRecord::decode(bytes)?))
        .collect()
}

/// Writes a session that is there already.
async fn put(tx: &mut Transaction<'_, Sqlite>, record: &SessionRecord) -> Result<(), StoreError> {
    let key = record.key();
    let (subject, id) = (key.subject(), key.id());
    sqlx::query("UPDATE sessions SET record = ?, expires_at = ? WHERE subject = ? AND id = ?")
        .bind(record.encode())
        .bind(millis(record.expires_at()))
        .bind(subject.as_bytes().as_slice())
        .bind(id.as_bytes().as_slice())
        .execute(&mut **tx)
        .await
        .map(drop)
        .map_err(failed)
}

async fn delete(tx: &mut Transaction<'_, Sqlite>, key: &SessionKey) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE subject = ? AND id = ?")
        .bind(key.subject().as_bytes().as_slice())
        .bind(key.id().as_bytes().as_slice())
        .execute(&mut **tx)
        .await
        .map(drop)
        .map_err(failed)
}

/// SQLite has no unsigned integers.
fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

const BUSY: u32 = 5;
const READ_ONLY: u32 = 8;
const DAMAGED: u32 = 11;
const DISK_FULL: u32 = 13;
const NO_DATABASE: u32 = 26;

/// What SQLite calls it. The lower byte is the kind of failure, what is above it says more about it.
fn code(error: &sqlx::Error) -> u32 {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse().ok()).unwrap_or(0) & 0xff
}

/// The kind tells an operator whether it passes by itself.
fn failed(error: sqlx::Error) -> StoreError {
    match code(&error) {
        READ_ONLY | DISK_FULL => StoreError::new(StoreErrorKind::Refused, error),
        DAMAGED | NO_DATABASE => StoreError::new(StoreErrorKind::Corrupt, error),
        _ => StoreError::unavailable(error),
    }
}
