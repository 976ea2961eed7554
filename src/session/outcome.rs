//! The result of the decision.

use std::fmt;

use super::{policy::SessionPolicy, record::SessionRecord, refresh_token::RefreshToken};
use crate::clock::Timestamp;

/// Says how a refresh succeeded: the row of [the decision](crate::manual::sessions#the-decision) that
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
    /// A token came again within the grace, and got the same successor, unless that had been seen already.
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
    /// From before a privilege change, or recovered from too often: nothing newer is on its way.
    Outdated,
    /// The session is bound to a cookie jar, and the request does not come out of it.
    Foreign,
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
            | Self::Superseded
            | Self::Outdated
            | Self::Foreign => None,
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
            Self::Foreign => "foreign_jar",
            Self::Outdated => "outdated",
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

/// The row of the decision table that matched. Row 0 (does not unseal) and row 4 (the application denies the
/// subject) are the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Row {
    Expired,
    Unknown,
    Over,
    OverAlarm,
    ForeignJar,
    Coalesced,
    Rotated,
    RotatedNewcomer,
    PreviousElsewhere,
    Barrier,
    Replayed,
    ReplayedSeen,
    Recovered,
    RecoveredNewcomer,
    RecoveredUnserved,
    Adopted,
    Ahead,
    Reuse,
    BurnedSibling,
}

impl Row {
    /// Its number in the manual's table.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "1",
            Self::Unknown => "2",
            Self::Over => "3",
            Self::OverAlarm => "3a",
            Self::ForeignJar => "3b",
            Self::Coalesced => "5",
            Self::Rotated => "6",
            Self::RotatedNewcomer => "6b",
            Self::PreviousElsewhere => "7",
            Self::Barrier => "7b",
            Self::Replayed => "8",
            Self::ReplayedSeen => "9",
            Self::Recovered => "10",
            Self::RecoveredNewcomer => "10b",
            Self::RecoveredUnserved => "10c",
            Self::Adopted => "11",
            Self::Ahead => "12",
            Self::Reuse => "13",
            Self::BurnedSibling => "13a",
        }
    }
}

/// The action for a presented token.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    pub(crate) row: Row,
    /// The successor goes out, and no access token: the next request with it shows that it has arrived.
    pub(crate) confirm: bool,
    /// The record to swap in, if anything is to be written; dated at the decision.
    pub(crate) next: Option<SessionRecord>,
    /// The write begins the idle lifetime anew.
    pub(crate) extends: bool,
    /// The token to hand out, not sealed yet.
    pub(crate) successor: Option<RefreshToken>,
}

impl Decision {
    /// Nothing is written and nothing is handed out.
    pub(super) fn refuse(outcome: Outcome, row: Row) -> Self {
        Self {
            outcome,
            row,
            confirm: false,
            next: None,
            extends: false,
            successor: None,
        }
    }

    /// Dates what is written at `later`: claims take their time between the decision, made at `now`, and the
    /// write. The window counts from when the client can have the answer.
    pub(crate) fn date(&mut self, now: Timestamp, later: Timestamp, policy: &SessionPolicy) {
        let Some(next) = self.next.as_mut().filter(|_| later > now) else {
            return;
        };
        match self.outcome {
            Outcome::Rotated | Outcome::Recovered | Outcome::Adopted => {
                next.handed_out_at = later;
                next.rotated_at = later;
            }
            Outcome::Replayed if next.handed_out_at == now => next.handed_out_at = later,
            _ => {}
        }
        if next.presented_at == Some(now) {
            next.presented_at = Some(later);
        }
        if self.extends {
            next.idle_expires_at = next.idle_from(later, policy);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::session::fixture::{BROWSER, STRANGER, World};

    const G: u64 = 30_000;

    /// The decision, and itself dated `claims` milliseconds later.
    fn dated(world: &World, token: &RefreshToken, claims: u64) -> (Decision, Decision, Timestamp) {
        let before = world.ask(token, BROWSER);
        let (mut after, later) = (before.clone(), world.now + Duration::from_millis(claims));
        after.date(world.now, later, &world.policy);
        assert_eq!(
            (after.row, after.outcome, after.confirm),
            (before.row, before.outcome, before.confirm),
            "the row is that of the load"
        );
        (before, after, later)
    }

    #[test]
    fn a_new_token_goes_out_when_its_claims_are_there() {
        let (mut world, previous, current) = World::rotated();
        world.policy.idle = Duration::from_secs(600);
        world.wait_ms(2 * G);
        for token in [&current, &previous] {
            let (before, after, later) = dated(&world, token, 5_000);
            assert!(matches!(
                after.outcome,
                Outcome::Rotated | Outcome::Recovered
            ));
            let expected = SessionRecord {
                handed_out_at: later,
                rotated_at: later,
                idle_expires_at: later + world.policy.idle,
                ..before.next.unwrap()
            };
            assert_eq!(after.next.unwrap(), expected);
        }
    }

    #[test]
    fn an_adopted_token_was_presented_when_its_claims_were_there() {
        let (mut world, _, current) = World::rotated();
        world.wait_ms(2 * G);
        let lost = world.record.clone();
        let newest = world.take(&current).successor.unwrap();
        world.record = lost;
        let (before, after, later) = dated(&world, &newest, 5_000);
        assert_eq!(after.outcome, Outcome::Adopted);
        let before = before.next.unwrap();
        let expected = SessionRecord {
            handed_out_at: later,
            presented_at: Some(later),
            rotated_at: later,
            idle_expires_at: before.idle_from(later, &world.policy),
            ..before
        };
        assert_eq!(after.next.unwrap(), expected);
    }

    #[test]
    fn a_note_moves_only_what_it_notes() {
        let (mut world, previous, current) = World::rotated();
        world.wait_ms(G / 8);
        let (before, after, later) = dated(&world, &previous, 1_000);
        assert_eq!(after.row, Row::Replayed);
        let expected = SessionRecord {
            handed_out_at: later,
            ..before.next.unwrap()
        };
        assert_eq!(after.next.unwrap(), expected);

        let (before, after, later) = dated(&world, &current, 1_000);
        assert_eq!(after.row, Row::Coalesced);
        let expected = SessionRecord {
            presented_at: Some(later),
            ..before.next.unwrap()
        };
        assert_eq!(after.next.unwrap(), expected);

        // Noted for another reason: seen it was before.
        world.take(&current);
        world.wait_ms(1);
        world.record.bound = false;
        for token in [&previous, &current] {
            let (before, after, _) = dated(&world, token, 1_000);
            assert!(after.next.as_ref().unwrap().bound);
            assert_eq!(after.next, before.next);
        }
    }

    #[test]
    fn a_clock_that_stands_or_steps_back_changes_nothing() {
        let (world, _, current) = World::rotated();
        let mut decision = world.ask(&current, BROWSER);
        let next = decision.next.clone();
        let earlier = world.now - Duration::from_secs(1);
        for later in [world.now, earlier] {
            decision.date(world.now, later, &world.policy);
            assert_eq!(decision.next, next);
        }
    }

    #[test]
    fn an_alarm_is_not_dated() {
        let (mut world, oldest, previous) = World::rotated();
        world.wait_ms(2 * G);
        world.take_from(&previous, STRANGER);
        let (before, after, _) = dated(&world, &oldest, 1_000);
        assert_eq!(after.outcome, Outcome::Reuse);
        assert_eq!(after.next, before.next);
    }
}
