//! The numbers of the protocol, checked when they are set.

use std::time::Duration;

use super::{
    fingerprints::{FingerprintPolicy, Fingerprints},
    id::ClientFingerprint,
};
use crate::config::ConfigError;

/// How refresh tokens are rotated. [`Default`] takes one cookie jar for one client. A client with a new name shows
/// first that it shares the jar. [`strict`](Self::strict) is the literal one-time-use rule. The numbers
/// are those of [the manual](crate::manual::sessions#how-refresh-tokens-rotate).
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::RotationPolicy;
///
/// let quick = RotationPolicy::builder()
///     .grace(Duration::from_secs(10))
///     .interval(Duration::from_secs(20))
///     .build()?;
/// assert_ne!(quick, RotationPolicy::default());
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationPolicy {
    pub(crate) grace: Duration,
    pub(crate) interval: Duration,
    pub(crate) recoveries: u8,
}

/// Builds a [`RotationPolicy`]. Setters take anything; [`build`](Self::build) judges.
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::RotationPolicy;
///
/// let policy = RotationPolicy::builder().interval(Duration::from_secs(300)).build()?;
/// # let _ = policy;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RotationPolicyBuilder {
    policy: RotationPolicy,
}

/// The sessions that end when an old token comes back.
///
/// ```
/// use tower_bearer::{ReusePolicy, refresh::RefreshCookieBuilder};
///
/// fn strict(builder: RefreshCookieBuilder) -> RefreshCookieBuilder {
///     builder.reuse(ReusePolicy::Subject)
/// }
/// # let _ = strict;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReusePolicy {
    /// The session whose token it was.
    #[default]
    Session,
    /// Every session of the subject. A replaced token of a session that has ended can raise [the
    /// alarm](crate::manual::sessions#the-decision) too (3a), and ends the other sessions. A refresh cookie that was
    /// copied alone is enough for that.
    Subject,
}

/// The inputs of the decision function beside the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionPolicy {
    pub(crate) rotation: RotationPolicy,
    pub(crate) fingerprints: FingerprintPolicy,
    /// A newcomer shows its successor before it gets an access token. Where tokens travel in bodies, there is no jar to
    /// share. An answer without an access token would be lost on the client.
    pub(crate) confirms: bool,
    pub(crate) reuse: ReusePolicy,
    /// From sign-in to the end of the session, refreshed or not.
    pub(crate) absolute: Duration,
    /// From the last use to the end of an unused session.
    pub(crate) idle: Duration,
    /// Live sessions a subject may have.
    pub(crate) limit: usize,
}

impl RotationPolicy {
    /// Rotates at every use and forgives nothing. Two tabs that wake together, or one lost answer, end the session of
    /// an honest user.
    pub fn strict() -> Self {
        Self {
            grace: Duration::ZERO,
            interval: Duration::ZERO,
            recoveries: 0,
        }
    }

    /// Whether it forgives nothing.
    pub(crate) fn is_strict(&self) -> bool {
        self.recoveries == 0
    }

    /// Starts from the default policy.
    pub fn builder() -> RotationPolicyBuilder {
        RotationPolicyBuilder {
            policy: Self::default(),
        }
    }
}

impl Default for RotationPolicy {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(30),
            interval: Duration::from_secs(60),
            recoveries: u8::MAX,
        }
    }
}

impl RotationPolicyBuilder {
    /// Sets `G`, how long the previous token is still answered. Default 30 s.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.policy.grace = grace;
        self
    }

    /// Sets `M`, how soon after its hand-out a token is answered without rotating. Default 60 s.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.policy.interval = interval;
        self
    }

    /// Sets how many lost answers in a row are recovered from. Default 255, the most; at least 1. Beyond them the
    /// user signs in again, and no alarm is raised.
    pub fn recoveries(mut self, recoveries: u8) -> Self {
        self.policy.recoveries = recoveries;
        self
    }

    /// Returns the policy.
    ///
    /// # Errors
    ///
    /// When the interval is shorter than twice the grace, or no lost answer is recovered from.
    pub fn build(self) -> Result<RotationPolicy, ConfigError> {
        if self.policy.interval < self.policy.grace.saturating_mul(2) {
            return Err(ConfigError::about(
                "interval",
                self.policy.interval,
                "must be at least twice the grace, or a late retry signs an honest user out",
            ));
        }
        if self.policy.recoveries == 0 {
            return Err(ConfigError::new(
                "recoveries",
                "must be at least 1, or the first lost answer is taken for theft. RotationPolicy::strict() is the \
                 rule that forgives nothing",
            ));
        }
        Ok(self.policy)
    }
}

impl SessionPolicy {
    /// Whether `fingerprint` is known to be one of the session's own.
    pub(crate) fn knows(&self, met: &Fingerprints, fingerprint: ClientFingerprint) -> bool {
        self.fingerprints == FingerprintPolicy::Ignored || met.is_known(fingerprint)
    }

    /// Whether `fingerprint` is known, or that of the holder. Any other is a newcomer's.
    pub(crate) fn owns(&self, met: &Fingerprints, fingerprint: ClientFingerprint) -> bool {
        self.knows(met, fingerprint) || met.holder() == fingerprint
    }
}

impl Default for SessionPolicy {
    fn default() -> Self {
        const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
        Self {
            rotation: RotationPolicy::default(),
            fingerprints: FingerprintPolicy::default(),
            confirms: true,
            reuse: ReusePolicy::default(),
            absolute: WEEK,
            idle: WEEK,
            limit: 32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_recoveries_are_refused_outside_the_strict_policy() {
        let error = RotationPolicy::builder().recoveries(0).build().unwrap_err();
        assert_eq!(error.setting(), "recoveries");
        assert!(error.to_string().contains("strict()"), "{error}");
        let one = RotationPolicy::builder().recoveries(1).build().unwrap();
        assert!(!one.is_strict());
        assert!(!RotationPolicy::default().is_strict());
        assert!(RotationPolicy::strict().is_strict());
    }

    #[test]
    fn the_interval_is_at_least_twice_the_grace() {
        let built = |grace, interval| {
            RotationPolicy::builder()
                .grace(Duration::from_secs(grace))
                .interval(Duration::from_millis(interval))
                .build()
        };
        assert_eq!(built(30, 60_000), Ok(RotationPolicy::default()));
        let error = built(30, 59_999).unwrap_err();
        assert_eq!(error.setting(), "interval");
        // Without a grace there is nothing that could outlast an interval.
        assert!(built(0, 0).is_ok());
        assert!(built(u64::MAX, 60_000).is_err(), "no overflow");
    }
}
