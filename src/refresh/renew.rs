//! `refresh`: a new access token for the presented refresh token.

use super::{
    claims::{ClaimsReason, ClaimsRequest, IssueError},
    presented::unavailable,
    revoke,
    session::Session,
};
use crate::{
    clock::Timestamp,
    event::Event,
    session::{
        Envelope, Outcome, ReusePolicy, RevokeReason, SessionError, SessionErrorKind,
        SessionRecord, SessionState,
    },
    store::{RefreshStore, Swap},
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
    /// [`StateLost`](SessionErrorKind::StateLost), [`Superseded`](SessionErrorKind::Superseded) and
    /// [`Ambiguous`](SessionErrorKind::Ambiguous) mean that the user signs in again;
    /// [`Unavailable`](SessionErrorKind::Unavailable) and
    /// [`TooManyRequests`](SessionErrorKind::TooManyRequests) that the same cookie works later.
    ///
    /// # Cancel safety
    ///
    /// Safe. A refresh that is dropped either did not happen or is answered again with the same
    /// successor; a revocation, once begun, runs to its end.
    pub async fn refresh(&self) -> Result<AccessToken, SessionError> {
        let token = self.presented()?;
        let mut loaded = self.load(&token.key()).await?;
        let mut access = None;
        let mut lost_race = false;
        for _ in 0..ATTEMPTS {
            let decision = self.judge(&token, &loaded)?;
            let record = match loaded.record {
                Some(record) if decision.outcome.is_success() => record,
                record => {
                    return Err(self
                        .refuse(decision.outcome, &token, record, loaded.now)
                        .await);
                }
            };
            if decision.outcome.is_repeat()
                && access.is_none()
                && !self.shared().throttle.allow(&token.session, loaded.now)
            {
                return Err(SessionError::new(SessionErrorKind::TooManyRequests));
            }
            // Everything that can fail comes before the commit.
            let issued = match access.take() {
                Some(issued) => issued,
                None => {
                    self.issue(&record, ClaimsReason::Refresh, loaded.now)
                        .await?
                }
            };
            let cookie = match &decision.successor {
                Some(successor) => Some(self.seal(successor)?),
                None => None,
            };
            let write = decision.next.filter(|_| decision.insist || !lost_race);
            if let Some(next) = &write {
                match self.shared().store.swap(&record, next).await {
                    Ok(Swap::Applied) => {}
                    Ok(Swap::Conflict(newer)) => {
                        loaded = newer;
                        lost_race = true;
                        access = Some(issued);
                        continue;
                    }
                    // A write that is only a note may fail: the answer stays true without it.
                    Err(_) if !decision.insist => {}
                    Err(error) => return Err(unavailable(error)),
                }
            }
            let record = write.as_ref().unwrap_or(&record);
            if let Some(cookie) = cookie {
                self.set_cookie(&cookie, record, loaded.now);
            }
            self.report(decision.outcome, record);
            return Ok(issued);
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
        match self.shared().claims.issue(request, now).await {
            Ok(token) => {
                let encryptions = self.shared().keys.encryptions();
                if self.shared().wear.crossed(encryptions) {
                    let worn = Event::EncryptionKeyWorn { encryptions };
                    self.shared().events.emit(&worn);
                }
                Ok(token)
            }
            Err(IssueError::Unavailable(source)) => Err(SessionError::with_source(
                SessionErrorKind::Unavailable,
                source,
            )),
            Err(IssueError::Denied) if reason == ClaimsReason::SignIn => {
                Err(SessionError::new(SessionErrorKind::Denied))
            }
            Err(IssueError::Denied) => {
                self.shared().events.emit(&Event::Denied {
                    session: record.key().id,
                    subject: record.subject(),
                });
                let revoked = revoke::now(self.shared(), record.clone(), RevokeReason::Denied);
                revoked.await.map_err(unavailable)?;
                self.clear_cookie();
                Err(SessionError::new(SessionErrorKind::Denied))
            }
        }
    }

    pub(crate) fn set_cookie(&self, value: &str, record: &SessionRecord, now: Timestamp) {
        let cookie = self
            .shared()
            .cookie
            .set(value, record.expires_at().since(now));
        self.outgoing().cookie = cookie;
    }

    /// What follows from a token that is not honoured.
    pub(crate) async fn refuse(
        &self,
        outcome: Outcome,
        token: &Envelope,
        record: Option<SessionRecord>,
        now: Timestamp,
    ) -> SessionError {
        let kind = match outcome {
            Outcome::Expired => {
                self.clear_cookie();
                SessionErrorKind::Expired
            }
            Outcome::Revoked => {
                // The browser that signed in again may already hold the new session's cookie.
                let replaced = record.is_some_and(|record| {
                    matches!(record.state, SessionState::Revoked(RevokeReason::Replaced))
                });
                if !replaced {
                    self.clear_cookie();
                }
                SessionErrorKind::Revoked
            }
            Outcome::Reuse => return self.alarm(token, record, now).await,
            Outcome::StateLost => {
                self.shared().events.emit(&Event::StateLost {
                    session: token.session,
                    stored_generation: record.map_or(0, |record| record.generation),
                    presented_generation: token.generation,
                });
                SessionErrorKind::StateLost
            }
            Outcome::Superseded => SessionErrorKind::Superseded,
            _ => SessionErrorKind::Invalid,
        };
        SessionError::new(kind)
    }

    /// An old token came back: revoke, tell, and send the client to sign in.
    async fn alarm(
        &self,
        token: &Envelope,
        record: Option<SessionRecord>,
        now: Timestamp,
    ) -> SessionError {
        let Some(record) = record else {
            return SessionError::new(SessionErrorKind::Invalid);
        };
        let revoked = match revoke::now(self.shared(), record.clone(), RevokeReason::Reuse).await {
            Ok(revoked) => revoked,
            Err(error) => return unavailable(error),
        };
        // Who comes second finds the session revoked and raises no second alarm.
        if revoked {
            self.shared().events.emit(&Event::ReuseDetected {
                session: token.session,
                subject: record.subject(),
                held_by: record.client,
                presented_by: self.client(&token.session),
                expected_generation: record.generation,
                presented_generation: token.generation,
                at: now,
            });
            if self.shared().policy.reuse == ReusePolicy::Subject {
                let all = revoke::all(self.shared(), record.subject().into(), None);
                if let Err(error) = all.await {
                    return unavailable(error);
                }
            }
        }
        self.clear_cookie();
        SessionError::new(SessionErrorKind::Reuse)
    }

    fn report(&self, outcome: Outcome, record: &SessionRecord) {
        let events = &self.shared().events;
        let (session, generation) = (record.key().id, record.generation);
        match outcome {
            Outcome::Recovered => events.emit(&Event::Recovered {
                session,
                generation,
                recoveries: record.recoveries,
            }),
            Outcome::Adopted => events.emit(&Event::Adopted {
                session,
                generation,
            }),
            _ => {}
        }
        events.emit(&Event::Refreshed {
            session,
            generation,
            outcome: outcome.as_str(),
        });
    }
}
