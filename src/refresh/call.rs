//! Common to all calls of a session: a span, and the trace that a failure leaves.

use std::{future::Future, pin::Pin};

use super::{config::Config, session::Session};
use crate::{
    clock::{Clock, SystemClock},
    event::Event,
    session::{SessionError, SessionErrorKind, SessionId},
    telemetry::{Work, in_span},
};

/// How many failures are told in half a minute: of each genuine session, and of all others together.
pub(super) const TOLD: u16 = 10;

/// Counts what came without a genuine token, all of it together: strangers can send any number.
const STRANGERS: SessionId = SessionId::from_bytes([0; 16]);
/// Counts the server's own faults at calls without a genuine token, which strangers must not drown.
const OWN_FAULTS: SessionId = SessionId::from_bytes([0xff; 16]);

impl Session {
    /// Runs the call `name` in its span, and tells of its failure. The caller pins the work: a future that
    /// is moved into another one takes its room twice.
    pub(crate) async fn call<T>(
        &self,
        name: &'static str,
        work: Pin<&mut impl Future<Output = Result<T, SessionError>>>,
    ) -> Result<T, SessionError> {
        let done = in_span(Work::Session, name, work).await;
        if let Err(error) = &done {
            self.config().refused(name, self.genuine_id(), error);
        }
        done
    }
}

impl Config {
    /// Tells that the call has failed, unless too many of its kind did so a moment ago.
    pub(crate) fn refused(
        &self,
        call: &'static str,
        session: Option<SessionId>,
        error: &SessionError,
    ) {
        let counted = session.unwrap_or(match error.kind() {
            // Every page that works without a user asks.
            SessionErrorKind::NoSession => return,
            SessionErrorKind::Internal | SessionErrorKind::Unavailable => OWN_FAULTS,
            _ => STRANGERS,
        });
        if self.refusals.allow(&counted, SystemClock.now()) {
            self.events.emit(&Event::SessionRefused {
                session,
                call,
                error,
            });
        }
    }
}
