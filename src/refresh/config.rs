//! What all requests of one layer share.

use std::{fmt, sync::Arc};

use http::request::Parts;

use super::{
    claims::Issuer, revoke::Retries, throttle::Throttle, told::Told, transport::RefreshTransport,
};
use crate::{
    current_session::RefreshCookies,
    event::{Event, EventSink},
    keys::KeyUsage,
    session::{RevokeReason, SessionId, SessionPolicy},
    store::MeasuredStore,
};

/// Reads what tells one client from another out of a request's head.
pub(crate) type ClientSignal = Arc<dyn Fn(&Parts) -> Vec<u8> + Send + Sync>;

/// Everything a [`Session`](super::Session) needs that does not change from request to request.
pub(crate) struct Config {
    pub(crate) cookies: Arc<RefreshCookies>,
    /// The path the session endpoints lie under.
    pub(crate) base: String,
    pub(crate) policy: SessionPolicy,
    pub(crate) store: MeasuredStore,
    pub(crate) claims: Box<dyn Issuer>,
    pub(crate) events: EventSink,
    pub(crate) signal: Option<ClientSignal>,
    pub(crate) throttle: Throttle,
    /// Keeps failures that clients can cause from filling the log.
    pub(crate) told: Told,
    pub(crate) retries: Retries,
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
    pub(crate) fn revoked(&self, session: SessionId, reason: RevokeReason) {
        self.events.emit(&Event::Revoked { session, reason });
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cookies,
            base,
            policy,
            store,
            claims: _,
            events,
            signal,
            throttle: _,
            told: _,
            retries: _,
            key_usage: _,
        } = self;
        f.debug_struct("Config")
            .field("cookies", cookies)
            .field("base", base)
            .field("policy", policy)
            .field("store", store)
            .field("events", events)
            .field("signal", &signal.as_ref().map(|_| "<fn>"))
            .finish_non_exhaustive()
    }
}
