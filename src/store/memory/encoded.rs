//! The sessions of one subject, in as few bytes as they can be kept in.

use std::{iter, mem};

use crate::{
    clock::Timestamp,
    keys::SubjectTag,
    session::{EncodedRecord, SessionId, SessionRecord},
    store::StoreError,
};

/// The encodings of a subject's sessions, one behind the other.
///
/// A record is some 300 bytes of fields and an allocation for each of three texts. Its encoding is 224 bytes and the
/// texts, in one allocation. Most subjects have one session. The subject tag is not in it: the map has that for a key.
/// A boxed slice has no spare room. It takes 16 bytes in the map, whose tables may be half empty.
///
/// Bytes that are no record end the list. This store writes none. If it did, the records behind them would be lost. A
/// lost session is refused and not misused.
pub(super) struct Encoded(Box<[u8]>);

impl Encoded {
    pub(super) fn new(sessions: &[SessionRecord]) -> Self {
        match sessions {
            [only] => Self(EncodedRecord::encode(only).into()),
            _ => {
                let encoded: Vec<_> = sessions.iter().map(EncodedRecord::encode).collect();
                Self(encoded.concat().into())
            }
        }
    }

    /// The sessions, which are those of `subject`, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// When one of them does not decode.
    pub(super) fn unpack(&self, subject: SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        self.iter()
            .map(|session| Ok(session.decode(subject)?))
            .collect()
    }

    /// Gives the first session a state that no release knows.
    #[cfg(test)]
    pub(super) fn damage(&mut self) {
        // In front of the lengths of the texts.
        self.0[224 - 11] = 0xff;
    }

    /// The encoded record of a session.
    pub(super) fn find(&self, id: &SessionId) -> Option<EncodedRecord<'_>> {
        self.iter().find(|session| session.id == *id)
    }

    /// Puts `next` in the place of the session with this id.
    pub(super) fn replace(&mut self, id: &SessionId, next: &[u8]) {
        let mut before = 0;
        let place = self.iter().find_map(|session| {
            let place = before..before + session.bytes.len();
            before = place.end;
            (session.id == *id).then_some(place)
        });
        let Some(place) = place else { return };
        match self.0.get_mut(place.clone()) {
            // A rotation changes fields of fixed size only, so this is how nearly all of them go.
            Some(stored) if stored.len() == next.len() => stored.copy_from_slice(next),
            _ => {
                let mut all = self.0.to_vec();
                all.splice(place, next.iter().copied());
                self.0 = all.into();
            }
        }
    }

    /// Removes the sessions that have expired, and says how many. The boxes that held them are left in `emptied`, for
    /// the caller to free when no lock is held. Freeing memory can take milliseconds.
    pub(super) fn remove_expired(&mut self, now: Timestamp, emptied: &mut Self) -> usize {
        let remains = |session: &EncodedRecord<'_>| now < session.expires_at;
        let expired = self.iter().filter(|session| !remains(session)).count();
        if expired > 0 {
            let remain: Vec<_> = self.iter().filter(remains).map(|s| s.bytes).collect();
            let remain = remain.concat().into();
            *emptied = Self(mem::replace(&mut self.0, remain));
        }
        expired
    }

    pub(super) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    fn iter(&self) -> impl Iterator<Item = EncodedRecord<'_>> {
        let mut rest = &*self.0;
        iter::from_fn(move || {
            let (first, behind) = EncodedRecord::split_first(rest)?;
            rest = behind;
            Some(first)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::memory::tests::{NOW, session};

    #[test]
    fn expired_sessions_go_from_any_place() {
        for expired in 0_u32..16 {
            let sessions = [0, 1, 2, 3].map(|n| {
                let seconds = if expired & 1 << n == 0 { 61 } else { 60 };
                session("a", seconds)
            });
            let tag = sessions[0].subject_tag;
            let (mut packed, mut old) = (Encoded::new(&sessions), Encoded::new(&[]));
            assert_eq!(packed.unpack(tag).unwrap(), sessions);
            assert_eq!(
                packed.remove_expired(NOW + Duration::from_secs(59), &mut old),
                0
            );

            let then = NOW + Duration::from_secs(60);
            let gone = packed.remove_expired(then, &mut old);
            assert_eq!(gone, expired.count_ones() as usize);
            let remain = sessions.iter().filter(|s| then < s.expires_at());
            assert!(packed.unpack(tag).unwrap().iter().eq(remain));
            assert_eq!(packed.is_empty(), expired == 15);
            assert_eq!(packed.remove_expired(then, &mut old), 0);
        }
    }

    /// The key of the map is the only place that has it, and gives it back.
    #[test]
    fn no_byte_of_the_subject_tag_is_kept_with_the_sessions() {
        let ours = [session("a", 60), session("a", 61)];
        let tag = ours[0].subject_tag;
        let other = SubjectTag::from_bytes(tag.as_bytes().map(|byte| !byte));
        let theirs = ours.clone().map(|mut session| {
            session.subject_tag = other;
            session
        });
        for count in [1, 2] {
            let packed = Encoded::new(&ours[..count]);
            assert_eq!(packed.0, Encoded::new(&theirs[..count]).0);
            assert_eq!(packed.unpack(tag).unwrap(), ours[..count]);
            assert_eq!(packed.unpack(other).unwrap(), theirs[..count]);
            let whole: usize = ours[..count].iter().map(|s| s.encode().len()).sum();
            assert_eq!(packed.0.len(), whole - 16 * count);
        }
    }

    #[test]
    fn a_damaged_record_is_an_error_and_no_panic() {
        let sessions = [session("a", 60), session("a", 60)];
        let tag = sessions[0].subject_tag;
        let good = Encoded::new(&sessions);
        for at in 0..good.0.len() {
            let (mut packed, mut old) = (Encoded(good.0.clone()), Encoded::new(&[]));
            packed.0[at] ^= 0xff;
            let _ = packed.unpack(tag);
            let _ = packed.find(&sessions[1].id).map(|found| found.decode(tag));
            packed.replace(&sessions[1].id, &EncodedRecord::encode(&sessions[1]));
            packed.remove_expired(NOW, &mut old);
        }
        // The state of the first, behind which nothing is out of place.
        let mut packed = good;
        packed.0[213] = 0xff;
        assert!(packed.unpack(tag).is_err());
        let other = packed.find(&sessions[1].id).map(|found| found.decode(tag));
        assert_eq!(other.unwrap().unwrap(), sessions[1]);
    }
}
