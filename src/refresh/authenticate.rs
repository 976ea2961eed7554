//! Chooses the refresh token among the cookies that came, and judges it.

use std::pin::pin;

use super::{
    cause,
    session::Session,
    store_time::{Found, StoreTime},
    told::CSRF,
    transport::RefreshTransport,
};
use crate::{
    csrf_session::CsrfSession,
    keys::SessionKeys,
    session::{
        Decision, Outcome, Presenter, RefreshToken, Row, SessionError, SessionErrorKind, SessionId,
        SessionKey, SessionRecord, UnsealError, decide,
    },
    store::{RefreshStore, StoreError},
};

/// A genuine token together with the live record that honours it.
pub(crate) struct Authenticated {
    pub(crate) token: RefreshToken,
    pub(crate) presenter: Presenter,
    pub(crate) record: SessionRecord,
    pub(crate) time: StoreTime,
    /// The current token, where a change of privilege has replaced the presented one by it.
    pub(crate) replaced_by: Option<RefreshToken>,
}

impl Session {
    /// The newest genuine token of the session that this request acts on, or that this handle has handed out.
    pub(crate) async fn presented(&self) -> Result<RefreshToken, SessionError> {
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
            return if self.outgoing().unconfirmed {
                Err(confirm())
            } else {
                Ok(token)
            };
        }
        if !self.is_presented() {
            return no_session(match self.config().transport() {
                RefreshTransport::Cookie => cause::NO_COOKIE,
                RefreshTransport::Body => cause::NO_BODY,
            });
        }
        let opened = self.opened()?;
        match self.choose(&opened.genuine).await? {
            Some(token) => Ok(token.clone()),
            None => {
                let fault = opened.fault.unwrap_or(UnsealError::Malformed);
                Err(SessionError::with_source(SessionErrorKind::Invalid, fault))
            }
        }
    }

    /// The session that a sign-in replaces and a sign-out ends: the one that this request acts on, if any came.
    pub(crate) async fn acted_on(&self) -> Result<Option<SessionKey>, SessionError> {
        self.mark_private();
        self.check_transport()?;
        if let Some(token) = self.handed_out() {
            return Ok(Some(token.key()));
        }
        let opened = self.opened()?;
        let chosen = self.choose(&opened.genuine).await?;
        Ok(chosen.map(RefreshToken::key))
    }

    /// Which of the `genuine` tokens, each of another session, the request acts on.
    ///
    /// A session that has ended may have left its cookie under another path. Another host of the domain can set a
    /// cookie of its own. The store knows which session lives. Where the CSRF token of the request is of a session, the
    /// request acts on that one only. It acts on none where another one lives in its place.
    async fn choose<'t>(
        &self,
        genuine: &'t [RefreshToken],
    ) -> Result<Option<&'t RefreshToken>, SessionError> {
        let [first, _, ..] = genuine else {
            return Ok(genuine.first());
        };
        let noted = self.noted();
        let noted = genuine.iter().find(|token| noted == Some(token.session));
        if let Some(noted) = noted
            && self.lives(noted).await?
        {
            return Ok(Some(noted));
        }
        let mut live = None;
        for token in genuine {
            if !self.lives(token).await? {
                continue;
            }
            let (kind, cause) = match (noted, live.replace(token)) {
                (Some(_), _) => (SessionErrorKind::CsrfFailed, cause::ANOTHER_LIVES),
                (None, Some(_)) => (SessionErrorKind::Ambiguous, cause::TWO_SESSIONS),
                (None, None) => continue,
            };
            return Err(SessionError::with_source(kind, cause));
        }
        Ok(live.or(noted).or(Some(first)))
    }

    /// Returns the session that a page gets a CSRF token for, where the cookies of several came. It is the one that the
    /// browser `holds` a token of, if that lives. Otherwise it is the first live one. `None` where there is no choice,
    /// and the store is not asked.
    pub(crate) async fn live_session(
        &self,
        holds: Option<CsrfSession>,
    ) -> Result<Option<SessionId>, SessionError> {
        self.call(CSRF, pin!(self.find_live(holds))).await
    }

    async fn find_live(
        &self,
        holds: Option<CsrfSession>,
    ) -> Result<Option<SessionId>, SessionError> {
        self.mark_private();
        self.check_transport()?;
        let opened = self.opened()?;
        let [first, _, ..] = &*opened.genuine else {
            return Ok(None);
        };
        let is_held = |token: &&RefreshToken| holds == Some(token.session.into());
        let held = opened.genuine.iter().filter(is_held);
        for token in held.chain(&opened.genuine) {
            if self.lives(token).await? {
                return Ok(Some(token.session));
            }
        }
        Ok(Some(first.session))
    }

    /// Whether the store holds this session live.
    async fn lives(&self, token: &RefreshToken) -> Result<bool, SessionError> {
        let Found { record, time } = self.load(&token.key()).await?;
        Ok(record.is_some_and(|record| record.lives_at(time.now)))
    }

    /// A cookie beside a token in the body: neither choice would be the client's.
    fn check_transport(&self) -> Result<(), SessionError> {
        if self.is_mixed() {
            let kind = SessionErrorKind::Ambiguous;
            return Err(SessionError::with_source(kind, cause::MIXED));
        }
        Ok(())
    }

    pub(crate) async fn load(&self, key: &SessionKey) -> Result<Found, SessionError> {
        let loaded = self.config().store.load(key).await;
        loaded.map(Found::from).map_err(unavailable)
    }

    /// Judges a token against the store's record.
    pub(crate) fn decision(
        &self,
        token: &RefreshToken,
        presenter: &Presenter,
        found: &Found,
        keys: &SessionKeys,
    ) -> Decision {
        decide(
            token,
            found.record.as_ref(),
            found.time.now,
            presenter,
            &self.config().policy,
            keys,
        )
    }

    /// The presented token, if a refresh would honour it now. Nothing is rotated.
    ///
    /// As at a refresh, a stolen token raises an alarm. A client that has not shown that it is the session's own has to
    /// refresh first. If it were authenticated here, a thief could use the session and never take a successor. Taking a
    /// successor is what exposes the thief.
    pub(crate) async fn honoured(&self) -> Result<Authenticated, SessionError> {
        self.authenticated(false).await
    }

    /// Like [`current`](Self::current), for a change of privilege. The answer to an earlier change may have been lost.
    /// The token from before it leads to the same one again. The application has authenticated the client anew.
    pub(crate) async fn for_elevation(&self) -> Result<Authenticated, SessionError> {
        newest(self.authenticated(true).await?)
    }

    async fn authenticated(&self, for_elevation: bool) -> Result<Authenticated, SessionError> {
        let token = self.presented().await?;
        let presenter = self.presenter(&token.session);
        let found = self.load(&token.key()).await?;
        let keys = self.keys()?;
        let decision = self.decision(&token, &presenter, &found, &keys);
        let Found { record, time } = found;
        let is_own = |record: &SessionRecord| self.is_own(record, &presenter);
        let honoured = |record, replaced_by| Authenticated {
            token: token.clone(),
            presenter,
            record,
            time,
            replaced_by,
        };
        match (decision.row, record) {
            (Row::PreviousElsewhere | Row::Barrier, Some(record)) if !is_own(&record) => {
                // Also the answer to the current token. If it differed, a thief who asks repeatedly would learn when
                // the owner's browser came.
                self.tell_old_token(&token, &decision, time.now);
                Err(refresh_first())
            }
            (_, Some(record)) if decision.outcome.success().is_some() => {
                let first = decision.outcome == Outcome::Recovered || decision.confirm;
                if first || !is_own(&record) {
                    return Err(refresh_first());
                }
                Ok(honoured(record, None))
            }
            (row, record) => {
                let again = record
                    .as_ref()
                    .filter(|_| for_elevation && row == Row::Barrier);
                if let Some(newer) = again.and_then(|record| record.elevated_again(&token, &keys))
                    && let Some(record) = record
                {
                    return Ok(honoured(record, Some(newer)));
                }
                let refused = self.refuse(&decision, &token, &presenter, record, time.now);
                Err(refused.await)
            }
        }
    }

    /// Whether the presenter is the holder of the current token, or known to share its jar.
    fn is_own(&self, record: &SessionRecord, presenter: &Presenter) -> bool {
        let met = record.fingerprints_for(presenter);
        // Fingerprints of two functions do not compare. A refresh takes the client for the same one, and writes that
        // down; a look does not.
        record.fields.fingerprint_version == presenter.version
            && self.config().policy.owns(&met, presenter.fingerprint)
    }

    /// Like [`honoured`](Self::honoured), and the token is the newest one.
    pub(crate) async fn current(&self) -> Result<Authenticated, SessionError> {
        newest(self.honoured().await?)
    }
}

fn newest(found: Authenticated) -> Result<Authenticated, SessionError> {
    if found.replaced_by.is_some() || found.record.is_current(&found.token) {
        return Ok(found);
    }
    let kind = SessionErrorKind::Superseded;
    Err(SessionError::with_source(kind, cause::SUPERSEDED))
}

/// The answer with a successor that is to be shown first.
pub(crate) fn confirm() -> SessionError {
    SessionError::with_source(SessionErrorKind::Superseded, cause::CONFIRM)
}

fn refresh_first() -> SessionError {
    SessionError::with_source(SessionErrorKind::RefreshFirst, cause::REFRESH_FIRST)
}

pub(crate) fn unavailable(error: StoreError) -> SessionError {
    SessionError::with_source(SessionErrorKind::Unavailable, error)
}
