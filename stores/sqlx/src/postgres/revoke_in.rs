//! The end of sessions in a transaction of the application's own.

use sqlx::{
    AssertSqlSafe, PgConnection, Postgres, Row as _, Transaction, postgres::PgRow, query, raw_sql,
};
use tower_bearer::{
    SessionAdmin, SessionId,
    admin::Ended,
    store::{self, StoreError, SubjectTag},
};

use super::{
    failure::Failure,
    limits::set_kept,
    load::{now, time},
    subject::{decode, lock, reading, writing},
};
use crate::{RevokeIn, fault::Fault, revoke_in::tags};

impl RevokeIn<Postgres> for SessionAdmin {
    async fn revoke_in(
        &self,
        tx: &mut Transaction<'_, Postgres>,
        subject: &str,
        keep: Option<&SessionId>,
    ) -> Result<Ended, StoreError> {
        let tags = tags(self, subject)?;
        let revoked = revoke(tx, tags, keep).await;
        Ok(self.ended(subject, revoked.map_err(|failure| failure.error)?))
    }
}

/// An error undoes the work of this call, and leaves the transaction as it was.
///
/// The savepoint is made by hand. One of the driver's (`tx.begin()`) that is dropped before its answer rolls the
/// application's transaction back. Its `commit()` then succeeds with nothing done.
async fn revoke(
    tx: &mut Transaction<'_, Postgres>,
    tags: Vec<SubjectTag>,
    keep: Option<&SessionId>,
) -> Result<Vec<store::SessionRecord>, Failure> {
    raw_sql("SAVEPOINT tower_bearer").execute(&mut **tx).await?;
    let revoked = write(tx, tags, keep).await;
    let end = match &revoked {
        Ok(_) => "RELEASE SAVEPOINT tower_bearer",
        Err(_) => "ROLLBACK TO SAVEPOINT tower_bearer; RELEASE SAVEPOINT tower_bearer",
    };
    let ended = raw_sql(end).execute(&mut **tx).await;
    let revoked = revoked?;
    ended?;
    Ok(revoked)
}

async fn write(
    step: &mut PgConnection,
    mut tags: Vec<SubjectTag>,
    keep: Option<&SessionId>,
) -> Result<Vec<store::SessionRecord>, Failure> {
    let row = query(PREPARE)
        .persistent(false)
        .fetch_one(&mut *step)
        .await?;
    sees_what_others_commit(&row)?;
    // In the order in which every other transaction of this kind takes them.
    tags.sort_unstable_by_key(|tag| *tag.as_bytes());
    for tag in &tags {
        raw_sql(AssertSqlSafe(lock(tag)))
            .execute(&mut *step)
            .await?;
    }
    let row = query(NOW).persistent(false).fetch_one(&mut *step).await?;
    let now = time(&row, 0)?;
    let mut all = Vec::new();
    for tag in &tags {
        let rows = reading(tag).persistent(false).fetch_all(&mut *step).await?;
        let revoked = store::revoke_all(&mut decode(&rows)?, keep, now);
        if !revoked.is_empty() {
            let ending = writing(tag, &[], &revoked).persistent(false);
            ending.execute(&mut *step).await?;
        }
        all.extend(revoked);
    }
    Ok(all)
}

/// A transaction that looks at the past would not see a session that began before it had the lock. That session would
/// go on.
fn sees_what_others_commit(row: &PgRow) -> Result<(), Failure> {
    let isolation: String = row.try_get(1)?;
    match isolation.as_str() {
        "read committed" | "read uncommitted" => Ok(()),
        _ => Err(Failure::last(
            Fault::new(format!(
                "a transaction at {isolation} does not see every session: begin it at READ COMMITTED"
            ))
            .refused(),
        )),
    }
}

/// The commit is the application's, and waits for the disk all the same.
const PREPARE: &str = concat!(
    "SELECT ",
    set_kept!(),
    ", current_setting('transaction_isolation')"
);
const NOW: &str = concat!("SELECT ", now!());
