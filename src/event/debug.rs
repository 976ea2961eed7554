//! `Debug` of events, without what names a user: a sink that logs an event as it is leaks no subject.

use std::fmt;

use super::Event;

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Out(f);
        // Destructured whole, so that a new field forces a decision.
        match self {
            Self::CookiePathMismatch {
                cookie_path,
                request_path,
            } => out.whole(
                "CookiePathMismatch",
                &[("cookie_path", cookie_path), ("request_path", request_path)],
            ),
            Self::Denied {
                session,
                subject: _,
            } => out.part("Denied", &[("session", session)]),
            Self::DurabilityDegraded {
                sessions,
                acknowledged,
                wanted,
            } => out.whole(
                "DurabilityDegraded",
                &[
                    ("sessions", sessions),
                    ("acknowledged", acknowledged),
                    ("wanted", wanted),
                ],
            ),
            Self::EncryptionKeyNearLimit { encryptions } => {
                out.whole("EncryptionKeyNearLimit", &[("encryptions", encryptions)])
            }
            Self::EverythingRevoked { sessions, before } => out.whole(
                "EverythingRevoked",
                &[("sessions", sessions), ("before", before)],
            ),
            Self::ForeignJar { session } => out.whole("ForeignJar", &[("session", session)]),
            #[cfg(feature = "jwks")]
            Self::KeysCompromised { url, keys } => {
                out.whole("KeysCompromised", &[("url", url), ("keys", keys)])
            }
            #[cfg(feature = "jwks")]
            Self::KeysExpired { url } => out.whole("KeysExpired", &[("url", url)]),
            #[cfg(feature = "jwks")]
            Self::KeysFetched { url, keys } => {
                out.whole("KeysFetched", &[("url", url), ("keys", keys)])
            }
            #[cfg(feature = "jwks")]
            Self::KeysPassedOver { url, keys } => {
                out.whole("KeysPassedOver", &[("url", url), ("keys", keys)])
            }
            #[cfg(feature = "jwks")]
            Self::KeysRecovered { url } => out.whole("KeysRecovered", &[("url", url)]),
            #[cfg(feature = "jwks")]
            Self::KeysUnavailable {
                url,
                error,
                failures,
                usable_until,
            } => out.whole(
                "KeysUnavailable",
                &[
                    ("url", url),
                    ("error", error),
                    ("failures", failures),
                    ("usable_until", usable_until),
                ],
            ),
            #[cfg(feature = "jwks")]
            Self::KeysWithdrawn { url, error } => {
                out.whole("KeysWithdrawn", &[("url", url), ("error", error)])
            }
            // The name that is known is the label.
            Self::NewFingerprint {
                session,
                subject: _,
                known: _,
                presented,
                row,
            } => out.part(
                "NewFingerprint",
                &[("session", session), ("presented", presented), ("row", row)],
            ),
            Self::OldToken { session, row } => {
                out.whole("OldToken", &[("session", session), ("row", row)])
            }
            Self::Recovered {
                session,
                generation,
                recoveries,
            } => out.whole(
                "Recovered",
                &[
                    ("session", session),
                    ("generation", generation),
                    ("recoveries", recoveries),
                ],
            ),
            Self::Refreshed {
                session,
                generation,
                outcome,
                subject: _,
                label: _,
                note: _,
            } => out.part(
                "Refreshed",
                &[
                    ("session", session),
                    ("generation", generation),
                    ("outcome", outcome),
                ],
            ),
            Self::Rejected(rejection) => out.tuple("Rejected", rejection),
            Self::ReuseDetected {
                session,
                subject: _,
                label: _,
                note: _,
                held_by,
                presented_by,
                expected_generation,
                presented_generation,
                jar,
                ended,
                at,
            } => out.part(
                "ReuseDetected",
                &[
                    ("session", session),
                    ("held_by", held_by),
                    ("presented_by", presented_by),
                    ("expected_generation", expected_generation),
                    ("presented_generation", presented_generation),
                    ("jar", jar),
                    ("ended", ended),
                    ("at", at),
                ],
            ),
            Self::RevocationLost { session, subject } => out.part(
                "RevocationLost",
                &[("session", session), ("several", &subject.is_some())],
            ),
            Self::RevocationQueued { session, subject } => out.part(
                "RevocationQueued",
                &[("session", session), ("several", &subject.is_some())],
            ),
            Self::RevocationRestored { session } => {
                out.whole("RevocationRestored", &[("session", session)])
            }
            Self::Revoked {
                session,
                reason,
                by_known,
                subject: _,
                label: _,
                note: _,
            } => out.part(
                "Revoked",
                &[
                    ("session", session),
                    ("reason", reason),
                    ("by_known", by_known),
                ],
            ),
            Self::SessionRefused {
                session,
                call,
                error,
                last,
            } => out.whole(
                "SessionRefused",
                &[
                    ("session", session),
                    ("call", call),
                    ("error", error),
                    ("last", last),
                ],
            ),
            Self::Started {
                session,
                subject: _,
                label: _,
                note: _,
            } => out.part("Started", &[("session", session)]),
            Self::StateLost {
                session,
                stored_generation,
                presented_generation,
            } => out.whole(
                "StateLost",
                &[
                    ("session", session),
                    ("stored_generation", stored_generation),
                    ("presented_generation", presented_generation),
                ],
            ),
            Self::StoreEvicts { policy } => out.whole("StoreEvicts", &[("policy", policy)]),
            Self::StoreFailed(error) => out.tuple("StoreFailed", error),
            Self::StoreRecovered => out.whole("StoreRecovered", &[]),
            Self::StoreUnreachable => out.whole("StoreUnreachable", &[]),
            Self::Unannounced {
                subject: _,
                sessions,
            } => out.part("Unannounced", &[("sessions", sessions)]),
            Self::WouldReject(rejection) => out.tuple("WouldReject", rejection),
            Self::WriteRestored {
                session,
                generation,
            } => out.whole(
                "WriteRestored",
                &[("session", session), ("generation", generation)],
            ),
        }
    }
}

struct Out<'a, 'b>(&'a mut fmt::Formatter<'b>);

type Fields<'f> = [(&'f str, &'f dyn fmt::Debug)];

impl Out<'_, '_> {
    /// An event of which all is shown.
    fn whole(&mut self, name: &str, fields: &Fields<'_>) -> fmt::Result {
        let mut out = self.0.debug_struct(name);
        for (name, value) in fields {
            out.field(name, value);
        }
        out.finish()
    }

    /// An event that has more than is shown.
    fn part(&mut self, name: &str, fields: &Fields<'_>) -> fmt::Result {
        let mut out = self.0.debug_struct(name);
        for (name, value) in fields {
            out.field(name, value);
        }
        out.finish_non_exhaustive()
    }

    fn tuple(&mut self, name: &str, value: &dyn fmt::Debug) -> fmt::Result {
        self.0.debug_tuple(name).field(value).finish()
    }
}
