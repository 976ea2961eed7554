//! Replacing one record by the next.

use sqlx::query;
use tower_bearer::store::{SessionRecord, Swap};

use super::{
    call::Operation,
    failure::Failure,
    lease::Lease,
    limits::{Durability, set_kept, set_soon},
    load::load,
};
use crate::row::Row;

/// The settings of the call travel in the statement, which is a transaction of its own. So it takes one round trip, and
/// leaves nothing behind on the connection. They are set before the row is locked.
macro_rules! update {
    ($durability:expr) => {
        concat!(
            "WITH settings AS MATERIALIZED (SELECT set_config('lock_timeout', $8, true), ",
            $durability,
            ") UPDATE tower_bearer_sessions AS stored \
             SET record = $4, expires_at = $5, rotated_at = $6, live = $7 FROM settings \
             WHERE subject_tag = $1 AND session_id = $2 AND record = $3"
        )
    };
}

const UPDATE: &str = update!(set_kept!());
const UPDATE_SOON: &str = update!(set_soon!());

/// One for the bytes of this release, one for those of an earlier one, and one for a race.
const TRIES: usize = 3;

pub(super) struct Replace<'a> {
    pub(super) current: &'a SessionRecord,
    pub(super) next: &'a SessionRecord,
}

impl Operation for Replace<'_> {
    type Answer = Swap;

    async fn attempt(&mut self, lease: &mut Lease) -> Result<Swap, Failure> {
        let Self { current, next } = *self;
        let key = current.key();
        if next.key() != key {
            // At another address it would be another session.
            return Ok(Swap::Conflict(load(lease, &key).await?.0));
        }
        let mut expected = current.encode();
        let mut tries = 0;
        loop {
            if self.update(lease, &expected).await? {
                return Ok(Swap::Applied);
            }
            let (loaded, bytes) = load(lease, &key).await?;
            let stored = loaded.record();
            if stored == Some(next) {
                // This very call, whose answer was lost.
                return Ok(Swap::Applied);
            }
            tries += 1;
            match bytes {
                // Records are compared, and an earlier release may have written this one in another layout.
                Some(bytes) if stored == Some(current) && tries < TRIES => expected = bytes,
                _ => return Ok(Swap::Conflict(loaded)),
            }
        }
    }
}

impl Replace<'_> {
    /// Whether the stored bytes were these, and are those of `next` now.
    async fn update(&self, lease: &mut Lease, expected: &[u8]) -> Result<bool, Failure> {
        let Row {
            subject_tag,
            session_id,
            record,
            expires_at,
            rotated_at,
            live,
        } = Row::of(self.next);
        let soon = lease.limits.asynchronous_notes && is_note(self.current, self.next);
        let (text, durability) = match soon {
            true => (UPDATE_SOON, Durability::Soon),
            false => (UPDATE, Durability::Kept),
        };
        let lock_timeout = lease.limits.lock_millis().to_string();
        let statement = query(text)
            .bind(subject_tag)
            .bind(session_id)
            .bind(expected)
            .bind(record)
            .bind(expires_at)
            .bind(rotated_at)
            .bind(live)
            .bind(lock_timeout);
        Ok(lease.run_as(durability, statement).await?.affected == 1)
    }
}

/// Returns whether the step gives out no token that the store did not hold before, and ends nothing. It notes what a
/// request has shown, such as that the current token has arrived.
fn is_note(current: &SessionRecord, next: &SessionRecord) -> bool {
    current.is_live()
        && next.is_live()
        && current.generation() == next.generation()
        // It moves with each new token, also where one takes the place of another of its generation.
        && current.last_rotated_at() == next.last_rotated_at()
        // A repeated step-up brings these.
        && current.context() == next.context()
        && current.authenticated_at() == next.authenticated_at()
        && current.acr() == next.acr()
        && current.amr().eq(next.amr())
}
