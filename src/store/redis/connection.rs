//! The connection in use, replaced when it breaks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use redis::{RedisFuture, Value};
use tokio::{
    runtime::{self, Handle},
    sync::{Mutex, Semaphore},
    time::timeout,
};

use super::{
    breaker::{Breaker, Uptime},
    connector::{Connector, Transport},
    error::Fault,
    limits::Limits,
    request::Commands,
    script::Wording,
};
use crate::clock::monotonic;

/// At most one connection for each runtime, opened when it is first needed.
///
/// The connection manager of the redis crate knows nothing of Sentinel. It also keeps a connection on which no reply
/// comes any more. So this is our own.
pub(super) struct Connection(Arc<State>);

struct State {
    connector: Connector,
    limits: Limits,
    /// The newest last.
    places: ArcSwap<Vec<Arc<Place>>>,
    opened: AtomicU64,
}

/// Where a runtime has its connection, and what its requests have to do with each other. A task of the runtime that
/// opened a connection reads from it, and stops whenever that runtime stops. So does anything that a request holds.
pub(super) struct Place {
    pub(super) breaker: Breaker,
    pub(super) room: Semaphore,
    /// Held while replicas are waited for.
    pub(super) turn: Mutex<()>,
    runtime: Option<runtime::Id>,
    current: ArcSwapOption<Open>,
    /// Held while a connection is being opened; a request that needs one waits for it.
    opening: Arc<Mutex<()>>,
}

/// Runtimes that are gone leave their place behind, and nothing tells that they are. More than so many at one time would
/// take it from each other, and open connections in turn.
const PLACES: usize = 16;

/// An open connection.
pub(super) struct Open {
    number: u64,
    since: Uptime,
    /// The server understands the plain wording of scripts only.
    plain: AtomicBool,
    transport: Arc<dyn Transport>,
}

impl Connection {
    pub(super) fn new(connector: Connector, limits: Limits) -> Self {
        Self(Arc::new(State {
            connector,
            limits,
            places: ArcSwap::default(),
            opened: AtomicU64::new(0),
        }))
    }

    /// How long a request may have to wait for a connection.
    pub(super) fn patience(&self) -> Duration {
        self.0.connector.patience(self.0.limits.connect)
    }

    /// That of the runtime that asks.
    pub(super) fn place(&self) -> Arc<Place> {
        self.0.place()
    }

    /// The connection in use at this place, or a new one.
    pub(super) async fn connection(&self, place: &Arc<Place>) -> Result<Arc<Open>, Fault> {
        match place.current.load_full() {
            Some(connection) => Ok(connection),
            None => timeout(self.patience(), self.open(place.clone()))
                .await
                .unwrap_or_else(|_| Err(Fault::silent("no connection within the time-out"))),
        }
    }

    async fn open(&self, place: Arc<Place>) -> Result<Arc<Open>, Fault> {
        let opening = place.opening.clone().lock_owned().await;
        if let Some(connection) = place.current.load_full() {
            return Ok(connection);
        }
        // In a task of its own: clients that disconnect too soon would make it begin anew for ever.
        let inner = self.0.clone();
        let opened = tokio::spawn(async move {
            let _opening = opening;
            inner.open(&place).await
        });
        opened
            .await
            .unwrap_or_else(|_| Err(Fault::silent("the opening of a connection was cut off")))
    }

    /// Opens another connection next time, unless that has happened already. Requests that are under
    /// way on this one may still be answered.
    pub(super) fn discard(&self, connection: &Open) {
        for place in self.0.places.load().iter() {
            place.current.rcu(|current| {
                current
                    .as_ref()
                    .filter(|current| current.number != connection.number)
                    .cloned()
            });
        }
    }

    /// Whether the server was found to understand the plain wording of scripts only.
    pub(super) fn is_plain(&self) -> bool {
        let current = self.0.place().current.load();
        current.as_ref().is_some_and(|open| open.is_plain())
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.0.connector
    }
}

impl State {
    fn place(&self) -> Arc<Place> {
        let runtime = Handle::try_current().ok().map(|handle| handle.id());
        let find = |places: &[Arc<Place>]| {
            let mut places = places.iter();
            places.find(|place| place.runtime == runtime).cloned()
        };
        if let Some(place) = find(&self.places.load()) {
            return place;
        }
        let new = Arc::new(Place {
            breaker: Breaker::new(self.limits.pause),
            room: Semaphore::new(self.limits.concurrency),
            turn: Mutex::new(()),
            runtime,
            current: ArcSwapOption::empty(),
            opening: Arc::new(Mutex::new(())),
        });
        self.places.rcu(|places| {
            let mut places = places.to_vec();
            if find(&places).is_none() {
                places.push(new.clone());
                places.drain(..places.len().saturating_sub(PLACES));
            }
            places
        });
        find(&self.places.load()).unwrap_or(new)
    }

    async fn open(&self, place: &Place) -> Result<Arc<Open>, Fault> {
        let patience = self.connector.patience(self.limits.connect);
        let transport = match timeout(patience, self.connector.open(&self.limits)).await {
            Ok(opened) => opened.map_err(Fault::no_connection)?,
            Err(_) => return Err(Fault::silent("no connection within the time-out")),
        };
        let connection = Arc::new(Open {
            number: self.opened.fetch_add(1, Ordering::Relaxed),
            since: monotonic(),
            plain: AtomicBool::new(false),
            transport,
        });
        place.current.store(Some(connection.clone()));
        Ok(connection)
    }
}

impl Open {
    pub(super) fn send(
        &self,
        commands: Commands,
        slot: Option<u16>,
    ) -> RedisFuture<'static, Vec<Value>> {
        self.transport.send(commands, slot)
    }

    /// How long it has been open.
    pub(super) fn age(&self) -> Duration {
        monotonic().saturating_sub(self.since)
    }

    pub(super) fn is_plain(&self) -> bool {
        self.plain.load(Ordering::Relaxed)
    }

    /// Notes what the server has understood. In full that says something only where a flag was `needed`.
    pub(super) fn learn(&self, wording: Wording, needed: bool) {
        match wording {
            Wording::Plain => self.plain.store(true, Ordering::Relaxed),
            Wording::Full if needed => self.plain.store(false, Ordering::Relaxed),
            Wording::Known | Wording::Full => {}
        }
    }
}
