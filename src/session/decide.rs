//! The decision: one pure function, first match wins.
//!
//! It reads no clock, asks no store and draws no random number. So everything that the protocol promises can be proved
//! about it. `proof` runs simulations and model-checks this very function exhaustively. Row numbers are those of the
//! protocol's table. *G* is the grace, *M* the interval. The *window* is open within `G` of when the current token was
//! last handed out or first presented. *Seen* means presented. A client is the *same* as another one with the same
//! fingerprint, or where both are known. A *newcomer* is neither known nor the holder of the current token. In rows 8
//! to 10 it is a holder that is not known yet. *Confirm*: the successor, and no access token. A request is *active*
//! unless it says that its user did nothing. For an active one, rows 6, 6b, 10 to 10c and 11 begin the idle lifetime
//! anew. Rows 5, 8 and 9 do so where that moves its end by `M` or more.
//!
//! | # | condition | outcome |
//! |---|---|---|
//! | 1 | token, absolute or idle expiry passed | expired |
//! | 2 | no record | unknown |
//! | 3a | ended by a client of the session more than `G` ago, token replaced before, not the same client | reuse |
//! | 3 | ended otherwise | revoked |
//! | 3b | bound, and the right jar is not shown | foreign |
//! | 5 | current, handed out less than `M` ago, has rotated before | coalesced |
//! | 6 | current otherwise | rotated |
//! | 6b | the same, by a newcomer | rotated, confirm |
//! | 7b | previous or older than a privilege change | superseded in the window, later outdated |
//! | 7 | previous, not the same client, window open | superseded |
//! | 8 | previous, same client, not seen, window open | replayed; to a newcomer confirm |
//! | 9 | the same, seen | replayed, no cookie; to a newcomer confirm, with the cookie |
//! | 10 | previous, same client, later; of a newcomer not seen | recovered; to a newcomer confirm |
//! | 10b | previous, later, by a newcomer, holder known | recovered, confirm |
//! | 10c | previous, later, holder is another newcomer that has not shown its token | recovered; to a newcomer confirm |
//! | 11 | the one write that the store can have lost | adopted |
//! | 12 | ahead of the store otherwise | state lost |
//! | 13a | burned sibling within `G` of the recovery | superseded |
//! | 13 | anything else: older, burned, previous behind a newcomer that has shown its token | reuse |
//!
//! The strict policy has no rows 5, 6b to 10c and 13a. Where tokens travel in bodies there is no jar. Newcomers get
//! their access token at once, so nothing is confirmed and 10c is 13.

mod case;

use case::{Case, Position};

use super::{
    fingerprints::{FingerprintPolicy, Fingerprints},
    outcome::{Decision, Outcome, Row},
    policy::SessionPolicy,
    presenter::{Activity, Presenter},
    record::{RevokeReason, SessionRecord, SessionState, within},
    refresh_token::{RefreshToken, barrier_parent, parent},
};
use crate::{clock::Timestamp, keys::SessionKeys};

/// Judges `presented` against `record`.
///
/// `now` is the store's time, and `presenter` the client's proof beside the token.
pub(crate) fn decide(
    presented: &RefreshToken,
    record: Option<&SessionRecord>,
    now: Timestamp,
    presenter: &Presenter,
    policy: &SessionPolicy,
    keys: &SessionKeys,
) -> Decision {
    // Row 1, first half: judged before reuse, so that an expired genuine token never revokes.
    if now >= presented.expires_at {
        return Decision::refuse(Outcome::Expired, Row::Expired);
    }
    // Row 2. A record under another key is as good as none.
    let Some(record) = record
        .filter(|record| record.id == presented.session && record.subject_tag == presented.subject)
    else {
        return Decision::refuse(Outcome::Unknown, Row::Unknown);
    };
    // Row 1, second half.
    if now >= record.expires_at() {
        return Decision::refuse(Outcome::Expired, Row::Expired);
    }
    let case = Case {
        presented,
        hash: presented.hash(),
        record,
        now,
        presenter,
        fingerprints: record.fingerprints_for(presenter),
        policy,
        keys,
    };
    let position = case.position();
    match record.state {
        SessionState::Live => case.live(position),
        SessionState::Revoked(reason) => case.over(position, reason),
    }
}

impl Case<'_> {
    /// Rows 3 and 3a.
    fn over(&self, position: Position, reason: RevokeReason) -> Decision {
        let Self { record, now, .. } = *self;
        let over = Decision::refuse(Outcome::Revoked, Row::Over);
        // The reason of an alarm is its own: it is reported once.
        let Some(by) = self.fingerprints.ended_by() else {
            return over;
        };
        let grace = self.policy.rotation.grace;
        let just = |at| within(now.since(at), grace);
        let is_late = record.ended_at.is_some_and(|at| !just(at));
        // A browser that signed in again has the jar of the new session.
        let jar = reason == RevokeReason::Replaced || !self.is_foreign();
        let same = jar && self.are_one(by);
        match reason {
            // A second tab of the browser that has just signed in again.
            RevokeReason::Replaced if record.ended_at.is_some_and(just) && same => {
                Decision::refuse(Outcome::Superseded, Row::Over)
            }
            RevokeReason::Reuse => over,
            _ if is_late && !same && position.is_replaced() => self.reuse(Row::OverAlarm),
            _ => over,
        }
    }

    fn live(&self, position: Position) -> Decision {
        if self.is_foreign() {
            return Decision::refuse(Outcome::Foreign, Row::ForeignJar);
        }
        let lenient = !self.is_strict();
        match position {
            Position::Current => self.current(),
            Position::Previous if lenient => self.previous(),
            Position::LostWrite { barrier } => self.adopt(barrier),
            Position::Ahead => Decision::refuse(Outcome::StateLost, Row::Ahead),
            Position::Elsewhere if lenient && self.is_burned_lately() => {
                Decision::refuse(Outcome::Superseded, Row::BurnedSibling)
            }
            Position::Elsewhere if lenient && self.record.barrier && self.is_older() => {
                self.before_the_barrier()
            }
            Position::Previous | Position::Elsewhere => self.reuse(Row::Reuse),
        }
    }

    /// Rows 5, 6 and 6b.
    fn current(&self) -> Decision {
        let Self { record, now, .. } = *self;
        let fresh = now.since(record.handed_out_at) < self.policy.rotation.interval;
        // A session that has never rotated rotates at its first refresh.
        if fresh && record.generation > 0 {
            return Decision {
                next: self.seen(),
                extends: self.is_idle_end_due(),
                ..Decision::refuse(Outcome::Coalesced, Row::Coalesced)
            };
        }
        let newcomer = self.is_newcomer() && !self.is_strict();
        let row = if newcomer {
            Row::RotatedNewcomer
        } else {
            Row::Rotated
        };
        self.succeed(Outcome::Rotated, row, newcomer, 0, |successor| {
            SessionRecord {
                generation: successor.generation,
                previous: Some(record.current),
                barrier: false,
                // From here on the presenter is the holder. The other one, thief or victim, then stands out when it
                // brings the replaced token.
                ..self.renewed(successor.hash(), 0, self.shown())
            }
        })
    }

    /// Rows 7 to 10c, and 13 for the previous token.
    fn previous(&self) -> Decision {
        let Self { record, now, .. } = *self;
        if record.barrier {
            return self.before_the_barrier();
        }
        let same = self.are_one(self.fingerprints.holder());
        let unseen = record.presented_at.is_none();
        if self.window_is_open() {
            if !same {
                // The jar has the newer token, or soon will.
                return Decision::refuse(Outcome::Superseded, Row::PreviousElsewhere);
            }
            // Only an unseen successor moves the window, and not at every replay: a burst of them then writes
            // nothing.
            let due = unseen && now.since(record.handed_out_at) >= self.policy.rotation.grace / 8;
            return self.replay(unseen, due);
        }
        let newcomer = !self.is_known();
        let row = match (same, newcomer) {
            // Seen too: a browser writes its cookies late, and comes back without them when it dies.
            (true, false) => Row::Recovered,
            (true, true) if unseen => Row::Recovered,
            (false, true) if self.knows(self.fingerprints.holder()) => Row::RecoveredNewcomer,
            // A newcomer took a successor that it never showed: it has got nothing for it.
            (false, _) if unseen && self.policy.confirms => Row::RecoveredUnserved,
            _ => return self.reuse(Row::Reuse),
        };
        if record.recoveries >= self.policy.rotation.recoveries {
            return Decision::refuse(Outcome::Outdated, row);
        }
        // The token that the lost answer carried is burned: the client that comes with it is not this browser.
        let recoveries = record.recoveries.saturating_add(1);
        self.succeed(Outcome::Recovered, row, newcomer, recoveries, |successor| {
            self.renewed(successor.hash(), recoveries, self.fingerprints)
        })
    }

    /// Row 7b: a token of the time before a privilege change. It is not answered any more, but it is no theft. So
    /// nothing is revoked and no cookie is cleared.
    ///
    /// The search in `proof` shows why both halves are needed. A change of privilege does not wait for the interval.
    /// Within seconds of a rotation another tab may still bring the token before last. An answer that still carried the
    /// previous token may reach the jar after the one with the new token. The browser then has nothing better, however
    /// much later.
    fn before_the_barrier(&self) -> Decision {
        // Later than the window the newer token evidently never arrived, and only signing in helps.
        let outcome = if self.window_is_open() {
            Outcome::Superseded
        } else {
            Outcome::Outdated
        };
        Decision::refuse(outcome, Row::Barrier)
    }

    /// Rows 8 and 9: the same successor again.
    fn replay(&self, unseen: bool, moved: bool) -> Decision {
        let Self { record, now, .. } = *self;
        let row = if unseen {
            Row::Replayed
        } else {
            Row::ReplayedSeen
        };
        let extends = self.is_idle_end_due();
        let successor = self
            .presented
            .successor(&self.hash, record, record.recoveries, self.keys);
        match successor {
            // Anything but the stored token would be taken for theft at its first use.
            Some(successor) if successor.hash() == record.current => Decision {
                next: (moved || extends || self.binds()).then(|| SessionRecord {
                    handed_out_at: if moved { now } else { record.handed_out_at },
                    ..self.noted(self.fingerprints)
                }),
                extends,
                confirm: self.confirms(!self.is_known()),
                // Once it was seen, the jar has it, or has lost it for good. If it were handed out again, it could
                // reach the jar after the next one. A newcomer has to show it.
                successor: (unseen || !self.is_known()).then_some(successor),
                ..Decision::refuse(Outcome::Replayed, row)
            },
            Some(_) => Decision::refuse(Outcome::StateLost, row),
            None => Decision::refuse(Outcome::Unknown, row),
        }
    }

    /// Row 11: the token becomes the one that the lost write had made of it.
    fn adopt(&self, barrier: bool) -> Decision {
        let Self {
            presented, record, ..
        } = *self;
        let previous = if presented.generation == record.generation {
            record.previous
        } else {
            Some(record.current)
        };
        let fingerprint = self.presenter.fingerprint;
        // The write that was lost knew the holder. A newcomer is not taken for it.
        let fingerprints = if self.is_newcomer() {
            self.fingerprints.met(fingerprint)
        } else {
            self.fingerprints.held_by(fingerprint)
        };
        Decision {
            next: Some(SessionRecord {
                generation: presented.generation,
                previous,
                barrier,
                presented_at: Some(self.now),
                fingerprints,
                ..self.renewed(self.hash, presented.recoveries, fingerprints)
            }),
            extends: self.is_active(),
            ..Decision::refuse(Outcome::Adopted, Row::Adopted)
        }
    }

    /// Rows 6 and 10: hands out a token that the store does not expect yet.
    fn succeed(
        &self,
        outcome: Outcome,
        row: Row,
        newcomer: bool,
        recoveries: u8,
        next: impl FnOnce(&RefreshToken) -> SessionRecord,
    ) -> Decision {
        match self
            .presented
            .successor(&self.hash, self.record, recoveries, self.keys)
        {
            Some(successor) => Decision {
                confirm: self.confirms(newcomer),
                next: Some(next(&successor)),
                extends: self.is_active(),
                successor: Some(successor),
                ..Decision::refuse(outcome, row)
            },
            // Unsealing refuses such a token; without its key there is nothing to hand out.
            None => Decision::refuse(Outcome::Unknown, row),
        }
    }

    /// Rows 13 and 3a.
    fn reuse(&self, row: Row) -> Decision {
        Decision {
            next: Some(self.record.alarmed()),
            ..Decision::refuse(Outcome::Reuse, row)
        }
    }
}

#[cfg(test)]
mod tests;
