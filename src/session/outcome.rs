//! What the decision says.

use super::{envelope::Envelope, record::SessionRecord};

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

impl Outcome {
    /// Whether the client gets an access token.
    pub(crate) fn is_success(self) -> bool {
        match self {
            Self::Coalesced | Self::Rotated | Self::Replayed | Self::Recovered | Self::Adopted => {
                true
            }
            Self::Expired
            | Self::Unknown
            | Self::Revoked
            | Self::Reuse
            | Self::StateLost
            | Self::Superseded => false,
        }
    }

    /// Whether it is one more answer to a token that was answered before.
    pub(crate) fn is_repeat(self) -> bool {
        matches!(self, Self::Coalesced | Self::Replayed)
    }

    /// The name in events.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::Coalesced => "coalesced",
            Self::Expired => "expired",
            Self::Recovered => "recovered",
            Self::Replayed => "replayed",
            Self::Reuse => "reuse",
            Self::Revoked => "revoked",
            Self::Rotated => "rotated",
            Self::StateLost => "state_lost",
            Self::Superseded => "superseded",
            Self::Unknown => "unknown",
        }
    }
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

impl Decision {
    /// Nothing is written and nothing is handed out.
    pub(super) fn refuse(outcome: Outcome) -> Self {
        Self {
            outcome,
            next: None,
            insist: false,
            successor: None,
        }
    }
}
