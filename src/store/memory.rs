//! Sessions in memory.
//!
//! One map entry holds all sessions of a subject, encoded, so that every operation is atomic under
//! one shard lock. No guard leaves a synchronous function, so none is ever held across an await.
//!
//! Expired sessions are swept in slices. Each insertion first looks at the next few subjects in a round of all of them.
//! So the calls that make the store grow also keep it small. A slice takes microseconds, and the store never stops for
//! a full sweep.

mod encoded;
mod sessions;
mod sweep;

use std::{fmt, sync::Arc};

use sessions::Sessions;

use super::{Inserted, Loaded, RefreshStore, StoreError, Swap, subject as rules};
use crate::{
    clock::{Clock, SystemClock, Timestamp},
    config::ConfigError,
    keys::SubjectTag,
    session::{SessionId, SessionKey, SessionRecord},
};

const DEFAULT_CAPACITY: usize = 1_000_000;
/// Subjects whose sessions end before other tasks have their turn: about a millisecond.
const SUBJECTS_AT_ONCE: usize = 256;

/// Sessions in this process's memory: gone at a restart, unknown to other servers.
///
/// It is right for one server, for tests and for development. Clones share the sessions.
///
/// A session takes about 330 bytes and its subject, label and context. With a browser's `User-Agent` for a label that
/// is some 445 bytes. A million take 445 MB, with the index and all else.
///
/// It is bounded: at its capacity it first sweeps expired sessions and then refuses new ones with
/// [`StoreErrorKind::Full`](crate::store::StoreErrorKind::Full). It never ends a live session of another subject to
/// make room. A session that the limit of its subject drops is revoked. It stays until it expires, so that the store
/// recognises it. Of such ended sessions a subject keeps about as many as it may have live ones, at most about 32.
///
/// ```
/// use tower_bearer::MemoryStore;
///
/// let store = MemoryStore::builder().capacity(50_000).build()?;
/// assert_eq!(store.len(), 0);
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Sessions>);

/// Builds a [`MemoryStore`].
///
/// ```
/// use tower_bearer::{ManualClock, MemoryStore, Timestamp};
///
/// let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
/// let store = MemoryStore::builder().clock(clock).build()?;
/// # let _ = store;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct MemoryStoreBuilder {
    capacity: usize,
    clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// Returns an empty store for a million sessions, by the system clock.
    pub fn new() -> Self {
        Self::with(Self::builder())
    }

    /// Starts with every default.
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder {
            capacity: DEFAULT_CAPACITY,
            clock: Arc::new(SystemClock),
        }
    }

    /// Returns how many sessions it holds, those not yet swept included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether it holds no session.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn with(builder: MemoryStoreBuilder) -> Self {
        let MemoryStoreBuilder { capacity, clock } = builder;
        Self(Arc::new(Sessions::new(capacity, clock)))
    }
}

impl MemoryStoreBuilder {
    /// Sets how many sessions it holds at most, of all subjects together. Default 1 000 000.
    pub fn capacity(mut self, sessions: usize) -> Self {
        self.capacity = sessions;
        self
    }

    /// Sets the clock that sessions are judged by. Default [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Returns the store.
    ///
    /// # Errors
    ///
    /// When the capacity is zero.
    pub fn build(self) -> Result<MemoryStore, ConfigError> {
        if self.capacity == 0 {
            return Err(ConfigError::new(
                "capacity",
                "must be at least 1, or no user can sign in",
            ));
        }
        Ok(MemoryStore::with(self))
    }
}

/// Every operation on one session or one subject is one synchronous step. Dropping a future before its first poll does
/// nothing, and there is no later point to drop it at.
impl RefreshStore for MemoryStore {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.0.insert(record, limit)
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        self.0.load(key)
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        self.0.swap(current, next)
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        self.0.list(subject)
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let rule = |sessions: &mut [_], now| rules::revoke_all(sessions, keep, now);
        self.0.revoke(subject, rule)
    }

    async fn revoke_older(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
        before: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let rule = |sessions: &mut [_], now| rules::revoke_older(sessions, keep, before, now);
        self.0.revoke(subject, rule)
    }

    /// Unlike the others it is not one step. For a million sessions one step would hold a thread of the runtime for
    /// more than a second.
    async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
        let rule = |sessions: &mut [_], now| rules::revoke_before(sessions, before, now);
        let (mut count, mut outcome) = (0, Ok(()));
        for some in self.0.subjects().chunks(SUBJECTS_AT_ONCE) {
            for subject in some {
                match self.0.revoke(subject, rule) {
                    Ok(revoked) => count += revoked.len() as u64,
                    // A record that cannot be read keeps none of the others.
                    Err(error) => outcome = Err(error),
                }
            }
            tokio::task::yield_now().await;
        }
        outcome.map(|()| count)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for MemoryStoreBuilder {
    fn default() -> Self {
        MemoryStore::builder()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(inner) = self;
        f.debug_struct("MemoryStore")
            .field("len", &inner.len())
            .field("capacity", &inner.capacity())
            .field("clock", &inner.clock())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
