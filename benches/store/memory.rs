//! The store in memory.

mod bytes;
mod reads;
mod threads;

use criterion::Criterion;
use futures_util::FutureExt;
use tower_bearer::{
    Inserted, Loaded, ManualClock, MemoryStore, RefreshStore, SessionKey, SessionRecord, Swap,
};

pub use threads::rotation;

use crate::{run::Run, sample::NOW};

/// More than any subject here has.
const LIMIT: usize = 10;

pub fn reports(_: &mut Criterion) {
    let run = Run::from_args();
    run.report("store::memory::bytes", bytes::report);
    run.report("store::memory::reads", reads::report);
    run.report("store::memory::threads", threads::report);
}

/// A store that is awaited without a runtime: its futures are done when they are polled first.
#[derive(Clone)]
struct Store(MemoryStore);

impl Store {
    /// A store of the default capacity.
    fn new() -> (Self, ManualClock) {
        let clock = ManualClock::new(NOW);
        let store = MemoryStore::builder().clock(clock.clone()).build();
        (Self(store.unwrap()), clock)
    }

    fn insert(&self, record: &SessionRecord) -> Inserted {
        let done = self.0.insert(record, LIMIT).now_or_never();
        done.unwrap().unwrap()
    }

    fn load(&self, key: &SessionKey) -> Loaded {
        self.0.load(key).now_or_never().unwrap().unwrap()
    }

    fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Swap {
        let done = self.0.swap(current, next).now_or_never();
        done.unwrap().unwrap()
    }
}
