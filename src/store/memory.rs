//! Sessions in memory.
//!
//! One map entry holds all sessions of a subject, so that every operation is atomic under one
//! shard lock. No guard leaves a synchronous function, so none is ever held across an await.
//!
//! Expired sessions are swept in slices: whoever adds a session first looks at the next few
//! subjects in a round of all of them. What makes the store grow pays for keeping it small, a
//! slice takes microseconds, and there is never a moment at which everything stands still.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use dashmap::{DashMap, Entry};

use super::{Inserted, Loaded, RefreshStore, StoreError, StoreErrorKind, Swap};
use crate::{
    clock::{Clock, SystemClock, Timestamp},
    config::ConfigError,
    session::{RevokeReason, SessionId, SessionKey, SessionRecord, SubjectTag},
};

/// More shards than threads that write at once; fixed, so that it does not depend on the machine.
const SHARDS: usize = 64;
const DEFAULT_CAPACITY: usize = 1_000_000;
/// Subjects looked at before each insertion: the round is faster than the store can grow.
const SLICE: usize = 4;
/// Subjects looked at when the store is full, before an insertion is refused.
const LONG_SLICE: usize = 1024;

/// Sessions in this process's memory: gone at a restart, unknown to other servers.
///
/// It is right for one server, for tests and for development. Clones share the sessions.
///
/// It is bounded: at its capacity it first sweeps expired sessions and then refuses new ones with
/// [`StoreErrorKind::Full`]; it never ends a live session of somebody else to make room. A session
/// that the limit of its subject drops is revoked and stays, until it expires, to be recognised;
/// of such ended sessions a subject keeps as many as it may have live ones.
///
/// ```
/// use tower_bearer::MemoryStore;
///
/// let store = MemoryStore::builder().capacity(50_000).build()?;
/// assert_eq!(store.len(), 0);
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

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

struct Inner {
    subjects: DashMap<SubjectTag, Sessions>,
    /// Every subject of the map once, in the order of the next visits of the sweep; those being
    /// visited are with the visitor. Only the sweep removes subjects.
    round: Mutex<VecDeque<SubjectTag>>,
    /// Sessions in the map. Added to before the session is, so that the bound holds.
    len: AtomicUsize,
    capacity: usize,
    clock: Arc<dyn Clock>,
}

/// Boxed, because tables and vectors grow in powers of two and a record is large.
#[allow(
    clippy::vec_box,
    reason = "spare room of the vector is a pointer, not a record"
)]
type Sessions = Vec<Box<SessionRecord>>;

impl MemoryStore {
    /// An empty store for a million sessions, by the system clock.
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

    /// How many sessions it holds, those not yet swept included.
    pub fn len(&self) -> usize {
        self.0.len.load(Ordering::Relaxed)
    }

    /// Whether it holds no session.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn with(builder: MemoryStoreBuilder) -> Self {
        let MemoryStoreBuilder { capacity, clock } = builder;
        Self(Arc::new(Inner {
            subjects: DashMap::with_shard_amount(SHARDS),
            round: Mutex::default(),
            len: AtomicUsize::new(0),
            capacity,
            clock,
        }))
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

    /// The store.
    ///
    /// # Errors
    ///
    /// When the capacity is zero.
    pub fn build(self) -> Result<MemoryStore, ConfigError> {
        if self.capacity == 0 {
            return Err(ConfigError::new(
                "capacity",
                "must be at least 1, or nobody can sign in",
            ));
        }
        Ok(MemoryStore::with(self))
    }
}

/// Every operation is one synchronous step: dropping a future before its first poll does nothing,
/// and there is no later point to drop it at.
impl RefreshStore for MemoryStore {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.0.insert(record, limit)
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        Ok(self.0.load(key))
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        Ok(self.0.swap(current, next))
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        Ok(self.0.list(subject))
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        Ok(self.0.revoke_all(subject, keep))
    }
}

impl Inner {
    fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        let now = self.clock.now();
        self.sweep(now, SLICE);
        match self.try_insert(record, limit, now) {
            Err(error) if error.kind() == StoreErrorKind::Full => {
                self.sweep(now, LONG_SLICE);
                self.try_insert(record, limit, now)
            }
            done => done,
        }
    }

    fn try_insert(
        &self,
        record: &SessionRecord,
        limit: usize,
        now: Timestamp,
    ) -> Result<Inserted, StoreError> {
        let subject = record.key().subject;
        match self.subjects.entry(subject) {
            Entry::Occupied(mut entry) => self.add(entry.get_mut(), record, limit, now),
            Entry::Vacant(entry) => {
                self.reserve()?;
                drop(entry.insert(vec![Box::new(record.clone())]));
                self.round().push_back(subject);
                Ok(Inserted { dropped: vec![] })
            }
        }
    }

    /// Adds to the sessions of a subject.
    fn add(
        &self,
        sessions: &mut Sessions,
        record: &SessionRecord,
        limit: usize,
        now: Timestamp,
    ) -> Result<Inserted, StoreError> {
        // The session that is being added counts among the live ones.
        let limit = limit.max(1);
        let mut dropped = vec![];
        if let Some(stored) = find(sessions, &record.id) {
            return if **stored == *record {
                Ok(Inserted { dropped })
            } else {
                Err(StoreError::unavailable("the session id is taken"))
            };
        }
        self.retain(sessions, |session| now < session.expires_at());
        while sessions.iter().filter(|session| !session.is_live()).count() > limit {
            let oldest = oldest(sessions, |session| !session.is_live());
            self.retain(sessions, |session| Some(session.id) != oldest);
        }
        self.reserve()?;
        while sessions.iter().filter(|session| session.is_live()).count() >= limit {
            let Some(oldest) = oldest(sessions, SessionRecord::is_live) else {
                break;
            };
            if let Some(session) = sessions.iter_mut().find(|session| session.id == oldest) {
                **session = session.revoked(RevokeReason::Limit);
            }
            dropped.push(oldest);
        }
        sessions.push(Box::new(record.clone()));
        Ok(Inserted { dropped })
    }

    fn load(&self, key: &SessionKey) -> Loaded {
        let record = self
            .subjects
            .view(&key.subject, |_, sessions| {
                find(sessions, &key.id).map(|stored| (**stored).clone())
            })
            .flatten();
        Loaded {
            record,
            now: self.clock.now(),
        }
    }

    fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Swap {
        let now = self.clock.now();
        let Some(mut sessions) = self.subjects.get_mut(&current.subject_tag) else {
            return Swap::Conflict(Loaded { record: None, now });
        };
        let Some(stored) = sessions.iter_mut().find(|session| session.id == current.id) else {
            return Swap::Conflict(Loaded { record: None, now });
        };
        // The second of two applications of one swap finds its own work.
        if **stored == *next {
            return Swap::Applied;
        }
        // A record never changes its address: that would be somebody else's session.
        if **stored == *current && current.key() == next.key() {
            **stored = next.clone();
            return Swap::Applied;
        }
        Swap::Conflict(Loaded {
            record: Some((**stored).clone()),
            now,
        })
    }

    fn list(&self, subject: &SubjectTag) -> Vec<SessionRecord> {
        let now = self.clock.now();
        self.subjects
            .view(subject, |_, sessions| {
                sessions
                    .iter()
                    .filter(|session| now < session.expires_at())
                    .map(|session| (**session).clone())
                    .collect()
            })
            .unwrap_or_default()
    }

    fn revoke_all(&self, subject: &SubjectTag, keep: Option<&SessionId>) -> Vec<SessionId> {
        let now = self.clock.now();
        let Some(mut sessions) = self.subjects.get_mut(subject) else {
            return vec![];
        };
        sessions
            .iter_mut()
            .filter(|session| session.is_live() && now < session.expires_at())
            .filter(|session| Some(&session.id) != keep)
            .map(|session| {
                **session = session.revoked(RevokeReason::RevokedAll);
                session.id
            })
            .collect()
    }

    /// Visits the next `subjects` of the round and removes what has expired.
    fn sweep(&self, now: Timestamp, subjects: usize) {
        let visited: Vec<SubjectTag> = {
            let mut round = self.round();
            let count = subjects.min(round.len());
            round.drain(..count).collect()
        };
        let mut remain = visited;
        remain.retain(|subject| {
            self.subjects
                .remove_if_mut(subject, |_, sessions| {
                    self.retain(sessions, |session| now < session.expires_at());
                    sessions.is_empty()
                })
                .is_none()
        });
        self.round().extend(remain);
    }

    /// Keeps the sessions that `keep` names, and counts.
    fn retain(&self, sessions: &mut Sessions, keep: impl Fn(&SessionRecord) -> bool) {
        let before = sessions.len();
        sessions.retain(|session| keep(session));
        self.len
            .fetch_sub(before - sessions.len(), Ordering::Relaxed);
    }

    /// Takes room for one session.
    fn reserve(&self) -> Result<(), StoreError> {
        self.len
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |len| {
                (len < self.capacity).then_some(len + 1)
            })
            .map(drop)
            .map_err(|_| StoreErrorKind::Full.into())
    }

    fn round(&self) -> MutexGuard<'_, VecDeque<SubjectTag>> {
        // A panic elsewhere leaves a shorter round at worst: some subjects are swept later.
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find<'a>(sessions: &'a Sessions, id: &SessionId) -> Option<&'a Box<SessionRecord>> {
    sessions.iter().find(|session| session.id == *id)
}

/// The least recently rotated of those that `which` names.
fn oldest(sessions: &Sessions, which: impl Fn(&SessionRecord) -> bool) -> Option<SessionId> {
    sessions
        .iter()
        .filter(|session| which(session))
        .min_by_key(|session| session.last_rotated_at())
        .map(|session| session.id)
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
        let Inner {
            subjects: _,
            round: _,
            len,
            capacity,
            clock,
        } = &*self.0;
        f.debug_struct("MemoryStore")
            .field("len", len)
            .field("capacity", capacity)
            .field("clock", clock)
            .finish_non_exhaustive()
    }
}
