//! Waiting until replicas have a revocation.

use std::fmt;

use tokio::time::timeout;

use super::{
    client::Client,
    reply,
    request::{Request, Wait},
};
use crate::session::SessionRecord;

/// A connection to wait on. `WAIT` holds up whatever else is on its connection.
pub(super) struct Durability {
    client: Client,
    wait: Wait,
}

impl Durability {
    pub(super) fn new(client: Client, wait: Wait) -> Self {
        Self { client, wait }
    }

    pub(super) fn wanted(&self) -> u32 {
        self.wait.replicas
    }

    /// Returns how many replicas have `record`, which lies under `key`, and everything written before it. It counts
    /// those found out in time.
    pub(super) async fn confirmed(&self, key: &str, record: &SessionRecord) -> u32 {
        // One at a time. With replicas that lag, each would wait for all those before it, and longer than its caller
        // allowed. A caller that gets no turn in time has no confirmation.
        let place = self.client.place();
        let Ok(_turn) = timeout(self.wait.at_most, place.turn.lock()).await else {
            return 0;
        };
        let request = Request::Confirm {
            key,
            session: &record.id.to_string(),
            record: &record.encode(),
            wait: self.wait,
        };
        let replies = self.client.ask(&request).await.unwrap_or_default();
        let confirmed = replies.get(1).and_then(reply::number).unwrap_or(0);
        u32::try_from(confirmed).unwrap_or(0)
    }
}

impl fmt::Debug for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.wait.fmt(f)
    }
}
