//! Ending and listing sessions.

use std::pin::pin;

use super::{
    authenticate::unavailable,
    authentication::require_recent,
    claims::{Basis, ClaimsReason},
    ending,
    lifetimes::told_end,
    revoke::{self, Revocation},
    session::Session,
    session_info::SessionInfo,
};
use crate::{
    clock::Timestamp,
    session::{RevokeReason, SessionError, SessionErrorKind, SessionId, SessionKey, SessionRecord},
    store::RefreshStore,
    token::AccessToken,
};

impl Session {
    /// Signs out: ends the session of the presented cookie, whatever its age, and clears the
    /// cookie. Succeeds without a cookie and with a dead one. Where the cookies of several sessions came, it ends the
    /// one that lives and no other.
    ///
    /// A refresh cookie without its jar cookie ends nothing. The cookies are cleared, the session goes on, and
    /// [`Event::ForeignJar`](crate::Event::ForeignJar) reports it. The client may be a thief who copied the one cookie.
    /// It may also be a user behind a proxy that forwards only that one. The sign-outs of that user then end nothing.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionErrorKind::Unavailable) when the store did not answer. The cookie is cleared all the same
    /// and the revocation is tried again in the background. Where the cookies of several sessions came, only the store
    /// can tell which one is meant. The cookie is then kept. So it is at [`CsrfFailed`](SessionErrorKind::CsrfFailed).
    /// At [`Ambiguous`](SessionErrorKind::Ambiguous) it is cleared, and no session is ended.
    ///
    /// # Cancel safety
    ///
    /// Safe: once begun, the revocation runs to its end.
    pub async fn end(&self) -> Result<(), SessionError> {
        let work = async {
            let session = match self.acted_on().await {
                Err(error) if error.kind() == SessionErrorKind::Ambiguous => {
                    // Its client wants to leave.
                    self.clear_cookie();
                    return Err(error);
                }
                acted_on => acted_on?,
            };
            self.clear_cookie();
            self.end_acted_on(session, RevokeReason::SignedOut).await
        };
        self.call("end", pin!(work)).await
    }

    /// Ends every session of the subject, this one included, and clears the cookie.
    ///
    /// # Errors
    ///
    /// As [`refresh`](Self::refresh). [`Superseded`](SessionErrorKind::Superseded) when the cookie is not the newest
    /// one. [`RefreshFirst`](SessionErrorKind::RefreshFirst) when the client has not shown yet that it is the session's
    /// own. With [`Unavailable`](SessionErrorKind::Unavailable) the remaining sessions are ended in the background, and
    /// none that begins after the call. The cookie stays, so that the client can ask again. Sessions that had ended
    /// before the answer was lost may get no [`Revoked`](crate::Event::Revoked).
    /// [`AuthenticationTooOld`](SessionErrorKind::AuthenticationTooOld) where
    /// [`recent_auth_to_end_others`](crate::refresh::RefreshCookieBuilder::recent_auth_to_end_others) asks for it.
    ///
    /// # Cancel safety
    ///
    /// Safe: once begun, the revocation runs to its end.
    pub async fn end_all(&self) -> Result<(), SessionError> {
        let work = async {
            let own = self.current().await?;
            self.may_end_others(&own.record, own.time.now)?;
            let own = Revocation::of(own.record, own.time.now, RevokeReason::RevokedAll)
                .by(own.presenter);
            let all = revoke::all_of(self.config(), own).await;
            all.map_err(unavailable)?;
            self.clear_cookie();
            Ok(())
        };
        self.call("end_all", pin!(work)).await
    }

    /// Ends every other session of the subject and gives this one a new token, as after a changed password. A token
    /// that was stolen before is then refused. When the user authenticated stays as it is.
    ///
    /// # Errors
    ///
    /// As [`end_all`](Self::end_all). Nothing is ended without claims:
    /// [`Unavailable`](SessionErrorKind::Unavailable) and [`Internal`](SessionErrorKind::Internal).
    ///
    /// # Cancel safety
    ///
    /// Dropped in between, the others are ended and this one is not renewed. Calling it again completes it. Dropped
    /// after the store has answered, the client does not learn the new token and signs in again.
    pub async fn end_others(&self) -> Result<AccessToken, SessionError> {
        let work = async {
            let current = self.current().await?;
            self.may_end_others(&current.record, current.time.now)?;
            // Asked for first: without claims this session could not be renewed. A subject that they refuse
            // keeps no other session either.
            let reason = ClaimsReason::Elevate;
            let (record, time) = (&current.record, current.time);
            let issued = match self.issue(record, Basis::of(record), reason, time).await {
                Err(error) if error.kind() != SessionErrorKind::Denied => return Err(error),
                issued => issued,
            };
            let (subject, keep) = (current.record.subject().to_owned(), current.token.session);
            let others = revoke::all(self.config(), subject, Some(keep)).await;
            others.map_err(unavailable)?;
            self.elevate_from(current, None, Some(issued?)).await
        };
        self.call("end_others", pin!(work)).await
    }

    /// Ends one session of the same subject by its id.
    ///
    /// # Errors
    ///
    /// [`NotFound`](SessionErrorKind::NotFound) when there is no such live session, be it another subject's or none.
    /// [`RefreshFirst`](SessionErrorKind::RefreshFirst) when the client has not shown yet that it is the session's own.
    /// [`AuthenticationTooOld`](SessionErrorKind::AuthenticationTooOld) for the id of another session, whether there is
    /// one or not, where [`recent_auth_to_end_others`](crate::refresh::RefreshCookieBuilder::recent_auth_to_end_others)
    /// asks for it. Otherwise as [`refresh`](Self::refresh).
    ///
    /// # Cancel safety
    ///
    /// Safe: once begun, the revocation runs to its end.
    pub async fn end_session(&self, id: &SessionId) -> Result<(), SessionError> {
        let work = async {
            let honoured = self.honoured().await?;
            let now = honoured.time.now;
            let is_own = *id == honoured.token.session;
            if !is_own {
                self.may_end_others(&honoured.record, now)?;
            }
            let found = ending::find(self.config(), honoured.record.subject(), id).await;
            let (record, now) = found
                .map_err(unavailable)?
                .ok_or(SessionError::new(SessionErrorKind::NotFound))?;
            let mut ending = Revocation::of(record, now, RevokeReason::RevokedByOwner);
            if is_own {
                ending = ending.by(honoured.presenter);
            }
            ending.run(self.config()).await.map_err(unavailable)?;
            if is_own {
                self.clear_cookie();
            }
            Ok(())
        };
        self.call("end_session", pin!(work)).await
    }

    /// Returns the live sessions of the subject: this one first, then the most recently seen.
    ///
    /// No time in the entry of this one changes when it rotates. So the entry does not show a thief when the owner
    /// refreshes. A token that was replaced is answered for the grace, and no longer.
    ///
    /// # Errors
    ///
    /// As [`refresh`](Self::refresh); [`RefreshFirst`](SessionErrorKind::RefreshFirst) when the
    /// client has not shown yet that it is the session's own.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn list(&self) -> Result<Vec<SessionInfo>, SessionError> {
        let work = async {
            let honoured = self.honoured().await?;
            let now = honoured.time.now;
            let records = self.live_sessions(&honoured.record, now).await?;
            let entry = |record: &SessionRecord| {
                let other = SessionInfo::of_another(record);
                if record.id() != honoured.token.session {
                    return other;
                }
                SessionInfo {
                    current: true,
                    last_seen_at: now,
                    expires_at: told_end(record, now, &self.config().policy),
                    ..other
                }
            };
            let mut list: Vec<_> = records.iter().map(entry).collect();
            list.sort_by_key(|info| (!info.current, std::cmp::Reverse(info.last_seen_at)));
            Ok(list)
        };
        self.call("list", pin!(work)).await
    }

    /// Ends the session that the request acts on, if there is one.
    pub(crate) async fn end_acted_on(
        &self,
        session: Option<SessionKey>,
        reason: RevokeReason,
    ) -> Result<(), SessionError> {
        let Some(key) = session else {
            return Ok(());
        };
        let ending = Revocation::at(key, reason).by(self.presenter(&key.id));
        ending.run(self.config()).await.map_err(unavailable)?;
        Ok(())
    }

    /// Refuses where the user of the session of `record` has to authenticate anew before others are ended.
    fn may_end_others(&self, record: &SessionRecord, now: Timestamp) -> Result<(), SessionError> {
        let max_age = self.config().recent_auth_to_end_others;
        require_recent(max_age, record.authenticated_at(), now)
    }

    async fn live_sessions(
        &self,
        record: &SessionRecord,
        now: Timestamp,
    ) -> Result<Vec<SessionRecord>, SessionError> {
        let mut live = Vec::new();
        for tag in ending::tags(self.config(), record.subject()) {
            let listed = self.config().store.list(&tag).await.map_err(unavailable)?;
            let usable = listed.into_iter().filter(|record| record.lives_at(now));
            live.extend(usable);
        }
        Ok(live)
    }
}
