//! The operator's side: sessions listed and ended from outside a request, and what the events say of it.

mod all_users;
mod ended;
mod events;
mod one;
mod subject;

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
};

use tower_bearer::{Event, EventSink};

use crate::support::world::World;

/// All that was told, a line each: the event, and what names the user in it.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn sink(&self) -> EventSink {
        let heard = self.0.clone();
        EventSink::new(move |event: &Event<'_>| heard.lock().unwrap().push(line(event)))
    }

    /// Everything since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn line(event: &Event<'_>) -> String {
    let name = event.name();
    match event {
        Event::Started {
            subject,
            label,
            note,
            ..
        }
        | Event::Refreshed {
            subject,
            label,
            note,
            ..
        }
        | Event::ReuseDetected {
            subject,
            label,
            note,
            ..
        } => format!("{name} of {subject} on {label}{}", noted(note)),
        Event::Revoked {
            reason,
            subject,
            label,
            note,
            ..
        } => {
            let (note, reason) = (noted(note), reason.as_str());
            format!("{name} of {subject} on {label}{note}: {reason}")
        }
        Event::EverythingRevoked {
            sessions, before, ..
        } => format!("{name}: {sessions} by {}", before.as_secs()),
        Event::SessionRefused { call, error, .. } => {
            format!("{name}: {call}, {}", error.kind().as_str())
        }
        Event::Unannounced {
            subject, sessions, ..
        } => format!("{name}: {sessions} of {subject}"),
        _ => name.to_owned(),
    }
}

fn noted(note: &str) -> String {
    match note {
        "" => String::new(),
        note => format!(" ({note})"),
    }
}

/// A server whose events are heard.
fn world() -> (World, Heard) {
    let heard = Heard::default();
    let world = World::with(|builder| builder.events(heard.sink()));
    (world, heard)
}

/// Begins `call`, and leaves it where it waits first.
async fn leave(call: impl Future) {
    let mut call = pin!(call);
    let waits = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending()));
    assert!(waits.await);
}
