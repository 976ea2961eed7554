//! The store that the story is told over: here Redis, with a clock that goes as the story does.

use std::{sync::Arc, time::Duration};

use tower_bearer::{Clock, ManualClock, RedisStore, Timestamp, store::SharedStore};

use crate::support::redis::{Server, ServerClock};

/// The time of the server and of the service.
#[derive(Clone, Debug)]
pub struct Backing {
    clock: ManualClock,
    server: Arc<(Server, ServerClock)>,
}

impl Backing {
    pub async fn new(start: Timestamp) -> (SharedStore, Self) {
        let millis = i64::try_from(start.as_millis()).unwrap();
        let (server, time) = Server::with_clock(millis).await;
        let store = RedisStore::new(server.url()).unwrap();
        let backing = Self {
            clock: ManualClock::new(start),
            server: Arc::new((server, time)),
        };
        (SharedStore::new(store), backing)
    }

    pub fn advance(&self, by: Duration) {
        let (_, time) = &*self.server;
        time.advance(by);
        self.clock.advance(by);
    }
}

impl Clock for Backing {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
