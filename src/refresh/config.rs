//! The settings that all requests of one layer share.

use std::{fmt, sync::Arc, time::Duration};

use http::request::Parts;

use super::{
    claims::Issuer,
    pending::Queue,
    throttle::{OnceAMinute, Throttle},
    told::Told,
    transport::RefreshTransport,
};
use crate::{
    clock::Timestamp,
    current_session::RefreshCookies,
    event::{Event, EventSink},
    keys::KeyUsage,
    session::{RevokeReason, SessionId, SessionPolicy, SessionRecord},
    store::MeasuredStore,
};

/// Reads the part of a request's head that distinguishes clients.
pub(crate) type ClientSignal = Arc<dyn Fn(&Parts) -> Vec<u8> + Send + Sync>;

/// Everything a [`Session`](super::Session) needs that does not change from request to request.
pub(crate) struct Config {
    pub(crate) cookies: Arc<RefreshCookies>,
    /// The path the session endpoints lie under.
    pub(crate) base: String,
    pub(crate) policy: SessionPolicy,
    pub(crate) access_lifetime: Duration,
    pub(crate) store: MeasuredStore,
    pub(crate) claims: Box<dyn Issuer>,
    pub(crate) events: EventSink,
    pub(crate) signal: Option<ClientSignal>,
    /// Names the function that makes fingerprints: those of another one do not compare.
    pub(crate) fingerprint_version: u8,
    /// The longest that claims may take between the decision and its write; no limit where there is none.
    pub(crate) claims_timeout: Option<Duration>,
    /// Whether tokens say when and how their user authenticated.
    pub(crate) authentication_in_tokens: bool,
    /// How recently the user must have authenticated to end other sessions.
    pub(crate) recent_auth_to_end_others: Option<Duration>,
    pub(crate) throttle: Throttle,
    /// Keep events that clients cause at will from filling the application's sink.
    pub(crate) foreign_jars: OnceAMinute,
    pub(crate) old_tokens: OnceAMinute,
    pub(crate) newcomers: OnceAMinute,
    /// Keeps failures that clients can cause from filling the log.
    pub(crate) told: Told,
    pub(crate) queue: Queue,
    pub(crate) key_usage: KeyUsage,
}

impl Config {
    /// How refresh tokens travel here.
    pub(crate) fn transport(&self) -> RefreshTransport {
        match self.cookies.in_bodies {
            true => RefreshTransport::Body,
            false => RefreshTransport::Cookie,
        }
    }

    /// Tells that a session has ended before its time.
    pub(crate) fn revoked(
        &self,
        record: &SessionRecord,
        reason: RevokeReason,
        by_known: Option<bool>,
    ) {
        self.events.emit(&Event::Revoked {
            session: record.id(),
            reason,
            by_known,
            subject: record.subject(),
            label: record.label(),
            note: record.note(),
        });
    }

    /// Tells that a refresh cookie came without its jar.
    pub(crate) fn foreign_jar(&self, session: SessionId, now: Timestamp) {
        if self.foreign_jars.allow(&session, now) {
            self.events.emit(&Event::ForeignJar { session });
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cookies,
            base,
            policy,
            access_lifetime,
            store,
            claims: _,
            events,
            signal,
            fingerprint_version,
            claims_timeout,
            authentication_in_tokens,
            recent_auth_to_end_others,
            foreign_jars: _,
            old_tokens: _,
            newcomers: _,
            throttle: _,
            told: _,
            queue: _,
            key_usage: _,
        } = self;
        f.debug_struct("Config")
            .field("cookies", cookies)
            .field("base", base)
            .field("policy", policy)
            .field("access_lifetime", access_lifetime)
            .field("store", store)
            .field("events", events)
            .field("signal", &signal.as_ref().map(|_| "<fn>"))
            .field("fingerprint_version", fingerprint_version)
            .field("claims_timeout", claims_timeout)
            .field("authentication_in_tokens", authentication_in_tokens)
            .field("recent_auth_to_end_others", recent_auth_to_end_others)
            .finish_non_exhaustive()
    }
}
