//! A connection on loan. It is given back in the state it was taken in.

use std::{mem, sync::Arc};

use sqlx::{Error, Sqlite, SqliteConnection, pool::PoolConnection};
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit};
use tower_bearer::store::StoreError;

use super::{
    connections::Own,
    fault::{failed, is_without_transaction},
};

/// A connection on loan. One that is dropped before it is [`done`](Self::done) may be in the middle of something. It is
/// reset first.
pub(super) struct Lease(Held);

pub(super) enum Held {
    Own {
        connection: SqliteConnection,
        home: Arc<Own>,
        room: OwnedSemaphorePermit,
    },
    Shared(PoolConnection<Sqlite>),
    /// It was given back.
    Gone,
}

impl Lease {
    pub(super) fn new(held: Held) -> Self {
        Self(held)
    }

    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let connection = self.0.connection();
        connection.ok_or_else(|| failed(Error::WorkerCrashed))
    }

    /// The last statement was answered, and no transaction is open.
    pub(super) fn done(mut self) {
        mem::replace(&mut self.0, Held::Gone).give_back();
    }
}

impl Drop for Lease {
    /// A call has failed, its caller has gone, or its time is up.
    fn drop(&mut self) {
        let mut held = mem::replace(&mut self.0, Held::Gone);
        if matches!(held, Held::Gone) {
            return;
        }
        // Without a runtime there is none to tidy up, and a pool's connection would panic.
        let Ok(runtime) = Handle::try_current() else {
            return held.discard();
        };
        drop(runtime.spawn(async move {
            if let Some(connection) = held.connection() {
                match tidy(connection).await {
                    Ok(()) => held.give_back(),
                    Err(_) => held.discard(),
                }
            }
        }));
    }
}

impl Held {
    fn connection(&mut self) -> Option<&mut SqliteConnection> {
        match self {
            Self::Own { connection, .. } => Some(connection),
            Self::Shared(connection) => Some(connection),
            Self::Gone => None,
        }
    }

    fn give_back(self) {
        match self {
            Self::Own {
                connection,
                home,
                room,
            } => {
                home.keep(connection);
                // The call that waits for it finds the connection.
                drop(room);
            }
            Self::Shared(connection) => drop(connection),
            Self::Gone => {}
        }
    }

    /// Closes it.
    fn discard(self) {
        if let Self::Shared(connection) = self {
            drop(connection.detach());
        }
    }
}

/// Waits for the connection's running work, and ends its transaction.
///
/// The driver counts no transaction of ours. SQLite ends some by itself, as when there is no room. A driver that counts
/// on begins no other one on that connection.
pub(super) async fn tidy(connection: &mut SqliteConnection) -> Result<(), Error> {
    match sqlx::query("ROLLBACK").execute(connection).await {
        // There was none, which is as good. Any other error leaves it open.
        Err(error) if !is_without_transaction(&error) => Err(error),
        _ => Ok(()),
    }
}
