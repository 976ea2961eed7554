//! Where connections come from: the store's own, or a pool of the application's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::{Connection, Error, SqliteConnection, SqlitePool, sqlite::SqliteConnectOptions};
use tokio::sync::Semaphore;
use tower_bearer::store::StoreError;

use super::{
    fault::failed,
    lease::{Held, Lease, tidy},
};

pub(super) enum Connections {
    Own {
        /// One: SQLite has one writer at a time.
        writer: Arc<Own>,
        /// In WAL mode readers neither wait for the writer nor see less than it has committed.
        readers: Arc<Own>,
        /// It moves nothing from the WAL into the file by itself at a commit, while it may write.
        purger: Arc<Own>,
    },
    /// The application's, for both.
    Shared(SqlitePool),
}

/// Connections to the store's own file, opened when they are needed.
///
/// sqlx's pool asks each connection that comes back whether it still works. That is a message to the thread of the
/// connection and back, as the statement itself is. A file does not disconnect, so the question only costs time.
pub(super) struct Own {
    options: SqliteConnectOptions,
    most: u32,
    room: Arc<Semaphore>,
    idle: Mutex<Vec<SqliteConnection>>,
}

impl Connections {
    pub(super) fn own(options: SqliteConnectOptions, readers: u32) -> Self {
        Self::Own {
            writer: Own::new(options.clone(), 1),
            purger: Own::new(options.clone().pragma("wal_autocheckpoint", "0"), 1),
            readers: Own::new(options, readers),
        }
    }

    /// Waits for a connection that writes. The caller has the turn to write.
    pub(super) async fn writer(&self) -> Result<Lease, StoreError> {
        match self {
            Self::Own { writer, .. } => writer.lease().await,
            Self::Shared(pool) => shared(pool).await,
        }
    }

    /// Waits for a connection that reads.
    pub(super) async fn reader(&self) -> Result<Lease, StoreError> {
        match self {
            Self::Own { readers, .. } => readers.lease().await,
            Self::Shared(pool) => shared(pool).await,
        }
    }

    /// Waits for the connection that purges. The caller has the turn to write.
    pub(super) async fn purger(&self) -> Result<Lease, StoreError> {
        match self {
            Self::Own { purger, .. } => purger.lease().await,
            Self::Shared(pool) => shared(pool).await,
        }
    }

    /// Closes those of the store's own, once the calls that are under way have ended.
    pub(super) async fn close(&self) {
        if let Self::Own {
            writer,
            readers,
            purger,
        } = self
        {
            writer.close().await;
            purger.close().await;
            readers.close().await;
        }
    }
}

async fn shared(pool: &SqlitePool) -> Result<Lease, StoreError> {
    loop {
        let mut connection = pool.acquire().await.map_err(failed)?;
        // The application may have left a transaction open. The driver does not count one that was begun by hand.
        if let Err(error) = tidy(&mut connection).await {
            drop(connection.detach());
            return Err(failed(error));
        }
        // SQLite has ended the application's transaction, or `tidy` has, and the driver counts on.
        // A database in memory would go with its connection.
        if connection.is_in_transaction() && is_a_file(&mut connection).await.map_err(failed)? {
            connection.close().await.map_err(failed)?;
            continue;
        }
        return Ok(Lease::new(Held::Shared(connection)));
    }
}

async fn is_a_file(connection: &mut SqliteConnection) -> Result<bool, Error> {
    sqlx::query_scalar("SELECT file <> '' FROM pragma_database_list WHERE name = 'main'")
        .fetch_one(connection)
        .await
}

impl Own {
    fn new(options: SqliteConnectOptions, most: u32) -> Arc<Self> {
        let room = usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            options,
            most,
            room: Arc::new(Semaphore::new(room)),
            idle: Mutex::default(),
        })
    }

    async fn lease(self: &Arc<Self>) -> Result<Lease, StoreError> {
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.map_err(|_| failed(Error::PoolClosed))?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => SqliteConnection::connect_with(&self.options)
                .await
                .map_err(failed)?,
        };
        Ok(Lease::new(Held::Own {
            connection,
            home: Arc::clone(self),
            room,
        }))
    }

    /// Takes a connection back that is in order.
    pub(super) fn keep(&self, connection: SqliteConnection) {
        if !self.room.is_closed() {
            self.idle().push(connection);
        }
    }

    /// Lends no more, once every connection on loan is back.
    async fn close(&self) {
        let all = self.room.acquire_many(self.most).await;
        self.room.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            // The file is whole either way.
            let _ = connection.close().await;
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        // Its content is whole whenever the lock is free.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
