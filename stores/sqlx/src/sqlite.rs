//! Sessions in one file, for the processes of one machine.

mod builder;
mod connections;
mod everything;
mod fault;
mod file;
mod health;
mod lease;
mod purge;
mod revoke_in;
mod schema;
mod statements;
mod store;
mod swaps;

pub use builder::SqliteStoreBuilder;
pub use health::SqliteHealth;

use std::{fmt, future::Future, path::Path, sync::Arc, time::Duration};

use sqlx::{SqliteConnection, SqlitePool};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout},
};
use tower_bearer::{Clock, EventSink, Timestamp, store::StoreError};

use self::{connections::Connections, fault::failed, lease::Lease, swaps::Queue};
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
    connections: Connections,
    /// The application's, or one for it over the store's own file.
    pool: SqlitePool,
    /// SQLite has one writer at a time. Those of this process wait in line here, and not for its lock, which serves
    /// in no order.
    line: Semaphore,
    swaps: Queue,
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
    /// [`Refused`](tower_bearer::store::StoreErrorKind::Refused) when the file may not be written, or when the disk is
    /// full. Also when a newer release has made the tables. [`Corrupt`](tower_bearer::store::StoreErrorKind::Corrupt)
    /// when it is no database. [`Unavailable`](tower_bearer::store::StoreErrorKind::Unavailable) otherwise. The error's
    /// source names the cure.
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

    /// Returns a pool for tables of the application's own in the same file. It is the one that the application gave, or
    /// one over the file that [`open`](Self::open) opened. The latter has as many connections as read sessions. The
    /// store's own connections are beside that one.
    ///
    /// Transactions of it may carry [`revoke_in`](crate::RevokeIn::revoke_in).
    ///
    /// For `sqlx::query`, run `cargo add sqlx@0.9 --no-default-features --features runtime-tokio,sqlite-bundled`.
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
        &self.0.pool
    }

    /// Closes the store: every call then answers
    /// [`Unavailable`](tower_bearer::store::StoreErrorKind::Unavailable), and
    /// [`purge_every`](Self::purge_every) ends. A pool that the application gave stays open.
    ///
    /// After [`open`](Self::open) it waits for the calls that are under way. It also waits until the application has
    /// returned the connections that it took from [`pool`](Self::pool). The last process to close a file takes the two
    /// beside it away. A process that ends without this call loses nothing. Call it last, after
    /// [`drain`](tower_bearer::RefreshCookieLayer::drain).
    ///
    /// Over a pool that the application gave it waits for nothing. Calls that have begun go on.
    ///
    /// # Cancel safety
    ///
    /// The store is closed once this is polled, whether or not it is waited for.
    pub async fn close(&self) {
        self.0.line.close();
        if self.is_own() {
            self.0.connections.close().await;
            self.0.pool.close().await;
        }
    }

    /// Whether the connections are this store's, to close.
    fn is_own(&self) -> bool {
        matches!(self.0.connections, Connections::Own { .. })
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Returns when the time of a call is up that begins now.
    fn deadline(&self) -> Instant {
        Instant::now() + self.0.timeout
    }

    /// Returns how long SQLite itself waits for the lock in a call with this time limit. It is for connections of the
    /// store's own. A statement that begins in the first eighth of it ends in time.
    fn patience(timeout: Duration) -> Duration {
        timeout - timeout / 8
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
            let done = timeout(self.0.timeout, call).await;
            let done = done.map_err(|_| self.late())?;
            done.inspect_err(|error| tell(&self.0.events, error))
        }
    }

    fn late(&self) -> StoreError {
        Fault::new(format!(
            "no answer within {:?}. Another process or a transaction of the application holds the lock for \
             writing. Or every connection is in use, or the disk is slow",
            self.0.timeout
        ))
        .unavailable()
    }

    /// Waits for a connection that reads.
    async fn reader(&self) -> Result<Lease, StoreError> {
        self.0.connections.reader().await
    }

    /// Waits for the turn to write, and for a connection.
    async fn writer(&self) -> Result<Writer<'_>, StoreError> {
        let turn = self.turn().await?;
        self.writer_in(turn).await
    }

    /// Waits for the turn to write.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        let turn = self.0.line.acquire().await;
        turn.map_err(|_| failed(sqlx::Error::PoolClosed))
    }

    /// Waits for a connection that writes, in this turn.
    async fn writer_in<'a>(&'a self, turn: SemaphorePermit<'a>) -> Result<Writer<'a>, StoreError> {
        Ok(Writer {
            lease: self.0.connections.writer().await?,
            _turn: turn,
        })
    }
}

/// A connection that writes. A single statement on it is a transaction.
struct Writer<'a> {
    lease: Lease,
    /// Goes on to the next one after the connection is free.
    _turn: SemaphorePermit<'a>,
}

impl Writer<'_> {
    fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.lease.connection()
    }

    /// The last statement was answered, and no transaction is open.
    fn done(self) {
        self.lease.done();
    }

    /// Begins a transaction that holds the lock for writing from its beginning. One that began by reading and then
    /// wrote would decide by what another one has changed since. Where the writer is dropped, it is rolled back.
    async fn begin(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let connection = self.connection()?;
        let begin = sqlx::query("BEGIN IMMEDIATE");
        begin.execute(&mut *connection).await.map_err(failed)?;
        Ok(connection)
    }

    /// Commits the transaction, and gives the connection back.
    async fn commit(mut self) -> Result<(), StoreError> {
        let commit = sqlx::query("COMMIT").execute(self.connection()?);
        commit.await.map_err(failed)?;
        self.done();
        Ok(())
    }
}

impl From<SqlitePool> for SqliteStore {
    /// Builds a store with every default over the application's own pool, so that both are in one database. It makes no
    /// tables: call [`migrate`](Self::migrate).
    ///
    /// The pool wants `journal_mode(Wal)`, `synchronous(Full)` and a `busy_timeout`; [`health`](Self::health) says
    /// where one is missing.
    fn from(pool: SqlitePool) -> Self {
        Self::builder().build(Connections::Shared(pool.clone()), pool)
    }
}

/// The path alone: nothing in it is a secret.
impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared {
            connections: _,
            pool,
            line: _,
            swaps: _,
            timeout,
            clock: _,
            events,
        } = &*self.0;
        f.debug_struct("SqliteStore")
            .field("file", &pool.connect_options().get_filename())
            .field("is_own", &self.is_own())
            .field("timeout", timeout)
            .field("events", events)
            .finish_non_exhaustive()
    }
}
