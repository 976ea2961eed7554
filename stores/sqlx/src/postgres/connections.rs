//! Where connections come from: the store's own, or a pool of the application's.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection, Error::PoolTimedOut, PgConnection, PgPool, postgres::PgConnectOptions};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use super::{
    failure::{CLOSED, Class, Failure, away},
    lease::{Held, Lease},
    limits::Limits,
};

/// Less than the time after which routers forget a connection that says nothing.
const LONGEST_IDLE: Duration = Duration::from_secs(120);
/// A backend grows with what it has cached, and an address may lead to another server by then.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);
const FAREWELL: Duration = Duration::from_secs(1);

const LEFT_OPEN: &str = "every connection of the pool had a transaction open that the application had not ended. \
     Let it use `pool.begin()`, which rolls back what is dropped";

#[derive(Clone)]
pub(super) enum Connections {
    Own(Arc<Own>),
    Shared {
        pool: PgPool,
        /// The store's own end: the pool is the application's, and goes on.
        is_closed: Arc<AtomicBool>,
    },
}

/// Connections for the store alone.
///
/// sqlx's pool asks the server once more about each connection that comes back. That doubles the messages of a
/// statement, and the pool waits for that answer without limit. A network that goes silent would take a place of the
/// pool with it for a quarter of an hour.
pub(super) struct Own {
    options: PgConnectOptions,
    room: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: PgConnection,
    opened: Instant,
    since: Instant,
}

/// How far a call has come, for the error of one that runs out of time.
#[derive(Debug, Default)]
pub(super) struct Progress(AtomicU8);

impl Progress {
    const CONNECTING: u8 = 1;
    const ASKING: u8 = 2;

    fn set(&self, step: u8) {
        self.0.store(step, Ordering::Relaxed);
    }

    /// Whether it waits for a connection that other calls use.
    pub(super) fn is_waiting(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    pub(super) fn is_connecting(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::CONNECTING
    }
}

impl Connections {
    pub(super) fn own(options: PgConnectOptions, most: usize) -> Self {
        Self::Own(Arc::new(Own {
            options,
            room: Arc::new(Semaphore::new(most)),
            idle: Mutex::default(),
        }))
    }

    pub(super) fn shared(pool: PgPool) -> Self {
        Self::Shared {
            pool,
            is_closed: Arc::default(),
        }
    }

    /// Lends a connection that is in no transaction, once there is one. Those of the store's own are in none, and are not
    /// asked. Nor is any asked whether it still works: a call that finds that out is repeated on another one.
    pub(super) async fn lease(
        &self,
        limits: &Arc<Limits>,
        progress: &Progress,
    ) -> Result<Lease, Failure> {
        let most = match self {
            Self::Own(_) => return Ok(Lease::new(self.held(progress).await?, limits.clone())),
            Self::Shared { pool, .. } => pool.options().get_max_connections(),
        };
        for _ in 0..=most {
            let mut lease = Lease::new(self.held(progress).await?, limits.clone());
            if lease.is_outside().await? {
                return Ok(lease);
            }
            lease.abandon().await?;
        }
        Err(Failure::unasked(LEFT_OPEN))
    }

    async fn held(&self, progress: &Progress) -> Result<Held, Failure> {
        progress.set(0);
        let held = match self {
            Self::Own(own) => {
                let room = Arc::clone(&own.room).acquire_owned().await;
                let room = room.map_err(|_| Failure::unasked(CLOSED))?;
                progress.set(Progress::CONNECTING);
                own.open(room).await?
            }
            Self::Shared { pool, is_closed } => {
                if is_closed.load(Ordering::Relaxed) {
                    return Err(Failure::unasked(CLOSED));
                }
                if pool.num_idle() > 0 || pool.size() < pool.options().get_max_connections() {
                    progress.set(Progress::CONNECTING);
                }
                let acquired = pool.acquire().await;
                Held::Shared(acquired.map_err(|error| match error {
                    // It tries again by itself for as long as it may.
                    PoolTimedOut if progress.is_connecting() => away(),
                    error => error.into(),
                })?)
            }
        };
        progress.set(Progress::ASKING);
        Ok(held)
    }

    /// Closes the idle connections where a failure of this class says something about them: they lead to the same
    /// server.
    ///
    /// Connections of the store's own are cheap to open again. When a network went silent, the only sign is a late
    /// call. Those of the application are closed where the server or the socket has reported something. If one late
    /// call were enough, a lock that is held too long would make the whole application reconnect. A socket may break
    /// alone, and then the application reconnects for nothing.
    pub(super) fn distrust(&self, class: Class) {
        match (self, class) {
            (Self::Own(own), Class::Gone | Class::Lost) => drop(own.take_idle()),
            (Self::Shared { pool, .. }, Class::Gone) => {
                while let Some(connection) = pool.try_acquire() {
                    drop(connection.detach());
                }
            }
            _ => {}
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Own(own) => {
                own.room.close();
                for idle in own.take_idle() {
                    part(idle.connection).await;
                }
            }
            Self::Shared { is_closed, .. } => is_closed.store(true, Ordering::Relaxed),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Own(own) => own.room.is_closed(),
            Self::Shared { pool, is_closed } => {
                is_closed.load(Ordering::Relaxed) || pool.is_closed()
            }
        }
    }
}

impl Own {
    async fn open(self: &Arc<Self>, room: OwnedSemaphorePermit) -> Result<Held, Failure> {
        let now = Instant::now();
        let held = |connection, opened| Held::Own {
            connection,
            opened,
            home: Arc::clone(self),
            room,
        };
        while let Some(idle) = self.idle().pop() {
            if now - idle.since < LONGEST_IDLE && now - idle.opened < LONGEST_LIFE {
                return Ok(held(idle.connection, idle.opened));
            }
            tokio::spawn(part(idle.connection));
        }
        let connection = PgConnection::connect_with(&self.options).await?;
        Ok(held(connection, now))
    }

    /// Takes a connection back whose last answer was read to its end.
    pub(super) fn keep(&self, connection: PgConnection, opened: Instant) {
        if !self.room.is_closed() {
            self.idle().push(Idle {
                connection,
                opened,
                since: Instant::now(),
            });
        }
    }

    fn take_idle(&self) -> Vec<Idle> {
        std::mem::take(&mut *self.idle())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        // Its content is whole whenever the lock is free.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says goodbye, so that the server's log does not tell of a client that vanished.
async fn part(connection: PgConnection) {
    let _ = timeout(FAREWELL, connection.close()).await;
}

/// The host and the database alone.
impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = match self {
            Self::Own(own) => own.options.clone(),
            Self::Shared { pool, .. } => (*pool.connect_options()).clone(),
        };
        f.debug_struct("Connections")
            .field("own", &matches!(self, Self::Own(_)))
            .field("host", &options.get_host())
            .field("port", &options.get_port())
            .field("database", &options.get_database())
            .finish_non_exhaustive()
    }
}
