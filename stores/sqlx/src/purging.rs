//! Deleting expired sessions, from time to time.

use std::time::Duration;

use tokio::time::sleep;
use tower_bearer::{Event, EventSink, store::StoreError};

use crate::fault::does_not_pass;

/// More often is a mistake in a unit: each round asks the database.
const SHORTEST_PERIOD: Duration = Duration::from_secs(1);

/// A store that can delete expired sessions.
pub(crate) trait Purge {
    /// Deletes expired sessions, and returns how many rows that were.
    fn purge(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Whether no call will succeed any more.
    fn is_closed(&self) -> bool;
}

/// Purges at once and then every `period`, until the store is closed. An error is reported and survived.
pub(crate) async fn purge_every(store: impl Purge, period: Duration, events: EventSink) {
    let period = period.max(SHORTEST_PERIOD);
    loop {
        let purged = store.purge().await;
        if store.is_closed() {
            return;
        }
        // The store has reported the others by itself.
        if let Err(error) = purged
            && !does_not_pass(&error)
        {
            events.emit(&Event::StoreFailed(&error));
        }
        sleep(period).await;
    }
}
