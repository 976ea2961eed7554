//! Reading sessions.

use sqlx::{Row as _, postgres::PgRow, query};
use tower_bearer::{
    Timestamp,
    store::{Loaded, SessionKey, SessionRecord, SubjectTag},
};

use super::{call::Operation, failure::Failure, lease::Lease};

/// The server's time in milliseconds, and not that of the transaction's beginning.
macro_rules! now {
    () => {
        "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    };
}
pub(super) use now;

/// A replica may be behind, and then a token that was just replaced looks current. So the same statement asks whether
/// it is one.
const LOAD: &str = concat!(
    "SELECT ",
    now!(),
    ", pg_is_in_recovery(), (SELECT record FROM tower_bearer_sessions WHERE subject_tag = $1 AND session_id = $2)"
);

/// At least one row, for what it says of the server.
const LIST: &str = concat!(
    "SELECT stored.record, asked.is_replica FROM (SELECT ",
    now!(),
    " AS now, pg_is_in_recovery() AS is_replica) AS asked \
     LEFT JOIN tower_bearer_sessions AS stored ON stored.subject_tag = $1 AND stored.expires_at > asked.now"
);

pub(super) struct Load<'a>(pub(super) &'a SessionKey);

impl Operation for Load<'_> {
    type Answer = Loaded;

    async fn attempt(&mut self, lease: &mut Lease) -> Result<Loaded, Failure> {
        Ok(load(lease, self.0).await?.0)
    }
}

/// Returns the stored record, and its bytes.
pub(super) async fn load(
    lease: &mut Lease,
    key: &SessionKey,
) -> Result<(Loaded, Option<Vec<u8>>), Failure> {
    let statement = query(LOAD)
        .bind(key.subject().as_bytes().as_slice())
        .bind(key.id().as_bytes().as_slice());
    let rows = lease.run(statement).await?.rows;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    primary(row, 1)?;
    let bytes: Option<Vec<u8>> = row.try_get(2)?;
    let record = bytes.as_deref().map(SessionRecord::decode).transpose()?;
    Ok((Loaded::new(record, time(row, 0)?), bytes))
}

pub(super) struct List<'a>(pub(super) &'a SubjectTag);

impl Operation for List<'_> {
    type Answer = Vec<SessionRecord>;

    async fn attempt(&mut self, lease: &mut Lease) -> Result<Vec<SessionRecord>, Failure> {
        let statement = query(LIST).bind(self.0.as_bytes().as_slice());
        let mut records = Vec::new();
        for row in lease.run(statement).await?.rows {
            primary(&row, 1)?;
            let bytes: Option<Vec<u8>> = row.try_get(0)?;
            if let Some(bytes) = bytes {
                records.push(SessionRecord::decode(&bytes)?);
            }
        }
        Ok(records)
    }
}

/// Refuses the answer of a replica.
pub(super) fn primary(row: &PgRow, column: usize) -> Result<(), Failure> {
    match row.try_get(column)? {
        true => Err(Failure::replica()),
        false => Ok(()),
    }
}

pub(super) fn time(row: &PgRow, column: usize) -> Result<Timestamp, Failure> {
    let millis: i64 = row.try_get(column)?;
    Ok(Timestamp::from_millis(u64::try_from(millis).unwrap_or(0)))
}
