//! The names of events in logs and metrics.

use super::Event;

impl Event<'_> {
    /// Returns the name in `snake_case`, for logs and labels of metrics. It never changes.
    ///
    /// ```
    /// assert_eq!(tower_bearer::Event::StoreUnreachable.name(), "store_unreachable");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CookiePathMismatch { .. } => "cookie_path_mismatch",
            Self::Denied { .. } => "denied",
            Self::DurabilityDegraded { .. } => "durability_degraded",
            Self::EncryptionKeyNearLimit { .. } => "encryption_key_near_limit",
            Self::EverythingRevoked { .. } => "everything_revoked",
            Self::ForeignJar { .. } => "foreign_jar",
            #[cfg(feature = "jwks")]
            Self::KeysCompromised { .. } => "keys_compromised",
            #[cfg(feature = "jwks")]
            Self::KeysExpired { .. } => "keys_expired",
            #[cfg(feature = "jwks")]
            Self::KeysFetched { .. } => "keys_fetched",
            #[cfg(feature = "jwks")]
            Self::KeysPassedOver { .. } => "keys_passed_over",
            #[cfg(feature = "jwks")]
            Self::KeysRecovered { .. } => "keys_recovered",
            #[cfg(feature = "jwks")]
            Self::KeysUnavailable { .. } => "keys_unavailable",
            #[cfg(feature = "jwks")]
            Self::KeysWithdrawn { .. } => "keys_withdrawn",
            Self::NewFingerprint { .. } => "new_fingerprint",
            Self::OldToken { .. } => "old_token",
            Self::Recovered { .. } => "recovered",
            Self::Refreshed { .. } => "refreshed",
            Self::Rejected(_) => "rejected",
            Self::ReuseDetected { .. } => "reuse_detected",
            Self::RevocationLost { .. } => "revocation_lost",
            Self::RevocationQueued { .. } => "revocation_queued",
            Self::RevocationRestored { .. } => "revocation_restored",
            Self::Revoked { .. } => "revoked",
            Self::SessionRefused { .. } => "session_refused",
            Self::Started { .. } => "started",
            Self::StateLost { .. } => "state_lost",
            Self::StoreEvicts { .. } => "store_evicts",
            Self::StoreFailed(_) => "store_failed",
            Self::StoreRecovered => "store_recovered",
            Self::StoreUnreachable => "store_unreachable",
            Self::Unannounced { .. } => "unannounced",
            Self::WouldReject(_) => "would_reject",
            Self::WriteRestored { .. } => "write_restored",
        }
    }
}
