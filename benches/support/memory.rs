//! The store in memory without a runtime: its futures are done when they are polled first.

use futures_util::FutureExt;
use tower_bearer::{
    ManualClock, MemoryStore,
    store::{Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, Swap},
};

use super::sessions::NOW;

/// More than any subject here has.
const LIMIT: usize = 10;

#[derive(Clone)]
pub struct Store(pub MemoryStore);

impl Store {
    /// A store of the default capacity.
    pub fn new() -> (Self, ManualClock) {
        let clock = ManualClock::new(NOW);
        let store = MemoryStore::builder().clock(clock.clone()).build();
        (Self(store.unwrap()), clock)
    }

    pub fn insert(&self, record: &SessionRecord) -> Inserted {
        let done = self.0.insert(record, LIMIT).now_or_never();
        done.unwrap().unwrap()
    }

    pub fn load(&self, key: &SessionKey) -> Loaded {
        self.0.load(key).now_or_never().unwrap().unwrap()
    }

    pub fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Swap {
        let done = self.0.swap(current, next).now_or_never();
        done.unwrap().unwrap()
    }
}
