//! Deleting expired sessions.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};
use tower_bearer::store::StoreError;

use super::{SqliteStore, statements};
use crate::purging::{self, Purge};

/// A few milliseconds of the lock for writing.
const BATCH: u32 = 100;

impl SqliteStore {
    /// Deletes every session that has expired by now, and returns how many.
    ///
    /// It goes by an index, in batches of 100 rows. It rests after each for as long as the batch took. Requests and
    /// other processes write in between. A time-out is that of a batch.
    ///
    /// ```
    /// use tower_bearer_sqlx::SqliteStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # std::env::set_current_dir(&folder)?;
    /// let store = SqliteStore::open("sessions.db").await?;
    /// assert_eq!(store.purge().await?, 0);
    /// # store.close().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the database does not answer or refuses. Some may then be deleted; another call goes on.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped stops after any batch.
    pub async fn purge(&self) -> Result<u64, StoreError> {
        // Sessions that expire meanwhile wait for the next time, so this ends.
        let now = self.now();
        let mut purged = 0;
        loop {
            let begun = Instant::now();
            let batch = async {
                let turn = self.turn().await?;
                let mut lease = self.0.connections.purger().await?;
                let deleted = statements::delete_expired(lease.connection()?, now, BATCH).await?;
                // Requests write while the pages go into the file.
                drop(turn);
                if self.is_own() {
                    statements::checkpoint(lease.connection()?).await?;
                }
                lease.done();
                Ok(deleted)
            };
            let deleted = self.within(batch).await?;
            purged += deleted;
            if deleted < u64::from(BATCH) {
                return Ok(purged);
            }
            sleep(begun.elapsed()).await;
        }
    }

    /// Purges at once and then every `period`, at least a second, until the store is closed. Spawn it.
    ///
    /// An error goes to the store's [`events`](super::SqliteStoreBuilder::events) as
    /// [`Event::StoreFailed`](tower_bearer::Event::StoreFailed), and the next round comes all the same.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_bearer_sqlx::SqliteStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # std::env::set_current_dir(&folder)?;
    /// let store = SqliteStore::open("sessions.db").await?;
    /// tokio::spawn(store.purge_every(Duration::from_secs(3600)));
    /// # store.close().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// That of [`purge`](Self::purge).
    pub fn purge_every(&self, period: Duration) -> impl Future<Output = ()> + Send + use<> {
        purging::purge_every(self.clone(), period, self.0.events.clone())
    }
}

impl Purge for SqliteStore {
    async fn purge(&self) -> Result<u64, StoreError> {
        Self::purge(self).await
    }

    fn is_closed(&self) -> bool {
        self.0.line.is_closed()
    }
}
