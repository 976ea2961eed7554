//! The revocations that this instance has written, in case the store forgets them.
//!
//! A server acknowledges a write before its replicas have it. One that fails in that moment takes the
//! write with it, and its successor presents a revoked session as a live one. Whoever has made the
//! revocation still knows, refuses the session, and revokes it again.
//!
//! The memory is bounded: the oldest revocation is forgotten first. Write losses surface within
//! seconds of a failover, so the newest are the ones that count.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    clock::Timestamp,
    session::{Fingerprints, SessionId, SessionRecord, SessionState},
};

/// Why a session was revoked, when and by whom: what its record needs to be revoked again.
#[derive(Clone, Copy)]
struct Revocation {
    state: SessionState,
    ended_at: Option<Timestamp>,
    fingerprints: Fingerprints,
    fingerprint_version: u8,
}

pub(super) struct Revocations {
    capacity: usize,
    /// Whether there is anything to look for: most instances never revoke, and loads are many.
    any: AtomicBool,
    inner: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    sessions: HashMap<SessionId, Revocation>,
    /// In the order of their revocation.
    order: VecDeque<SessionId>,
}

impl Revocations {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            any: AtomicBool::new(false),
            inner: Mutex::default(),
        }
    }

    /// Remembers that `record` was revoked, if it is.
    pub(super) fn note(&self, record: &SessionRecord) {
        if !record.is_live() {
            let revocation = Revocation {
                state: record.state,
                ended_at: record.ended_at,
                fingerprints: record.fingerprints,
                fingerprint_version: record.fields.fingerprint_version,
            };
            self.insert(record.id, revocation);
        }
    }

    fn insert(&self, session: SessionId, revocation: Revocation) {
        if self.capacity == 0 {
            return;
        }
        let mut inner = self.lock();
        if inner.sessions.insert(session, revocation).is_none() {
            inner.order.push_back(session);
        }
        while inner.order.len() > self.capacity {
            if let Some(oldest) = inner.order.pop_front() {
                inner.sessions.remove(&oldest);
            }
        }
        self.any.store(true, Ordering::Release);
    }

    /// The record as it has to be, when the store presents a session as live that was revoked here.
    pub(super) fn correct(&self, record: &SessionRecord) -> Option<SessionRecord> {
        if !self.any.load(Ordering::Acquire) || !record.is_live() {
            return None;
        }
        let Revocation {
            state,
            ended_at,
            fingerprints,
            fingerprint_version,
        } = *self.lock().sessions.get(&record.id)?;
        Some(SessionRecord {
            state,
            ended_at,
            fingerprints,
            fields: record.fields.clone().with_version(fingerprint_version),
            ..record.clone()
        })
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        // A panic elsewhere leaves an entry in one of the two at worst.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("len", &self.lock().order.len())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{
        Activity, ClientFingerprint, JarProof, Lasts, NewSecrets, Presenter, RevokeReason,
        SessionPolicy, SignIn,
    };

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const BROWSER: Presenter = Presenter {
        fingerprint: ClientFingerprint::from_bytes([1; 8]),
        version: 0,
        jar: JarProof::Shown,
        activity: Activity::Active,
    };

    fn session() -> SessionRecord {
        let keys =
            crate::keys::SessionKeys::new([&b"a master secret with 32 bytes..."[..]]).unwrap();
        let opening = SignIn {
            subject: "ada",
            presenter: BROWSER,
            lasts: Lasts::default(),
            label: "Browser/1.0",
            context: b"",
        };
        let policy = SessionPolicy::default();
        let fresh = NewSecrets::generate().unwrap();
        SessionRecord::start(&opening, &fresh, NOW, &policy, keys.active().unwrap()).0
    }

    #[test]
    fn a_session_that_was_revoked_here_is_revoked_whatever_the_store_says() {
        let revocations = Revocations::new(9);
        let (record, other) = (session(), session());
        assert_eq!(revocations.correct(&record), None);
        let other_browser = Presenter {
            fingerprint: ClientFingerprint::from_bytes([2; 8]),
            version: 3,
            ..BROWSER
        };
        // Without the client that ended it a thief who signs out would not be told of later.
        for revoked in [
            record.ended(RevokeReason::SignedOut, Some(&BROWSER), NOW),
            record.ended(RevokeReason::Replaced, Some(&other_browser), NOW),
            record
                .ended(RevokeReason::SignedOut, Some(&BROWSER), NOW)
                .alarmed(),
            record.revoked(RevokeReason::Denied),
        ] {
            revocations.note(&revoked);
            assert_eq!(revocations.correct(&record), Some(revoked.clone()));
            assert_eq!(revocations.correct(&revoked), None, "nothing to correct");
        }
        assert_eq!(revocations.correct(&other), None);
    }

    #[test]
    fn what_is_live_is_not_noted() {
        let revocations = Revocations::new(9);
        revocations.note(&session());
        assert!(revocations.lock().sessions.is_empty());
    }

    #[test]
    fn it_is_bounded_and_forgets_the_oldest() {
        let revocations = Revocations::new(2);
        let records = [session(), session(), session()];
        for record in &records {
            // The second time adds nothing.
            revocations.note(&record.revoked(RevokeReason::SignedOut));
            revocations.note(&record.revoked(RevokeReason::SignedOut));
        }
        let known: Vec<_> = records
            .iter()
            .map(|record| revocations.correct(record).is_some())
            .collect();
        assert_eq!(known, [false, true, true]);
        let nothing = Revocations::new(0);
        nothing.note(&records[0].revoked(RevokeReason::SignedOut));
        assert_eq!(nothing.correct(&records[0]), None);
    }

    #[test]
    fn its_debug_names_no_session() {
        let revocations = Revocations::new(2);
        let record = session();
        revocations.note(&record.revoked(RevokeReason::SignedOut));
        assert_eq!(
            format!("{revocations:?}"),
            "Revocations { len: 1, capacity: 2, .. }"
        );
        assert_eq!(record.state(), SessionState::Live);
    }
}
