//! Revoking every session of every subject.

use sqlx::{Row as _, query};
use tower_bearer::{
    Timestamp,
    store::{self, DecodeError, SessionRecord, StoreError},
};

use super::{
    PostgresStore,
    call::Operation,
    failure::Failure,
    lease::Lease,
    limits::set_kept,
    load::{now, primary, time},
};
use crate::{fault::Fault, row::Row};

/// Enough that the way to the server does not count. Few enough that a refresh does not wait for them.
const PAGE: usize = 500;
/// Sessions that rotate while a page is written are looked at again. A page that changes this often is under attack,
/// or on a server that swaps without end.
const TRIES: usize = 64;

/// So many rows by their keys, whatever they hold. A search for live ones would pass all that have ended, which may be
/// millions. At least one row, for what it says of the server.
const READ: &str = concat!(
    "SELECT asked.now, asked.is_replica, page.subject_tag, page.session_id, page.record FROM (SELECT ",
    now!(),
    " AS now, pg_is_in_recovery() AS is_replica) AS asked LEFT JOIN \
     (SELECT subject_tag, session_id, CASE WHEN live THEN record END AS record FROM tower_bearer_sessions \
     WHERE (subject_tag, session_id) > ($1, $2) ORDER BY subject_tag, session_id LIMIT $3) AS page ON true \
     ORDER BY page.subject_tag, page.session_id"
);

/// As many swaps as there are rows. The page is one step, and the whole is not. The settings of the call travel in it, as
/// in a swap.
const REPLACE: &str = concat!(
    "WITH settings AS MATERIALIZED (SELECT set_config('lock_timeout', $5, true), ",
    set_kept!(),
    ") UPDATE tower_bearer_sessions AS stored SET record = next.record, live = false \
     FROM settings, unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[]) \
     AS next (subject_tag, session_id, expected, record) \
     WHERE stored.subject_tag = next.subject_tag AND stored.session_id = next.session_id \
     AND stored.record = next.expected"
);

/// A place in the order of all sessions.
type Place = (Vec<u8>, Vec<u8>);

struct Page<'a> {
    after: &'a Place,
    before: Timestamp,
}

/// The outcome of a page.
struct Turned {
    revoked: u64,
    /// Some were swapped by others between reading and writing.
    is_whole: bool,
    /// Where it ends; none where it was the last one.
    end: Option<Place>,
    /// The last record that cannot be read. It keeps none of the others.
    damage: Option<DecodeError>,
}

impl Operation for Page<'_> {
    type Answer = Turned;

    async fn attempt(&mut self, lease: &mut Lease) -> Result<Turned, Failure> {
        let statement = query(READ)
            .bind(self.after.0.as_slice())
            .bind(self.after.1.as_slice())
            .bind(PAGE as i64);
        let rows = lease.run(statement).await?.rows;
        let first = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        // One that is behind would show fewer sessions, and fewer that live.
        primary(first, 1)?;
        let now = time(first, 0)?;
        let (mut end, mut count) = (None, 0);
        let mut stored: Vec<(SessionRecord, Vec<u8>)> = Vec::with_capacity(rows.len());
        let mut damage = None;
        for row in &rows {
            let (Some(subject), Some(session)) = (row.try_get(2)?, row.try_get(3)?) else {
                continue;
            };
            (end, count) = (Some((subject, session)), count + 1);
            let Some(bytes): Option<Vec<u8>> = row.try_get(4)? else {
                continue;
            };
            match SessionRecord::decode(&bytes) {
                Ok(record) => stored.push((record, bytes)),
                Err(error) => damage = Some(error),
            }
        }
        let mut records: Vec<_> = stored.iter().map(|(record, _)| record.clone()).collect();
        let revoked = store::revoke_before(&mut records, self.before, now);
        let written = match revoked.is_empty() {
            true => 0,
            false => replace(lease, &stored, &revoked).await?,
        };
        Ok(Turned {
            revoked: written,
            is_whole: usize::try_from(written) == Ok(revoked.len()),
            end: end.filter(|_| count == PAGE),
            damage,
        })
    }
}

async fn replace(
    lease: &mut Lease,
    stored: &[(SessionRecord, Vec<u8>)],
    revoked: &[SessionRecord],
) -> Result<u64, Failure> {
    let rows: Vec<Row> = revoked.iter().map(Row::of).collect();
    let bytes_of = |record: &SessionRecord| {
        let mut found = stored.iter().filter(|(old, _)| old.key() == record.key());
        found.next().map_or(&[][..], |(_, bytes)| bytes)
    };
    let statement = query(REPLACE)
        .bind(
            rows.iter()
                .map(|row| row.subject_tag.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(
            rows.iter()
                .map(|row| row.session_id.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(revoked.iter().map(bytes_of).collect::<Vec<_>>())
        .bind(
            rows.iter()
                .map(|row| row.record.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(lease.limits.lock_millis().to_string());
    Ok(lease.run(statement).await?.affected)
}

impl PostgresStore {
    pub(super) async fn revoke_all_of_all(&self, before: Timestamp) -> Result<u64, StoreError> {
        let (mut after, mut count, mut damage) = (Place::default(), 0, None);
        let mut tries = 0;
        loop {
            let page = Page {
                after: &after,
                before,
            };
            let turned = self.call(page).await?;
            count += turned.revoked;
            damage = turned.damage.or(damage);
            match turned.end {
                _ if !turned.is_whole && tries < TRIES => tries += 1,
                _ if !turned.is_whole => {
                    let why = "sessions change faster than they are revoked: call it again";
                    return Err(Fault::new(why).unavailable());
                }
                Some(end) => (after, tries) = (end, 0),
                None => return damage.map_or(Ok(count), |error| Err(error.into())),
            }
        }
    }
}
