//! The settings of a store.

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Semaphore;
use tower_bearer::{Clock, EventSink, SystemClock, store::StoreError};

use super::{Shared, SqliteStore, connections::Connections, file, swaps::Queue};
use crate::fault::Fault;

/// A user who has waited this long is better served by a 503.
const TIMEOUT: Duration = Duration::from_secs(2);
const READERS: u32 = 4;
/// SQLite counts the milliseconds of its own waiting in 31 bits.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);

/// Builds a [`SqliteStore`].
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::EventSink;
/// use tower_bearer_sqlx::SqliteStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// let store = SqliteStore::builder()
///     .timeout(Duration::from_millis(500))
///     .events(EventSink::new(|event| eprintln!("{}", event.name())))
///     .open("sessions.db")
///     .await?;
/// # store.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteStoreBuilder {
    timeout: Duration,
    readers: u32,
    clock: Arc<dyn Clock>,
    events: EventSink,
}

impl Default for SqliteStoreBuilder {
    fn default() -> Self {
        Self {
            timeout: TIMEOUT,
            readers: READERS,
            clock: Arc::new(SystemClock),
            events: EventSink::default(),
        }
    }
}

impl SqliteStoreBuilder {
    /// Sets how long one call may take as a whole. Default 2 s. The line of those who write, a connection, the lock of
    /// another process and the disk are all within it. From 1 ms to an hour.
    pub fn timeout(mut self, at_most: Duration) -> Self {
        self.timeout = at_most;
        self
    }

    /// Sets how many connections read at one time, at least 1. Default 4. One more writes, and one more purges. The pool of
    /// [`SqliteStore::pool`] has as many again as read, opened when the application needs them.
    pub fn readers(mut self, connections: u32) -> Self {
        self.readers = connections;
        self
    }

    /// Sets the event sink. It gets [`StoreFailed`](tower_bearer::Event::StoreFailed) where the database refuses, also in
    /// [`purge_every`](SqliteStore::purge_every). Default: none.
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }

    /// Sets the clock that sessions are judged by. Default [`SystemClock`].
    ///
    /// It is for tests. All processes over one file have to agree on the time.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens the file at `path`, as [`SqliteStore::open`] does.
    ///
    /// # Errors
    ///
    /// Those of [`SqliteStore::open`], and [`Refused`](tower_bearer::store::StoreErrorKind::Refused) for a setting that
    /// cannot be used.
    ///
    /// # Cancel safety
    ///
    /// That of [`SqliteStore::open`].
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        self.check()?;
        let path = file::create(path.as_ref()).await?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            // A write that was answered has reached the disk. `NORMAL`, which is often advised for WAL, may lose the last
            // commits when the power fails. A session that was signed out would be back, and a browser would hold a
            // newer token than the store.
            .synchronous(SqliteSynchronous::Full)
            // Before the call as a whole is given up, so that the error says that it was the lock.
            .busy_timeout(SqliteStore::patience(self.timeout));
        let pool = SqlitePoolOptions::new()
            .max_connections(self.readers)
            .acquire_timeout(self.timeout)
            // A file does not disconnect.
            .test_before_acquire(false)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_lazy_with(options.clone());
        let store = {
            let connections = Connections::own(options, self.readers);
            self.build(connections, pool)
        };
        store.switch_to_wal().await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Builds a store over the application's own `pool`, so that both are in one database. It makes no tables: call
    /// [`migrate`](SqliteStore::migrate). How many connections there are is the pool's own setting.
    ///
    /// Each call first rolls back a transaction that the application left open on its connection. An example is a
    /// `BEGIN` by hand. The call would else be part of that transaction.
    ///
    /// # Errors
    ///
    /// [`Refused`](tower_bearer::store::StoreErrorKind::Refused) for a setting that cannot be used.
    ///
    /// # Example
    ///
    /// ```
    /// use sqlx::{
    ///     SqlitePool,
    ///     sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    /// };
    /// use tower_bearer_sqlx::SqliteStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # std::env::set_current_dir(&folder)?;
    /// let options = SqliteConnectOptions::new()
    ///     .filename("app.db")
    ///     .create_if_missing(true)
    ///     .journal_mode(SqliteJournalMode::Wal)
    ///     .synchronous(SqliteSynchronous::Full);
    /// let pool = SqlitePool::connect_with(options).await?;
    /// let store = SqliteStore::builder().share(pool.clone())?;
    /// store.migrate().await?;
    /// # store.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn share(self, pool: SqlitePool) -> Result<SqliteStore, StoreError> {
        self.check()?;
        Ok(self.build(Connections::Shared(pool.clone()), pool))
    }

    fn check(&self) -> Result<(), StoreError> {
        let usable = Duration::from_millis(1)..=LONGEST_TIMEOUT;
        let problem = match self {
            Self { timeout, .. } if !usable.contains(timeout) => {
                "timeout: must be from 1 ms to an hour"
            }
            Self { readers: 0, .. } => "readers: must be at least 1, or no session can be read",
            _ => return Ok(()),
        };
        Err(Fault::new(problem).refused())
    }

    pub(super) fn build(self, connections: Connections, pool: SqlitePool) -> SqliteStore {
        let Self {
            timeout,
            readers: _,
            clock,
            events,
        } = self;
        SqliteStore(Arc::new(Shared {
            connections,
            pool,
            line: Semaphore::new(1),
            swaps: Queue::default(),
            timeout,
            clock,
            events,
        }))
    }
}
