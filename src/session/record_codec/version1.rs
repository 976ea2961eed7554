//! The first layout of a record. No release has written it, and it is read all the same.
//!
//! ```text
//! version:1 (= 1) | session id:16 | subject tag:16 | generation:8 | recoveries:1 | flags:1
//! | current:32 | previous:32 | seed:32 | handed out:8 | presented:8 | rotated:8 | created:8
//! | absolute expiry:8 | idle expiry:8 | client:8 | state:1
//! | subject length:4, subject | label length:2, label | context length:4, context
//! ```

use super::{
    BARRIER, HAS_PREVIOUS, PRESENTED, optional, slice,
    state::{self, was_replaced},
    text, time,
};
use crate::{
    keys::SubjectTag,
    session::{
        fields::Fields,
        fingerprints::Fingerprints,
        id::{ClientFingerprint, SessionId},
        record::SessionRecord,
        refresh_token::take,
    },
};

pub(super) const VERSION: u8 = 1;

/// The client is known and the holder; the next cookie brings the jar.
pub(super) fn decode(mut bytes: &[u8]) -> Option<SessionRecord> {
    let rest = &mut bytes;
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
    let state = state::decode(u8::from_be_bytes(take(rest)?))?;
    let subject = u32::from_be_bytes(take(rest)?);
    let subject = text(rest, subject as usize)?;
    let label = u16::from_be_bytes(take(rest)?);
    let label = text(rest, label.into())?;
    let context = u32::from_be_bytes(take(rest)?);
    let context = slice(rest, context as usize)?;
    // A session that gave way to a new sign-in of its client noted there when.
    let replaced_at = presented_at.filter(|_| was_replaced(state));
    let fingerprints = Fingerprints::one(client);
    rest.is_empty().then(|| SessionRecord {
        id,
        subject_tag,
        subject: subject.into(),
        generation,
        recoveries,
        current,
        previous,
        barrier: flags & BARRIER != 0,
        bound: false,
        seed,
        handed_out_at,
        presented_at,
        rotated_at,
        created_at,
        absolute_expires_at,
        idle_expires_at,
        fingerprints: match replaced_at {
            Some(_) => fingerprints.with_end_by(client),
            None => fingerprints,
        },
        state,
        ended_at: replaced_at,
        fields: Fields::default(),
        label: label.into(),
        context: context.into(),
    })
}
