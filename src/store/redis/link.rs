//! The connection in use, replaced when it breaks.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwapOption;
use redis::{RedisFuture, Value};
use tokio::{sync::Mutex, time::timeout};

use super::{
    fault::Fault,
    limits::Limits,
    request::Commands,
    source::{Carrier, Source},
};

/// At most one connection, opened when it is first needed and by whoever needs it first.
///
/// The connection manager of the redis crate knows nothing of Sentinel, and keeps a connection on
/// which nothing comes back any more; so this is our own.
pub(super) struct Link {
    source: Source,
    current: ArcSwapOption<Connection>,
    /// Held by who is opening a connection; the others wait for that one.
    opening: Mutex<()>,
    opened: AtomicU64,
}

/// An open connection.
pub(super) struct Connection {
    number: u64,
    carrier: Arc<dyn Carrier>,
}

impl Link {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            current: ArcSwapOption::empty(),
            opening: Mutex::new(()),
            opened: AtomicU64::new(0),
        }
    }

    /// The connection in use, or a new one.
    pub(super) async fn connection(&self, limits: &Limits) -> Result<Arc<Connection>, Fault> {
        match self.current.load_full() {
            Some(connection) => Ok(connection),
            None => timeout(limits.connect * self.source.steps(), self.open(limits))
                .await
                .unwrap_or_else(|_| Err(Fault::silent("no connection within the time-out"))),
        }
    }

    async fn open(&self, limits: &Limits) -> Result<Arc<Connection>, Fault> {
        let _opening = self.opening.lock().await;
        if let Some(connection) = self.current.load_full() {
            return Ok(connection);
        }
        let carrier = self
            .source
            .open(limits)
            .await
            .map_err(Fault::no_connection)?;
        let connection = Arc::new(Connection {
            number: self.opened.fetch_add(1, Ordering::Relaxed),
            carrier,
        });
        self.current.store(Some(connection.clone()));
        Ok(connection)
    }

    /// Opens another connection next time, unless that has happened already. Requests that are under
    /// way on this one may still be answered.
    pub(super) fn discard(&self, connection: &Connection) {
        self.current.rcu(|current| {
            current
                .as_ref()
                .filter(|current| current.number != connection.number)
                .cloned()
        });
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }
}

impl Connection {
    pub(super) fn send(&self, commands: Commands) -> RedisFuture<'static, Vec<Value>> {
        self.carrier.send(commands)
    }
}
