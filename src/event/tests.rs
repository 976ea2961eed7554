//! Each event shows nothing of its user, but to the sink.

use std::collections::BTreeSet;

use super::*;
use crate::session::SessionErrorKind;

const SUBJECT: &str = "planted subject";
const LABEL: &str = "planted label";
const NOTE: &str = "planted note";

const SESSION: SessionId = SessionId::from_bytes([7; 16]);

/// Every event but those about an issuer's keys, of which no user is part.
fn each(mut tell: impl FnMut(&Event<'_>)) {
    let session = SESSION;
    let client = ClientFingerprint::from_bytes([9; 8]);
    let at = Timestamp::from_secs(1_800_000_000);
    let failure = StoreError::unavailable("no answer");
    let refused = SessionError::new(SessionErrorKind::NoSession);
    let rejection = Rejection::missing_layer("RefreshCookieLayer", "a handler", "auth.routes()");
    let (subject, label, note) = (SUBJECT, LABEL, NOTE);
    for event in [
        Event::CookiePathMismatch {
            cookie_path: "/auth",
            request_path: "/login",
        },
        Event::Denied { session, subject },
        Event::DurabilityDegraded {
            sessions: &[SESSION],
            acknowledged: 0,
            wanted: 1,
        },
        Event::EncryptionKeyNearLimit { encryptions: 1 },
        Event::EverythingRevoked {
            sessions: 3,
            before: at,
        },
        Event::ForeignJar { session },
        Event::NewFingerprint {
            session,
            subject,
            known: label,
            presented: "another",
            row: "6b",
        },
        Event::OldToken { session, row: "7" },
        Event::Recovered {
            session,
            generation: 1,
            recoveries: 1,
        },
        Event::Refreshed {
            session,
            generation: 1,
            outcome: RefreshOutcome::Rotated,
            subject,
            label,
            note,
        },
        Event::Rejected(&rejection),
        Event::ReuseDetected {
            session,
            subject,
            label,
            note,
            held_by: client,
            presented_by: client,
            expected_generation: 3,
            presented_generation: 1,
            jar: true,
            ended: None,
            at,
        },
        Event::RevocationLost {
            session: None,
            subject: Some(subject),
        },
        Event::RevocationQueued {
            session: None,
            subject: Some(subject),
        },
        Event::RevocationRestored { session },
        Event::Revoked {
            session,
            reason: RevokeReason::RevokedByOperator,
            by_known: None,
            subject,
            label,
            note,
        },
        Event::SessionRefused {
            session: None,
            call: "refresh",
            error: &refused,
            last: false,
        },
        Event::Started {
            session,
            subject,
            label,
            note,
        },
        Event::StateLost {
            session,
            stored_generation: 1,
            presented_generation: 5,
        },
        Event::StoreEvicts {
            policy: "allkeys-lru",
        },
        Event::StoreFailed(&failure),
        Event::StoreRecovered,
        Event::StoreUnreachable,
        Event::Unannounced {
            subject,
            sessions: 2,
        },
        Event::WouldReject(&rejection),
        Event::WriteRestored {
            session,
            generation: 1,
        },
    ] {
        tell(&event);
    }
}

#[test]
fn each_event_is_among_those_that_are_tried() {
    let names = include_str!("name.rs").lines();
    let names = names.filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\","));
    let expected: BTreeSet<_> = names.filter(|name| !name.starts_with("keys_")).collect();
    let mut tried = BTreeSet::new();
    each(|event| assert!(tried.insert(event.name()), "{event:?} twice"));
    assert_eq!(tried, expected);
}

#[test]
fn debug_shows_no_subject_no_label_and_no_note() {
    each(|event| {
        let text = format!("{event:?} {event:#?}");
        assert!(!text.contains("planted"), "{text}");
        // `NewFingerprint` for `new_fingerprint`.
        let name = event.name().replace('_', "");
        assert!(text.to_lowercase().starts_with(&name), "{text}");
    });
}

/// It shows all that a derived one would, but for the user.
#[test]
fn debug_shows_the_rest() {
    let mut texts = Vec::new();
    each(|event| texts.push(format!("{event:?}")));
    let session = format!("session: {SESSION:?}");
    let revoked = format!("Revoked {{ {session}, reason: RevokedByOperator, by_known: None, .. }}");
    for text in [
        &revoked,
        "RevocationLost { session: None, several: true, .. }",
        &format!("Started {{ {session}, .. }}"),
        &format!("ForeignJar {{ {session} }}"),
        "Unannounced { sessions: 2, .. }",
        "StoreRecovered",
        "StoreEvicts { policy: \"allkeys-lru\" }",
    ] {
        assert!(texts.iter().any(|told| told == text), "{text}: {texts:#?}");
    }
}

#[cfg(feature = "tracing")]
mod lines {
    use std::{
        cell::RefCell,
        fmt::{self, Write},
    };

    use ::tracing::{
        Metadata, Subscriber,
        field::{Field, Visit},
        span,
        subscriber::set_global_default,
    };

    use super::*;

    thread_local! {
        /// All that the test on this thread has seen; nothing where none listens.
        static TEXT: RefCell<Option<String>> = RefCell::default();
    }

    /// Writes each field of each line down.
    struct Notebook;

    struct Fields(String);

    impl Visit for Fields {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            let _ = writeln!(self.0, "{}: {value:?}", field.name());
        }
    }

    impl Subscriber for Notebook {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn event(&self, event: &::tracing::Event<'_>) {
            let mut fields = Fields(String::new());
            event.record(&mut fields);
            TEXT.with_borrow_mut(|text| {
                if let Some(text) = text {
                    text.push_str(&fields.0);
                }
            });
        }

        fn enter(&self, _: &span::Id) {}

        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn they_show_no_subject_no_label_and_no_note() {
        set_global_default(Notebook).unwrap();
        each(|event| {
            TEXT.set(Some(String::new()));
            EventSink::default().emit(event);
            let text = TEXT.take().unwrap();
            let line = format!("event: {:?}", event.name());
            assert!(text.contains(&line), "{text}");
            assert!(!text.contains("planted"), "{text}");
        });
    }
}
