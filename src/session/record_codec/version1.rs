//! The first layout of a record. No release has written it, and it is read all the same.
//!
//! ```text
//! version:1 (= 1) | session id:16 | subject tag:16 | generation:8 | recoveries:1 | flags:1
//! | current:32 | previous:32 | seed:32 | handed out:8 | presented:8 | rotated:8 | created:8
//! | absolute expiry:8 | idle expiry:8 | client:8 | state:1
//! | subject length:4, subject | label length:2, label | context length:4, context
//! ```

use super::{BARRIER, ENDED_AT, HAS_PREVIOUS, PRESENTED, state};
use crate::session::{
    fingerprints::Fingerprints,
    id::ClientFingerprint,
    record::{RevokeReason, SessionRecord, SessionState},
    refresh_token::take,
};

pub(super) const VERSION: u8 = 1;

/// The bytes in front of the flags, from there to the times, and the times behind the presentation. They stand there in
/// version 2, too.
const BEFORE: usize = 16 + 16 + 8 + 1;
const HASHES: usize = 3 * 32 + 8;
const TIMES: usize = 4 * 8;

/// The record, by way of the same one in version 2. The client is known and the holder; the next cookie brings the
/// jar.
pub(super) fn decode(mut bytes: &[u8]) -> Option<SessionRecord> {
    let rest = &mut bytes;
    let before = take::<BEFORE>(rest)?;
    let [mut flags] = take(rest)?;
    if flags & !(HAS_PREVIOUS | BARRIER | PRESENTED) != 0 {
        return None;
    }
    let hashes = take::<HASHES>(rest)?;
    let presented_at = take::<8>(rest)?;
    let times = take::<TIMES>(rest)?;
    let client = ClientFingerprint::from_bytes(take(rest)?);
    let [state] = take(rest)?;
    let [subject, label, context] = [text::<4>(rest)?, text::<2>(rest)?, text::<4>(rest)?];

    let mut fingerprints = Fingerprints::one(client);
    let mut ended_at = [0; 8];
    // A session that gave way to a new sign-in of its client noted there when.
    let replaced = SessionState::Revoked(RevokeReason::Replaced);
    if flags & PRESENTED != 0 && state::decode(state) == Some(replaced) {
        flags |= ENDED_AT;
        ended_at = presented_at;
        fingerprints = fingerprints.with_end_by(client);
    }
    let mut encoded = Vec::new();
    fingerprints.encode(&mut encoded);
    let lengths = [
        &u16::try_from(subject.len()).ok()?.to_be_bytes()[..],
        &u16::try_from(label.len()).ok()?.to_be_bytes(),
        &u32::try_from(context.len()).ok()?.to_be_bytes(),
        &[0; 2],
    ];
    let newer = [
        &before[..],
        &[flags],
        &hashes,
        &presented_at,
        &times,
        &encoded,
        &ended_at,
        &[state],
        &lengths.concat(),
        subject,
        label,
        context,
    ];
    let whole = rest.is_empty().then(|| newer.concat())?;
    super::decode(&whole, None)?.ok()
}

/// A text behind its length of `N` bytes.
fn text<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take::<N>(rest)?.into_iter();
    let length = length.fold(0, |length, byte| length << 8 | usize::from(byte));
    super::slice(rest, length)
}
