//! `refresh`: a new access token for the presented refresh token.

use std::pin::pin;

use super::{
    authenticate::unavailable,
    cause,
    claims::{ClaimsReason, ClaimsRequest},
    revoke,
    session::Session,
    transport::RefreshTransport,
};
use crate::{
    clock::Timestamp,
    event::Event,
    session::{
        Outcome, RefreshOutcome, RefreshToken, RevokeReason, SessionError, SessionErrorKind,
        SessionRecord, SessionState,
    },
    store::{RefreshStore, Swap},
    telemetry,
    token::AccessToken,
};

/// How often a lost race is run again before the client is asked to come back.
const ATTEMPTS: usize = 6;

impl Session {
    /// Answers the refresh cookie with a new access token, and with a new cookie where the
    /// protocol has one to give: see [the decision table](crate::manual::rotation#the-decision).
    ///
    /// # Errors
    ///
    /// [`NoSession`](SessionErrorKind::NoSession), [`Invalid`](SessionErrorKind::Invalid),
    /// [`Expired`](SessionErrorKind::Expired), [`Revoked`](SessionErrorKind::Revoked),
    /// [`Denied`](SessionErrorKind::Denied), [`Reuse`](SessionErrorKind::Reuse),
    /// [`StateLost`](SessionErrorKind::StateLost), [`Outdated`](SessionErrorKind::Outdated) and
    /// [`Ambiguous`](SessionErrorKind::Ambiguous) mean that the user signs in again;
    /// [`Unavailable`](SessionErrorKind::Unavailable) and
    /// [`TooManyRequests`](SessionErrorKind::TooManyRequests) that the same cookie works later;
    /// [`Superseded`](SessionErrorKind::Superseded) that a newer one works now;
    /// [`Internal`](SessionErrorKind::Internal) that the claims cannot be written into a token.
    ///
    /// # Cancel safety
    ///
    /// Safe. A refresh that is dropped either did not happen or is answered again with the same
    /// successor; a revocation, once begun, runs to its end.
    pub async fn refresh(&self) -> Result<AccessToken, SessionError> {
        let mut row = None;
        let done = self.call("refresh", pin!(self.answer(&mut row))).await;
        telemetry::refreshed(match (&done, row) {
            // A row that could not be carried out, or none at all: the store was away, the subject was
            // denied, nothing genuine came.
            (Err(error), row) if row.is_none_or(|row| row.success().is_some()) => {
                error.kind().as_str()
            }
            (Err(error), _) if error.kind() == SessionErrorKind::Unavailable => "unavailable",
            (_, row) => row.map_or("unknown", Outcome::as_str),
        });
        done
    }

    /// Refreshes, and notes which row of the table matched last.
    async fn answer(&self, row: &mut Option<Outcome>) -> Result<AccessToken, SessionError> {
        let token = self.presented()?;
        let keys = self.keys()?;
        let mut loaded = self.load(&token.key()).await?;
        let mut access = None;
        // Notes are for tokens that the browser has shown, and are not worth a second try.
        let mut notes = self.handed_out().is_none();
        for _ in 0..ATTEMPTS {
            let decision = self.decision(&token, &loaded, &keys);
            *row = Some(decision.outcome);
            let (record, success) = match (loaded.record, decision.outcome.success()) {
                (Some(record), Some(success)) => (record, success),
                (record, _) => {
                    return Err(self
                        .refuse(decision.outcome, &token, record, loaded.now)
                        .await);
                }
            };
            if decision.outcome.is_repeat()
                && access.is_none()
                && !self.config().throttle.allow(&token.session, loaded.now)
            {
                let kind = SessionErrorKind::TooManyRequests;
                return Err(SessionError::with_source(kind, cause::TOO_OFTEN));
            }
            // Everything that can fail comes before the commit.
            let issued = match access.take() {
                Some(issued) => issued,
                None => {
                    self.issue(&record, ClaimsReason::Refresh, loaded.now)
                        .await?
                }
            };
            let cookie = match decision.successor {
                Some(successor) => Some((self.seal(&successor, &keys)?, successor)),
                None => None,
            };
            let write = decision.next.filter(|_| decision.must_write || notes);
            if let Some(next) = &write {
                match self.config().store.swap(&record, next).await {
                    Ok(Swap::Applied) => {}
                    Ok(Swap::Conflict(newer)) => {
                        loaded = newer;
                        notes = false;
                        access = Some(issued);
                        continue;
                    }
                    // A write that is only a note may fail: the answer stays true without it.
                    Err(_) if !decision.must_write => {}
                    Err(error) => return Err(unavailable(error)),
                }
            }
            let record = write.as_ref().unwrap_or(&record);
            self.report(success, record);
            return Ok(match cookie {
                Some((cookie, successor)) => {
                    self.hand_out(successor, cookie, record, loaded.now, issued)
                }
                None => issued,
            });
        }
        Err(SessionError::with_source(
            SessionErrorKind::Unavailable,
            "other requests kept changing the session",
        ))
    }

    /// Asks the application for claims and mints. A refusal revokes the session.
    pub(crate) async fn issue(
        &self,
        record: &SessionRecord,
        reason: ClaimsReason,
        now: Timestamp,
    ) -> Result<AccessToken, SessionError> {
        let request =
            ClaimsRequest::new(record.subject(), record.key().id, record.context(), reason);
        match self.config().claims.issue(request, now).await {
            Ok(token) => {
                let encryptions = self.config().cookies.keys.encryptions();
                if self.config().key_usage.crossed(encryptions) {
                    let worn = Event::EncryptionKeyNearLimit { encryptions };
                    self.config().events.emit(&worn);
                }
                Ok(token)
            }
            Err(error)
                if error.kind() == SessionErrorKind::Denied && reason != ClaimsReason::SignIn =>
            {
                self.config().events.emit(&Event::Denied {
                    session: record.key().id,
                    subject: record.subject(),
                });
                let (record, reason) = (record.clone(), RevokeReason::Denied);
                let revoked = revoke::now(self.config(), record, now, reason, None);
                revoked.await.map_err(unavailable)?;
                self.clear_cookie();
                Err(error)
            }
            failed => failed,
        }
    }

    /// Hands out `token`, whose sealed form is `value`, with the access token that goes with it.
    pub(crate) fn hand_out(
        &self,
        token: RefreshToken,
        value: String,
        record: &SessionRecord,
        now: Timestamp,
        access: AccessToken,
    ) -> AccessToken {
        let mut outgoing = self.outgoing();
        outgoing.token = Some(token);
        outgoing.over = false;
        match self.config().transport() {
            RefreshTransport::Cookie => {
                outgoing.lasts = record.expires_at().since(now);
                outgoing.cookie = self.config().cookies.cookie.set(&value, outgoing.lasts);
                access
            }
            RefreshTransport::Body => access.with_refresh_token(value),
        }
    }

    /// What follows from a token that is not honoured.
    pub(crate) async fn refuse(
        &self,
        outcome: Outcome,
        token: &RefreshToken,
        record: Option<SessionRecord>,
        now: Timestamp,
    ) -> SessionError {
        let grace = self.config().policy.rotation.grace;
        let (kind, cause) = match outcome {
            Outcome::Expired => {
                self.clear_cookie();
                let is_over = now >= token.expires_at;
                let cause = if is_over {
                    cause::ABSOLUTE
                } else {
                    cause::IDLE
                };
                (SessionErrorKind::Expired, cause)
            }
            Outcome::Revoked => {
                let client = self.client(&token.session);
                let late = |record: &SessionRecord| record.was_just_replaced(client, now, grace);
                let reason = match record.as_ref().map(|record| record.state) {
                    Some(SessionState::Revoked(reason)) => Some(reason),
                    _ => None,
                };
                // The browser that signed in again may already hold the new session's cookie.
                if reason != Some(RevokeReason::Replaced) {
                    self.clear_cookie();
                }
                match reason {
                    _ if record.as_ref().is_some_and(late) => {
                        (SessionErrorKind::Superseded, cause::JUST_REPLACED)
                    }
                    Some(reason) => (SessionErrorKind::Revoked, cause::revoked(reason)),
                    None => (SessionErrorKind::Revoked, cause::of(outcome)),
                }
            }
            Outcome::Reuse => return self.alarm(token, record, now).await,
            Outcome::StateLost => {
                self.config().events.emit(&Event::StateLost {
                    session: token.session,
                    stored_generation: record.map_or(0, |record| record.generation),
                    presented_generation: token.generation,
                });
                (SessionErrorKind::StateLost, cause::of(outcome))
            }
            // While the newer token can be on its way, the browser tries again with it. Later it
            // evidently never arrived, and only signing in helps.
            Outcome::Superseded
                if record.is_some_and(|record| record.window_is_open(now, grace)) =>
            {
                (SessionErrorKind::Superseded, cause::SUPERSEDED)
            }
            Outcome::Superseded => (SessionErrorKind::Outdated, cause::OUTDATED),
            _ => (SessionErrorKind::Invalid, cause::of(outcome)),
        };
        SessionError::with_source(kind, cause)
    }

    /// An old token came back: revoke, tell, and send the client to sign in.
    async fn alarm(
        &self,
        token: &RefreshToken,
        record: Option<SessionRecord>,
        now: Timestamp,
    ) -> SessionError {
        let Some(record) = record else {
            let unknown = cause::of(Outcome::Unknown);
            return SessionError::with_source(SessionErrorKind::Invalid, unknown);
        };
        let theft = revoke::ReuseReport {
            presented_by: self.client(&token.session),
            presented_generation: token.generation,
            told: false,
        };
        // Told where it is written: who comes second finds the session revoked and is not told of.
        let reason = RevokeReason::Reuse;
        let revoked = revoke::now(self.config(), record, now, reason, Some(theft)).await;
        if let Err(error) = revoked {
            return unavailable(error);
        }
        self.clear_cookie();
        SessionError::with_source(SessionErrorKind::Reuse, cause::of(Outcome::Reuse))
    }

    fn report(&self, outcome: RefreshOutcome, record: &SessionRecord) {
        let events = &self.config().events;
        let (session, generation) = (record.key().id, record.generation);
        match outcome {
            RefreshOutcome::Recovered => events.emit(&Event::Recovered {
                session,
                generation,
                recoveries: record.recoveries,
            }),
            RefreshOutcome::Adopted => events.emit(&Event::WriteRestored {
                session,
                generation,
            }),
            _ => {}
        }
        events.emit(&Event::Refreshed {
            session,
            generation,
            outcome,
        });
    }
}
