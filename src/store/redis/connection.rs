//! The connection in use, replaced when it breaks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use redis::{RedisFuture, Value};
use tokio::{sync::Mutex, time::timeout};

use super::{
    breaker::Uptime,
    connector::{Connector, Transport},
    error::Fault,
    limits::Limits,
    request::Commands,
};
use crate::clock::monotonic;

/// At most one connection, opened when it is first needed.
///
/// The connection manager of the redis crate knows nothing of Sentinel, and keeps a connection on
/// which nothing comes back any more; so this is our own.
pub(super) struct Connection(Arc<State>);

struct State {
    connector: Connector,
    limits: Limits,
    current: ArcSwapOption<Open>,
    /// Held while a connection is being opened; whoever needs one waits for it.
    opening: Arc<Mutex<()>>,
    opened: AtomicU64,
}

/// An open connection.
pub(super) struct Open {
    number: u64,
    since: Uptime,
    transport: Arc<dyn Transport>,
}

impl Connection {
    pub(super) fn new(connector: Connector, limits: Limits) -> Self {
        Self(Arc::new(State {
            connector,
            limits,
            current: ArcSwapOption::empty(),
            opening: Arc::new(Mutex::new(())),
            opened: AtomicU64::new(0),
        }))
    }

    /// How long a request may have to wait for a connection.
    pub(super) fn patience(&self) -> Duration {
        self.0.connector.patience(self.0.limits.connect)
    }

    /// The connection in use, or a new one.
    pub(super) async fn connection(&self) -> Result<Arc<Open>, Fault> {
        match self.0.current.load_full() {
            Some(connection) => Ok(connection),
            None => timeout(self.patience(), self.open())
                .await
                .unwrap_or_else(|_| Err(Fault::silent("no connection within the time-out"))),
        }
    }

    async fn open(&self) -> Result<Arc<Open>, Fault> {
        let opening = self.0.opening.clone().lock_owned().await;
        if let Some(connection) = self.0.current.load_full() {
            return Ok(connection);
        }
        // In a task of its own: clients that hang up too soon would have it begin anew for ever.
        let inner = self.0.clone();
        let opened = tokio::spawn(async move {
            let _opening = opening;
            inner.open().await
        });
        opened
            .await
            .unwrap_or_else(|_| Err(Fault::silent("the opening of a connection was cut off")))
    }

    /// Opens another connection next time, unless that has happened already. Requests that are under
    /// way on this one may still be answered.
    pub(super) fn discard(&self, connection: &Open) {
        self.0.current.rcu(|current| {
            current
                .as_ref()
                .filter(|current| current.number != connection.number)
                .cloned()
        });
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.0.connector
    }
}

impl State {
    async fn open(&self) -> Result<Arc<Open>, Fault> {
        let patience = self.connector.patience(self.limits.connect);
        let transport = match timeout(patience, self.connector.open(&self.limits)).await {
            Ok(opened) => opened.map_err(Fault::no_connection)?,
            Err(_) => return Err(Fault::silent("no connection within the time-out")),
        };
        let connection = Arc::new(Open {
            number: self.opened.fetch_add(1, Ordering::Relaxed),
            since: monotonic(),
            transport,
        });
        self.current.store(Some(connection.clone()));
        Ok(connection)
    }
}

impl Open {
    pub(super) fn send(&self, commands: Commands) -> RedisFuture<'static, Vec<Value>> {
        self.transport.send(commands)
    }

    /// How long it has been open.
    pub(super) fn age(&self) -> Duration {
        monotonic().saturating_sub(self.since)
    }
}
