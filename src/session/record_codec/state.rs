//! A session's state as one byte. The numbers are part of the layout: new reasons get new ones.

use crate::session::record::{RevokeReason, SessionState};

const REASONS: [RevokeReason; 7] = [
    RevokeReason::Denied,
    RevokeReason::Limit,
    RevokeReason::RevokedAll,
    RevokeReason::RevokedByOwner,
    RevokeReason::Reuse,
    RevokeReason::Replaced,
    RevokeReason::SignedOut,
];

pub(super) fn encode(state: SessionState) -> u8 {
    match state {
        SessionState::Live => 0,
        SessionState::Revoked(RevokeReason::Denied) => 1,
        SessionState::Revoked(RevokeReason::Limit) => 2,
        SessionState::Revoked(RevokeReason::RevokedAll) => 3,
        // A record never has the first: see `SessionRecord::revoked`.
        SessionState::Revoked(RevokeReason::RevokedByOperator | RevokeReason::RevokedByOwner) => 4,
        SessionState::Revoked(RevokeReason::Reuse) => 5,
        SessionState::Revoked(RevokeReason::Replaced) => 6,
        SessionState::Revoked(RevokeReason::SignedOut) => 7,
    }
}

pub(super) fn decode(code: u8) -> Option<SessionState> {
    match code.checked_sub(1) {
        None => Some(SessionState::Live),
        Some(place) => {
            let reason = REASONS.get(usize::from(place))?;
            Some(SessionState::Revoked(*reason))
        }
    }
}
