//! `SessionAdmin`.

use std::{cmp::Reverse, fmt, future::Future, sync::Arc};

use super::ended::Ended;
use crate::{
    keys::SubjectTag,
    refresh::{
        authenticate::unavailable,
        config::Config,
        ending,
        layer::RefreshCookieLayer,
        revoke::{self, Revocation},
        session_info::SessionInfo,
        start::check_subject,
    },
    session::{RevokeReason, SessionError, SessionErrorKind, SessionId, SessionRecord},
    store::{RefreshStore, StoreError, StoreErrorKind},
    telemetry::{Work, in_span},
};

/// Lists and ends the sessions of any subject, from code that has no request of theirs. Cheap to clone.
///
/// [`Auth::admin`](crate::Auth::admin) and [`RefreshCookieLayer::admin`] return it. It works over the store of that
/// layer and tells that layer's events. The [module page](crate::admin) has an example.
#[derive(Clone)]
pub struct SessionAdmin(Arc<Config>);

impl RefreshCookieLayer {
    /// Returns the operator's side of this layer's sessions: what lists and ends them from outside a request.
    ///
    /// ```
    /// use tower_bearer::{RefreshCookieLayer, SessionError};
    ///
    /// /// A job that disables accounts.
    /// async fn disable(sessions: &RefreshCookieLayer, user: &str) -> Result<(), SessionError> {
    ///     // The claims closure refuses the user from here on. Then:
    ///     sessions.admin().end_all(user, None).await.map(drop)
    /// }
    /// # let _ = disable;
    /// ```
    pub fn admin(&self) -> SessionAdmin {
        SessionAdmin(self.config.clone())
    }
}

impl SessionAdmin {
    /// Returns the live sessions of `subject`, the most recently seen first; none where the subject is unknown.
    ///
    /// No entry is marked as [`current`](SessionInfo::current): there is no session that asks. Each has the
    /// application's [`note`](SessionInfo::note), which the list of the session's owner leaves out.
    ///
    /// ```
    /// use tower_bearer::{SessionAdmin, SessionError};
    ///
    /// /// The client wrote its own name: escape it before it goes into a page.
    /// async fn names(admin: &SessionAdmin, user: &str) -> Result<Vec<String>, SessionError> {
    ///     let sessions = admin.list(user).await?.into_iter();
    ///     Ok(sessions.map(|session| session.client).collect())
    /// }
    /// # let _ = names;
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](SessionErrorKind::InvalidInput) where `subject` has not 1 to 256 bytes,
    /// [`Unavailable`](SessionErrorKind::Unavailable) when the store did not answer.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn list(&self, subject: &str) -> Result<Vec<SessionInfo>, SessionError> {
        let work = async {
            let mut records = Vec::new();
            for tag in self.subject_tags(subject)? {
                records.extend(self.0.store.list(&tag).await.map_err(unavailable)?);
            }
            // The store has left out what has expired.
            records.retain(SessionRecord::is_live);
            records.sort_by_key(|record| Reverse(record.last_seen()));
            Ok(records.iter().map(SessionInfo::of_any).collect())
        };
        self.call("admin_list", None, work).await
    }

    /// Ends one session of `subject`.
    ///
    /// Emits [`Event::Revoked`](crate::Event::Revoked) with the reason
    /// [`RevokedByOperator`](RevokeReason::RevokedByOperator).
    ///
    /// ```
    /// use tower_bearer::{SessionAdmin, SessionError, SessionErrorKind};
    ///
    /// /// The id comes out of the page's form.
    /// async fn sign_out(admin: &SessionAdmin, user: &str, id: &str) -> Result<bool, SessionError> {
    ///     match admin.end(user, &id.parse()?).await {
    ///         // Its user, or another operator, was quicker.
    ///         Err(error) if error.kind() == SessionErrorKind::NotFound => Ok(false),
    ///         ended => ended.map(|()| true),
    ///     }
    /// }
    /// # let _ = sign_out;
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotFound`](SessionErrorKind::NotFound) where `subject` has no such live session: it is
    /// another subject's, or none. [`InvalidInput`](SessionErrorKind::InvalidInput) where `subject`
    /// has not 1 to 256 bytes. [`Unavailable`](SessionErrorKind::Unavailable) when the store did
    /// not answer. Where the session was found but could not be ended, the layer tries again in the
    /// background. Where the lookup failed, it does not try again.
    ///
    /// # Cancel safety
    ///
    /// Safe: once begun, the end is written.
    pub async fn end(&self, subject: &str, session: &SessionId) -> Result<(), SessionError> {
        let work = async {
            check_subject(subject)?;
            let found = ending::find(&self.0, subject, session).await;
            let (record, now) = found
                .map_err(unavailable)?
                .ok_or(SessionError::new(SessionErrorKind::NotFound))?;
            let end = Revocation::of(record, now, RevokeReason::RevokedByOperator);
            end.run(&self.0).await.map(drop).map_err(unavailable)
        };
        self.call("admin_end", Some(*session), work).await
    }

    /// Ends every session of `subject` but `keep`, and returns those that it ended. Call it after a
    /// password reset by mail, for a disabled account or a stolen device.
    ///
    /// Emits [`Event::Revoked`](crate::Event::Revoked) for each, with the reason
    /// [`RevokedAll`](RevokeReason::RevokedAll). A session that was idle for too long is among them while the store
    /// holds it. A refresh under way could set a new idle end. If the password changes in an SQL database,
    /// `tower-bearer-sqlx` can end the sessions in the same transaction.
    ///
    /// ```
    /// use tower_bearer::{SessionAdmin, SessionError};
    ///
    /// /// After the new password is stored, or a sign-in with the old one slips in between.
    /// async fn after_reset(admin: &SessionAdmin, user: &str) -> Result<usize, SessionError> {
    ///     Ok(admin.end_all(user, None).await?.len())
    /// }
    /// # let _ = after_reset;
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](SessionErrorKind::InvalidInput) where `subject` has not 1 to 256 bytes;
    /// [`Unavailable`](SessionErrorKind::Unavailable) when the store did not answer. It is then
    /// tried again in the background, and calling it again completes it too. Those tries end the
    /// sessions that began before the call, idle ones too, and none that begins later. Behind a
    /// store without [`revoke_older`](crate::store::RefreshStore::revoke_older) they leave out idle
    /// sessions. The store may have ended a session before its answer was lost. No
    /// [`Revoked`](crate::Event::Revoked) event names that session, and a second call does not
    /// return it.
    ///
    /// # Cancel safety
    ///
    /// Safe: once begun, it runs to its end.
    pub async fn end_all(
        &self,
        subject: &str,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, SessionError> {
        let work = async {
            check_subject(subject)?;
            let all = revoke::all(&self.0, subject.to_owned(), keep.copied());
            all.await.map_err(unavailable)
        };
        self.call("admin_end_all", None, work).await
    }

    /// Ends every session of every subject that has begun by now, by the store's time, and returns
    /// how many. Call it when a key has leaked or a backup was stolen.
    ///
    /// Emits one event, [`Event::EverythingRevoked`](crate::Event::EverythingRevoked), and none for single sessions.
    /// A sign-in that is under way may succeed. Only a new key ends that session too: [the
    /// runbook](crate::manual::operations#ending-every-session-on-purpose) has the steps.
    ///
    /// ```
    /// use tower_bearer::{SessionAdmin, SessionError};
    ///
    /// /// Once the new keys are in every instance.
    /// async fn sign_everyone_out(admin: &SessionAdmin) -> Result<(), SessionError> {
    ///     println!("{} sessions ended", admin.end_everything().await?);
    ///     Ok(())
    /// }
    /// # let _ = sign_everyone_out;
    /// ```
    ///
    /// # Errors
    ///
    /// [`Internal`](SessionErrorKind::Internal) where the store does not offer it: nothing is ended. The error's
    /// source names the store and the remedy. [`Unavailable`](SessionErrorKind::Unavailable) when the store did not
    /// answer. Some sessions may have ended then, and no event reports them. Nothing is tried in the background:
    /// calling it again completes it. The event of that call counts only the sessions that that call ended.
    ///
    /// # Cancel safety
    ///
    /// Safe: once begun, it runs to its end, and emits its event.
    pub async fn end_everything(&self) -> Result<u64, SessionError> {
        let work = async {
            let everything = revoke::everything(&self.0);
            everything.await.map_err(|error| self.not_everything(error))
        };
        self.call("admin_end_everything", None, work).await
    }

    /// Returns the names under which the store keeps the sessions of `subject`. There is one for each refresh secret
    /// of the key ring. A transaction of the application ends them together with its own change. Pass the ended
    /// sessions to [`ended`](Self::ended).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](SessionErrorKind::InvalidInput) where `subject` has not 1 to 256 bytes. No
    /// session has such a subject. A transaction that ends none of them would look like one that
    /// has ended all.
    ///
    /// ```
    /// use tower_bearer::{SessionAdmin, SessionError};
    ///
    /// /// The values of `subject IN (..)`.
    /// fn columns(admin: &SessionAdmin, user: &str) -> Result<Vec<[u8; 16]>, SessionError> {
    ///     let tags = admin.subject_tags(user)?;
    ///     Ok(tags.iter().map(|tag| *tag.as_bytes()).collect())
    /// }
    /// # let _ = columns;
    /// ```
    pub fn subject_tags(&self, subject: &str) -> Result<Vec<SubjectTag>, SessionError> {
        check_subject(subject)?;
        Ok(ending::tags(&self.0, subject))
    }

    /// Takes the sessions of `subject` that a transaction of the application's has `revoked`, each as it is stored now.
    ///
    /// No event is emitted yet: the transaction may still be rolled back. After the commit call [`Ended::announce`],
    /// after a rollback [`Ended::discard`].
    pub fn ended(&self, subject: &str, revoked: Vec<SessionRecord>) -> Ended {
        Ended::new(self.0.clone(), subject, revoked)
    }

    /// Runs the call `name` in its span, and reports its failure.
    async fn call<T>(
        &self,
        name: &'static str,
        session: Option<SessionId>,
        work: impl Future<Output = Result<T, SessionError>>,
    ) -> Result<T, SessionError> {
        let done = in_span(Work::Session, name, work).await;
        done.inspect_err(|error| self.0.refused(name, session, error))
    }

    fn not_everything(&self, error: StoreError) -> SessionError {
        if error.kind() != StoreErrorKind::Unsupported {
            return unavailable(error);
        }
        const OR: &str =
            "or take the refresh secret out of every key ring, which makes each cookie worthless";
        // A store that could under other settings says which.
        if let Some(why) = std::error::Error::source(&error) {
            let cure = format!("{why}, {OR}");
            return SessionError::with_source(SessionErrorKind::Internal, cure);
        }
        // The name of its type, and nothing of what is in it.
        let store = format!("{:?}", self.0.store);
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let name = store.split(|c| !is_part(c)).next().unwrap_or_default();
        let cure = format!(
            "the store {name} does not offer revoke_everything: implement it (a store around another one passes it on), {OR}"
        );
        SessionError::with_source(SessionErrorKind::Internal, cure)
    }
}

impl fmt::Debug for SessionAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(config) = self;
        f.debug_tuple("SessionAdmin").field(config).finish()
    }
}
