//! Records to fill a store with.

use std::time::Duration;

use super::{Rule, Violation};
use crate::{
    clock::Timestamp,
    keys::SubjectTag,
    random::random,
    session::{ClientFingerprint, Fields, Fingerprints, SessionId, SessionRecord, SessionState},
    store::{RefreshStore, StoreError},
};

/// Long enough that nothing expires unasked while a case runs.
const LIFE: Duration = Duration::from_secs(3600);
/// A limit that no case reaches.
pub(super) const MANY: usize = 100;

/// The sessions of one subject that nothing else uses.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    tag: SubjectTag,
    /// The store's time when the case began.
    pub(super) now: Timestamp,
}

/// Sixteen random bytes.
pub(super) fn name(rule: Rule) -> Result<[u8; 16], Violation> {
    random().map_err(|error| Violation {
        source: Some(StoreError::unavailable(error)),
        ..Violation::new(rule.0, "there were no random bytes")
    })
}

impl Subject {
    /// A new subject, and the store's time.
    pub(super) async fn new(store: &impl RefreshStore, rule: Rule) -> Result<Self, Violation> {
        Self::named(SubjectTag::from_bytes(name(rule)?), store, rule).await
    }

    /// The subject of this tag, which is new.
    pub(super) async fn named(
        tag: SubjectTag,
        store: &impl RefreshStore,
        rule: Rule,
    ) -> Result<Self, Violation> {
        let unheard = Self {
            tag,
            now: Timestamp::default(),
        };
        let key = unheard.record(rule)?.key();
        let nothing = rule.answer(store.load(&key)).await?;
        rule.check(nothing.record.is_none(), || {
            "a session was loaded that is not there".into()
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
        let id = name(rule)?;
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

    /// One of [`SessionRecord::LARGEST`] bytes.
    pub(super) fn largest(&self, rule: Rule) -> Result<SessionRecord, Violation> {
        let record = self.record(rule)?;
        let fingerprints = (0..4).map(|n| ClientFingerprint::from_bytes([n; 8]));
        Ok(SessionRecord {
            subject: "ü".repeat(128).into(),
            generation: u64::MAX - 1,
            recoveries: u8::MAX,
            previous: Some([0; 32]),
            barrier: true,
            bound: true,
            presented_at: Some(self.now),
            fingerprints: fingerprints.fold(record.fingerprints, Fingerprints::held_by),
            ended_at: Some(self.now),
            fields: Fields::largest(),
            label: "'\\".repeat(100).into(),
            context: (0..=u8::MAX).cycle().take(1024).collect(),
            ..record
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_record_is_the_largest() {
        let subject = Subject {
            tag: SubjectTag::from_bytes([7; 16]),
            now: Timestamp::from_secs(1_800_000_000),
        };
        let record = subject.largest(Rule("")).unwrap();
        let next = rotated(&record, 1);
        for record in [record, next] {
            let bytes = record.encode();
            assert_eq!(bytes.len(), SessionRecord::LARGEST);
            assert_eq!(bytes.last(), Some(&b' '));
            assert_eq!(SessionRecord::decode(&bytes), Ok(record));
        }
    }
}
