//! Records to fill a store with.

use std::time::Duration;

use super::Rule;
use crate::{
    clock::Timestamp,
    keys::SubjectTag,
    random::{RandomError, random},
    session::{ClientFingerprint, Fields, Fingerprints, SessionId, SessionRecord, SessionState},
    store::{RefreshStore, StoreError, conformance::Violation},
};

/// Long enough that nothing expires unasked while a case runs.
const LIFE: Duration = Duration::from_secs(3600);

/// The sessions of one subject that nobody else uses.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    tag: SubjectTag,
    /// The store's time when the case began.
    pub(super) now: Timestamp,
}

impl Subject {
    /// A new subject, and the store's time.
    pub(super) async fn new(store: &impl RefreshStore, rule: Rule) -> Result<Self, Violation> {
        let tag = SubjectTag::from_bytes(rule.answer(random().map_err(no_random))?);
        let unheard = Self {
            tag,
            now: Timestamp::default(),
        };
        let nothing = rule.answer(store.load(&unheard.record(rule)?.key()).await)?;
        rule.check(nothing.record.is_none(), || {
            "a session that nobody inserted was loaded".into()
        })?;
        Ok(Self {
            tag,
            now: nothing.now,
        })
    }

    pub(super) fn tag(&self) -> &SubjectTag {
        &self.tag
    }

    /// A live session of the subject, not in any store yet.
    pub(super) fn record(&self, rule: Rule) -> Result<SessionRecord, Violation> {
        let id: [u8; 16] = rule.answer(random().map_err(no_random))?;
        let mut current = [0; 32];
        current[..16].copy_from_slice(&id);
        Ok(SessionRecord {
            id: SessionId::from_bytes(id),
            subject_tag: self.tag,
            subject: "conformance – ünïcode \0 \" \n subject".into(),
            generation: 0,
            recoveries: 0,
            current,
            previous: None,
            barrier: false,
            bound: false,
            seed: [0xff; 32],
            handed_out_at: self.now,
            presented_at: None,
            rotated_at: self.now,
            created_at: self.now,
            absolute_expires_at: self.now + LIFE,
            idle_expires_at: self.now + LIFE,
            fingerprints: Fingerprints::one(ClientFingerprint::from_bytes([0x80; 8])),
            state: SessionState::Live,
            ended_at: None,
            fields: Fields::default(),
            label: "Conformance/1.0 (label)".into(),
            // Every byte value: a store keeps bytes, not text.
            context: (0..=u8::MAX).collect(),
        })
    }
}

/// The record after a rotation to `n`, which makes two rotations from one record differ.
pub(super) fn rotated(record: &SessionRecord, n: u8) -> SessionRecord {
    let mut next = record.clone();
    next.generation += 1;
    next.previous = Some(record.current);
    next.current[16] = n;
    next.current[17] = next.current[17].wrapping_add(1);
    next.handed_out_at = record.handed_out_at + Duration::from_millis(1);
    next.rotated_at = next.handed_out_at;
    next.idle_expires_at = record.absolute_expires_at - Duration::from_millis(1);
    next
}

fn no_random(error: RandomError) -> StoreError {
    StoreError::unavailable(error)
}
