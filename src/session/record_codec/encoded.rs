//! An encoded record without its subject tag, for a store that keeps it under that. It is read in place. A store needs
//! these fields to find it among others and to drop it in time.

use super::{Damage, DecodeError, UNTAGGED, VERSION, decode, fingerprints, slice, time};
use crate::{
    clock::Timestamp,
    keys::SubjectTag,
    session::{SessionId, SessionRecord, refresh_token::take},
};

/// From the generation to the time of creation: what stands between the id and the expiry.
const BETWEEN: usize = 8 + 1 + 1 + 3 * 32 + 4 * 8;
/// From the fingerprints to the state: what stands between the expiry and the lengths of the texts.
const BEHIND: usize = fingerprints::ENCODED + 8 + 1;

/// The bytes of one record, and what is read off them without decoding the rest.
#[derive(Clone, Copy)]
pub(crate) struct EncodedRecord<'a> {
    pub(crate) id: SessionId,
    pub(crate) expires_at: Timestamp,
    pub(crate) bytes: &'a [u8],
}

impl<'a> EncodedRecord<'a> {
    /// The bytes that [`SessionRecord::encode`] makes of the record, without the 16 bytes of the subject tag. Records of one
    /// subject are equal when these bytes are.
    pub(crate) fn encode(record: &SessionRecord) -> Vec<u8> {
        record.encode_with(&[])
    }

    /// The record, of the subject that the store keeps it under.
    pub(crate) fn decode(self, subject: SubjectTag) -> Result<SessionRecord, DecodeError> {
        let behind_version = self.bytes.get(1..).unwrap_or_default();
        let decoded = decode(behind_version, Some(subject));
        decoded
            .unwrap_or(Err(Damage::Malformed))
            .map_err(DecodeError)
    }

    /// The first of several records that stand one behind the other, and the rest; nothing when
    /// there is none. An encoding says how long it is, so nothing has to stand between two.
    pub(crate) fn split_first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let ([VERSION, head @ ..], mut rest) = bytes.split_first_chunk::<UNTAGGED>()? else {
            return None;
        };
        let head = &mut head.as_slice();
        let id = SessionId::from_bytes(take(head)?);
        slice(head, BETWEEN)?;
        let expires_at = time(head)?.min(time(head)?);
        slice(head, BEHIND)?;
        let subject = u16::from_be_bytes(take(head)?);
        let label = u16::from_be_bytes(take(head)?);
        let context = u32::from_be_bytes(take(head)?);
        let fields = u16::from_be_bytes(take(head)?);
        let texts = [
            subject.into(),
            label.into(),
            context as usize,
            fields.into(),
        ];
        slice(&mut rest, texts.iter().sum())?;
        let (bytes, rest) = bytes.split_at_checked(bytes.len() - rest.len())?;
        let first = Self {
            id,
            expires_at,
            bytes,
        };
        Some((first, rest))
    }
}
