//! Events: the layers and stores report them to the application as they happen.

mod debug;
mod name;
mod sink;
mod telemetry;
#[cfg(feature = "tracing")]
mod tracing;

pub use sink::EventSink;

use crate::{
    clock::Timestamp,
    rejection::Rejection,
    session::{ClientFingerprint, RefreshOutcome, RevokeReason, SessionError, SessionId},
    store::error::StoreError,
};
#[cfg(feature = "jwks")]
use crate::{jwks::error::JwksError, keys::UnusableKey};

/// Something worth recording. Events carry no tokens, no hashes and no keys.
///
/// An event about a session has its subject, and many have its label and the application's note. So the sink needs no
/// second look-up. They are personal data: `Debug`, log lines and labels of metrics leave them out.
///
/// ```
/// use tower_bearer::{Event, RevokeReason};
///
/// /// Selects the events for the operator on call. New kinds of events may come: `_` takes them.
/// fn is_urgent(event: &Event<'_>) -> bool {
///     match event {
///         Event::StoreUnreachable | Event::StoreFailed(_) | Event::RevocationLost { .. } => true,
///         Event::Revoked { reason, .. } => *reason == RevokeReason::Reuse,
///         _ => false,
///     }
/// }
/// # assert!(is_urgent(&Event::StoreUnreachable) && !is_urgent(&Event::StoreRecovered));
/// ```
///
/// [The manual](crate::manual::operations#events-and-cures) says which to watch, and what to do.
///
#[doc = include_str!("lines.md")]
#[derive(Clone)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A sign-in came to a path to which browsers do not send the refresh cookie, and went on. It does not see the
    /// session that it replaces. Where the session endpoints lie here too, no refresh finds the new one. Mount both
    /// where the cookie goes. Or set [`cookie_path`](crate::refresh::RefreshCookieBuilder::cookie_path) or
    /// [`external_prefix`](crate::refresh::RefreshCookieBuilder::external_prefix). At most ten are sent in half a
    /// minute.
    #[non_exhaustive]
    CookiePathMismatch {
        /// The path that the cookie goes to, and all below.
        cookie_path: &'a str,
        /// The path of the sign-in.
        request_path: &'a str,
    },
    /// The application refused the subject and the session was revoked.
    #[non_exhaustive]
    Denied {
        /// The session.
        session: SessionId,
        /// The subject as the application names it.
        subject: &'a str,
    },
    /// A revocation was written, and fewer replicas than required have confirmed it in time. If the server fails now,
    /// the revocation may be lost. The store that wrote it remembers it.
    #[non_exhaustive]
    DurabilityDegraded {
        /// The sessions that were revoked.
        sessions: &'a [SessionId],
        /// How many replicas have confirmed.
        acknowledged: u32,
        /// How many were to.
        wanted: u32,
    },
    /// The key that encrypts access tokens has reached a quarter of its safe uses with random nonces. The safe number
    /// is 2^32 (NIST SP 800-38D section 8.3). Rotate the key. Sent once for each key and instance.
    #[non_exhaustive]
    EncryptionKeyNearLimit {
        /// How many tokens this instance has encrypted with it.
        encryptions: u64,
    },
    /// An operator has ended every session of every subject. No other event reports them. A call that failed emits
    /// [`SessionRefused`](Self::SessionRefused) instead, and may have ended some.
    #[non_exhaustive]
    EverythingRevoked {
        /// How many sessions have ended.
        sessions: u64,
        /// They began at this time or earlier, by the store's clock.
        before: Timestamp,
    },
    /// A refresh cookie came without the right cookie of its jar. A thief copied it alone, or a proxy or a renderer
    /// forwards only that one. It got no access token, and the session continues. Through such a proxy a sign-out
    /// ends nothing and a sign-in does not replace the old session. The browser sees both succeed: forward both
    /// cookies. At most one a minute for each session. Sessions share 4096 counters, so another session's may
    /// suppress it.
    #[non_exhaustive]
    ForeignJar {
        /// The session.
        session: SessionId,
    },
    /// An issuer has published what only it may have: the private half of a key, or a shared secret. The
    /// key is not used any more, whatever the issuer says later, and an attacker can sign with it. The
    /// issuer has to replace it at once. Sent for each set that does so.
    #[cfg(feature = "jwks")]
    #[non_exhaustive]
    KeysCompromised {
        /// Its JWK Set, or its name where that is all that was configured.
        url: &'a str,
        /// The keys, and how they were published.
        keys: &'a [UnusableKey],
    },
    /// An issuer's keys could not be fetched for so long that those from before are not used any more.
    /// Requests are answered 503 until it answers.
    #[cfg(feature = "jwks")]
    #[non_exhaustive]
    KeysExpired {
        /// Its JWK Set, or its name where that is all that was configured.
        url: &'a str,
    },
    /// An issuer's keys have come for the first time, or have changed. Nothing is said while they
    /// stay the same.
    #[cfg(feature = "jwks")]
    #[non_exhaustive]
    KeysFetched {
        /// Its JWK Set, or its name where that is all that was configured.
        url: &'a str,
        /// How many keys verify signatures from now on.
        keys: usize,
    },
    /// An issuer's set holds keys that are not used. The others are. Sent when the set has come for the
    /// first time, and when it has changed.
    #[cfg(feature = "jwks")]
    #[non_exhaustive]
    KeysPassedOver {
        /// Its JWK Set, or its name where that is all that was configured.
        url: &'a str,
        /// The keys, and why.
        keys: &'a [UnusableKey],
    },
    /// An issuer whose keys could not be fetched answers again.
    #[cfg(feature = "jwks")]
    #[non_exhaustive]
    KeysRecovered {
        /// Its JWK Set, or its name where that is all that was configured.
        url: &'a str,
    },
    /// An issuer's keys could not be fetched, or were not usable. Sent after every try; tries become
    /// as rare as one a minute.
    #[cfg(feature = "jwks")]
    #[non_exhaustive]
    KeysUnavailable {
        /// Its JWK Set, or its name where that is all that was configured.
        url: &'a str,
        /// Why. The error's sources say more.
        error: &'a JwksError,
        /// How many tries in a row have failed.
        failures: u32,
        /// The time until which the present keys verify. `None` when there are none, and requests are answered 503.
        usable_until: Option<Timestamp>,
    },
    /// An issuer has said twice in a row that it has no key that verifies signatures. Those from before
    /// are not used any more, and requests are answered 503 until it has one.
    #[cfg(feature = "jwks")]
    #[non_exhaustive]
    KeysWithdrawn {
        /// Its JWK Set, or its name where that is all that was configured.
        url: &'a str,
        /// Why no key of it verifies: each key with its fault.
        error: &'a JwksError,
    },
    /// A client with a fingerprint that is new to the session came with a genuine token. A browser that calls itself
    /// `presented` uses a session that began as `known`. Honest windows with two `User-Agent`s cause it once, and so
    /// does a thief with the whole cookie jar. Sent once for each fingerprint that the [record
    /// meets](crate::manual::sessions#terms), possibly twice where the store's answer was lost. Within the
    /// interval a newcomer is recorded only where it takes no other newcomer's place. Otherwise each of its requests
    /// sends the event again, at most once a minute.
    #[non_exhaustive]
    NewFingerprint {
        /// The session.
        session: SessionId,
        /// The subject as the application names it.
        subject: &'a str,
        /// The name that the client of the sign-in gave itself. A client wrote it: escape it before it is shown.
        known: &'a str,
        /// The name that this client gives itself. It wrote that: escape it before it is shown.
        presented: &'a str,
        /// The row of [the decision](crate::manual::sessions#the-decision).
        row: &'static str,
    },
    /// A token that was replaced came again where that is no theft yet, and got nothing. At most one a minute for
    /// each session. Sessions share 4096 counters, so another session's may leave it out.
    #[non_exhaustive]
    OldToken {
        /// The session.
        session: SessionId,
        /// The row of [the decision](crate::manual::sessions#the-decision): `7`, `7b` or `13a`.
        row: &'static str,
    },
    /// An older token was answered anew, and the newer one is invalidated. Mostly a response was lost, or a browser
    /// died before it wrote its cookies. Another window of the user's or a thief with the whole cookie jar causes it
    /// too. [`NewFingerprint`](Self::NewFingerprint) has reported that client where it calls itself otherwise.
    #[non_exhaustive]
    Recovered {
        /// The session.
        session: SessionId,
        /// Its generation, unchanged.
        generation: u64,
        /// How many recoveries in a row this was.
        recoveries: u8,
    },
    /// A refresh succeeded, one way or another.
    #[non_exhaustive]
    Refreshed {
        /// The session.
        session: SessionId,
        /// The generation of the token the client holds now.
        generation: u64,
        /// How: which row of the decision it was.
        outcome: RefreshOutcome,
        /// The subject as the application names it.
        subject: &'a str,
        /// The client's name. A client wrote it, mostly: escape it before it is shown.
        label: &'a str,
        /// The application's note on the session; empty where it has none.
        note: &'a str,
    },
    /// A layer refused a request.
    Rejected(&'a Rejection),
    /// A replaced token came back: two clients hold tokens of one session. The line of [the
    /// decision](crate::manual::sessions#the-decision) is 3a or 13. The session is revoked, or all of the subject's.
    #[non_exhaustive]
    ReuseDetected {
        /// The session.
        session: SessionId,
        /// The subject as the application names it.
        subject: &'a str,
        /// The name of the sign-in's client. A client wrote it, mostly: escape it before it is shown.
        label: &'a str,
        /// The application's note on the session; empty where it has none.
        note: &'a str,
        /// The fingerprint that the current token was issued to.
        held_by: ClientFingerprint,
        /// The fingerprint of the client that presented the old token.
        presented_by: ClientFingerprint,
        /// The generation the store expects.
        expected_generation: u64,
        /// The generation that was presented.
        presented_generation: u64,
        /// Whether the right jar cookie came along: then the whole cookie jar is in other hands. Without it, and with
        /// `ended`, the refresh cookie may have been copied alone.
        jar: bool,
        /// Why the session had ended before, if it had. Then the client that ended it was not the user's, or this one
        /// is not.
        ended: Option<RevokeReason>,
        /// The store's time.
        at: Timestamp,
    },
    /// A revocation could not be written and was given up. The store stayed away, too many waited already, or the
    /// process or its runtime ended first. Sessions that should have ended are still live.
    #[non_exhaustive]
    RevocationLost {
        /// The session. `None` where the application ended all of a subject's from outside a request. `None` too
        /// where a sign-in pushed out some that are not known yet.
        session: Option<SessionId>,
        /// The subject, where several of its sessions should be over.
        subject: Option<&'a str>,
    },
    /// A revocation could not be written and waits for the store. While it waits, another one with the same task
    /// emits no event: the waiting one stands for both.
    #[non_exhaustive]
    RevocationQueued {
        /// The session, as in [`RevocationLost`](Self::RevocationLost).
        session: Option<SessionId>,
        /// The subject, where several of its sessions should be over.
        subject: Option<&'a str>,
    },
    /// The store had lost a revocation, most likely in a failover. The session was refreshed all the same, and is
    /// revoked again.
    #[non_exhaustive]
    RevocationRestored {
        /// The session.
        session: SessionId,
    },
    /// A session ended before its time.
    ///
    /// The end of one session is reported once. That holds too where the store's answer was lost and a further try
    /// found its own work. An end of all of a subject's sessions may lose events: the store's answer may get lost.
    /// The call then fails as [`Unavailable`](crate::SessionErrorKind::Unavailable), and
    /// [`RevocationQueued`](Self::RevocationQueued) names the subject. The further try reports those that it ends
    /// itself, idle ones too. It cannot tell what ended the others. Unless [`RevocationLost`](Self::RevocationLost)
    /// follows, every session of the subject that began before the call has ended. A session that was to be kept is
    /// the exception.
    #[non_exhaustive]
    Revoked {
        /// The session.
        session: SessionId,
        /// Why.
        reason: RevokeReason,
        /// Whether the client that ended it was known to be the session's own. Nothing where none of its clients did.
        by_known: Option<bool>,
        /// The subject as the application names it.
        subject: &'a str,
        /// The name of the sign-in's client. A client wrote it, mostly: escape it before it is shown.
        label: &'a str,
        /// The application's note on the session; empty where it has none.
        note: &'a str,
    },
    /// A call of [`Session`](crate::Session) or [`SessionAdmin`](crate::SessionAdmin) failed: it answers "Why was I
    /// signed out?". Pages without a user cause it too, with [`NoSession`](crate::SessionErrorKind::NoSession).
    ///
    /// Clients can cause it at will, so it has limits in every half minute:
    ///
    /// * ten for each genuine session. Sessions that by chance share one of 4096 counters share the ten;
    /// * 1000 for all of these together, and beyond that the first of each counter: 5096 at most;
    /// * for requests without a genuine session, ten for each cause. The causes are garbage, unknown keys, broken
    ///   seals, no token, a lost refresh cookie, faults of the server, all else.
    ///
    /// Half minutes begin at fixed times, so twice as many can come within 30 seconds across the end of one.
    #[non_exhaustive]
    SessionRefused {
        /// The session, where the refresh token was genuine or an operator has named it. Set even where the store
        /// does not know it.
        session: Option<SessionId>,
        /// The method, such as `refresh` or `start`; with `admin_` in front where an operator called. It is `csrf`
        /// where a page asked for its CSRF token. That call answers where the browser has lost its refresh cookie,
        /// and reports [`NoSession`](crate::SessionErrorKind::NoSession).
        call: &'static str,
        /// The error. Its [`source`](std::error::Error::source) names cause and remedy, for the log and never for the
        /// client. Where the claims closure did not answer, the source ends in that closure's own error.
        error: &'a SessionError,
        /// Whether further ones like it are left out until the half minute is over. Where the limit of all sessions
        /// together is what leaves them out, none says so.
        last: bool,
    },
    /// A session began.
    #[non_exhaustive]
    Started {
        /// The session.
        session: SessionId,
        /// The subject as the application names it.
        subject: &'a str,
        /// The client's name. It wrote that, mostly: escape it before it is shown.
        label: &'a str,
        /// The application's note on the session; empty where it has none.
        note: &'a str,
    },
    /// A genuine token is ahead of the store by more than one write.
    #[non_exhaustive]
    StateLost {
        /// The session.
        session: SessionId,
        /// The generation the store has.
        stored_generation: u64,
        /// The generation that was presented.
        presented_generation: u64,
    },
    /// The server that keeps the sessions is configured to evict entries when its memory is full. Users will then be
    /// signed out, and revoked sessions forgotten. Set it to `noeviction`.
    #[non_exhaustive]
    StoreEvicts {
        /// Its `maxmemory-policy`.
        policy: &'a str,
    },
    /// The store answered with an error: no room, no permission, or a record that cannot be read. The request was
    /// answered 503. The error's sources give the server's message.
    StoreFailed(&'a StoreError),
    /// The store answers again.
    StoreRecovered,
    /// The store does not answer. Until it does, requests that need it fail. They fail at once over Redis, and after
    /// the time-out of a call over PostgreSQL.
    StoreUnreachable,
    /// Sessions may have ended of which no event tells: an [`Ended`](crate::admin::Ended) was dropped, neither
    /// announced nor discarded. Where its transaction was committed, the application forgot the call or panicked
    /// before it.
    #[non_exhaustive]
    Unannounced {
        /// The subject as the application names it.
        subject: &'a str,
        /// How many sessions.
        sessions: usize,
    },
    /// A layer that only reports would have refused a request; it was let through.
    WouldReject(&'a Rejection),
    /// The store had lost the last rotation; the newer token was adopted.
    #[non_exhaustive]
    WriteRestored {
        /// The session.
        session: SessionId,
        /// Its generation now.
        generation: u64,
    },
}

#[cfg(test)]
mod tests;
