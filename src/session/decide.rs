//! The decision: one pure function, first match wins.

use super::{envelope::Envelope, id::ClientBinding, policy::SessionPolicy, record::SessionRecord};
use crate::{clock::Timestamp, keys::SessionKeys};

/// Which row of the table matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Expired,
    Unknown,
    Revoked,
    Coalesced,
    Rotated,
    Reuse,
    Replayed,
    Recovered,
    Adopted,
    StateLost,
    Superseded,
}

/// What to do about a presented token.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    /// The record to swap in, if anything is to be written.
    pub(crate) next: Option<SessionRecord>,
    /// Whether the answer waits for the write: best-effort writes answer without insisting.
    pub(crate) insist: bool,
    /// The token to hand out, not sealed yet.
    pub(crate) successor: Option<Envelope>,
}

/// Judges `presented` against `record`.
pub(crate) fn decide(
    _presented: &Envelope,
    _record: Option<&SessionRecord>,
    _now: Timestamp,
    _client: ClientBinding,
    _policy: &SessionPolicy,
    _keys: &SessionKeys,
) -> Decision {
    todo!()
}
