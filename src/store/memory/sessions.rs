//! The map, its bound and its sweep.

use std::{
    iter, slice,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use dashmap::{DashMap, Entry};

use super::{encoded::Encoded, sweep::Round};
use crate::{
    clock::{Clock, Timestamp},
    keys::SubjectTag,
    session::{EncodedRecord, SessionKey, SessionRecord},
    store::{Inserted, Loaded, StoreError, StoreErrorKind, Swap, subject},
    telemetry,
};

/// Subjects of one shard, at the capacity. A shard's table doubles while its lock is held, and every reader of the
/// shard waits. At this size 900 entries move, in less than a tenth of a millisecond. A table of 16 000 takes
/// milliseconds. The new table of 66 KiB is also small enough for malloc not to ask the system for it.
const SHARD: usize = 1024;
/// More shards than threads that write at once, for small stores.
const FEWEST_SHARDS: usize = 64;
/// A shard takes 128 bytes when it is empty. So this is 2 MB for a store of 16 million sessions.
const MOST_SHARDS: usize = 16_384;
/// Subjects looked at before each insertion: the round is faster than the store can grow.
const SLICE: usize = 4;
/// Subjects looked at when the store is full, before an insertion is refused.
const LONG_SLICE: usize = 1024;

pub(super) struct Sessions {
    pub(super) subjects: DashMap<SubjectTag, Encoded>,
    /// Every subject of the map once, in the order of the next visits of the sweep. Those being visited are with the
    /// visitor. Only the sweep removes subjects.
    round: Mutex<Round>,
    /// Sessions in the map. Added to before the session is, so that the bound holds.
    len: AtomicUsize,
    capacity: usize,
    clock: Arc<dyn Clock>,
}

impl Sessions {
    pub(super) fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            subjects: DashMap::with_shard_amount(shards(capacity)),
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
        // Before the lock is taken: getting memory can take milliseconds.
        let first = Encoded::new(slice::from_ref(record));
        match self.subjects.entry(subject) {
            Entry::Occupied(mut entry) => self.add(entry.get_mut(), record, limit, now),
            Entry::Vacant(entry) => {
                self.reserve()?;
                drop(entry.insert(first));
                self.round().push(subject);
                Ok(Inserted { dropped: vec![] })
            }
        }
    }

    /// Adds to the sessions of a subject.
    fn add(
        &self,
        sessions: &mut Encoded,
        record: &SessionRecord,
        limit: usize,
        now: Timestamp,
    ) -> Result<Inserted, StoreError> {
        let mut after = sessions.unpack(record.subject_tag)?;
        let before = after.len();
        let dropped = subject::admit(&mut after, record, limit, now)?;
        // Sessions that become more have lost none, so that a full store changes nothing here.
        if after.len() > before {
            self.reserve()?;
        } else {
            self.release(before - after.len());
        }
        *sessions = Encoded::new(&after);
        Ok(Inserted { dropped })
    }

    pub(super) fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        let sessions = self.subjects.get(&key.subject);
        let stored = sessions.as_ref().and_then(|all| all.find(&key.id));
        let record = match stored {
            Some(stored) => Some(stored.decode(key.subject)?),
            None => None,
        };
        Ok(Loaded {
            record,
            now: self.clock.now(),
        })
    }

    pub(super) fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let now = self.clock.now();
        let nothing = Swap::Conflict(Loaded { record: None, now });
        let subject = current.subject_tag;
        // Encoded before the lock is taken. Encodings are equal when records of one subject are.
        let [expected, successor] = [current, next].map(EncodedRecord::encode);
        let Some(mut sessions) = self.subjects.get_mut(&subject) else {
            return Ok(nothing);
        };
        let Some(stored) = sessions.find(&current.id) else {
            return Ok(nothing);
        };
        // A record never changes its address: that would be another user's session.
        if current.key() == next.key() {
            // The second of two applications of one swap finds its own work.
            if stored.bytes == successor {
                return Ok(Swap::Applied);
            }
            if stored.bytes == expected {
                sessions.replace(&current.id, &successor);
                return Ok(Swap::Applied);
            }
        }
        let record = Some(stored.decode(subject)?);
        Ok(Swap::Conflict(Loaded { record, now }))
    }

    pub(super) fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        let now = self.clock.now();
        let mut sessions = self
            .subjects
            .view(subject, |_, sessions| sessions.unpack(*subject))
            .transpose()?
            .unwrap_or_default();
        sessions.retain(|session| now < session.expires_at());
        Ok(sessions)
    }

    /// Revokes those of the subject's sessions that `rule` revokes, and returns them.
    pub(super) fn revoke(
        &self,
        subject: &SubjectTag,
        rule: impl Fn(&mut [SessionRecord], Timestamp) -> Vec<SessionRecord>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let now = self.clock.now();
        let Some(mut sessions) = self.subjects.get_mut(subject) else {
            return Ok(vec![]);
        };
        let mut after = sessions.unpack(*subject)?;
        let revoked = rule(&mut after, now);
        if !revoked.is_empty() {
            *sessions = Encoded::new(&after);
        }
        Ok(revoked)
    }

    /// Every subject that has sessions now.
    pub(super) fn subjects(&self) -> Vec<SubjectTag> {
        self.subjects.iter().map(|entry| *entry.key()).collect()
    }

    /// Visits the next `subjects` of the round and removes expired sessions.
    fn sweep(&self, now: Timestamp, subjects: usize) {
        let mut visited: Vec<SubjectTag> = {
            let mut round = self.round();
            iter::from_fn(|| round.pop()).take(subjects).collect()
        };
        visited.retain(|subject| {
            let mut emptied = Encoded::new(&[]);
            self.subjects
                .remove_if_mut(subject, |_, sessions| {
                    self.release(sessions.remove_expired(now, &mut emptied));
                    sessions.is_empty()
                })
                .is_none()
        });
        let mut round = self.round();
        for subject in visited {
            round.push(subject);
        }
    }

    /// Takes room for one session.
    fn reserve(&self) -> Result<(), StoreError> {
        self.len
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |len| {
                (len < self.capacity).then_some(len + 1)
            })
            .map(|before| telemetry::sessions_in_memory(before + 1))
            .map_err(|_| StoreErrorKind::Full.into())
    }

    /// Gives the room of so many sessions back.
    fn release(&self, sessions: usize) {
        let before = self.len.fetch_sub(sessions, Ordering::Relaxed);
        telemetry::sessions_in_memory(before.saturating_sub(sessions));
    }

    pub(super) fn round(&self) -> MutexGuard<'_, Round> {
        // A panic elsewhere leaves a shorter round at worst: some subjects are swept later.
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By the capacity and not by the machine, so that a store behaves the same everywhere.
pub(super) fn shards(capacity: usize) -> usize {
    let wanted = (capacity / SHARD).next_power_of_two();
    wanted.clamp(FEWEST_SHARDS, MOST_SHARDS)
}
