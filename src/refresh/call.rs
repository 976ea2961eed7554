//! Common to all calls of a session: a span, and the trace that a failure leaves.

use std::{future::Future, pin::Pin};

use super::{config::Config, session::Session, told::Apart};
use crate::{
    clock::{Clock, SystemClock},
    event::Event,
    session::{SessionError, SessionId},
    telemetry::{Work, in_span},
};

impl Session {
    /// Runs the call `name` in its span, and reports its failure. The caller pins the work: a future that is moved into
    /// another one takes its room twice.
    pub(crate) async fn call<T>(
        &self,
        name: &'static str,
        work: Pin<&mut impl Future<Output = Result<T, SessionError>>>,
    ) -> Result<T, SessionError> {
        let done = in_span(Work::Session, name, work).await;
        done.map_err(|error| self.refused(name, error))
    }

    /// Tells that the call has failed, and hands the error on.
    pub(crate) fn refused(&self, call: &'static str, error: SessionError) -> SessionError {
        self.config().refused(call, self.genuine_id(), &error);
        error
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
        let now = SystemClock.now();
        let told = match &session {
            Some(session) => self.told.session(session, now),
            None => self.told.apart(Apart::of(call, error), now),
        };
        if let Some(last) = told {
            self.events.emit(&Event::SessionRefused {
                session,
                call,
                error,
                last,
            });
        }
    }
}
