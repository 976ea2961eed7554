//! Changes of a subject's sessions when one is added, and when all are revoked.
//!
//! These are the two operations that concern all of them at once. They are pure and public, so that every store counts
//! and drops alike. A store reads all of a subject's sessions and calls one of these. It writes the result back in one
//! atomic step.

use std::collections::BTreeSet;

use crate::{
    clock::Timestamp,
    session::{RevokeReason, SessionId, SessionRecord},
    store::StoreError,
};

/// Ended sessions that a subject keeps: as many as may be live by default. A subject that may have any number of
/// live ones does not keep any number of these.
const MOST_ENDED: usize = 32;

/// Adds `record` to the `sessions` of its subject, and returns those that it drove out, revoked.
///
/// It is the work of [`RefreshStore::insert`](crate::store::RefreshStore::insert) on all sessions of one subject at
/// once, with `now` by the store's clock.
///
/// Expired sessions are removed. Of the live ones, those that were rotated least recently are revoked. The new one is
/// then within `limit` (at least 1). They stay, so that the store recognises them. Of those that had ended before,
/// `limit` stay and at most 32. Otherwise signing in and out would fill the store. First come those that a client of
/// theirs has ended, since an old token of theirs raises an alarm. Of these the latest stay.
///
/// A record that is there already is left as it is, and so is all else. The second of two applications changes nothing.
///
/// # Errors
///
/// When the id is that of another record; nothing is changed then.
///
/// # Example
///
/// ```
/// use tower_bearer::{Timestamp, store::{self, SessionRecord, StoreError}};
///
/// /// In a transaction that locks the subject: read its rows, admit, write them back.
/// fn insert(
///     mut rows: Vec<SessionRecord>,
///     new: &SessionRecord,
///     limit: usize,
///     now: Timestamp,
/// ) -> Result<(Vec<SessionRecord>, Vec<SessionRecord>), StoreError> {
///     let dropped = store::admit(&mut rows, new, limit, now)?;
///     Ok((rows, dropped))
/// }
/// # let _ = insert;
/// ```
pub fn admit(
    sessions: &mut Vec<SessionRecord>,
    record: &SessionRecord,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<SessionRecord>, StoreError> {
    if let Some(stored) = sessions.iter().find(|session| session.id == record.id) {
        return if stored == record {
            Ok(vec![])
        } else {
            Err(StoreError::unavailable("the session id is taken"))
        };
    }
    // The session that is being added counts among the live ones.
    let limit = limit.max(1);
    prune(sessions, limit, now);
    let dropped = surplus(sessions, limit - 1, SessionRecord::is_live, |session| {
        session.rotated_at
    });
    let revoked = dropped.iter().filter_map(|id| {
        let session = sessions.iter_mut().find(|session| session.id == *id)?;
        *session = session.revoked(RevokeReason::Limit);
        Some(session.clone())
    });
    let revoked = revoked.collect();
    sessions.push(record.clone());
    Ok(revoked)
}

/// Revokes every live session but `keep`, and returns those that it revoked, as they are now.
///
/// It is the work of [`RefreshStore::revoke_all`](crate::store::RefreshStore::revoke_all) on all sessions of one
/// subject at once, with `now` by the store's clock.
///
/// A session that was idle for too long is revoked too. A refresh that was decided before its idle end may still wait
/// to be written. It would set a new idle end. So a store gives this function every record that it holds of the
/// subject, and filters none. One past its absolute end stays as it is: no refresh moves that.
///
/// ```
/// use tower_bearer::{SessionId, Timestamp, store::{self, SessionRecord}};
///
/// /// In a transaction that locks the subject: read its rows, revoke, write them back.
/// fn sign_out_elsewhere(
///     mut rows: Vec<SessionRecord>,
///     here: &SessionId,
///     now: Timestamp,
/// ) -> (Vec<SessionRecord>, Vec<SessionRecord>) {
///     let revoked = store::revoke_all(&mut rows, Some(here), now);
///     (rows, revoked)
/// }
/// # let _ = sign_out_elsewhere;
/// ```
pub fn revoke_all(
    sessions: &mut [SessionRecord],
    keep: Option<&SessionId>,
    now: Timestamp,
) -> Vec<SessionRecord> {
    revoke(sessions, now, |session| Some(&session.id) != keep)
}

/// Revokes every live session that began at `before` or earlier, and returns those that it revoked, as they are now.
///
/// It is the work of [`RefreshStore::revoke_everything`](crate::store::RefreshStore::revoke_everything) on each session
/// that it visits, with `now` by the store's clock. A session that was idle for too long is meant too, as by
/// [`revoke_all`].
///
/// ```
/// use tower_bearer::{Timestamp, store::{self, SessionRecord}};
///
/// /// A batch of rows of any subjects: read, revoke, write back those that are returned.
/// fn one_batch(mut rows: Vec<SessionRecord>, before: Timestamp, now: Timestamp) -> Vec<SessionRecord> {
///     store::revoke_before(&mut rows, before, now)
/// }
/// # let _ = one_batch;
/// ```
pub fn revoke_before(
    sessions: &mut [SessionRecord],
    before: Timestamp,
    now: Timestamp,
) -> Vec<SessionRecord> {
    revoke(sessions, now, |session| session.created_at <= before)
}

/// Revokes every live session but `keep` that began at `before` or earlier. Returns those that it revoked, as they are
/// now.
///
/// It is the work of [`RefreshStore::revoke_older`](crate::store::RefreshStore::revoke_older) on all sessions of one
/// subject at once, with `now` by the store's clock. A session that was idle for too long is meant too, as by
/// [`revoke_all`]: a store filters no record that it holds.
///
/// ```
/// use tower_bearer::{SessionId, Timestamp, store::{self, SessionRecord}};
///
/// /// In a transaction that locks the subject: read its rows, revoke, write back those that are returned.
/// fn sign_out_of_older(
///     mut rows: Vec<SessionRecord>,
///     here: &SessionId,
///     before: Timestamp,
///     now: Timestamp,
/// ) -> Vec<SessionRecord> {
///     store::revoke_older(&mut rows, Some(here), before, now)
/// }
/// # let _ = sign_out_of_older;
/// ```
pub fn revoke_older(
    sessions: &mut [SessionRecord],
    keep: Option<&SessionId>,
    before: Timestamp,
    now: Timestamp,
) -> Vec<SessionRecord> {
    revoke(sessions, now, |session| {
        Some(&session.id) != keep && session.created_at <= before
    })
}

/// A session past its absolute end stays as it is. It stays useless for ever, and no event reports it.
fn revoke(
    sessions: &mut [SessionRecord],
    now: Timestamp,
    which: impl Fn(&SessionRecord) -> bool,
) -> Vec<SessionRecord> {
    let live = sessions
        .iter_mut()
        .filter(|session| session.may_live_on(now));
    live.filter(|session| which(session))
        .map(|session| {
            *session = session.revoked(RevokeReason::RevokedAll);
            session.clone()
        })
        .collect()
}

/// Removes the expired, and of those that have ended all but `limit` and at most 32.
pub(crate) fn prune(sessions: &mut Vec<SessionRecord>, limit: usize, now: Timestamp) {
    sessions.retain(|session| now < session.expires_at());
    let forgotten = surplus(
        sessions,
        limit.min(MOST_ENDED),
        |session| !session.is_live(),
        |session| (session.ended_at, session.rotated_at),
    );
    let forgotten: BTreeSet<SessionId> = forgotten.into_iter().collect();
    sessions.retain(|session| !forgotten.contains(&session.id));
}

/// Of those that `which` names, all but the `keep` latest by `when`; the earliest first.
fn surplus<T: Ord>(
    sessions: &[SessionRecord],
    keep: usize,
    which: impl Fn(&SessionRecord) -> bool,
    when: impl Fn(&SessionRecord) -> T,
) -> Vec<SessionId> {
    let mut named: Vec<&SessionRecord> = sessions.iter().filter(|s| which(s)).collect();
    // Stable: of those at one time, the one that was added first goes first.
    named.sort_by_key(|session| when(session));
    named.truncate(named.len().saturating_sub(keep));
    named.iter().map(|session| session.id).collect()
}

#[cfg(test)]
mod tests;
