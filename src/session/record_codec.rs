//! A record as bytes, for stores outside this process.
//!
//! ```text
//! version:1 (= 1) | session id:16 | subject tag:16 | generation:8 | recoveries:1 | flags:1
//! | current:32 | previous:32 | seed:32 | handed out:8 | presented:8 | rotated:8 | created:8
//! | absolute expiry:8 | idle expiry:8 | client:8 | state:1
//! | subject length:4, subject | label length:2, label | context length:4, context
//! ```
//! Numbers are big-endian, times are milliseconds since 1970. Flags: 1 has a previous token, 2
//! that one is behind a privilege change, 4 the current token has been presented; what a flag
//! declares absent is zero. State: 0 live, else why it was revoked. Everything but the three texts
//! has a fixed size, so a record does not grow however often it rotates. One record has exactly
//! one encoding, so a store may compare bytes where the trait says "equals".

#[cfg(feature = "memory")]
mod encoded;

#[cfg(feature = "memory")]
pub(crate) use encoded::EncodedRecord;

use super::{
    id::{ClientFingerprint, SessionId},
    record::{RevokeReason, SessionRecord, SessionState},
    refresh_token::take,
};
use crate::{clock::Timestamp, keys::SubjectTag};

const VERSION: u8 = 1;
const HAS_PREVIOUS: u8 = 1;
const BARRIER: u8 = 2;
const PRESENTED: u8 = 4;
/// Everything between the version and the texts.
const HEAD: usize = 16 + 16 + 8 + 1 + 1 + 3 * 32 + 6 * 8 + 8 + 1;
/// Everything but the texts themselves.
const FIXED: usize = 1 + HEAD + 4 + 2 + 4;

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
enum Damage {
    #[error("session record version {0} is unknown: written by another release of this crate")]
    Version(u8),
    #[error("session record is cut short, too long or contradicts itself")]
    Malformed,
}

impl SessionRecord {
    /// The record as bytes: version 1 of a compact layout, the same for equal records.
    ///
    /// About 215 bytes and the subject, label and context. The layout may get a new version in a
    /// later release, which then still reads this one.
    pub fn encode(&self) -> Vec<u8> {
        // Destructured whole, so that a new field forces a decision.
        let Self {
            id,
            subject_tag,
            subject,
            generation,
            recoveries,
            current,
            previous,
            barrier,
            seed,
            handed_out_at,
            presented_at,
            rotated_at,
            created_at,
            absolute_expires_at,
            idle_expires_at,
            client,
            state,
            label,
            context,
        } = self;
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = flag(previous.is_some(), HAS_PREVIOUS)
            | flag(*barrier, BARRIER)
            | flag(presented_at.is_some(), PRESENTED);

        let mut out = Vec::with_capacity(FIXED + subject.len() + label.len() + context.len());
        out.push(VERSION);
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(subject_tag.as_bytes());
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
        out.extend_from_slice(client.as_bytes());
        out.push(state_code(*state));
        // The session policy bounds all three far below what their lengths can say.
        out.extend_from_slice(&(subject.len() as u32).to_be_bytes());
        out.extend_from_slice(subject.as_bytes());
        out.extend_from_slice(&(label.len() as u16).to_be_bytes());
        out.extend_from_slice(label.as_bytes());
        out.extend_from_slice(&(context.len() as u32).to_be_bytes());
        out.extend_from_slice(context);
        out
    }

    /// The record that [`encode`](Self::encode) made `bytes` of.
    ///
    /// # Errors
    ///
    /// When they are not one: it says whether the version is unknown or the content is damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        const MALFORMED: DecodeError = DecodeError(Damage::Malformed);
        let (version, rest) = bytes.split_first().ok_or(MALFORMED)?;
        if *version != VERSION {
            return Err(DecodeError(Damage::Version(*version)));
        }
        decode_v1(rest).ok_or(MALFORMED)
    }
}

fn decode_v1(bytes: &[u8]) -> Option<SessionRecord> {
    // Cut off at once, so that the compiler sees that nothing in the head can be missing.
    let (head, mut texts) = bytes.split_first_chunk::<HEAD>()?;
    let rest = &mut head.as_slice();
    let id = SessionId::from_bytes(take(rest)?);
    let subject_tag = SubjectTag::from_bytes(take(rest)?);
    let generation = u64::from_be_bytes(take(rest)?);
    let [recoveries, flags] = take(rest)?;
    if flags & !(HAS_PREVIOUS | BARRIER | PRESENTED) != 0 {
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
    let client = ClientFingerprint::from_bytes(take(rest)?);
    let state = state(u8::from_be_bytes(take(rest)?))?;

    let rest = &mut texts;
    let subject = u32::from_be_bytes(take(rest)?);
    let subject = text(rest, subject as usize)?;
    let label = u16::from_be_bytes(take(rest)?);
    let label = text(rest, label.into())?;
    let context = u32::from_be_bytes(take(rest)?);
    let context = slice(rest, context as usize)?;
    if !rest.is_empty() {
        return None;
    }
    // Nothing fails any more: the record is put together once, where the caller wants it.
    Some(SessionRecord {
        id,
        subject_tag,
        subject: subject.into(),
        generation,
        recoveries,
        current,
        previous,
        barrier: flags & BARRIER != 0,
        seed,
        handed_out_at,
        presented_at,
        rotated_at,
        created_at,
        absolute_expires_at,
        idle_expires_at,
        client,
        state,
        label: label.into(),
        context: context.into(),
    })
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

fn slice<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(len)?;
    *rest = tail;
    Some(head)
}

fn text<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a str> {
    std::str::from_utf8(slice(rest, len)?).ok()
}

/// The numbers are part of the layout: new reasons get new ones.
fn state_code(state: SessionState) -> u8 {
    match state {
        SessionState::Live => 0,
        SessionState::Revoked(RevokeReason::Denied) => 1,
        SessionState::Revoked(RevokeReason::Limit) => 2,
        SessionState::Revoked(RevokeReason::RevokedAll) => 3,
        SessionState::Revoked(RevokeReason::RevokedByOwner) => 4,
        SessionState::Revoked(RevokeReason::Reuse) => 5,
        SessionState::Revoked(RevokeReason::Replaced) => 6,
        SessionState::Revoked(RevokeReason::SignedOut) => 7,
    }
}

fn state(code: u8) -> Option<SessionState> {
    Some(match code {
        0 => SessionState::Live,
        1 => SessionState::Revoked(RevokeReason::Denied),
        2 => SessionState::Revoked(RevokeReason::Limit),
        3 => SessionState::Revoked(RevokeReason::RevokedAll),
        4 => SessionState::Revoked(RevokeReason::RevokedByOwner),
        5 => SessionState::Revoked(RevokeReason::Reuse),
        6 => SessionState::Revoked(RevokeReason::Replaced),
        7 => SessionState::Revoked(RevokeReason::SignedOut),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
