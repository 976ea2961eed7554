//! A record as bytes, for stores outside this process.
//!
//! ```text
//! version:1 (= 2) | session id:16 | subject tag:16 | generation:8 | recoveries:1 | flags:1
//! | current:32 | previous:32 | seed:32 | handed out:8 | presented:8 | rotated:8 | created:8
//! | absolute expiry:8 | idle expiry:8 | fingerprints:4*8 | known:1 | holder:1 | ended:8 | state:1
//! | subject length:2 | label length:2 | context length:4 | fields length:2
//! | subject | label | context | fields
//! ```
//! Numbers are big-endian, times are milliseconds since 1970. Flags: 1 has a previous token, 2 that one is behind a
//! privilege change, 4 the current token was presented. Also 8 bound to a cookie jar, 16 ended at a time that is known.
//! Fields that a flag declares absent are zero. Known: a bit for each of the fingerprints from the lowest on. The upper
//! half says how many there are. Holder: its place, and in the upper half that of the one that ended the session, 15
//! where none did. State: 0 live, else why it was revoked. Fields: see `fields`. Everything but the three texts and the
//! fields has a fixed size. So a record does not grow however often it rotates. One record has exactly one encoding in
//! each version. So a store that writes all it reads may compare bytes where the trait says "equals". A store that
//! outlives a release compares records.
//!
//! The store in memory, which finds a record by its subject tag, keeps it without that: see `encoded`.
//!
//! Version 1 is read and not written: see `version1`.

#[cfg(feature = "memory")]
mod encoded;
mod state;
mod version1;

#[cfg(feature = "memory")]
pub(crate) use encoded::EncodedRecord;

use super::{
    fields::{self, Fields},
    fingerprints::{self, Fingerprints},
    id::SessionId,
    record::{LABEL_LIMIT, LONGEST_CONTEXT, LONGEST_SUBJECT, SessionRecord},
    refresh_token::take,
};
use crate::{clock::Timestamp, keys::SubjectTag};

const VERSION: u8 = 2;
const HAS_PREVIOUS: u8 = 1;
const BARRIER: u8 = 2;
const PRESENTED: u8 = 4;
const BOUND: u8 = 8;
const ENDED_AT: u8 = 16;
/// Everything between the subject tag and the texts.
const HEAD: usize = 8 + 1 + 1 + 3 * 32 + 6 * 8 + fingerprints::ENCODED + 8 + 1 + 2 + 2 + 4 + 2;
/// Everything but the subject tag, the texts themselves and the fields.
const UNTAGGED: usize = 1 + 16 + HEAD;
/// Everything but the texts themselves and the fields.
const FIXED: usize = UNTAGGED + 16;

/// Why bytes are not a record: another release wrote them, or something damaged them.
///
/// It becomes a [`StoreError`](crate::store::StoreError) of the kind `Corrupt` by `?`.
///
/// ```
/// use tower_bearer::store::{SessionRecord, StoreError, StoreErrorKind};
///
/// fn read(row: &[u8]) -> Result<SessionRecord, StoreError> {
///     Ok(SessionRecord::decode(row)?)
/// }
/// assert_eq!(read(b"no record").unwrap_err().kind(), StoreErrorKind::Corrupt);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct DecodeError(Damage);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("session record version {0} is unknown: written by another release of this crate")]
    Version(u8),
    #[error(
        "session record has the field {0}, which must be known: written by a newer release of this crate"
    )]
    Field(u8),
    #[error("session record is cut short, too long or contradicts itself")]
    Malformed,
}

impl SessionRecord {
    /// The largest encoding, in bytes: a column or a buffer has to hold it.
    pub const LARGEST: usize =
        FIXED + LONGEST_SUBJECT + LABEL_LIMIT + LONGEST_CONTEXT + fields::LONGEST;

    /// Returns the record as bytes: version 2 of a compact layout, the same for equal records. Bytes of another version
    /// may encode the same record: compare what [`decode`](Self::decode) returns.
    ///
    /// The length is 240 bytes, the subject, label and context. A few more follow where the session has something of
    /// its own. It is at most [`LARGEST`](Self::LARGEST). The layout may get a new version in a later release, which
    /// then still reads this one.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_with(self.subject_tag.as_bytes())
    }

    /// With these bytes for the subject tag: the tag itself, or none.
    fn encode_with(&self, tag: &[u8]) -> Vec<u8> {
        // Destructured whole, so that a new field forces a decision.
        let Self {
            id,
            subject_tag: _,
            subject,
            generation,
            recoveries,
            current,
            previous,
            barrier,
            bound,
            seed,
            handed_out_at,
            presented_at,
            rotated_at,
            created_at,
            absolute_expires_at,
            idle_expires_at,
            fingerprints,
            state,
            ended_at,
            fields,
            label,
            context,
        } = self;
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = flag(previous.is_some(), HAS_PREVIOUS)
            | flag(*barrier, BARRIER)
            | flag(presented_at.is_some(), PRESENTED)
            | flag(*bound, BOUND)
            | flag(ended_at.is_some(), ENDED_AT);
        let fields = fields.encode();

        let texts = subject.len() + label.len() + context.len();
        let mut out = Vec::with_capacity(UNTAGGED + tag.len() + texts + fields.len());
        out.push(VERSION);
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(tag);
        out.extend_from_slice(&generation.to_be_bytes());
        out.extend_from_slice(&[*recoveries, flags]);
        out.extend_from_slice(current);
        out.extend_from_slice(&previous.unwrap_or_default());
        out.extend_from_slice(seed);
        for time in [
            *handed_out_at,
            presented_at.unwrap_or_default(),
            *rotated_at,
            *created_at,
            *absolute_expires_at,
            *idle_expires_at,
        ] {
            out.extend_from_slice(&time.as_millis().to_be_bytes());
        }
        fingerprints.encode(&mut out);
        let ended_at = ended_at.unwrap_or_default();
        out.extend_from_slice(&ended_at.as_millis().to_be_bytes());
        out.push(state::encode(*state));
        // All four are bounded far below what their lengths can say.
        out.extend_from_slice(&(subject.len() as u16).to_be_bytes());
        out.extend_from_slice(&(label.len() as u16).to_be_bytes());
        out.extend_from_slice(&(context.len() as u32).to_be_bytes());
        out.extend_from_slice(&(fields.len() as u16).to_be_bytes());
        out.extend_from_slice(subject.as_bytes());
        out.extend_from_slice(label.as_bytes());
        out.extend_from_slice(context);
        out.extend_from_slice(&fields);
        out
    }

    /// Returns the record that [`encode`](Self::encode) made `bytes` of, in this release or an earlier one.
    ///
    /// # Errors
    ///
    /// When they are not one: it says whether a newer release wrote them or the content is damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        const MALFORMED: DecodeError = DecodeError(Damage::Malformed);
        if bytes.len() > Self::LARGEST {
            return Err(MALFORMED);
        }
        let (version, rest) = bytes.split_first().ok_or(MALFORMED)?;
        match *version {
            VERSION => decode(rest, None).unwrap_or(Err(Damage::Malformed)),
            version1::VERSION => version1::decode(rest).ok_or(Damage::Malformed),
            other => Err(Damage::Version(other)),
        }
        .map_err(DecodeError)
    }
}

/// Version 2, without the subject tag where that is given. Nothing where it is cut short or contradicts itself.
fn decode(mut bytes: &[u8], tag: Option<SubjectTag>) -> Option<Result<SessionRecord, Damage>> {
    let rest = &mut bytes;
    let id = SessionId::from_bytes(take(rest)?);
    let subject_tag = match tag {
        Some(tag) => tag,
        None => SubjectTag::from_bytes(take(rest)?),
    };
    // Cut off at once, so that the compiler sees that nothing in the head can be missing.
    let (head, mut texts) = rest.split_first_chunk::<HEAD>()?;
    let rest = &mut head.as_slice();
    let generation = u64::from_be_bytes(take(rest)?);
    let [recoveries, flags] = take(rest)?;
    if flags & !(HAS_PREVIOUS | BARRIER | PRESENTED | BOUND | ENDED_AT) != 0 {
        return None;
    }
    let current = take(rest)?;
    let previous = optional(take(rest)?, flags & HAS_PREVIOUS != 0)?;
    let seed = take(rest)?;
    let handed_out_at = time(rest)?;
    let presented_at = optional(time(rest)?, flags & PRESENTED != 0)?;
    let rotated_at = time(rest)?;
    let created_at = time(rest)?;
    let absolute_expires_at = time(rest)?;
    let idle_expires_at = time(rest)?;
    let fingerprints = Fingerprints::decode(take(rest)?)?;
    let ended_at = optional(time(rest)?, flags & ENDED_AT != 0)?;
    let state = state::decode(u8::from_be_bytes(take(rest)?))?;
    let subject = u16::from_be_bytes(take(rest)?);
    let label = u16::from_be_bytes(take(rest)?);
    let context = u32::from_be_bytes(take(rest)?);
    let fields = u16::from_be_bytes(take(rest)?);

    let rest = &mut texts;
    let subject = text(rest, subject.into())?;
    let label = text(rest, label.into())?;
    let context = slice(rest, context as usize)?;
    let fields = slice(rest, fields.into())?;
    if !rest.is_empty() {
        return None;
    }
    let fields = match Fields::decode(fields) {
        Ok(fields) => fields,
        Err(damage) => return Some(Err(damage)),
    };
    // Nothing fails any more: the record is put together once, where the caller wants it.
    Some(Ok(SessionRecord {
        id,
        subject_tag,
        subject: subject.into(),
        generation,
        recoveries,
        current,
        previous,
        barrier: flags & BARRIER != 0,
        bound: flags & BOUND != 0,
        seed,
        handed_out_at,
        presented_at,
        rotated_at,
        created_at,
        absolute_expires_at,
        idle_expires_at,
        fingerprints,
        state,
        ended_at,
        fields,
        label: label.into(),
        context: context.into(),
    }))
}

/// A value behind a flag: what is absent must be zero, so that there is one encoding.
fn optional<T: Default + PartialEq>(value: T, present: bool) -> Option<Option<T>> {
    match present {
        true => Some(Some(value)),
        false => (value == T::default()).then_some(None),
    }
}

fn time(rest: &mut &[u8]) -> Option<Timestamp> {
    Some(Timestamp::from_millis(u64::from_be_bytes(take(rest)?)))
}

pub(super) fn slice<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(len)?;
    *rest = tail;
    Some(head)
}

fn text<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a str> {
    std::str::from_utf8(slice(rest, len)?).ok()
}

#[cfg(test)]
mod tests;
