//! The numbers of the protocol, checked when they are set.

use std::time::Duration;

use crate::config::ConfigError;

/// How refresh tokens are rotated. [`Default`] is strict to strangers and lenient to the same
/// browser; [`strict`](Self::strict) is the literal one-time-use rule. What the numbers decide is
/// in [the manual](crate::manual::rotation).
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

/// What ends when an old token comes back.
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
    /// Every session of the subject.
    Subject,
}

/// Everything the decision function is told beside the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionPolicy {
    pub(crate) rotation: RotationPolicy,
    pub(crate) reuse: ReusePolicy,
    /// From sign-in to the end of the session, refreshed or not.
    pub(crate) absolute: Duration,
    /// From the last rotation to the end of an unused session.
    pub(crate) idle: Duration,
    /// Live sessions a subject may have.
    pub(crate) limit: usize,
}

impl RotationPolicy {
    /// Rotates at every use and forgives nothing: two tabs that wake together, or one lost answer,
    /// end the session of an honest user.
    pub fn strict() -> Self {
        Self {
            grace: Duration::ZERO,
            interval: Duration::ZERO,
            recoveries: 0,
        }
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
            recoveries: 3,
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

    /// Sets how many lost responses in a row are recovered from. Default 3; 0 recovers from none.
    pub fn recoveries(mut self, recoveries: u8) -> Self {
        self.policy.recoveries = recoveries;
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// When the interval is shorter than twice the grace.
    pub fn build(self) -> Result<RotationPolicy, ConfigError> {
        if self.policy.interval < self.policy.grace.saturating_mul(2) {
            return Err(ConfigError::about(
                "interval",
                self.policy.interval,
                "must be at least twice the grace, or a late retry signs an honest user out",
            ));
        }
        Ok(self.policy)
    }
}

impl Default for SessionPolicy {
    fn default() -> Self {
        const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
        Self {
            rotation: RotationPolicy::default(),
            reuse: ReusePolicy::default(),
            absolute: WEEK,
            idle: WEEK,
            limit: 32,
        }
    }
}
