//! Ending and listing sessions.

use std::pin::pin;

use super::{
    authenticate::unavailable, claims::ClaimsReason, revoke, session::Session,
    session_info::SessionInfo,
};
use crate::{
    session::{RevokeReason, SessionError, SessionErrorKind, SessionId, SessionRecord},
    store::RefreshStore,
    token::AccessToken,
};

impl Session {
    /// Signs out: ends the session of the presented cookie, whatever its age, and clears the
    /// cookie. Succeeds without a cookie and with a dead one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionErrorKind::Unavailable) when the store did not answer. The cookie is
    /// cleared all the same and the revocation is tried again in the background.
    ///
    /// # Cancel safety
    ///
    /// Safe: once begun, the revocation runs to its end.
    pub async fn end(&self) -> Result<(), SessionError> {
        let work = async {
            let keys = self.presented_sessions();
            self.clear_cookie();
            let ended = revoke::by_keys(self.config(), keys?, RevokeReason::SignedOut);
            ended.await.map_err(unavailable)
        };
        self.call("end", pin!(work)).await
    }

    /// Ends every session of the subject, this one included, and clears the cookie.
    ///
    /// # Errors
    ///
    /// As [`refresh`](Self::refresh); [`Superseded`](SessionErrorKind::Superseded) when the
    /// cookie is not the newest one, [`OtherClient`](SessionErrorKind::OtherClient) when it was
    /// handed to another client.
    ///
    /// # Cancel safety
    ///
    /// Safe: once begun, the revocation runs to its end.
    pub async fn end_all(&self) -> Result<(), SessionError> {
        let work = async {
            let current = self.current().await?;
            let subject = current.record.subject().to_owned();
            let own = current.token.subject;
            let all = revoke::all(self.config(), subject, None, Some(own)).await;
            all.map_err(unavailable)?;
            self.clear_cookie();
            Ok(())
        };
        self.call("end_all", pin!(work)).await
    }

    /// Ends every other session of the subject and re-seeds this one, as after a changed password:
    /// a token that was stolen before is worth nothing afterwards.
    ///
    /// # Errors
    ///
    /// As [`end_all`](Self::end_all). Nothing is ended without claims:
    /// [`Unavailable`](SessionErrorKind::Unavailable) and [`Internal`](SessionErrorKind::Internal).
    ///
    /// # Cancel safety
    ///
    /// Dropped in between, the others may be ended and this one not re-seeded; calling it again
    /// completes it.
    pub async fn end_others(&self) -> Result<AccessToken, SessionError> {
        let work = async {
            let current = self.current().await?;
            // Asked for first: without claims this session could not be re-seeded. A subject that they refuse
            // keeps no other session either.
            let reason = ClaimsReason::Elevate;
            let issued = match self.issue(&current.record, reason, current.now).await {
                Err(error) if error.kind() != SessionErrorKind::Denied => return Err(error),
                issued => issued,
            };
            let (subject, keep) = (current.record.subject().to_owned(), current.token.session);
            let others = revoke::all(self.config(), subject, Some(keep), None).await;
            others.map_err(unavailable)?;
            self.elevate_from(current, None, Some(issued?)).await
        };
        self.call("end_others", pin!(work)).await
    }

    /// Ends one session of the same subject by its id.
    ///
    /// # Errors
    ///
    /// [`NotFound`](SessionErrorKind::NotFound) when there is no such live session, be it somebody
    /// else's or nobody's; [`OtherClient`](SessionErrorKind::OtherClient) when the cookie was
    /// handed to another client; otherwise as [`refresh`](Self::refresh).
    ///
    /// # Cancel safety
    ///
    /// Safe: once begun, the revocation runs to its end.
    pub async fn end_session(&self, id: &SessionId) -> Result<(), SessionError> {
        let work = async {
            let honoured = self.honoured().await?;
            let own = self.live_sessions(&honoured.record, honoured.now).await?;
            let found = own.into_iter().find(|record| record.key().id == *id);
            let record = found.ok_or(SessionError::new(SessionErrorKind::NotFound))?;
            let reason = RevokeReason::RevokedByOwner;
            let ended = revoke::now(self.config(), record, honoured.now, reason, None);
            ended.await.map_err(unavailable)?;
            if *id == honoured.token.session {
                self.clear_cookie();
            }
            Ok(())
        };
        self.call("end_session", pin!(work)).await
    }

    /// The live sessions of the subject, this one first, then the most recently seen.
    ///
    /// # Errors
    ///
    /// As [`refresh`](Self::refresh); [`OtherClient`](SessionErrorKind::OtherClient) when the
    /// cookie was handed to another client.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn list(&self) -> Result<Vec<SessionInfo>, SessionError> {
        let work = async {
            let honoured = self.honoured().await?;
            let records = self.live_sessions(&honoured.record, honoured.now).await?;
            let mut list: Vec<_> = records
                .iter()
                .map(|record| SessionInfo {
                    id: record.key().id,
                    current: record.key().id == honoured.token.session,
                    created_at: record.created_at(),
                    last_seen_at: record.last_seen(),
                    expires_at: record.expires_at(),
                    client: record.label().to_owned(),
                })
                .collect();
            list.sort_by_key(|info| (!info.current, std::cmp::Reverse(info.last_seen_at)));
            Ok(list)
        };
        self.call("list", pin!(work)).await
    }

    async fn live_sessions(
        &self,
        record: &SessionRecord,
        now: crate::clock::Timestamp,
    ) -> Result<Vec<SessionRecord>, SessionError> {
        let mut live = Vec::new();
        for tag in revoke::tags(self.config(), record.subject()) {
            let listed = self.config().store.list(&tag).await.map_err(unavailable)?;
            let usable = listed
                .into_iter()
                .filter(|record| record.is_live() && now < record.expires_at());
            live.extend(usable);
        }
        Ok(live)
    }
}
