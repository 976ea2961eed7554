//! The one error of bad configuration.

use std::{borrow::Cow, fmt};

/// How many characters of a value an error repeats.
const LONGEST_QUOTE: usize = 80;

/// A setting that cannot be used, found when a layer, codec or key ring is built.
///
/// It names the setting and says what would be accepted. It quotes the entry or the value that it means, and
/// never one that is or may be a secret. `Debug` prints what `Display` does, since that is what a program shows
/// whose `main` returns the error.
///
/// ```
/// use tower_bearer::KeyRing;
///
/// let error = KeyRing::from_master(b"too short").unwrap_err();
/// assert_eq!(error.setting(), "master secret");
/// ```
#[derive(Clone, PartialEq, Eq)]
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

    /// The same about `value`, which is quoted: escaped, and cut where it is long. Never for what may be a secret.
    pub(crate) fn about(
        setting: impl Into<Cow<'static, str>>,
        value: impl fmt::Debug,
        problem: impl fmt::Display,
    ) -> Self {
        let mut shown = format!("{value:?}");
        if let Some((end, _)) = shown.char_indices().nth(LONGEST_QUOTE) {
            shown.truncate(end);
            shown.push_str("...");
        }
        Self::new(setting, format!("{shown} {problem}"))
    }

    /// The same about an address, without what may be a password or the secret of a query.
    pub(crate) fn about_url(setting: &'static str, url: &str, problem: impl fmt::Display) -> Self {
        Self::about(setting, public_part(url), problem)
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

    /// The same, where the application has set `from` by another name.
    pub(crate) fn renamed(self, from: &str, to: &'static str) -> Self {
        match self.setting == from {
            true => Self {
                setting: Cow::Borrowed(to),
                ..self
            },
            false => self,
        }
    }

    /// Tells whether the setting is absent, so that a development set-up may fall back to another
    /// value. A value that is present and wrong is never missing.
    pub fn is_missing(&self) -> bool {
        self.missing
    }

    /// Returns the name of the setting: the builder method, the environment variable, or a
    /// description such as `signing keys`.
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// Returns the fault and the values that would be accepted.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.problem)
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}

/// Returns the part of a URL that may be shown. It omits everything before the last `@`, where a
/// user has a password. It also omits everything behind the first `?` or `#`.
fn public_part(url: &str) -> &str {
    let (before, rest) = match url.rfind('@') {
        Some(at) => (
            url.get(..at).unwrap_or_default(),
            url.get(at..).unwrap_or_default(),
        ),
        None => ("", url),
    };
    let end = match before.contains(['?', '#']) {
        true => 1,
        false => rest.find(['?', '#']).map_or(rest.len(), |end| end + 1),
    };
    rest.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_quotes_what_it_means_escaped_and_cut() {
        let error = ConfigError::about("scope", "a\nb\"", "is wrong");
        assert_eq!(error.to_string(), r#"scope: "a\nb\"" is wrong"#);
        let error = ConfigError::about("scope", "\u{e9}".repeat(500), "is wrong");
        let shown = error.problem().strip_suffix("... is wrong").unwrap();
        assert_eq!(shown.chars().count(), LONGEST_QUOTE);
        let error = ConfigError::about("leeway", std::time::Duration::from_secs(301), "is wrong");
        assert_eq!(error.problem(), "301s is wrong");
    }

    #[test]
    fn of_a_url_neither_password_nor_query_is_quoted() {
        for (url, shown) in [
            ("https://app.example/a", "https://app.example/a"),
            ("https://app.example?code=hunter2", "https://app.example?"),
            ("https://app.example/#hunter2", "https://app.example/#"),
            ("https://user:hunter2@app.example/a", "@app.example/a"),
            (
                "https://user:hunter2@app.example?a=hunter2",
                "@app.example?",
            ),
            ("https://app.example?a=hunter2@hunter2", "@"),
            ("https://u:hunter2?@app.example", "@"),
            ("hunter2@", "@"),
            ("", ""),
        ] {
            assert_eq!(public_part(url), shown, "{url}");
        }
    }

    /// It is what a program prints whose `main` returns the error.
    #[test]
    fn debug_says_what_display_says() {
        let error = ConfigError::new("leeway", "is wrong");
        assert_eq!(format!("{error:?}"), "leeway: is wrong");
        assert_eq!(format!("{error:#?}"), error.to_string());
    }
}
