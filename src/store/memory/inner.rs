//! The map, its bound and its sweep.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use dashmap::{DashMap, Entry};

use crate::{
    clock::{Clock, Timestamp},
    session::{SessionId, SessionKey, SessionRecord, SubjectTag},
    store::{Inserted, Loaded, StoreError, StoreErrorKind, Swap, roster},
};

/// More shards than threads that write at once; fixed, so that it does not depend on the machine.
const SHARDS: usize = 64;
/// Subjects looked at before each insertion: the round is faster than the store can grow.
const SLICE: usize = 4;
/// Subjects looked at when the store is full, before an insertion is refused.
const LONG_SLICE: usize = 1024;

pub(super) struct Inner {
    pub(super) subjects: DashMap<SubjectTag, Sessions>,
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
pub(super) type Sessions = Vec<Box<SessionRecord>>;

impl Inner {
    pub(super) fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            subjects: DashMap::with_shard_amount(SHARDS),
            round: Mutex::default(),
            len: AtomicUsize::new(0),
            capacity,
            clock,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(super) fn insert(
        &self,
        record: &SessionRecord,
        limit: usize,
    ) -> Result<Inserted, StoreError> {
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
        let mut after: Vec<SessionRecord> = sessions.iter().map(|s| (**s).clone()).collect();
        let dropped = roster::admit(&mut after, record, limit, now)?;
        // A list that grows has lost nothing, so that a store that is full changes nothing.
        if after.len() > sessions.len() {
            self.reserve()?;
        } else {
            let freed = sessions.len() - after.len();
            self.len.fetch_sub(freed, Ordering::Relaxed);
        }
        *sessions = after.into_iter().map(Box::new).collect();
        Ok(Inserted { dropped })
    }

    pub(super) fn load(&self, key: &SessionKey) -> Loaded {
        let record = self
            .subjects
            .view(&key.subject, |_, sessions| find(sessions, &key.id).cloned())
            .flatten();
        Loaded {
            record,
            now: self.clock.now(),
        }
    }

    pub(super) fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Swap {
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

    pub(super) fn list(&self, subject: &SubjectTag) -> Vec<SessionRecord> {
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

    pub(super) fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Vec<SessionId> {
        let now = self.clock.now();
        let Some(mut sessions) = self.subjects.get_mut(subject) else {
            return vec![];
        };
        let mut after: Vec<SessionRecord> = sessions.iter().map(|s| (**s).clone()).collect();
        let revoked = roster::revoke_all(&mut after, keep, now);
        *sessions = after.into_iter().map(Box::new).collect();
        revoked
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

    pub(super) fn round(&self) -> MutexGuard<'_, VecDeque<SubjectTag>> {
        // A panic elsewhere leaves a shorter round at worst: some subjects are swept later.
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find<'a>(sessions: &'a Sessions, id: &SessionId) -> Option<&'a SessionRecord> {
    let found = sessions.iter().find(|session| session.id == *id);
    found.map(|session| &**session)
}
