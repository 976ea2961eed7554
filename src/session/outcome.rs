//! What the decision says.

use std::fmt;

use super::{record::SessionRecord, refresh_token::RefreshToken};

/// Says how a refresh succeeded: the row of [the decision](crate::manual::rotation#the-decision) that
/// matched.
///
/// ```
/// use tower_bearer::{Event, refresh::RefreshOutcome};
///
/// /// Whether the browser holds a new refresh token now.
/// fn has_moved(event: &Event<'_>) -> bool {
///     match event {
///         Event::Refreshed { outcome, .. } => *outcome == RefreshOutcome::Rotated,
///         _ => false,
///     }
/// }
/// # let _ = has_moved;
/// assert_eq!(RefreshOutcome::Rotated.to_string(), "rotated");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefreshOutcome {
    /// The store had lost the last rotation; the newer token was adopted.
    Adopted,
    /// The token is current and was rotated a moment ago: it stays, and gets another access token.
    Coalesced,
    /// The answer to a rotation was lost, and the client goes on from the token before.
    Recovered,
    /// A token came again within the grace, and got the same successor.
    Replayed,
    /// The token was replaced by the next one.
    Rotated,
}

impl RefreshOutcome {
    /// Returns the name in `snake_case`, which stays as it is: for logs and labels of metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::Coalesced => "coalesced",
            Self::Recovered => "recovered",
            Self::Replayed => "replayed",
            Self::Rotated => "rotated",
        }
    }
}

impl fmt::Display for RefreshOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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
    /// How the refresh succeeded, if the client gets an access token.
    pub(crate) fn success(self) -> Option<RefreshOutcome> {
        match self {
            Self::Adopted => Some(RefreshOutcome::Adopted),
            Self::Coalesced => Some(RefreshOutcome::Coalesced),
            Self::Recovered => Some(RefreshOutcome::Recovered),
            Self::Replayed => Some(RefreshOutcome::Replayed),
            Self::Rotated => Some(RefreshOutcome::Rotated),
            Self::Expired
            | Self::Unknown
            | Self::Revoked
            | Self::Reuse
            | Self::StateLost
            | Self::Superseded => None,
        }
    }

    /// Whether it is one more answer to a token that was answered before.
    pub(crate) fn is_repeat(self) -> bool {
        matches!(self, Self::Coalesced | Self::Replayed)
    }

    /// The name in events.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => RefreshOutcome::Adopted.as_str(),
            Self::Coalesced => RefreshOutcome::Coalesced.as_str(),
            Self::Expired => "expired",
            Self::Recovered => RefreshOutcome::Recovered.as_str(),
            Self::Replayed => RefreshOutcome::Replayed.as_str(),
            Self::Reuse => "reuse",
            Self::Revoked => "revoked",
            Self::Rotated => RefreshOutcome::Rotated.as_str(),
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
    pub(crate) must_write: bool,
    /// The token to hand out, not sealed yet.
    pub(crate) successor: Option<RefreshToken>,
}

impl Decision {
    /// Nothing is written and nothing is handed out.
    pub(super) fn refuse(outcome: Outcome) -> Self {
        Self {
            outcome,
            next: None,
            must_write: false,
            successor: None,
        }
    }
}
