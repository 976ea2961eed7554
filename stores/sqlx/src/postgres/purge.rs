//! Deleting expired sessions.

use std::time::Duration;

use sqlx::query;
use tokio::time::{Instant, sleep};
use tower_bearer::store::StoreError;

use super::{
    PostgresStore,
    call::Operation,
    failure::Failure,
    lease::Lease,
    limits::{Durability, set_soon},
    load::now,
};
use crate::purging::{self, Purge};

/// A batch takes a few milliseconds, and a refresh waits no longer than that for its disk. With 1000 the slowest ones took
/// half as long again.
const BATCH: u64 = 250;

/// By the index, the earliest first. The time is asked once, in a query of its own, or each row would be compared with
/// another one. A row that is locked is left for the next time: it is being looked at.
const DELETE: &str = concat!(
    "WITH settings AS MATERIALIZED (SELECT ",
    set_soon!(),
    ") DELETE FROM tower_bearer_sessions AS stored USING settings \
     WHERE stored.ctid = ANY(ARRAY(SELECT ctid FROM tower_bearer_sessions WHERE expires_at <= (SELECT ",
    now!(),
    ") ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))"
);

struct Batch;

impl Operation for Batch {
    type Answer = u64;

    async fn attempt(&mut self, lease: &mut Lease) -> Result<u64, Failure> {
        let statement = query(DELETE).bind(i64::try_from(BATCH).unwrap_or(i64::MAX));
        // One that is forgotten by a crash is deleted again.
        Ok(lease.run_as(Durability::Soon, statement).await?.affected)
    }
}

impl PostgresStore {
    /// Deletes the sessions that have expired by now, by the server's clock, and returns how many.
    ///
    /// It goes in batches of 250, and rests after each for as long as that took. So sign-ins and refreshes go on beside
    /// it. Several instances may do so at once.
    ///
    /// ```no_run
    /// # async fn clean(store: &tower_bearer_sqlx::PostgresStore) -> Result<(), tower_bearer::store::StoreError> {
    /// let deleted = store.purge().await?;
    /// println!("{deleted} sessions had expired");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When a batch fails; those before it are deleted.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped leaves whole batches, and the next call goes on from there.
    pub async fn purge(&self) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let begin = Instant::now();
            let batch = self.call(Batch).await?;
            deleted += batch;
            if batch < BATCH {
                return Ok(deleted);
            }
            sleep(begin.elapsed()).await;
        }
    }

    /// Purges at once and then every `period`, until the store is [closed](Self::close). The application spawns it.
    ///
    /// A purge that fails is sent as [`StoreFailed`](tower_bearer::Event::StoreFailed), and tried again after the next
    /// period. A period below a second is taken as one.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// use tower_bearer_sqlx::PostgresStore;
    ///
    /// let store = PostgresStore::connect("postgres://app@db/app").await?;
    /// tokio::spawn(store.purge_every(Duration::from_secs(3600)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// That of [`purge`](Self::purge).
    pub fn purge_every(&self, period: Duration) -> impl Future<Output = ()> + Send + 'static {
        purging::purge_every(self.clone(), period, self.0.events.clone())
    }
}

impl Purge for PostgresStore {
    async fn purge(&self) -> Result<u64, StoreError> {
        self.purge().await
    }

    fn is_closed(&self) -> bool {
        self.0.connections.is_closed()
    }
}
