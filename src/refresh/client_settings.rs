//! The settings that say which client is the session's own, and how long claims may take.

use std::{sync::Arc, time::Duration};

use http::request::Parts;

use super::builder::RefreshCookieBuilder;
use crate::{
    config::ConfigError,
    session::{FingerprintPolicy, RotationPolicy},
};

impl RefreshCookieBuilder {
    /// Sets the name of a client: bytes that stay the same for one browser and differ for many others. Default: the
    /// `User-Agent`, which millions share. It is evidence beside the jar cookie, and the only one where tokens travel
    /// in bodies. A server that refreshes on a browser's behalf forwards that header, or the service takes another
    /// signal here.
    ///
    /// Another function gets another [`fingerprint_version`](Self::fingerprint_version).
    pub fn client_fingerprint<T: Into<Vec<u8>>>(
        mut self,
        signal: impl Fn(&Parts) -> T + Send + Sync + 'static,
    ) -> Self {
        self.signal = Some(Arc::new(move |parts| signal(parts).into()));
        self
    }

    /// Sets which version of [`client_fingerprint`](Self::client_fingerprint) this is. Default 0.
    ///
    /// Fingerprints of two versions do not compare. A client that comes with another version than the session was
    /// last seen with is taken for the same one. So a new function signs no user out, also while old and new
    /// servers answer by turns. Refreshes are answered meanwhile. Looks are answered 409 `refresh_first` by turns:
    /// [`peek`](crate::Session::peek), the list, the end of other sessions, [`elevate`](crate::Session::elevate).
    pub fn fingerprint_version(mut self, version: u8) -> Self {
        self.fingerprint_version = version;
        self
    }

    /// Sets whether fingerprints count. Default [`FingerprintPolicy::Known`].
    pub fn fingerprints(mut self, policy: FingerprintPolicy) -> Self {
        self.policy.fingerprints = policy;
        self
    }

    /// Sets how long the claims closure may take at a refresh or a change of privilege. Default, and at most: a
    /// quarter of the grace, 7.5 seconds. A slower one is answered 503, and nothing changes.
    ///
    /// A closure that waits needs a tokio runtime with timers (`enable_time`), as `#[tokio::main]` makes it.
    /// Without tokio a slow closure is refused when it is done.
    ///
    /// Later than that, a second tab could take the answer for an old one. Where the grace is 0 there is no limit. A
    /// sign-in may take its time.
    pub fn claims_timeout(mut self, timeout: Duration) -> Self {
        self.claims_timeout = Some(timeout);
        self
    }
}

/// Whether anything tells the session's own clients from others.
pub(super) fn check(fingerprints: FingerprintPolicy, jar: bool) -> Result<(), ConfigError> {
    if fingerprints == FingerprintPolicy::Ignored && !jar {
        return Err(ConfigError::new(
            "fingerprints",
            "cannot be ignored where no jar cookie is sent (JarCookie::Off, RefreshTransport::Body). Nothing would \
             tell a thief from the session's own client",
        ));
    }
    Ok(())
}

/// The longest that claims may take.
pub(super) fn claims_timeout(
    set: Option<Duration>,
    rotation: &RotationPolicy,
) -> Result<Option<Duration>, ConfigError> {
    let most = rotation.grace / 4;
    match set {
        Some(timeout) if timeout.is_zero() => Err(ConfigError::new(
            "claims_timeout",
            "must be more than nothing",
        )),
        Some(timeout) if !most.is_zero() && timeout > most => Err(ConfigError::about(
            "claims_timeout",
            timeout,
            format!(
                "must not be longer than a quarter of the grace, {most:?}: a late answer would look like theft"
            ),
        )),
        Some(timeout) => Ok(Some(timeout)),
        None => Ok(Some(most).filter(|most| !most.is_zero())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn with_grace(grace: Duration) -> RotationPolicy {
        let builder = RotationPolicy::builder().grace(grace);
        builder.interval(grace * 2).build().unwrap()
    }

    #[test]
    fn claims_may_take_a_quarter_of_the_grace() {
        let limit = |set, grace| claims_timeout(set, &with_grace(grace));
        assert_eq!(limit(None, 30 * SECOND), Ok(Some(SECOND * 15 / 2)));
        assert_eq!(limit(None, 8 * SECOND), Ok(Some(2 * SECOND)));
        assert_eq!(limit(Some(SECOND), 8 * SECOND), Ok(Some(SECOND)));
        assert_eq!(limit(Some(2 * SECOND), 8 * SECOND), Ok(Some(2 * SECOND)));
        let longer = 2 * SECOND + Duration::from_nanos(1);
        let error = limit(Some(longer), 8 * SECOND).unwrap_err();
        assert_eq!(error.setting(), "claims_timeout");
        assert!(error.to_string().contains("2s"), "{error}");
    }

    #[test]
    fn claims_that_may_take_no_time_are_refused() {
        for grace in [Duration::ZERO, 30 * SECOND] {
            let error = claims_timeout(Some(Duration::ZERO), &with_grace(grace)).unwrap_err();
            assert_eq!(error.setting(), "claims_timeout");
        }
    }

    #[test]
    fn without_a_grace_claims_take_what_they_take_or_what_is_set() {
        let strict = RotationPolicy::strict();
        assert_eq!(claims_timeout(None, &strict), Ok(None));
        assert_eq!(claims_timeout(Some(SECOND), &strict), Ok(Some(SECOND)));
    }
}
