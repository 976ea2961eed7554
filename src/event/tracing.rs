//! Events as lines of `tracing`, with the feature of that name.
//!
//! A fault of the service, or a sign of theft, is `WARN` or `ERROR`. Every log should keep these. A client's mistake
//! is one line at `INFO`, which names the remedy: the client is often the application's own. Subjects, labels and
//! notes are left out; the application's own sink has them.
//!
//! A field that does not apply is absent. Each text from a client is a separate field. `Debug` escapes characters in
//! it that would forge a line of the log.

use std::{
    error::Error,
    fmt::{self, Write},
};

use ::tracing::{debug, error, field, info, warn};

use super::Event;
use crate::{
    rejection::{CsrfReason, Rejection, RejectionKind},
    session::{SessionError, SessionErrorKind, SessionId},
};

/// Writes one line. `event` is its stable name, and the other fields are those of the event.
pub(super) fn trace(event: &Event<'_>) {
    let name = event.name();
    match event {
        Event::WriteRestored {
            session,
            generation,
        } => {
            warn!(target: TARGET, event = name, %session, generation, "the store had lost the last rotation; the newer token was adopted");
        }
        Event::CookiePathMismatch {
            cookie_path,
            request_path,
        } => {
            // The client wrote the path: `Debug` escapes what would forge a line of the log.
            error!(target: TARGET, event = name, cookie_path, ?request_path, "browsers send the refresh cookie only to cookie_path and below, and the sign-in came elsewhere. It does not see the session that it replaces. Where the session endpoints lie here too, no refresh finds the new one. Mount the sign-in and the endpoints there, or set RefreshCookieBuilder::cookie_path (Auth's mount). external_prefix names the prefix that a proxy in front removes");
        }
        Event::Denied { session, .. } => {
            info!(target: TARGET, event = name, %session, "the application refused the subject");
        }
        Event::DurabilityDegraded {
            sessions,
            acknowledged,
            wanted,
        } => {
            warn!(target: TARGET, event = name, sessions = sessions.len(), acknowledged, wanted, "a revocation has reached fewer replicas than required");
        }
        Event::EncryptionKeyNearLimit { encryptions } => {
            warn!(target: TARGET, event = name, encryptions, "the key that encrypts access tokens should be rotated");
        }
        Event::EverythingRevoked { sessions, before } => {
            let before = before.as_secs();
            warn!(target: TARGET, event = name, sessions, before, "an operator has ended every session that had begun by then");
        }
        Event::ForeignJar { session } => {
            warn!(target: TARGET, event = name, %session, "a refresh cookie came without the jar cookie beside it (its name ends in _jar). A thief copied it alone, or a proxy or a renderer forwards only that one. It gets no token, and the session continues. Through such a proxy a sign-out ends nothing, and a sign-in does not replace the old session. Forward both cookies");
        }
        #[cfg(feature = "jwks")]
        Event::KeysRecovered { url } => {
            info!(target: TARGET, event = name, url, "the issuer's keys can be fetched again");
        }
        #[cfg(feature = "jwks")]
        Event::KeysCompromised { url, keys } => {
            let keys = crate::keys::listed(keys);
            error!(target: TARGET, event = name, url, keys, "the issuer has published a private key or a shared secret; it has to replace the key at once");
        }
        #[cfg(feature = "jwks")]
        Event::KeysExpired { url } => {
            error!(target: TARGET, event = name, url, "the issuer's keys are too old to use; requests are answered 503 until the issuer answers");
        }
        #[cfg(feature = "jwks")]
        Event::KeysFetched { url, keys } => {
            info!(target: TARGET, event = name, url, keys, "the issuer's keys have been fetched, or have changed");
        }
        #[cfg(feature = "jwks")]
        Event::KeysPassedOver { url, keys } => {
            let keys = crate::keys::listed(keys);
            warn!(target: TARGET, event = name, url, keys, "some keys of the issuer's set are not used");
        }
        #[cfg(feature = "jwks")]
        Event::KeysUnavailable {
            url,
            error,
            failures,
            usable_until,
        } => {
            let usable_until = usable_until.map(crate::clock::Timestamp::as_secs);
            warn!(target: TARGET, event = name, url, error = %OneLine(error), failures, usable_until, "the issuer's keys could not be fetched; without usable_until there are none, and requests are answered 503");
        }
        #[cfg(feature = "jwks")]
        Event::KeysWithdrawn { url, error } => {
            error!(target: TARGET, event = name, url, error = %OneLine(error), "the issuer's set has no key that verifies, for the second time; requests are answered 503 until it has one");
        }
        Event::NewFingerprint {
            session,
            presented,
            row,
            ..
        } => {
            warn!(target: TARGET, event = name, %session, ?presented, row, "a browser with another name uses the session: the user's other window, or a thief with the whole cookie jar");
        }
        Event::OldToken { session, row } => {
            info!(target: TARGET, event = name, %session, row, "a replaced refresh token came again and was rejected");
        }
        Event::Recovered {
            session,
            generation,
            recoveries,
        } => {
            info!(target: TARGET, event = name, %session, generation, recoveries, "an older token was answered anew; the newer one is invalidated");
        }
        Event::Refreshed {
            session,
            generation,
            outcome,
            ..
        } => {
            debug!(target: TARGET, event = name, %session, generation, outcome = outcome.as_str(), "a refresh succeeded");
        }
        Event::Rejected(rejection) => rejected(name, rejection),
        Event::ReuseDetected {
            session,
            expected_generation,
            presented_generation,
            jar,
            ended,
            ..
        } => {
            let ended = ended.map(crate::session::RevokeReason::as_str);
            warn!(target: TARGET, event = name, %session, expected_generation, presented_generation, jar, ended, "an old refresh token came back; the session is revoked");
        }
        Event::RevocationLost { session, subject } => {
            let (session, several) = (session.map(tracing::field::display), subject.is_some());
            error!(target: TARGET, event = name, session, several, "a revocation could not be written and was given up. For several sessions, the event in the application's sink names their subject");
        }
        Event::RevocationQueued { session, subject } => {
            let (session, several) = (session.map(tracing::field::display), subject.is_some());
            warn!(target: TARGET, event = name, session, several, "a revocation could not be written and waits for the store");
        }
        Event::RevocationRestored { session } => {
            warn!(target: TARGET, event = name, %session, "the store had lost a revocation; the session is revoked again");
        }
        Event::Revoked {
            session,
            reason,
            by_known,
            ..
        } => {
            info!(target: TARGET, event = name, %session, reason = reason.as_str(), by_known, "a session ended before its time");
        }
        Event::SessionRefused {
            session,
            call,
            error,
            last,
        } => session_refused(name, session.as_ref(), call, error, *last),
        Event::Started { session, .. } => {
            info!(target: TARGET, event = name, %session, "a session began");
        }
        Event::StateLost {
            session,
            stored_generation,
            presented_generation,
        } => {
            warn!(target: TARGET, event = name, %session, stored_generation, presented_generation, "the store has lost writes; the user has to sign in again");
        }
        Event::StoreRecovered => info!(target: TARGET, event = name, "the store answers again"),
        Event::StoreFailed(failure) => {
            let cause = failure.source().map(|cause| field::display(OneLine(cause)));
            error!(target: TARGET, event = name, error = %OneLine(failure), cause, "the store answered with an error");
        }
        Event::StoreEvicts { policy } => {
            warn!(target: TARGET, event = name, ?policy, "the store evicts sessions when its memory is full; set noeviction");
        }
        Event::StoreUnreachable => {
            error!(target: TARGET, event = name, "the store does not answer")
        }
        Event::Unannounced { sessions, .. } => {
            warn!(target: TARGET, event = name, sessions, "sessions may have ended without an event: an Ended was dropped. Call announce after the commit, or discard after a rollback");
        }
        Event::WouldReject(rejection) => {
            let (kind, reason) = (rejection.kind().as_str(), reason(rejection));
            let (origin, why) = (origin(rejection), Why(rejection));
            info!(target: TARGET, event = name, kind, reason, origin, "a request would have been refused: {why}");
        }
    }
}

const TARGET: &str = "tower_bearer";

/// Refusals are the client's fault, but for a few.
fn rejected(name: &'static str, rejection: &Rejection) {
    let (kind, reason) = (rejection.kind().as_str(), reason(rejection));
    let (origin, why) = (origin(rejection), Why(rejection));
    match rejection.kind() {
        RejectionKind::Internal => {
            error!(target: TARGET, event = name, kind, reason, "a request could not be judged: {why}");
        }
        // The issuer's silence has a line of its own.
        RejectionKind::Unavailable if rejection.token_error().is_none() => {
            warn!(target: TARGET, event = name, kind, reason, "a request could not be judged now: {why}");
        }
        // The handler's fault, and not the client's.
        _ if rejection.csrf_reason() == Some(CsrfReason::Unverified) => {
            warn!(target: TARGET, event = name, kind, reason, "a request was refused: {rejection}");
        }
        _ => {
            let (wanted_scope, present_scope) =
                (rejection.wanted_scope(), rejection.present_scope());
            info!(target: TARGET, event = name, kind, reason, origin, wanted_scope, present_scope, "a request was refused: {why}");
        }
    }
}

/// Most failures are the client's fault, or the session's time has come.
fn session_refused(
    name: &'static str,
    session: Option<&SessionId>,
    call: &'static str,
    error: &SessionError,
    last: bool,
) {
    let no_session = session.is_none();
    let (session, kind) = (session.map(field::display), error.kind().as_str());
    let why = Why(error);
    let rest = match last {
        true => "; further ones like it are left out until the half minute is over",
        false => "",
    };
    match error.kind() {
        SessionErrorKind::Internal => {
            error!(target: TARGET, event = name, session, call, kind, "a session call failed: {why}{rest}");
        }
        SessionErrorKind::Unavailable => {
            warn!(target: TARGET, event = name, session, call, kind, "a session call failed: {why}{rest}");
        }
        SessionErrorKind::NoSession if call == "csrf" => {
            info!(target: TARGET, event = name, session, call, kind, "a page has lost its session: {why}{rest}");
        }
        // Every page that works without a user asks.
        SessionErrorKind::NoSession if no_session => {
            debug!(target: TARGET, event = name, session, call, kind, "a session call was refused: {why}{rest}");
        }
        _ => {
            info!(target: TARGET, event = name, session, call, kind, "a session call was refused: {why}{rest}");
        }
    }
}

/// The reason, where it says more than the kind.
fn reason(rejection: &Rejection) -> Option<&'static str> {
    let reason = rejection.reason();
    (reason != rejection.kind().as_str()).then_some(reason)
}

/// The value of `Origin`, where the refusal is about it.
fn origin(rejection: &Rejection) -> Option<impl field::Value> {
    rejection.foreign_origin().map(field::debug)
}

/// An error, and each source behind it: the last one has the remedy.
struct Why<'a>(&'a dyn Error);

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(error) = self;
        write!(f, "{}", OneLine(error))?;
        let mut source = error.source();
        while let Some(cause) = source {
            write!(f, ": {}", OneLine(cause))?;
            source = cause.source();
        }
        Ok(())
    }
}

/// A text that the application, a store or an issuer made, with any content. It is written as `Debug` writes it, but
/// for quotes and backslashes. A line break in it would forge a line of the log.
struct OneLine<T>(T);

impl<T: fmt::Display> fmt::Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '"' | '\'' | '\\' => self.0.write_char(c)?,
                _ => write!(self.0, "{}", c.escape_debug())?,
            }
        }
        Ok(())
    }
}
