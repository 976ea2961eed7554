//! The end of sessions in one commit with a change of the application's own.

use std::future::Future;

use sqlx::{Database, Transaction};
use tower_bearer::{
    SessionAdmin, SessionId,
    admin::Ended,
    store::{StoreError, StoreErrorKind, SubjectTag},
};

/// Ends a subject's sessions inside a transaction of the application's own.
///
/// "The password was changed and its sessions ended" is then one commit: after a crash both are there, or neither.
/// [`SessionAdmin`](tower_bearer::SessionAdmin) has it for SQLite and PostgreSQL. The database of the transaction is the
/// one that holds the sessions.
///
/// Events come after the commit, by [`Ended::announce`](tower_bearer::admin::Ended::announce): an event for a
/// rolled-back change would be wrong. After a crash between the commit and the call no event comes.
///
/// # Example
///
/// This ends every session of the user. [A whole program](crate#in-one-commit-with-a-change-of-your-own), in which the
/// user stays signed in, is on the front page.
///
#[cfg_attr(feature = "sqlite", doc = "```")]
#[cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
/// use sqlx::SqlitePool;
/// use tower_bearer::SessionAdmin;
/// use tower_bearer_sqlx::RevokeIn;
///
/// async fn change_password(
///     pool: &SqlitePool,
///     sessions: &SessionAdmin,
///     user: &str,
///     hash: &str,
/// ) -> Result<(), Box<dyn std::error::Error>> {
///     let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
///     sqlx::query("UPDATE users SET password = ? WHERE id = ?")
///         .bind(hash)
///         .bind(user)
///         .execute(&mut *tx)
///         .await?;
///     let ended = sessions.revoke_in(&mut tx, user, None).await?;
///     // Where this fails, `ended` is dropped, and the event `Unannounced` says that the outcome is not known.
///     tx.commit().await?;
///     ended.announce().await;
///     Ok(())
/// }
/// # let _ = change_password;
/// ```
pub trait RevokeIn<DB: Database> {
    /// Revokes every live session of `subject` but `keep`, with tags under every key of the ring. Returns those that it
    /// revoked.
    ///
    /// Nothing has happened before the application commits. Then call
    /// [`announce`](tower_bearer::admin::Ended::announce); after a rollback call
    /// [`discard`](tower_bearer::admin::Ended::discard).
    ///
    /// A sign-in that checked the old password before the commit may begin after it. Let the claims closure refuse it,
    /// by a version of the password in the session's context.
    ///
    /// The session `keep` goes on with the token and the context that it has. So its context has the old version. After
    /// the commit give it the new one, with [`Session::elevate_with`](tower_bearer::Session::elevate_with) and
    /// [`Elevation::context`](tower_bearer::refresh::Elevation::context). Otherwise its next refresh is denied, and the
    /// user signs in again. `elevate_with` gives it a new token too, so that earlier copies of its cookie are refused.
    /// Without a version, [`Session::end_others`](tower_bearer::Session::end_others) does that.
    ///
    /// It takes the locks that a sign-in and a refresh of the subject take. It holds them until the transaction ends.
    /// So commit at once. How long it waits for them is a setting of the application's connection. In SQLite there is
    /// one lock for all writers. A transaction that has read before another connection wrote cannot get it any more. So
    /// begin with `BEGIN IMMEDIATE`, or call this before the transaction reads. In PostgreSQL the transaction has to be
    /// at `READ COMMITTED`, the default. At a higher level it would not see a session that began after its first
    /// statement. The call is then refused.
    ///
    /// # Errors
    ///
    /// [`Refused`](tower_bearer::store::StoreErrorKind::Refused) where `subject` has not 1 to 256 bytes; nothing is done
    /// then. Else when the database does not answer or refuses, or holds a session that cannot be read. Some sessions may be
    /// revoked in the transaction then: roll it back.
    ///
    /// Two transactions that end the sessions of two users in opposite order wait for each other. PostgreSQL gives up
    /// one of them, which is [`Unavailable`](tower_bearer::store::StoreErrorKind::Unavailable): roll back, and run the
    /// whole transaction again. Nothing is tried again here, since the statements before are the application's.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped may leave some sessions revoked in the transaction: roll it back.
    fn revoke_in(
        &self,
        tx: &mut Transaction<'_, DB>,
        subject: &str,
        keep: Option<&SessionId>,
    ) -> impl Future<Output = Result<Ended, StoreError>> + Send;
}

/// The tags of the subject under every key of the ring.
pub(crate) fn tags(sessions: &SessionAdmin, subject: &str) -> Result<Vec<SubjectTag>, StoreError> {
    let tags = sessions.subject_tags(subject);
    tags.map_err(|error| StoreError::new(StoreErrorKind::Refused, error))
}
