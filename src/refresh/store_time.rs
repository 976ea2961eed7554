//! The store's time, and the time since it was read.

use crate::{
    clock::{RuntimeClock, Timestamp},
    session::SessionRecord,
    store::Loaded,
};

/// The store's clock at a load.
#[derive(Clone, Copy)]
pub(crate) struct StoreTime {
    /// When the load was answered.
    pub(crate) now: Timestamp,
    read: RuntimeClock,
}

impl StoreTime {
    /// The store's time by now: it dates records and tokens, since claims take their time.
    pub(crate) fn later(&self) -> Timestamp {
        self.now + self.read.elapsed()
    }
}

/// The answer of a load.
pub(crate) struct Found {
    pub(crate) record: Option<SessionRecord>,
    pub(crate) time: StoreTime,
}

impl From<Loaded> for Found {
    fn from(Loaded { record, now }: Loaded) -> Self {
        Self {
            record,
            time: StoreTime {
                now,
                read: RuntimeClock::start(),
            },
        }
    }
}
