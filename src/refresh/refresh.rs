//! `refresh`: a new access token for the presented refresh token.

use std::{pin::pin, time::Duration};

use super::{
    authenticate::{confirm, unavailable},
    cause,
    claims::{Basis, ClaimsReason, ClaimsRequest},
    lifetimes,
    revoke::Revocation,
    session::Session,
    spawn,
    store_time::{Found, StoreTime},
};
use crate::{
    event::Event,
    session::{Outcome, RevokeReason, SessionError, SessionErrorKind, SessionRecord},
    store::{RefreshStore, Swap},
    telemetry,
    token::AccessToken,
};

/// How often a lost race is run again before the client is asked to come back.
const ATTEMPTS: usize = 6;

impl Session {
    /// Answers the refresh cookie with a new access token. It adds a new cookie where the protocol has one to give: see
    /// [the decision table](crate::manual::sessions#the-decision). It counts as use of the session, unless the request
    /// says [`X-Session-Activity: passive`](crate::refresh::RefreshCookieBuilder::idle_lifetime).
    ///
    /// # Errors
    ///
    /// The user signs in again after [`NoSession`](SessionErrorKind::NoSession),
    /// [`Invalid`](SessionErrorKind::Invalid), [`Expired`](SessionErrorKind::Expired),
    /// [`Revoked`](SessionErrorKind::Revoked), [`Denied`](SessionErrorKind::Denied),
    /// [`Reuse`](SessionErrorKind::Reuse), [`ForeignJar`](SessionErrorKind::ForeignJar),
    /// [`StateLost`](SessionErrorKind::StateLost), [`Outdated`](SessionErrorKind::Outdated) and
    /// [`Ambiguous`](SessionErrorKind::Ambiguous). After [`Unavailable`](SessionErrorKind::Unavailable) and
    /// [`TooManyRequests`](SessionErrorKind::TooManyRequests) the same cookie works later. After
    /// [`Superseded`](SessionErrorKind::Superseded) a newer one works now. [`Internal`](SessionErrorKind::Internal)
    /// means that the claims cannot be written into a token.
    ///
    /// # Cancel safety
    ///
    /// Safe. A refresh that is dropped either did not happen or is answered again with the same successor. A revocation
    /// that has begun runs to its end.
    pub async fn refresh(&self) -> Result<AccessToken, SessionError> {
        let mut row = None;
        let done = self.call("refresh", pin!(self.answer(&mut row))).await;
        telemetry::refreshed(match (&done, row) {
            // A row that could not be carried out, or none at all. The store was away, the subject was denied, or no
            // genuine token came.
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
        let token = self.presented().await?;
        let presenter = self.presenter(&token.session);
        let keys = self.keys()?;
        let mut found = self.load(&token.key()).await?;
        let mut access = None;
        // A token that the client has not shown yet is no news.
        let shown = self.handed_out_session().is_none();
        for _ in 0..ATTEMPTS {
            let mut decision = self.decision(&token, &presenter, &found, &keys);
            *row = Some(decision.outcome);
            let Found { record, time } = found;
            let (record, success) = match (record, decision.outcome.success()) {
                (Some(record), Some(success)) => (record, success),
                (record, _) => {
                    let refused = self.refuse(&decision, &token, &presenter, record, time.now);
                    return Err(refused.await);
                }
            };
            if decision.outcome.is_repeat()
                && access.is_none()
                && !self.config().throttle.allow(&token.session, time.now)
            {
                let kind = SessionErrorKind::TooManyRequests;
                return Err(SessionError::with_source(kind, cause::TOO_OFTEN));
            }
            // Everything that can fail comes before the commit.
            let asks = access.is_none() && !decision.confirm;
            let issued = match access.take() {
                _ if decision.confirm => None,
                Some(issued) => Some(issued),
                None => {
                    let (basis, reason) = (Basis::of(&record), ClaimsReason::Refresh);
                    Some(self.issue(&record, basis, reason, time).await?)
                }
            };
            // The session's end has come while the claims were under way, and a write would bring it back.
            if let Some(cause) = cause::end_of(&record, time.later()) {
                let kind = SessionErrorKind::Expired;
                return Err(SessionError::with_source(kind, cause));
            }
            let cookie = match decision.successor.take() {
                Some(successor) => Some((self.seal(&successor, &keys)?, successor)),
                None => None,
            };
            decision.date(time.now, time.later(), &self.config().policy);
            let write = decision
                .next
                .take()
                .filter(|_| shown || !decision.outcome.is_repeat());
            let mut noted = false;
            if let Some(next) = &write {
                // Insisted on, even where it only notes what came: a window that did not move would end too early.
                let swap = self.config().store.swap(&record, next).await;
                match swap {
                    Ok(Swap::Applied) => {
                        let met = next.fingerprints_for(&presenter);
                        noted = met.has_met(presenter.fingerprint);
                    }
                    Ok(Swap::Conflict(newer)) => {
                        // The write that stands in the way may be this very one, sent again where its answer was lost.
                        let newest = newer.record.as_ref();
                        let met = newest.map(|newest| newest.fingerprints_for(&presenter));
                        if shown && met.is_some_and(|met| met.has_met(presenter.fingerprint)) {
                            self.report_newcomer(&decision, &presenter, &record, false, time.now);
                        }
                        found = newer.into();
                        access = issued;
                        continue;
                    }
                    Err(error) => {
                        // It may have been written, and the next request would not find it new.
                        self.report_newcomer(&decision, &presenter, &record, false, time.now);
                        return Err(unavailable(error));
                    }
                }
            } else if asks {
                // An end that was written while the claims were computed holds. Where no swap follows, only another
                // load shows it.
                let newest = self.load(&token.key()).await?;
                if newest.record.as_ref() != Some(&record) {
                    found = newest;
                    access = issued;
                    continue;
                }
            }
            if shown {
                self.report_newcomer(&decision, &presenter, &record, noted, time.now);
            }
            let record = write.as_ref().unwrap_or(&record);
            self.report(success, record, decision.confirm);
            let issued = issued.map(|access| lifetimes::telling(access, record, time.later()));
            if let Some((cookie, successor)) = cookie {
                return match issued {
                    Some(access) => Ok(self.hand_out(successor, cookie, record, time.now, access)),
                    None => {
                        self.set_cookies(successor, &cookie, record, time.now);
                        self.outgoing().unconfirmed = true;
                        Err(confirm())
                    }
                };
            }
            // Only what hands out a successor waits for a confirmation.
            return issued.ok_or_else(confirm);
        }
        Err(SessionError::with_source(
            SessionErrorKind::Unavailable,
            "other requests kept changing the session",
        ))
    }

    /// Asks the application for claims on the session of `record`, and mints. A refusal revokes the session.
    ///
    /// `basis` is what the record says, or what a change of privilege brings.
    pub(crate) async fn issue(
        &self,
        record: &SessionRecord,
        basis: Basis<'_>,
        reason: ClaimsReason,
        time: StoreTime,
    ) -> Result<AccessToken, SessionError> {
        let request = ClaimsRequest::new(record.subject(), record.id(), basis, reason);
        let (absolute, idle) = (record.absolute_expires_at, record.idle_expires_at);
        // A passive refresh leaves the idle end where it is. Each use moves it, by more than a token's life.
        let request = match reason {
            ClaimsReason::Refresh if self.is_passive() && idle < absolute => {
                request.until(idle, cause::IDLE)
            }
            _ => request.until(absolute, cause::ABSOLUTE),
        };
        let issued = self.ask(request, self.config().claims_timeout, time).await;
        if let Err(error) = &issued
            && error.kind() == SessionErrorKind::Denied
        {
            self.config().events.emit(&Event::Denied {
                session: record.id(),
                subject: record.subject(),
            });
            let denied = Revocation::of(record.clone(), time.now, RevokeReason::Denied);
            denied.run(self.config()).await.map_err(unavailable)?;
            self.clear_cookie();
        }
        issued
    }

    /// Asks the application for claims, for as long as `limit`, and mints.
    pub(crate) async fn ask(
        &self,
        request: ClaimsRequest,
        limit: Option<Duration>,
        time: StoreTime,
    ) -> Result<AccessToken, SessionError> {
        let request = request.with_authentication(self.config().authentication_in_tokens);
        let asked = spawn::within(limit, self.config().claims.issue(request, time)).await;
        let token = asked.unwrap_or_else(|| too_slow(limit.unwrap_or_default()))?;
        let encryptions = self.config().cookies.keys.encryptions();
        if self.config().key_usage.crossed(encryptions) {
            let worn = Event::EncryptionKeyNearLimit { encryptions };
            self.config().events.emit(&worn);
        }
        Ok(token)
    }
}

fn too_slow(limit: Duration) -> Result<AccessToken, SessionError> {
    let kind = SessionErrorKind::Unavailable;
    Err(SessionError::with_source(kind, cause::claims_slow(limit)))
}
