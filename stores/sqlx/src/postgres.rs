//! Sessions in PostgreSQL.

mod builder;
mod call;
mod connections;
mod contact;
mod everything;
mod failure;
mod health;
mod lease;
mod limits;
mod load;
mod purge;
mod revoke_in;
mod schema;
mod store;
mod subject;
mod swap;

pub use builder::PostgresStoreBuilder;
pub use health::PostgresHealth;

use std::{fmt, sync::Arc};

use sqlx::PgPool;
use tower_bearer::{EventSink, store::StoreError};

use self::{connections::Connections, contact::Contact, limits::Limits};

/// Sessions in PostgreSQL, shared by all instances of a service. PostgreSQL 12 or later; it is tested with 15.
///
/// Clones share the connections. Sessions are judged by the server's clock. A refresh is one statement to read and,
/// where the token rotates, one to write. A sign-in is a transaction of three round trips. Call
/// [`migrate`](Self::migrate) and [`health`](Self::health) when the service starts, and spawn
/// [`purge_every`](Self::purge_every).
///
/// Every call is bounded in time. A call that finds no connection or no server fails as
/// [`Unavailable`](tower_bearer::store::StoreErrorKind::Unavailable). The request is answered 503, the cookie stays,
/// and nothing is lost. Three failures cost up to three more attempts within 260 ms. They are a broken connection, a
/// transaction given up, and a server made a replica.
///
/// The address has to lead to the primary. A replica is recognised at the first answer and refused.
///
/// # Cancel safety
///
/// Each operation is one statement or one transaction. A future that is dropped has done all of it or nothing. Its
/// connection is tidied up before another call gets it.
///
/// # Example
///
/// ```no_run
/// use std::time::Duration;
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_bearer_sqlx::PostgresStore;
///
/// let store = PostgresStore::connect("postgres://app@db/app").await?;
/// store.migrate().await?;
/// for warning in store.health().await?.warnings() {
///     eprintln!("WARNING: {warning}");
/// }
/// tokio::spawn(store.purge_every(Duration::from_secs(3600)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore(Arc<Shared>);

struct Shared {
    connections: Connections,
    limits: Arc<Limits>,
    contact: Contact,
    events: EventSink,
}

impl PostgresStore {
    /// Connects to the server at `url`, with every default. The form is `postgres://user:password@host:port/database`,
    /// with `?sslmode=verify-full` over a network that is not your own. For a socket it is
    /// `postgres:///database?host=/run/postgresql`.
    ///
    /// It makes no tables: call [`migrate`](Self::migrate).
    ///
    /// ```no_run
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// use tower_bearer_sqlx::PostgresStore;
    ///
    /// let store = PostgresStore::connect("postgres://app@db/app").await?;
    /// store.migrate().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`](tower_bearer::store::StoreErrorKind::Refused) when the address cannot be used or the server refuses
    /// the account; [`Unavailable`](tower_bearer::store::StoreErrorKind::Unavailable) when it does not answer. The
    /// error's source names the cure.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped leaves nothing.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::builder().connect(url).await
    }

    /// Starts with every default.
    pub fn builder() -> PostgresStoreBuilder {
        PostgresStoreBuilder::default()
    }

    /// Closes the connections that are the store's own; a pool that the application gave stays open. Every call then answers
    /// [`Unavailable`](tower_bearer::store::StoreErrorKind::Unavailable), and
    /// [`purge_every`](Self::purge_every) ends. A process that just ends loses nothing. Call it last, after
    /// [`drain`](tower_bearer::RefreshCookieLayer::drain).
    ///
    /// # Cancel safety
    ///
    /// The store is closed once this is polled, whether or not it is waited for.
    pub async fn close(&self) {
        self.0.connections.close().await;
    }
}

impl From<PgPool> for PostgresStore {
    /// Builds a store with every default over the application's own pool. [`share`](PostgresStoreBuilder::share) says
    /// which settings of the pool matter, `test_before_acquire(false)` first of all. It makes no tables: call
    /// [`migrate`](Self::migrate).
    fn from(pool: PgPool) -> Self {
        Self::builder().share(pool)
    }
}

/// Where the server is, and the settings. No password, and no user.
impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared {
            connections,
            limits,
            contact,
            events,
        } = &*self.0;
        f.debug_struct("PostgresStore")
            .field("connections", connections)
            .field("timeout", &limits.call)
            .field("prepared_statements", &limits.prepared)
            .field("asynchronous_notes", &limits.asynchronous_notes)
            .field("is_away", &contact.is_away())
            .field("events", events)
            .finish()
    }
}
