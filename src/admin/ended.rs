//! Sessions that ended in a transaction of the application's, and are not told of yet.

use std::{fmt, sync::Arc};

use crate::{
    event::Event,
    refresh::config::Config,
    session::{RevokeReason, SessionRecord, SessionState},
};

/// The sessions of a subject that have ended in a transaction that the application has still to commit.
///
/// [`SessionAdmin::ended`](crate::SessionAdmin::ended) returns it; so does `revoke_in` of `tower-bearer-sqlx`. After the
/// commit call [`announce`](Self::announce), after a rollback [`discard`](Self::discard). Dropped without either it
/// warns, by [`Event::Unannounced`]: the sessions have ended, or not, and no event says so. A process that dies between
/// the commit and the call tells of nothing, and the sessions have ended all the same.
///
/// ```
/// use tower_bearer::{SessionAdmin, store::SessionRecord};
///
/// /// `revoked` is what the statements of an open transaction have ended.
/// async fn commit(admin: &SessionAdmin, user: &str, revoked: Vec<SessionRecord>, committed: bool) {
///     let ended = admin.ended(user, revoked);
///     match committed {
///         true => ended.announce().await,
///         false => ended.discard(),
///     }
/// }
/// # let _ = commit;
/// ```
#[must_use = "announce it after the commit, or discard it after a rollback"]
pub struct Ended {
    config: Arc<Config>,
    subject: String,
    sessions: Vec<SessionRecord>,
    /// Those that a drop would leave untold.
    untold: usize,
}

impl Ended {
    pub(super) fn new(config: Arc<Config>, subject: &str, sessions: Vec<SessionRecord>) -> Self {
        Self {
            config,
            subject: subject.to_owned(),
            untold: sessions.len(),
            sessions,
        }
    }

    /// Returns the sessions that have ended, each as the store holds it once the transaction is committed.
    pub fn sessions(&self) -> &[SessionRecord] {
        &self.sessions
    }

    /// Tells that the sessions have ended: one [`Event::Revoked`] for each. Call it after the commit.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll it has told of none, and [`Event::Unannounced`] says so.
    pub async fn announce(mut self) {
        for record in &self.sessions {
            let reason = match record.state() {
                SessionState::Revoked(reason) => reason,
                SessionState::Live => RevokeReason::RevokedAll,
            };
            self.config.revoked(record, reason, None);
        }
        self.untold = 0;
    }

    /// Tells of nothing: the transaction was rolled back, and the sessions go on.
    pub fn discard(mut self) {
        self.untold = 0;
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if self.untold > 0 {
            self.config.events.emit(&Event::Unannounced {
                subject: &self.subject,
                sessions: self.untold,
            });
        }
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            config: _,
            subject: _,
            sessions,
            untold: _,
        } = self;
        f.debug_struct("Ended")
            .field("sessions", &sessions.len())
            .finish_non_exhaustive()
    }
}
