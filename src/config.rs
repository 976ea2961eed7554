//! The one error of bad configuration.

use std::{borrow::Cow, fmt};

/// A setting that cannot be used, found when a layer, codec or key ring is built.
///
/// It names the setting and says what would be accepted. It never repeats a secret value.
///
/// ```
/// use tower_bearer::KeyRing;
///
/// let error = KeyRing::from_master(b"too short").unwrap_err();
/// assert_eq!(error.setting(), "master secret");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    setting: Cow<'static, str>,
    problem: Cow<'static, str>,
    missing: bool,
}

impl ConfigError {
    pub(crate) fn new(
        setting: impl Into<Cow<'static, str>>,
        problem: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            setting: setting.into(),
            problem: problem.into(),
            missing: false,
        }
    }

    /// Nothing was given at all, as opposed to something that cannot be used.
    pub(crate) fn missing(
        setting: impl Into<Cow<'static, str>>,
        problem: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            missing: true,
            ..Self::new(setting, problem)
        }
    }

    /// Whether nothing was given at all, so that a development set-up may fall back to
    /// something else. A value that is there and wrong is never missing.
    pub fn is_missing(&self) -> bool {
        self.missing
    }

    /// The name of the setting: the builder method or environment variable, or in words what was
    /// given, such as `signing keys`.
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// What is wrong with it and what would be accepted.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.problem)
    }
}

impl std::error::Error for ConfigError {}
