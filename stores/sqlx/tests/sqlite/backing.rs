//! The store that the story is told over: here SQLite, with a clock that goes as the story does.

use std::{sync::Arc, time::Duration};

use tower_bearer::{Clock, ManualClock, Timestamp, store::SharedStore};
use tower_bearer_sqlx::SqliteStore;

use crate::place::Place;

/// The time of the store and of the service.
#[derive(Clone, Debug)]
pub struct Backing {
    clock: ManualClock,
    /// Goes with the story.
    _place: Arc<Place>,
}

impl Backing {
    pub async fn new(start: Timestamp) -> (SharedStore, Self) {
        let (place, clock) = (Arc::new(Place::new()), ManualClock::new(start));
        let store = SqliteStore::builder().clock(clock.clone());
        let store = store.open(place.path()).await.unwrap();
        let backing = Self {
            clock,
            _place: place,
        };
        (SharedStore::new(store), backing)
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

impl Clock for Backing {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
