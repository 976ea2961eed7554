//! Where events go: a line in the log for those that deserve one, and the journal for its user.

use tower_bearer::{Event, EventSink};

use crate::journal::Journal;

/// One sink for every layer.
pub(crate) fn sink(journal: Journal) -> EventSink {
    EventSink::new(move |event| {
        report(event);
        journal.record(event);
    })
}

fn report(event: &Event<'_>) {
    match event {
        Event::ReuseDetected {
            session, subject, ..
        } => {
            eprintln!("an old refresh token came back: session {session} of {subject} is revoked");
        }
        Event::NewFingerprint {
            session,
            subject,
            presented,
            ..
        } => {
            // A client wrote that: `Debug` escapes it.
            eprintln!("a client new to session {session} of {subject} uses it: {presented:?}");
        }
        Event::ForeignJar { session, .. } => {
            eprintln!("a refresh cookie came without its jar cookie: session {session} goes on");
        }
        // The client is told the status and no more; why stands here alone.
        Event::Rejected(rejection) => match std::error::Error::source(rejection) {
            Some(reason) => eprintln!("refused with {}: {reason}", rejection.status().as_u16()),
            None => eprintln!("refused with {}: {rejection}", rejection.status().as_u16()),
        },
        Event::StoreUnreachable => eprintln!("Redis does not answer"),
        Event::StoreRecovered => eprintln!("Redis answers again"),
        Event::RevocationRestored { session, .. } => {
            eprintln!("Redis had forgotten that session {session} was revoked: it is again");
        }
        _ => {}
    }
}
