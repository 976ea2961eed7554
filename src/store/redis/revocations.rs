//! The revocations that this instance has written, in case the store forgets them.
//!
//! A server acknowledges a write before its replicas have it. A server that fails at that moment loses the write, and
//! its successor presents a revoked session as live. The instance that made the revocation still knows, refuses the
//! session, and revokes it again.
//!
//! The memory is bounded: the oldest revocation is forgotten first. Write losses surface within
//! seconds of a failover, so the newest are the ones that count. The end of every session may be millions of
//! revocations. Of those one time is kept: a session that began by then is over.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    clock::Timestamp,
    session::{Fingerprints, RevokeReason, SessionId, SessionRecord, SessionState},
};

/// Why a session was revoked, when and by whom: what its record needs to be revoked again.
#[derive(Clone, Copy)]
struct Revocation {
    /// How many had been noted before it.
    number: u64,
    state: SessionState,
    ended_at: Option<Timestamp>,
    fingerprints: Fingerprints,
    fingerprint_version: u8,
}

pub(super) struct Revocations {
    capacity: usize,
    /// How many were noted so far. Mostly none: few instances revoke, and loads are many.
    noted: AtomicU64,
    inner: Mutex<Entries>,
}

/// How much had been revoked at some moment. An answer that was asked for then may be older than a later revocation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(u64);

#[derive(Default)]
struct Entries {
    sessions: HashMap<SessionId, Revocation>,
    /// In the order of their revocation.
    order: VecDeque<SessionId>,
    everything: Ends,
}

/// The ends of every session. They are the last one, and the one before it for the answers that were requested in
/// between.
#[derive(Clone, Copy, Default)]
struct Ends {
    last: Option<Everything>,
    earlier: Option<Everything>,
}

/// The end of every session that began at `before` or earlier.
#[derive(Clone, Copy)]
struct Everything {
    before: Timestamp,
    /// How many revocations had been noted before it.
    number: u64,
}

impl Revocations {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            noted: AtomicU64::new(0),
            inner: Mutex::default(),
        }
    }

    /// Remembers that `record` was revoked, if it is.
    pub(super) fn note(&self, record: &SessionRecord) {
        if !record.is_live() {
            let revocation = Revocation {
                number: 0,
                state: record.state,
                ended_at: record.ended_at,
                fingerprints: record.fingerprints,
                fingerprint_version: record.fields.fingerprint_version,
            };
            self.insert(record.id, revocation);
        }
    }

    fn insert(&self, session: SessionId, mut revocation: Revocation) {
        if self.capacity == 0 {
            return;
        }
        let mut inner = self.lock();
        let known = inner.sessions.get(&session);
        revocation.number =
            known.map_or_else(|| self.noted.load(Ordering::Relaxed), |one| one.number);
        if inner.sessions.insert(session, revocation).is_none() {
            inner.order.push_back(session);
            self.noted.fetch_add(1, Ordering::Release);
        }
        while inner.order.len() > self.capacity {
            if let Some(oldest) = inner.order.pop_front() {
                inner.sessions.remove(&oldest);
            }
        }
    }

    /// Remembers that every session was revoked that began at `before` or earlier, by the store's time.
    pub(super) fn note_everything(&self, before: Timestamp) {
        if self.capacity == 0 {
            return;
        }
        let mut inner = self.lock();
        let last = inner.everything.last;
        if last.is_none_or(|last| last.before < before) {
            let number = self.noted.fetch_add(1, Ordering::AcqRel);
            inner.everything = Ends {
                last: Some(Everything { before, number }),
                earlier: last,
            };
        }
    }

    /// The moment that it is: to be taken before the server is asked.
    pub(super) fn now(&self) -> Moment {
        Moment(self.noted.load(Ordering::Acquire))
    }

    /// Returns the corrected record. A server that was asked at that moment may present a session as live that had been
    /// revoked here.
    pub(super) fn correct(&self, record: &SessionRecord, at: Moment) -> Option<SessionRecord> {
        if at.0 == 0 || !record.is_live() {
            return None;
        }
        let inner = self.lock();
        let known = inner.sessions.get(&record.id);
        // A later revocation of the session takes nothing from an end of every session before it.
        let Some(revocation) = known.filter(|revocation| revocation.number < at.0) else {
            let is_meant = inner.everything.mean(record, at);
            return is_meant.then(|| record.revoked(RevokeReason::RevokedAll));
        };
        let Revocation {
            number: _,
            state,
            ended_at,
            fingerprints,
            fingerprint_version,
        } = *revocation;
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

impl Ends {
    /// Whether one of them, noted by that moment, has ended this session.
    fn mean(&self, record: &SessionRecord, at: Moment) -> bool {
        let mut noted = [self.last, self.earlier].into_iter().flatten();
        noted.any(|end| end.number < at.0 && record.created_at <= end.before)
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct("Revocations")
            .field("len", &inner.order.len())
            .field("capacity", &self.capacity)
            .field(
                "everything_before",
                &inner.everything.last.map(|last| last.before),
            )
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{
        Activity, ClientFingerprint, JarProof, Lasts, Methods, NewSecrets, Presenter, RevokeReason,
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
            auth_time: None,
            methods: Methods::default(),
            note: "",
        };
        let policy = SessionPolicy::default();
        let fresh = NewSecrets::generate().unwrap();
        SessionRecord::start(&opening, &fresh, NOW, &policy, keys.active().unwrap()).0
    }

    fn correct(revocations: &Revocations, record: &SessionRecord) -> Option<SessionRecord> {
        revocations.correct(record, revocations.now())
    }

    #[test]
    fn answers_to_requests_before_a_revocation_may_be_older() {
        let revocations = Revocations::new(9);
        let (record, other) = (session(), session());
        let before = revocations.now();
        revocations.note(&record.revoked(RevokeReason::SignedOut));
        assert_eq!(revocations.correct(&record, before), None);
        let after = revocations.now();
        assert!(revocations.correct(&record, after).is_some());
        // It does not become a new one when it has to be revoked again.
        revocations.note(&other.revoked(RevokeReason::SignedOut));
        revocations.note(&record.revoked(RevokeReason::SignedOut));
        assert!(revocations.correct(&record, after).is_some());
        assert_eq!(revocations.correct(&other, after), None);
    }

    #[test]
    fn a_session_that_was_revoked_here_is_revoked_whatever_the_store_says() {
        let revocations = Revocations::new(9);
        let (record, other) = (session(), session());
        assert_eq!(correct(&revocations, &record), None);
        let other_browser = Presenter {
            fingerprint: ClientFingerprint::from_bytes([2; 8]),
            version: 3,
            ..BROWSER
        };
        // Without the client that ended it a thief who signs out would not be reported later.
        for revoked in [
            record.ended(RevokeReason::SignedOut, Some(&BROWSER), NOW),
            record.ended(RevokeReason::Replaced, Some(&other_browser), NOW),
            record
                .ended(RevokeReason::SignedOut, Some(&BROWSER), NOW)
                .alarmed(),
            record.revoked(RevokeReason::Denied),
        ] {
            revocations.note(&revoked);
            assert_eq!(correct(&revocations, &record), Some(revoked.clone()));
            assert_eq!(correct(&revocations, &revoked), None, "nothing to correct");
        }
        assert_eq!(correct(&revocations, &other), None);
    }

    #[test]
    fn a_live_session_is_not_noted() {
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
            .map(|record| correct(&revocations, record).is_some())
            .collect();
        assert_eq!(known, [false, true, true]);
        let nothing = Revocations::new(0);
        nothing.note(&records[0].revoked(RevokeReason::SignedOut));
        assert_eq!(correct(&nothing, &records[0]), None);
    }

    /// However many there were: no list of them has to be kept.
    #[test]
    fn an_end_of_everything_counts_for_each_session_that_began_by_then_and_for_none_later() {
        let revocations = Revocations::new(1);
        let before = revocations.now();
        revocations.note_everything(NOW);
        let old = [session(), session(), session()];
        for record in &old {
            assert_eq!(revocations.correct(record, before), None, "it may be older");
            let revoked = record.revoked(RevokeReason::RevokedAll);
            assert_eq!(correct(&revocations, record), Some(revoked));
        }
        let later = SessionRecord {
            created_at: NOW + std::time::Duration::from_millis(1),
            ..session()
        };
        assert_eq!(correct(&revocations, &later), None);
        // An earlier bound takes nothing back, and a later one takes more.
        revocations.note_everything(NOW - std::time::Duration::from_millis(1));
        assert!(correct(&revocations, &old[0]).is_some());
        revocations.note_everything(later.created_at);
        assert!(correct(&revocations, &later).is_some());
        // A revocation of the session says more than that.
        let signed_out = old[0].ended(RevokeReason::SignedOut, Some(&BROWSER), NOW);
        revocations.note(&signed_out);
        assert_eq!(correct(&revocations, &old[0]), Some(signed_out));
        let nothing = Revocations::new(0);
        nothing.note_everything(NOW);
        assert_eq!(correct(&nothing, &old[0]), None);
    }

    #[test]
    fn an_end_of_everything_holds_where_another_request_has_revoked_the_session_since() {
        let revocations = Revocations::new(9);
        let record = session();
        revocations.note_everything(NOW);
        let asked = revocations.now();
        // Another request restores it before this one's answer is judged.
        revocations.note(&correct(&revocations, &record).unwrap());
        let revoked = record.revoked(RevokeReason::RevokedAll);
        assert_eq!(revocations.correct(&record, asked), Some(revoked));
    }

    #[test]
    fn a_second_end_of_everything_takes_nothing_from_the_first() {
        let revocations = Revocations::new(9);
        let record = session();
        let second = std::time::Duration::from_secs(1);
        revocations.note_everything(NOW);
        for later in 1..=3 {
            let asked = revocations.now();
            let new = SessionRecord {
                created_at: NOW + second * later,
                ..session()
            };
            revocations.note_everything(new.created_at);
            assert!(revocations.correct(&record, asked).is_some(), "{later}");
            assert_eq!(revocations.correct(&new, asked), None, "it may be older");
            assert!(correct(&revocations, &new).is_some());
        }
    }

    #[test]
    fn its_debug_names_no_session() {
        let revocations = Revocations::new(2);
        let record = session();
        revocations.note(&record.revoked(RevokeReason::SignedOut));
        assert_eq!(
            format!("{revocations:?}"),
            "Revocations { len: 1, capacity: 2, everything_before: None, .. }"
        );
        assert_eq!(record.state(), SessionState::Live);
    }
}
