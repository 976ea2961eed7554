//! The sessions that began and ended, as the events of one request tell it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    event::{Event, EventSink},
    session::{RevokeReason, SessionId},
};

/// Written by the sink of a layer, and read by the test.
#[derive(Clone, Default)]
pub(super) struct Journal(Arc<Mutex<Pages>>);

#[derive(Default)]
pub(super) struct Pages {
    /// The sessions that began, with their subjects.
    pub(super) started: Vec<(SessionId, String)>,
    pub(super) ended: Vec<(SessionId, RevokeReason)>,
}

impl Journal {
    pub(super) fn sink(&self) -> EventSink {
        let journal = self.clone();
        EventSink::new(move |event| match event {
            Event::Started {
                session, subject, ..
            } => journal
                .read()
                .started
                .push((*session, (*subject).to_owned())),
            Event::Revoked {
                session, reason, ..
            } => journal.read().ended.push((*session, *reason)),
            _ => {}
        })
    }

    pub(super) fn read(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn clear(&self) {
        *self.read() = Pages::default();
    }
}
