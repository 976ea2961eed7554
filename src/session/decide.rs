//! The decision: one pure function, first match wins.
//!
//! It reads no clock, asks no store and draws no random number, so that everything the protocol
//! promises can be proved about it: `proof` runs simulations and an exhaustive search over this
//! very function. Row numbers in the comments are those of the protocol's table:
//!
//! | # | condition | outcome |
//! |---|---|---|
//! | 1 | token, absolute or idle expiry passed | expired |
//! | 2 | no record | unknown |
//! | 3 | record revoked | revoked |
//! | 5 | is current, handed out less than `M` ago, same client, has rotated before | coalesced |
//! | 6 | is current otherwise | rotated |
//! | 7 | is previous, other client | reuse |
//! | 7b | behind a privilege change: is previous, or is older and still within `G`; same client | superseded |
//! | 8 | is previous, successor not yet presented, handed out within `G` | replayed |
//! | 9 | is previous, successor presented or handed out within `G` | replayed |
//! | 10 | is previous, successor never presented, recoveries left | recovered |
//! | 11 | the one write that the store can have lost | adopted |
//! | 12 | ahead of the store otherwise | state lost |
//! | 13 | anything else: older, a burned sibling, previous too late | reuse |
//!
//! Row 0 (does not unseal) and row 4 (the application denies the subject) are the caller's.

use super::{
    id::ClientFingerprint,
    outcome::{Decision, Outcome},
    policy::SessionPolicy,
    record::{RevokeReason, SessionRecord},
    refresh_token::{RefreshToken, barrier_parent, parent},
};
use crate::{clock::Timestamp, keys::SessionKeys};

/// Judges `presented` against `record`.
///
/// `now` is the store's time, `client` the binding of the request.
pub(crate) fn decide(
    presented: &RefreshToken,
    record: Option<&SessionRecord>,
    now: Timestamp,
    client: ClientFingerprint,
    policy: &SessionPolicy,
    keys: &SessionKeys,
) -> Decision {
    // Row 1, first half: judged before reuse, so that an expired genuine token never revokes.
    if now >= presented.expires_at {
        return Decision::refuse(Outcome::Expired);
    }
    // Row 2. A record under another key is as good as none.
    let Some(record) = record
        .filter(|record| record.id == presented.session && record.subject_tag == presented.subject)
    else {
        return Decision::refuse(Outcome::Unknown);
    };
    // Row 1, second half.
    if now >= record.expires_at() {
        return Decision::refuse(Outcome::Expired);
    }
    // Row 3: no second event, no second write.
    if !record.is_live() {
        return Decision::refuse(Outcome::Revoked);
    }
    let case = Case {
        presented,
        hash: presented.hash(),
        record,
        now,
        client,
        policy,
        keys,
    };
    match case.position() {
        Position::Current => case.current(),
        Position::Previous => case.previous(),
        Position::LostWrite { barrier } => case.adopt(barrier),
        Position::Ahead => Decision::refuse(Outcome::StateLost), // Row 12.
        Position::Elsewhere if case.is_older() && record.barrier => case.before_the_barrier(false),
        Position::Elsewhere => case.reuse(), // Row 13.
    }
}

/// Where a genuine token of a live session stands. By generation and hash, never by time.
enum Position {
    Current,
    Previous,
    /// One write ahead of the store, and its own words prove it.
    LostWrite {
        barrier: bool,
    },
    Ahead,
    Elsewhere,
}

struct Case<'a> {
    presented: &'a RefreshToken,
    hash: [u8; 32],
    record: &'a SessionRecord,
    now: Timestamp,
    client: ClientFingerprint,
    policy: &'a SessionPolicy,
    keys: &'a SessionKeys,
}

impl Case<'_> {
    fn position(&self) -> Position {
        let Self {
            presented, record, ..
        } = self;
        // The hash covers the generation; comparing both keeps the order right even against a
        // record that contradicts itself.
        if presented.generation == record.generation && self.hash == record.current {
            return Position::Current;
        }
        let before = record.generation.checked_sub(1);
        if Some(presented.generation) == before && record.previous == Some(self.hash) {
            return Position::Previous;
        }
        // Row 11, a rotation or a privilege change was lost.
        if Some(presented.generation) == record.generation.checked_add(1) {
            if presented.parent == parent(&record.current) {
                return Position::LostWrite { barrier: false };
            }
            if presented.parent == barrier_parent(&record.current) {
                return Position::LostWrite { barrier: true };
            }
        }
        let (ours, theirs) = (
            (record.generation, record.recoveries),
            (presented.generation, presented.recoveries),
        );
        if theirs <= ours {
            return Position::Elsewhere;
        }
        // Row 11, a recovery was lost. Nothing is recovered across a privilege change.
        let sibling = presented.generation == record.generation
            && !record.barrier
            && record
                .previous
                .is_some_and(|previous| presented.parent == parent(&previous));
        if sibling {
            return Position::LostWrite { barrier: false };
        }
        Position::Ahead
    }

    fn is_older(&self) -> bool {
        self.presented.generation < self.record.generation
    }

    /// Rows 5 and 6.
    fn current(&self) -> Decision {
        let Self { record, now, .. } = *self;
        let fresh = now.since(record.handed_out_at) < self.policy.rotation.interval;
        // A session that has never rotated rotates at its first refresh.
        if fresh && self.same_client() && record.generation > 0 {
            let next = record.presented_at.is_none().then(|| SessionRecord {
                presented_at: Some(now),
                ..record.clone()
            });
            return Decision {
                outcome: Outcome::Coalesced,
                next,
                must_write: false,
                successor: None,
            };
        }
        self.succeed(Outcome::Rotated, 0, |successor| SessionRecord {
            generation: successor.generation,
            previous: Some(record.current),
            barrier: false,
            // Whoever rotates is "the same client" from here on: the other one, thief or victim,
            // then stands out by its binding when it presents the token that was replaced.
            client: self.client,
            ..self.renewed(successor.hash(), 0)
        })
    }

    /// Rows 7 to 10, and 13 for the previous token.
    fn previous(&self) -> Decision {
        let Self { record, now, .. } = *self;
        let rotation = &self.policy.rotation;
        if !self.same_client() {
            return self.reuse(); // Row 7.
        }
        if record.barrier {
            return self.before_the_barrier(true);
        }
        let open = self.window_is_open();
        let unseen = record.presented_at.is_none();
        if open {
            // Rows 8 and 9. Only an unseen successor moves the window, and not at every replay:
            // a burst of them then writes nothing.
            let due = unseen && now.since(record.handed_out_at) >= rotation.grace / 8;
            let moved = || SessionRecord {
                handed_out_at: now,
                ..record.clone()
            };
            return self.replay(due.then(moved));
        }
        if unseen && record.recoveries < rotation.recoveries {
            // Row 10. The response was lost for longer than any retry takes: the token it carried
            // is burned, and whoever comes with it is not this browser.
            let recoveries = record.recoveries.saturating_add(1);
            return self.succeed(Outcome::Recovered, recoveries, |successor| {
                self.renewed(successor.hash(), recoveries)
            });
        }
        self.reuse()
    }

    /// Row 7b: a token of the time before a privilege change. It is not answered any more, but from
    /// the same client it is no theft either, so nothing is revoked and no cookie is cleared.
    ///
    /// The search in `proof` shows why both halves are needed. A change of privilege does not wait
    /// for the interval: within seconds of a rotation another tab may still be late with the token
    /// before last. And an answer that still carried the previous token may reach the jar after
    /// the one with the new token: the browser then has nothing better, however much later.
    fn before_the_barrier(&self, previous: bool) -> Decision {
        let lenient = !self.policy.rotation.grace.is_zero();
        if self.same_client() && lenient && (previous || self.window_is_open()) {
            Decision::refuse(Outcome::Superseded)
        } else {
            self.reuse()
        }
    }

    /// Whether the current token was handed out, or first seen back, within the grace.
    fn window_is_open(&self) -> bool {
        self.record
            .window_is_open(self.now, self.policy.rotation.grace)
    }

    /// Rows 8 and 9: the same successor again.
    fn replay(&self, next: Option<SessionRecord>) -> Decision {
        let recoveries = self.record.recoveries;
        let successor = self
            .presented
            .successor(&self.hash, self.record, recoveries, self.keys);
        match successor {
            // Anything but the stored token would be taken for theft at its first use.
            Some(successor) if successor.hash() == self.record.current => Decision {
                outcome: Outcome::Replayed,
                next,
                must_write: false,
                successor: Some(successor),
            },
            Some(_) => Decision::refuse(Outcome::StateLost),
            None => Decision::refuse(Outcome::Unknown),
        }
    }

    /// Row 11: the token becomes what the lost write had made of it.
    fn adopt(&self, barrier: bool) -> Decision {
        let Self {
            presented, record, ..
        } = *self;
        let previous = if presented.generation == record.generation {
            record.previous
        } else {
            Some(record.current)
        };
        Decision {
            outcome: Outcome::Adopted,
            next: Some(SessionRecord {
                generation: presented.generation,
                previous,
                barrier,
                presented_at: Some(self.now),
                client: self.client,
                ..self.renewed(self.hash, presented.recoveries)
            }),
            must_write: true,
            successor: None,
        }
    }

    /// Rows 6 and 10: hands out a token that the store does not expect yet.
    fn succeed(
        &self,
        outcome: Outcome,
        recoveries: u8,
        next: impl FnOnce(&RefreshToken) -> SessionRecord,
    ) -> Decision {
        match self
            .presented
            .successor(&self.hash, self.record, recoveries, self.keys)
        {
            Some(successor) => Decision {
                outcome,
                next: Some(next(&successor)),
                must_write: true,
                successor: Some(successor),
            },
            // Unsealing refuses such a token; without its key there is nothing to hand out.
            None => Decision::refuse(Outcome::Unknown),
        }
    }

    /// Rows 7 and 13.
    fn reuse(&self) -> Decision {
        Decision {
            outcome: Outcome::Reuse,
            next: Some(self.record.revoked(RevokeReason::Reuse)),
            must_write: true,
            successor: None,
        }
    }

    /// The record with a new current token, handed out now. This alone moves the idle expiry.
    fn renewed(&self, current: [u8; 32], recoveries: u8) -> SessionRecord {
        let Self { record, now, .. } = *self;
        SessionRecord {
            current,
            recoveries,
            handed_out_at: now,
            presented_at: None,
            rotated_at: now,
            idle_expires_at: self.policy.idle_from(now, record.absolute_expires_at),
            ..record.clone()
        }
    }

    fn same_client(&self) -> bool {
        self.client == self.record.client
    }
}

#[cfg(test)]
mod tests;
