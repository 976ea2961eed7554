//! Which of the cookies that came is the refresh token, and what it is worth.

use std::pin::pin;

use super::{cause, session::Session, told::CSRF, transport::RefreshTransport};
use crate::{
    clock::Timestamp,
    keys::SessionKeys,
    session::{
        Decision, Outcome, RefreshToken, SessionError, SessionErrorKind, SessionId, SessionKey,
        SessionRecord, UnsealError, decide,
    },
    store::{Loaded, RefreshStore, StoreError},
};

/// A genuine token together with the live record that honours it.
pub(crate) struct Authenticated {
    pub(crate) token: RefreshToken,
    pub(crate) record: SessionRecord,
    pub(crate) now: Timestamp,
}

impl Session {
    /// The newest genuine token of the one session that came, or that this handle has handed out.
    ///
    /// Garbage beside a genuine token is ignored: another host of the domain can plant it. Genuine
    /// tokens of two sessions are refused, since neither choice would be the user's.
    pub(crate) fn presented(&self) -> Result<RefreshToken, SessionError> {
        self.mark_private();
        self.check_transport()?;
        let no_session = |cause| {
            Err(SessionError::with_source(
                SessionErrorKind::NoSession,
                cause,
            ))
        };
        if self.is_over() {
            return no_session(cause::OVER);
        }
        if let Some(token) = self.handed_out() {
            return Ok(token);
        }
        if !self.is_presented() {
            return no_session(match self.config().transport() {
                RefreshTransport::Cookie => cause::NO_COOKIE,
                RefreshTransport::Body => cause::NO_BODY,
            });
        }
        let mut newest: Option<&RefreshToken> = None;
        let opened = self.opened()?;
        for token in &opened.genuine {
            match &newest {
                Some(other) if other.session != token.session => {
                    self.clear_cookie();
                    return Err(SessionError::with_source(
                        SessionErrorKind::Ambiguous,
                        cause::TWO_SESSIONS,
                    ));
                }
                Some(other) if other.age() >= token.age() => {}
                _ => newest = Some(token),
            }
        }
        let newest = newest.cloned();
        newest.ok_or_else(|| {
            // A value that is too long to be ours is not opened.
            let fault = opened.fault.unwrap_or(UnsealError::Malformed);
            SessionError::with_source(SessionErrorKind::Invalid, fault)
        })
    }

    /// Every session that came, for sign-in and sign-out, which end them all.
    pub(crate) fn presented_sessions(&self) -> Result<Vec<SessionKey>, SessionError> {
        self.mark_private();
        self.check_transport()?;
        let mut keys = Vec::new();
        for token in self.opened()?.genuine.iter().chain(&self.handed_out()) {
            if !keys.contains(&token.key()) {
                keys.push(token.key());
            }
        }
        Ok(keys)
    }

    /// The session that a page is to get a CSRF token for, where the cookies of several came: the live one.
    /// `None` where there is no choice, and the store is not asked.
    pub(crate) async fn live_session(&self) -> Result<Option<SessionId>, SessionError> {
        self.call(CSRF, pin!(self.find_live())).await
    }

    async fn find_live(&self) -> Result<Option<SessionId>, SessionError> {
        let sessions = self.presented_sessions()?;
        let [first, _, ..] = &*sessions else {
            return Ok(None);
        };
        for key in &sessions {
            let Loaded { record, now } = self.load(key).await?;
            if record.is_some_and(|record| record.is_live() && now < record.expires_at()) {
                return Ok(Some(key.id));
            }
        }
        Ok(Some(first.id))
    }

    /// A cookie beside a token in the body: neither choice would be the client's.
    fn check_transport(&self) -> Result<(), SessionError> {
        if self.is_mixed() {
            let kind = SessionErrorKind::Ambiguous;
            return Err(SessionError::with_source(kind, cause::MIXED));
        }
        Ok(())
    }

    pub(crate) async fn load(&self, key: &SessionKey) -> Result<Loaded, SessionError> {
        self.config().store.load(key).await.map_err(unavailable)
    }

    /// Judges a token against what the store has.
    pub(crate) fn decision(
        &self,
        token: &RefreshToken,
        loaded: &Loaded,
        keys: &SessionKeys,
    ) -> Decision {
        decide(
            token,
            loaded.record.as_ref(),
            loaded.now,
            self.client(&token.session),
            &self.config().policy,
            keys,
        )
    }

    /// The presented token, if a refresh would honour it now. Nothing is rotated.
    ///
    /// A stolen token is as much an alarm here as at a refresh, and a client that does not hold
    /// the session has to refresh first.
    pub(crate) async fn honoured(&self) -> Result<Authenticated, SessionError> {
        let token = self.presented()?;
        let loaded = self.load(&token.key()).await?;
        let keys = self.keys()?;
        let decision = self.decision(&token, &loaded, &keys);
        let client = self.client(&token.session);
        match (decision.outcome, loaded.record) {
            // Authenticated here, a thief could use the session without ever taking a successor, which
            // is what gives it away.
            (Outcome::Rotated, Some(record)) if record.client() != client => {
                let kind = SessionErrorKind::OtherClient;
                Err(SessionError::with_source(kind, cause::OTHER_CLIENT))
            }
            (
                Outcome::Coalesced
                | Outcome::Rotated
                | Outcome::Replayed
                | Outcome::Recovered
                | Outcome::Adopted,
                Some(record),
            ) => Ok(Authenticated {
                token,
                record,
                now: loaded.now,
            }),
            (outcome, record) => Err(self.refuse(outcome, &token, record, loaded.now).await),
        }
    }

    /// Like [`honoured`](Self::honoured), and the token is the newest one.
    pub(crate) async fn current(&self) -> Result<Authenticated, SessionError> {
        let honoured = self.honoured().await?;
        if honoured.record.is_current(&honoured.token) {
            Ok(honoured)
        } else {
            let kind = SessionErrorKind::Superseded;
            Err(SessionError::with_source(kind, cause::SUPERSEDED))
        }
    }
}

pub(crate) fn unavailable(error: StoreError) -> SessionError {
    SessionError::with_source(SessionErrorKind::Unavailable, error)
}
