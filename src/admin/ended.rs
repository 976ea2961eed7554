//! Sessions that ended in a transaction of the application, without events so far.

use std::{fmt, sync::Arc};

use crate::{
    event::Event,
    refresh::config::Config,
    session::{RevokeReason, SessionRecord, SessionState},
};

/// The sessions of a subject that have ended in a transaction that the application has still to commit.
///
/// [`SessionAdmin::ended`](crate::SessionAdmin::ended) returns it; so does `revoke_in` of
/// `tower-bearer-sqlx`. Call [`announce`](Self::announce) after the commit, and
/// [`discard`](Self::discard) after a rollback. Without either call, dropping it emits the warning
/// [`Event::Unannounced`]: no event says whether the sessions have ended. A process that dies
/// between the commit and the call emits nothing. The sessions have ended all the same.
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

    /// Emits one [`Event::Revoked`] for each ended session. Call it after the commit.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll it has emitted none of them, and emits [`Event::Unannounced`].
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

    /// Emits nothing: the transaction was rolled back, and the sessions continue.
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
