//! The store that the story is told over: here PostgreSQL, with a clock that goes as the story does.

use std::{thread, time::Duration};

use tokio::runtime::Builder;
use tower_bearer::{Clock, ManualClock, Timestamp, store::SharedStore};
use tower_bearer_sqlx::PostgresStore;

use crate::support::{Server, ServerClock};

/// The time of the server and of the service.
#[derive(Clone, Debug)]
pub struct Backing {
    clock: ManualClock,
    server: ServerClock,
}

impl Backing {
    pub async fn new(start: Timestamp) -> (SharedStore, Self) {
        let database = Server::shared().await.database().await;
        let server = ServerClock::of(&database, start.as_millis()).await;
        let store = PostgresStore::connect(&database.url).await.unwrap();
        store.migrate().await.unwrap();
        let clock = ManualClock::new(start);
        (SharedStore::new(store), Self { clock, server })
    }

    /// The story does not wait for its clock, and the server has to be asked.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        let server = self.server.clone();
        let asks = move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(server.advance(by));
        };
        thread::spawn(asks).join().unwrap();
    }
}

impl Clock for Backing {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
