//! The consequences of a token that is not honoured, and the events of one that is.

use super::{
    authenticate::unavailable,
    cause,
    revoke::{ReuseReport, Revocation},
    session::Session,
};
use crate::{
    clock::Timestamp,
    event::Event,
    session::{
        Decision, FingerprintPolicy, JarProof, Outcome, Presenter, RefreshOutcome, RefreshToken,
        RevokeReason, Row, SessionError, SessionErrorKind, SessionRecord, SessionState, cut,
    },
};

impl Session {
    /// Carries out the consequences of a token that is not honoured.
    pub(crate) async fn refuse(
        &self,
        decision: &Decision,
        token: &RefreshToken,
        presenter: &Presenter,
        record: Option<SessionRecord>,
        now: Timestamp,
    ) -> SessionError {
        let outcome = decision.outcome;
        let reason = match record.as_ref().map(|record| record.state) {
            Some(SessionState::Revoked(reason)) => Some(reason),
            _ => None,
        };
        let (kind, cause) = match outcome {
            Outcome::Expired => {
                // The cookie ends by itself. Cleared, a late answer could take a newer one away.
                let is_over = now >= token.expires_at;
                let cause = if is_over {
                    cause::ABSOLUTE
                } else {
                    cause::IDLE
                };
                (SessionErrorKind::Expired, cause)
            }
            Outcome::Revoked => {
                // The browser that signed in again may already hold the new session's cookie.
                if reason != Some(RevokeReason::Replaced) {
                    self.clear_cookie();
                }
                let cause = reason.map_or(cause::of(outcome), cause::revoked);
                (SessionErrorKind::Revoked, cause)
            }
            Outcome::Reuse => return self.alarm(token, presenter, record, reason, now).await,
            Outcome::StateLost => {
                self.config().events.emit(&Event::StateLost {
                    session: token.session,
                    stored_generation: record.map_or(0, |record| record.generation),
                    presented_generation: token.generation,
                });
                (SessionErrorKind::StateLost, cause::of(outcome))
            }
            Outcome::Foreign => {
                self.config().foreign_jar(token.session, now);
                (SessionErrorKind::ForeignJar, cause::FOREIGN_JAR)
            }
            Outcome::Superseded if reason.is_some() => {
                (SessionErrorKind::Superseded, cause::JUST_REPLACED)
            }
            Outcome::Superseded => (SessionErrorKind::Superseded, cause::SUPERSEDED),
            Outcome::Outdated => (SessionErrorKind::Outdated, cause::OUTDATED),
            _ => (SessionErrorKind::Invalid, cause::of(outcome)),
        };
        self.tell_old_token(token, decision, now);
        SessionError::with_source(kind, cause)
    }

    /// Reports a token that was replaced and is no theft yet.
    pub(crate) fn tell_old_token(&self, token: &RefreshToken, decision: &Decision, now: Timestamp) {
        let old = matches!(
            decision.row,
            Row::PreviousElsewhere | Row::Barrier | Row::BurnedSibling
        );
        if old && self.config().old_tokens.allow(&token.session, now) {
            self.config().events.emit(&Event::OldToken {
                session: token.session,
                row: decision.row.as_str(),
            });
        }
    }

    /// An old token came back: revoke, tell, and send the client to sign in.
    async fn alarm(
        &self,
        token: &RefreshToken,
        presenter: &Presenter,
        record: Option<SessionRecord>,
        ended: Option<RevokeReason>,
        now: Timestamp,
    ) -> SessionError {
        let Some(record) = record else {
            let unknown = cause::of(Outcome::Unknown);
            return SessionError::with_source(SessionErrorKind::Invalid, unknown);
        };
        let theft = ReuseReport {
            presented_by: presenter.fingerprint,
            presented_generation: token.generation,
            jar: presenter.jar == JarProof::Shown,
            ended,
        };
        // Reported where it is written: the second caller finds the session revoked and reports nothing.
        let alarm = Revocation::of(record, now, RevokeReason::Reuse).because_of(theft);
        if let Err(error) = alarm.run(self.config()).await {
            return unavailable(error);
        }
        self.clear_cookie();
        SessionError::with_source(SessionErrorKind::Reuse, cause::of(Outcome::Reuse))
    }

    /// A refresh has succeeded; one that waits for a confirmation has not yet.
    pub(crate) fn report(&self, outcome: RefreshOutcome, record: &SessionRecord, confirm: bool) {
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
        if !confirm {
            events.emit(&Event::Refreshed {
                session,
                generation,
                outcome,
                subject: record.subject(),
                label: record.label(),
                note: record.note(),
            });
        }
    }

    /// A fingerprint has come that the session had not met. `surely` where it is written down now: then it comes once.
    /// Otherwise it may have been reported before, and is reported once a minute.
    pub(crate) fn report_newcomer(
        &self,
        decision: &Decision,
        presenter: &Presenter,
        before: &SessionRecord,
        surely: bool,
        now: Timestamp,
    ) {
        let config = self.config();
        let met = before.fingerprints_for(presenter);
        if config.policy.fingerprints == FingerprintPolicy::Ignored
            || met.has_met(presenter.fingerprint)
            || !(surely || config.newcomers.allow(&before.id(), now))
        {
            return;
        }
        config.events.emit(&Event::NewFingerprint {
            session: before.id(),
            subject: before.subject(),
            known: before.label(),
            presented: cut(&self.label()),
            row: decision.row.as_str(),
        });
    }
}
