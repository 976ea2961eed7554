//! Operations on all sessions of a subject at once: one transaction, which locks the subject.
//!
//! The rules are those of every store. They read records, decide here, and write the changes back.

use std::{fmt::Write as _, slice};

use sqlx::{Row as _, postgres::PgRow, query};
use tower_bearer::{
    SessionId, Timestamp,
    store::{self, Inserted, SessionRecord, SubjectTag},
};

use super::{
    call::Operation,
    failure::Failure,
    lease::{Lease, Statement},
    load::{now, time},
};
use crate::row::Row;

/// As many sessions that have ended as the rule leaves a subject with: more are its to sort out.
const MOST_ENDED: usize = 32;

/// Writes rows, and removes some, in one statement.
const PUT: &str = "WITH forgotten AS (DELETE FROM tower_bearer_sessions \
                   WHERE subject_tag = $1 AND session_id = ANY($2)) \
                   INSERT INTO tower_bearer_sessions (subject_tag, session_id, record, expires_at, rotated_at, live) \
                   SELECT $1, * FROM unnest($3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[], $7::boolean[]) \
                   ON CONFLICT (subject_tag, session_id) DO UPDATE SET record = EXCLUDED.record, \
                   expires_at = EXCLUDED.expires_at, rotated_at = EXCLUDED.rotated_at, live = EXCLUDED.live";

const READ: &str = "SELECT record FROM tower_bearer_sessions WHERE subject_tag = $1 ORDER BY session_id FOR UPDATE";

pub(super) struct Insert<'a> {
    pub(super) record: &'a SessionRecord,
    pub(super) limit: usize,
    /// Those that an attempt has dropped whose answer was lost.
    pub(super) planned: Vec<SessionRecord>,
}

impl Operation for Insert<'_> {
    type Answer = Inserted;

    async fn attempt(&mut self, lease: &mut Lease) -> Result<Inserted, Failure> {
        let Self { record, limit, .. } = *self;
        let key = record.key();
        let counts = lease
            .begin(&lock_and_count(key.subject(), key.id()))
            .await?;
        let counts = Counts::of(counts.rows.first().ok_or(sqlx::Error::RowNotFound)?)?;
        if counts.leave_room(limit) {
            lease
                .run(writing(key.subject(), &[], slice::from_ref(record)))
                .await?;
            lease.commit().await?;
            return Ok(Inserted::new(vec![]));
        }
        let before = read(lease, key.subject()).await?;
        let mut after = before.clone();
        let mut dropped = store::admit(&mut after, record, limit, counts.now)?;
        if before == after {
            // It was there already, perhaps since an attempt whose answer was lost.
            dropped = still(&self.planned, &after);
        } else {
            self.planned.clone_from(&dropped);
            let is_kept = |id: &SessionId| after.iter().any(|session| session.id() == *id);
            let ids = before.iter().map(SessionRecord::id);
            let forgotten: Vec<_> = ids.filter(|id| !is_kept(id)).collect();
            let mut changed = after;
            changed.retain(|session| !before.contains(session));
            lease
                .run(writing(key.subject(), &forgotten, &changed))
                .await?;
        }
        lease.commit().await?;
        Ok(Inserted::new(dropped))
    }
}

/// Revokes those of the subject's sessions that the rule revokes.
pub(super) struct Revoke<'a, R> {
    pub(super) subject: &'a SubjectTag,
    pub(super) rule: R,
    /// Those that an attempt has revoked whose answer was lost.
    pub(super) planned: Vec<SessionRecord>,
}

impl<R> Operation for Revoke<'_, R>
where
    R: Fn(&mut [SessionRecord], Timestamp) -> Vec<SessionRecord> + Send,
{
    type Answer = Vec<SessionRecord>;

    async fn attempt(&mut self, lease: &mut Lease) -> Result<Vec<SessionRecord>, Failure> {
        let row = lease.begin(&lock_and_ask(self.subject)).await?;
        let now = time(row.rows.first().ok_or(sqlx::Error::RowNotFound)?, 0)?;
        let mut sessions = read(lease, self.subject).await?;
        let mut all = still(&self.planned, &sessions);
        let revoked = (self.rule)(&mut sessions, now);
        if !revoked.is_empty() {
            lease.run(writing(self.subject, &[], &revoked)).await?;
        }
        all.extend(revoked);
        self.planned.clone_from(&all);
        lease.commit().await?;
        Ok(all)
    }
}

/// How many sessions a subject has, without reading them.
struct Counts {
    now: Timestamp,
    live: usize,
    ended: usize,
    is_taken: bool,
}

impl Counts {
    fn of(row: &PgRow) -> Result<Self, Failure> {
        let count = |column: usize| -> Result<usize, Failure> {
            let count: i64 = row.try_get(column)?;
            Ok(usize::try_from(count).unwrap_or(usize::MAX))
        };
        Ok(Self {
            now: time(row, 0)?,
            live: count(1)?,
            ended: count(2)?,
            is_taken: row.try_get(3)?,
        })
    }

    /// Whether the rule would add the session and change no other one.
    fn leave_room(&self, limit: usize) -> bool {
        let limit = limit.max(1);
        !self.is_taken && self.live < limit && self.ended <= limit.min(MOST_ENDED)
    }
}

/// A statement of its own, so that the next one sees the writes that held the lock.
///
/// The tag is a keyed hash, and a part of it is one, too. Two subjects share a lock by chance alone, and wait for each
/// other then.
pub(super) fn lock(subject: &SubjectTag) -> String {
    let [a, b, c, d, e, f, g, h, ..] = *subject.as_bytes();
    let number = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
    format!("SELECT pg_advisory_xact_lock({number});")
}

fn lock_and_ask(subject: &SubjectTag) -> String {
    format!("{}SELECT {}", lock(subject), now!())
}

/// Expired ones do not count, and stay until they are purged or the rule looks at them.
fn lock_and_count(subject: &SubjectTag, session: &SessionId) -> String {
    format!(
        "{lock}SELECT min(now), count(*) FILTER (WHERE live AND expires_at > now), \
         count(*) FILTER (WHERE NOT live AND expires_at > now), \
         coalesce(bool_or(session_id = {session}), false) \
         FROM (SELECT {now} AS now) AS asked \
         LEFT JOIN tower_bearer_sessions ON subject_tag = {subject}",
        lock = lock(subject),
        now = now!(),
        session = literal(session.as_bytes()),
        subject = literal(subject.as_bytes()),
    )
}

/// Bytes as an expression, whatever the server's rules for backslashes.
fn literal(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
    }
    format!("decode('{hex}', 'hex')")
}

/// All of them, each locked against a swap until the transaction ends.
async fn read(lease: &mut Lease, subject: &SubjectTag) -> Result<Vec<SessionRecord>, Failure> {
    decode(&lease.run(reading(subject)).await?.rows)
}

pub(super) fn reading(subject: &SubjectTag) -> Statement<'_> {
    query(READ).bind(subject.as_bytes().as_slice())
}

pub(super) fn decode(rows: &[PgRow]) -> Result<Vec<SessionRecord>, Failure> {
    let records = rows.iter().map(|row| {
        let bytes: Vec<u8> = row.try_get(0)?;
        Ok(SessionRecord::decode(&bytes)?)
    });
    records.collect()
}

pub(super) fn writing<'a>(
    subject: &'a SubjectTag,
    forgotten: &[SessionId],
    changed: &[SessionRecord],
) -> Statement<'a> {
    let rows: Vec<Row> = changed.iter().map(Row::of).collect();
    let column = |of: fn(&Row) -> &[u8]| rows.iter().map(of).collect::<Vec<_>>();
    let forgotten: Vec<&[u8]> = forgotten
        .iter()
        .map(|id| id.as_bytes().as_slice())
        .collect();
    query(PUT)
        .bind(subject.as_bytes().as_slice())
        .bind(forgotten)
        .bind(column(|row| &row.session_id))
        .bind(column(|row| &row.record))
        .bind(rows.iter().map(|row| row.expires_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.rotated_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.live).collect::<Vec<_>>())
}

/// Those of an earlier attempt that are stored as it would have written them: it was carried out.
fn still(planned: &[SessionRecord], stored: &[SessionRecord]) -> Vec<SessionRecord> {
    planned
        .iter()
        .filter(|record| stored.contains(record))
        .cloned()
        .collect()
}
