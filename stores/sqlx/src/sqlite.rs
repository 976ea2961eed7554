//! Sessions in one file, for the processes of one machine.

mod builder;
mod everything;
mod fault;
mod file;
mod health;
mod purge;
mod revoke_in;
mod schema;
mod statements;
mod store;

pub use builder::SqliteStoreBuilder;
pub use health::SqliteHealth;

use std::{fmt, future::Future, path::Path, sync::Arc, time::Duration};

use sqlx::{Connection, Sqlite, SqlitePool, Transaction, pool::PoolConnection};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use tower_bearer::{Clock, EventSink, Timestamp, store::StoreError};

use self::fault::failed;
use crate::fault::{Fault, tell};

/// Sessions in an SQLite file. They outlive the process, and any number of processes of one machine share them.
///
/// Clones share the connections. The store's clock is that of the machine, which all its processes have in common.
/// Several machines want `PostgresStore` or `RedisStore`: over a network file system SQLite cannot lock.
///
/// A write that was answered has reached the disk, where [`open`](Self::open) made the connections. The file belongs to
/// this user alone, since records hold the names of subjects in clear. Each sign-in deletes some rows that have
/// expired; [`purge`](Self::purge) deletes all of them.
///
/// # Cancel safety
///
/// Each operation is one statement or one transaction: a future that is dropped leaves no half.
///
/// # Example
///
/// ```
/// use tower_bearer_sqlx::SqliteStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// let store = SqliteStore::open("sessions.db").await?;
/// for warning in store.health().await?.warnings() {
///     eprintln!("WARNING: {warning}");
/// }
/// # store.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore(Arc<Shared>);

struct Shared {
    /// One connection, or the application's own.
    writer: SqlitePool,
    /// In WAL mode readers neither wait for the writer nor see less than it has committed.
    readers: SqlitePool,
    /// Whether the pools are this store's, to close.
    is_own: bool,
    /// SQLite has one writer at a time. Those of this process wait in line here, and not for its lock, which serves
    /// in no order.
    line: Semaphore,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    events: EventSink,
}

impl SqliteStore {
    /// Opens the file at `path` with every default, creates it where there is none, and makes the tables.
    ///
    /// A new file has mode 0600. It is in WAL mode, with two files of SQLite's beside it.
    ///
    /// ```
    /// use tower_bearer_sqlx::SqliteStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # std::env::set_current_dir(&folder)?;
    /// let store = SqliteStore::open("sessions.db").await?;
    /// # store.close().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`](tower_bearer::store::StoreErrorKind::Refused) when the file may not be written, when the disk is
    /// full, or when a newer release has made the tables;
    /// [`Corrupt`](tower_bearer::store::StoreErrorKind::Corrupt) when it is no database;
    /// [`Unavailable`](tower_bearer::store::StoreErrorKind::Unavailable) otherwise. The error's source names the cure.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped may leave a file, with all tables or with none. The next call goes on from there.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::builder().open(path).await
    }

    /// Starts with every default.
    pub fn builder() -> SqliteStoreBuilder {
        SqliteStoreBuilder::default()
    }

    /// Returns the pool that reads: for tables of the application's own in the same file. It has few connections, and
    /// each load of a session needs one: keep transactions on it short, or open a pool of your own.
    ///
    /// Transactions of it may carry [`revoke_in`](crate::RevokeIn::revoke_in).
    ///
    /// ```
    /// use tower_bearer_sqlx::SqliteStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # std::env::set_current_dir(&folder)?;
    /// let store = SqliteStore::open("app.db").await?;
    /// sqlx::query("CREATE TABLE users (id TEXT PRIMARY KEY, password TEXT NOT NULL) STRICT")
    ///     .execute(store.pool())
    ///     .await?;
    /// # store.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pool(&self) -> &SqlitePool {
        &self.0.readers
    }

    /// Closes the store: every call then answers
    /// [`Unavailable`](tower_bearer::store::StoreErrorKind::Unavailable), and
    /// [`purge_every`](Self::purge_every) ends. A pool that the application gave stays open.
    ///
    /// It waits for the calls that are under way. The last process to close a file takes the two beside it away. A
    /// process that just ends loses nothing.
    ///
    /// # Cancel safety
    ///
    /// The store is closed once this is polled, whether or not it is waited for.
    pub async fn close(&self) {
        self.0.line.close();
        if self.0.is_own {
            self.0.writer.close().await;
            self.0.readers.close().await;
        }
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Bounds a call as a whole: the line, a connection, the lock and the disk.
    ///
    /// The driver's futures go on the heap, so that those of the callers stay small.
    fn within<'a, T: Send + 'a>(
        &'a self,
        call: impl Future<Output = Result<T, StoreError>> + Send + 'a,
    ) -> impl Future<Output = Result<T, StoreError>> + Send + 'a {
        let call = Box::pin(call);
        async move {
            if self.0.line.is_closed() {
                return Err(failed(sqlx::Error::PoolClosed));
            }
            let limit = self.0.timeout;
            let late = |_| {
                Fault::new(format!(
                    "no answer within {limit:?}: another process or a transaction of the application holds the lock \
                     for writing, every connection is in use, or the disk is slow"
                ))
                .unavailable()
            };
            let done = timeout(limit, call).await.map_err(late)?;
            done.inspect_err(|error| tell(&self.0.events, error))
        }
    }

    /// Waits for a connection that reads.
    async fn reader(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        connection(&self.0.readers).await
    }

    /// Waits for the turn to write, and for a connection.
    async fn writer(&self) -> Result<Writer<'_>, StoreError> {
        let turn = self.0.line.acquire().await;
        let turn = turn.map_err(|_| failed(sqlx::Error::PoolClosed))?;
        Ok(Writer {
            connection: connection(&self.0.writer).await?,
            _turn: turn,
        })
    }
}

async fn connection(pool: &SqlitePool) -> Result<PoolConnection<Sqlite>, StoreError> {
    loop {
        let connection = pool.acquire().await.map_err(failed)?;
        // SQLite ends some transactions by itself, as when there is no room. The driver does not count that, and would
        // begin no other one on that connection.
        if !connection.is_in_transaction() {
            return Ok(connection);
        }
        connection.close().await.map_err(failed)?;
    }
}

/// A connection that writes. A single statement on it is a transaction.
struct Writer<'a> {
    connection: PoolConnection<Sqlite>,
    /// Goes on to the next one after the connection is free.
    _turn: SemaphorePermit<'a>,
}

impl Writer<'_> {
    /// Begins a transaction that holds the lock for writing from its beginning. One that began by reading and then
    /// wrote would decide by what another one has changed since. Dropped, it is rolled back.
    async fn begin(&mut self) -> Result<Transaction<'_, Sqlite>, StoreError> {
        let tx = self.connection.begin_with("BEGIN IMMEDIATE").await;
        tx.map_err(failed)
    }
}

async fn commit(tx: Transaction<'_, Sqlite>) -> Result<(), StoreError> {
    tx.commit().await.map_err(failed)
}

impl From<SqlitePool> for SqliteStore {
    /// Builds a store with every default over the application's own pool, so that both are in one database. It makes no
    /// tables: call [`migrate`](Self::migrate).
    ///
    /// The pool wants `journal_mode(Wal)`, `synchronous(Full)` and a `busy_timeout`; [`health`](Self::health) says
    /// where one is missing.
    fn from(pool: SqlitePool) -> Self {
        Self::builder().build(pool.clone(), pool, false)
    }
}

/// The path alone: nothing in it is a secret.
impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared {
            writer,
            readers: _,
            is_own,
            line: _,
            timeout,
            clock: _,
            events,
        } = &*self.0;
        f.debug_struct("SqliteStore")
            .field("file", &writer.connect_options().get_filename())
            .field("is_own", is_own)
            .field("timeout", timeout)
            .field("events", events)
            .finish_non_exhaustive()
    }
}
