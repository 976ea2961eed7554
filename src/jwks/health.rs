//! The state of an issuer's keys, for a probe.

use super::error::JwksError;
use crate::{
    clock::Timestamp,
    keys::{KeyReport, UnusableKey},
};

/// How it stands with an issuer's keys; made by [`RemoteJwks::health`](super::RemoteJwks::health).
///
/// ```
/// use tower_bearer::jwks::RemoteJwks;
///
/// let issuer = RemoteJwks::new("http://127.0.0.1:3001/.well-known/jwks.json")?;
/// let health = issuer.health();
/// assert!(!health.is_ready());
/// assert_eq!((health.keys(), health.failures()), (0, 0));
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct JwksHealth {
    pub(super) keys: usize,
    pub(super) reports: Vec<KeyReport>,
    pub(super) unusable: Vec<UnusableKey>,
    pub(super) confirmed_at: Option<Timestamp>,
    pub(super) usable_until: Option<Timestamp>,
    pub(super) next_request_at: Timestamp,
    pub(super) failures: u32,
    pub(super) last_error: Option<JwksError>,
}

impl JwksHealth {
    /// Tells whether tokens can be verified. While the issuer is away, a service with keys is ready.
    pub fn is_ready(&self) -> bool {
        self.keys > 0
    }

    /// Returns how many keys verify signatures.
    pub fn keys(&self) -> usize {
        self.keys
    }

    /// Returns when the issuer last confirmed these keys.
    pub fn confirmed_at(&self) -> Option<Timestamp> {
        self.confirmed_at
    }

    /// Returns until when they verify if the issuer never answers again; `None` when there are none.
    pub fn usable_until(&self) -> Option<Timestamp> {
        self.usable_until
    }

    /// Returns when the issuer is asked next, for its set or for its metadata. That is now, where a request is under
    /// way or due. A token whose key is missing may cause an earlier request. Where the issuer has sent
    /// `Retry-After`, it is not asked before that time. [`refresh`](super::RemoteJwks::refresh) asks at once.
    pub fn next_request_at(&self) -> Timestamp {
        self.next_request_at
    }

    /// Returns how many requests in a row failed: for the set, or for the metadata, whichever is more.
    /// 0 when the last answer of each was good.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns the verdict on each key of the current set, in the set's order. It lists at most 64 that are poisoned,
    /// and 64 that are passed over.
    pub fn key_reports(&self) -> &[KeyReport] {
        &self.reports
    }

    /// Returns the keys of the current set that are not used, and why, in the set's order. It lists at most 64 that
    /// are compromised, and 64 that are passed over.
    pub fn unusable_keys(&self) -> &[UnusableKey] {
        &self.unusable
    }

    /// Returns why the last request failed, or why the set that it brought verifies nothing.
    pub fn last_error(&self) -> Option<&JwksError> {
        self.last_error.as_ref()
    }
}
