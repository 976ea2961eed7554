//! One question to the decision: the token, the record, and how they stand to each other.

use super::{
    Activity, FingerprintPolicy, Fingerprints, Presenter, RefreshToken, SessionKeys, SessionPolicy,
    SessionRecord, Timestamp, barrier_parent, parent, within,
};
use crate::session::id::ClientFingerprint;

/// Where a genuine token of a live session stands. By generation and hash, never by time.
#[derive(Clone, Copy)]
pub(super) enum Position {
    Current,
    Previous,
    /// One write ahead of the store, and its own words prove it.
    LostWrite {
        barrier: bool,
    },
    Ahead,
    Elsewhere,
}

pub(super) struct Case<'a> {
    pub(super) presented: &'a RefreshToken,
    pub(super) hash: [u8; 32],
    pub(super) record: &'a SessionRecord,
    pub(super) now: Timestamp,
    pub(super) presenter: &'a Presenter,
    /// Those of the record, as far as they compare with the presenter's.
    pub(super) fingerprints: Fingerprints,
    pub(super) policy: &'a SessionPolicy,
    pub(super) keys: &'a SessionKeys,
}

impl Case<'_> {
    pub(super) fn position(&self) -> Position {
        let Self {
            presented, record, ..
        } = self;
        // The hash covers the generation; comparing both keeps the order right even against a
        // record that contradicts itself.
        if presented.generation == record.generation && self.hash == record.current {
            return Position::Current;
        }
        let before = record.generation.checked_sub(1);
        if Some(presented.generation) == before && record.previous == Some(self.hash) {
            return Position::Previous;
        }
        // Row 11, a rotation or a privilege change was lost.
        if Some(presented.generation) == record.generation.checked_add(1) {
            if presented.parent == parent(&record.current) {
                return Position::LostWrite { barrier: false };
            }
            if presented.parent == barrier_parent(&record.current) {
                return Position::LostWrite { barrier: true };
            }
        }
        let (ours, theirs) = (
            (record.generation, record.recoveries),
            (presented.generation, presented.recoveries),
        );
        if theirs <= ours {
            return Position::Elsewhere;
        }
        // Row 11, a recovery was lost. Nothing is recovered across a privilege change.
        let sibling = presented.generation == record.generation
            && !record.barrier
            && record
                .previous
                .is_some_and(|previous| presented.parent == parent(&previous));
        if sibling {
            return Position::LostWrite { barrier: false };
        }
        Position::Ahead
    }

    /// Row 13a: an early recovery crosses with the answer that it has burned.
    pub(super) fn is_burned_lately(&self) -> bool {
        let Self { record, now, .. } = *self;
        self.presented.generation == record.generation
            && within(now.since(record.rotated_at), self.policy.rotation.grace)
    }

    pub(super) fn is_older(&self) -> bool {
        self.presented.generation < self.record.generation
    }

    /// Whether the current token was handed out, or first seen back, within the grace.
    pub(super) fn window_is_open(&self) -> bool {
        self.record
            .window_is_open(self.now, self.policy.rotation.grace)
    }

    /// The record with a new current token, handed out to the presenter now.
    pub(super) fn renewed(
        &self,
        current: [u8; 32],
        recoveries: u8,
        fingerprints: Fingerprints,
    ) -> SessionRecord {
        let now = self.now;
        SessionRecord {
            current,
            recoveries,
            handed_out_at: now,
            presented_at: None,
            rotated_at: now,
            idle_expires_at: self.idle_end(self.is_active()),
            ..self.noted(fingerprints.held_by(self.presenter.fingerprint))
        }
    }

    /// Row 5: the record with what the token's coming back shows, where that is new.
    pub(super) fn seen(&self) -> Option<SessionRecord> {
        let Self { record, now, .. } = *self;
        let (shown, presented) = (self.shown(), self.presenter.fingerprint);
        let fingerprints = match shown.has_room_for(presented) {
            true => shown.met(presented),
            false => shown,
        };
        let news = record.presented_at.is_none()
            || fingerprints != record.fingerprints
            || self.binds()
            || self.is_idle_end_due()
            || self.presenter.version != record.fields.fingerprint_version;
        news.then(|| SessionRecord {
            presented_at: record.presented_at.or(Some(now)),
            ..self.noted(fingerprints)
        })
    }

    /// Whether the request counts as use of the session.
    pub(super) fn is_active(&self) -> bool {
        self.presenter.activity == Activity::Active
    }

    /// Rows 5, 8 and 9: whether a note moves the idle end. Not by less than the interval. A session that an active
    /// client has just rotated needs none, and no burst of requests writes more than one.
    pub(super) fn is_idle_end_due(&self) -> bool {
        let (old, new) = (self.record.idle_expires_at, self.idle_end(true));
        self.is_active() && new > old && new.since(old) >= self.policy.rotation.interval
    }

    /// The idle end of the record, or one that counts from now.
    fn idle_end(&self, moves: bool) -> Timestamp {
        match moves {
            true => self.record.idle_from(self.now, self.policy),
            false => self.record.idle_expires_at,
        }
    }

    /// The record, with what the presenter shows of itself.
    pub(super) fn noted(&self, fingerprints: Fingerprints) -> SessionRecord {
        let Self {
            record, presenter, ..
        } = *self;
        let mut noted = record.clone();
        noted.bound = record.is_bound_by(presenter, self.policy);
        noted.fingerprints = fingerprints;
        noted.fields.fingerprint_version = presenter.version;
        noted.idle_expires_at = self.idle_end(self.is_idle_end_due());
        noted
    }

    /// The fingerprints once the current token has come back: where a known one brings it, its holder shares the
    /// jar.
    pub(super) fn shown(&self) -> Fingerprints {
        if self.fingerprints.is_known(self.presenter.fingerprint) {
            self.fingerprints.with_known_holder()
        } else {
            self.fingerprints
        }
    }

    /// Whether the session becomes bound to its jar by this request.
    pub(super) fn binds(&self) -> bool {
        self.record.is_bound_by(self.presenter, self.policy) && !self.record.bound
    }

    pub(super) fn is_foreign(&self) -> bool {
        self.record.is_foreign_to(self.presenter)
    }

    pub(super) fn is_newcomer(&self) -> bool {
        let (met, presented) = (&self.fingerprints, self.presenter.fingerprint);
        !self.policy.owns(met, presented)
    }

    pub(super) fn is_known(&self) -> bool {
        self.knows(self.presenter.fingerprint)
    }

    pub(super) fn knows(&self, fingerprint: ClientFingerprint) -> bool {
        self.policy.knows(&self.fingerprints, fingerprint)
    }

    /// Whether the presenter is the same client as that of `other`.
    pub(super) fn are_one(&self, other: ClientFingerprint) -> bool {
        let ignored = self.policy.fingerprints == FingerprintPolicy::Ignored;
        ignored || self.fingerprints.are_one(self.presenter.fingerprint, other)
    }

    pub(super) fn confirms(&self, newcomer: bool) -> bool {
        newcomer && self.policy.confirms
    }

    pub(super) fn is_strict(&self) -> bool {
        self.policy.rotation.is_strict()
    }
}

impl Position {
    /// A newer token has taken its place.
    pub(super) fn is_replaced(self) -> bool {
        matches!(self, Self::Previous | Self::Elsewhere)
    }
}
