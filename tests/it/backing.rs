//! The store that the story is told over.

use std::time::Duration;

use tower_bearer::{Clock, ManualClock, MemoryStore, Timestamp, store::SharedStore};

/// The time of the store and of the service.
#[derive(Clone, Debug)]
pub struct Backing(ManualClock);

impl Backing {
    pub async fn new(start: Timestamp) -> (SharedStore, Self) {
        let clock = ManualClock::new(start);
        let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
        (SharedStore::new(store), Self(clock))
    }

    pub fn advance(&self, by: Duration) {
        self.0.advance(by);
    }
}

impl Clock for Backing {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}
