//! The settings of a store.

use std::{str::FromStr, sync::Arc, time::Duration};

use sqlx::{ConnectOptions as _, PgPool, postgres::PgConnectOptions};
use tokio::sync::Semaphore;
use tower_bearer::{EventSink, store::StoreError};

use super::{
    PostgresStore, Shared, connections::Connections, contact::Contact, failure::Failure,
    health::Greet, limits::Limits,
};

/// A user who has waited this long is better served by a 503.
const TIMEOUT: Duration = Duration::from_secs(2);
/// PostgreSQL counts the milliseconds of its limits in 31 bits.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);
const CONNECTIONS: usize = 10;

/// Builds a [`PostgresStore`].
///
/// ```no_run
/// use std::time::Duration;
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_bearer_sqlx::PostgresStore;
///
/// // Through pgbouncer in transaction mode.
/// let store = PostgresStore::builder()
///     .prepared_statements(false)
///     .timeout(Duration::from_secs(1))
///     .connect("postgres://app@pooler:6432/app")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PostgresStoreBuilder {
    timeout: Duration,
    connections: usize,
    prepared_statements: bool,
    asynchronous_notes: bool,
    events: EventSink,
}

impl Default for PostgresStoreBuilder {
    fn default() -> Self {
        Self {
            timeout: TIMEOUT,
            connections: CONNECTIONS,
            prepared_statements: true,
            asynchronous_notes: false,
            events: EventSink::default(),
        }
    }
}

impl PostgresStoreBuilder {
    /// Sets how long one call may take as a whole. That includes the wait for a connection, connecting, every
    /// statement, and the attempts after the first. Default 2 s. From 1 ms to an hour; a value beyond is taken as the
    /// nearest.
    ///
    /// The server gets three quarters of it for one lock and seven eighths for one statement. It then says which one
    /// ended.
    pub fn timeout(mut self, at_most: Duration) -> Self {
        self.timeout = at_most.clamp(Duration::from_millis(1), LONGEST_TIMEOUT);
        self
    }

    /// Sets how many connections [`connect`](Self::connect) opens at most, at least 1. Default 10. They are opened
    /// when they are needed, and kept for two minutes without use.
    ///
    /// A pool that is [shared](Self::share) has its own limit.
    pub fn connections(mut self, at_most: usize) -> Self {
        self.connections = at_most.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Sets whether each connection prepares its statements once and keeps them. Default true.
    ///
    /// **Behind a pooler that hands each transaction to another connection, set it to false.** Such a pooler is
    /// pgbouncer with `pool_mode = transaction` below version 1.21, or without `max_prepared_statements`. Each
    /// statement is then prepared within a transaction, and costs four round trips to the pooler in place of one. No
    /// other setting is needed: [`connect`](Self::connect) leaves out what such a pooler refuses at the beginning of a
    /// connection. For a pool that is [shared](Self::share), set `extra_float_digits(None)` in its options yourself.
    pub fn prepared_statements(mut self, are_kept: bool) -> Self {
        self.prepared_statements = are_kept;
        self
    }

    /// Sets whether the server may answer a *note* before it is on disk (`synchronous_commit = off`). Default false.
    ///
    /// A note is a write that ends no session and gives out no new token. It says that the current token has arrived,
    /// or that it was handed out once more. Or it says that a second browser uses the session, or that the session ends
    /// later. About every second write of an active session is a note. Everything else waits for the disk all the same.
    ///
    /// It saves one wait for the disk. The price: a crash of the server loses the notes of its last 0.6 s (three
    /// times `wal_writer_delay`). A session with a lost note is judged as if that request had not come. Mostly it heals
    /// with the next request. One case is worse: an older token comes first, more than the grace (30 s) after its
    /// successor went out. That token may be answered once more, and the honest browser signs in again. A replica in the
    /// primary's place loses as much and more, whatever this says.
    pub fn asynchronous_notes(mut self, may_be: bool) -> Self {
        self.asynchronous_notes = may_be;
        self
    }

    /// Sets where [`StoreUnreachable`](tower_bearer::Event::StoreUnreachable),
    /// [`StoreRecovered`](tower_bearer::Event::StoreRecovered) and
    /// [`StoreFailed`](tower_bearer::Event::StoreFailed) go. Default: nowhere.
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }

    /// Connects to the server at `url`, as [`PostgresStore::connect`] does.
    ///
    /// # Errors
    ///
    /// Those of [`PostgresStore::connect`].
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped leaves nothing.
    pub async fn connect(self, url: &str) -> Result<PostgresStore, StoreError> {
        let options = parse(url).map_err(|error| Failure::from(error).error)?;
        let (connections, limits) = (self.connections, self.limits());
        let options = begin_with(options, &limits);
        let store = self.build(Connections::own(options, connections), limits);
        // A fault of the address or the account is found now, and not by the first user.
        store.call(Greet).await?;
        Ok(store)
    }

    /// Builds a store over the application's own `pool`. Both share its connections, and a transaction of the
    /// application may end sessions ([`RevokeIn`](crate::RevokeIn)). Nothing is asked of the server yet.
    ///
    /// These settings of the pool matter:
    ///
    /// | setting | default of sqlx | what it means here |
    /// |---|---|---|
    /// | `max_connections` | 10 | the store and the application wait for the same ones |
    /// | `acquire_timeout` | 30 s | the shorter of it and [`timeout`](Self::timeout) counts for the store. `PgPoolOptions::connect` waits this long for a server that is away, and names no cause |
    /// | `test_before_acquire` | true | sqlx asks each connection first whether it answers. Set it to false: that saves a round trip for each call. The store copes with a dead connection |
    /// | `idle_timeout`, `max_lifetime` | 10 min, 30 min | set the first below the time after which a router forgets a silent connection |
    ///
    /// sqlx's question before a loan has no time limit of its own. On a network that has gone silent it waits for all
    /// of `acquire_timeout`. It asks once more when a connection comes back, without any limit. That place of the pool
    /// is missing until the system gives the connection up. Connections that the store found late do not go that way.
    /// It closes them.
    ///
    /// Connections that no call uses stay open, with one exception. The store closes them once it finds that a socket
    /// broke or that the server shuts down. It also closes them when the server takes no writes.
    ///
    /// Before each call the store asks whether a transaction is open on the connection. This takes a round trip, which
    /// the store's own connections do without. If the application left a `BEGIN` by hand open, it would contain the
    /// call: sqlx does not count it. The store rolls that transaction back, closes the connection and takes another
    /// one.
    ///
    /// Give the account a `statement_timeout` (`ALTER ROLE … SET`). The store sets none on connections that are not its
    /// own, outside of transactions. Without it a statement that the store gave up goes on at the server.
    ///
    /// ```no_run
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// // cargo add sqlx@0.9 --no-default-features --features runtime-tokio,postgres
    /// use sqlx::postgres::PgPoolOptions;
    /// use tower_bearer_sqlx::PostgresStore;
    ///
    /// let pool = PgPoolOptions::new()
    ///     .test_before_acquire(false)
    ///     .acquire_timeout(Duration::from_secs(2))
    ///     .connect("postgres://app@db/app")
    ///     .await?;
    /// let store = PostgresStore::builder().share(pool.clone());
    /// store.migrate().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn share(self, pool: PgPool) -> PostgresStore {
        let limits = self.limits();
        self.build(Connections::shared(pool), limits)
    }

    fn limits(&self) -> Limits {
        Limits::new(
            self.timeout,
            self.prepared_statements,
            self.asynchronous_notes,
        )
    }

    fn build(self, connections: Connections, limits: Limits) -> PostgresStore {
        PostgresStore(Arc::new(Shared {
            connections,
            limits: Arc::new(limits),
            contact: Contact::default(),
            events: self.events,
        }))
    }
}

/// sqlx takes an address of any scheme, and then the defaults for what it does not find in it.
fn parse(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    match url.split_once("://") {
        Some(("postgres" | "postgresql", _)) => PgConnectOptions::from_str(url),
        _ => Err(sqlx::Error::Configuration("another scheme".into())),
    }
}

/// The settings of connections that are the store's own.
fn begin_with(options: PgConnectOptions, limits: &Limits) -> PgConnectOptions {
    // Statements are the store's, and their failures are sent as events.
    let mut options = options.disable_statement_logging();
    if options.get_application_name().is_none() {
        options = options.application_name("tower-bearer");
    }
    if !limits.prepared {
        // Poolers refuse connections that begin with settings they do not know. Transactions bring their own.
        return options.extra_float_digits(None);
    }
    options.options([
        ("lock_timeout", limits.lock_millis()),
        ("statement_timeout", limits.statement_millis()),
    ])
}
