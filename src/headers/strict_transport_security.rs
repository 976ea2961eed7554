//! The value of `Strict-Transport-Security`.

use std::time::Duration;

use http::HeaderValue;

use crate::config::ConfigError;

/// For how long a browser uses https alone for a host (RFC 6797).
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::{SecurityHeadersLayer, headers::StrictTransportSecurity};
///
/// // A careful start: five minutes, on this host alone.
/// let trial = StrictTransportSecurity::new(Duration::from_secs(300))?;
/// // Once every host below this one speaks https too.
/// let whole = StrictTransportSecurity::default().include_subdomains();
/// # let _ = (SecurityHeadersLayer::new().strict_transport_security(trial),
/// #     SecurityHeadersLayer::new().strict_transport_security(whole));
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrictTransportSecurity {
    max_age_secs: u64,
    include_subdomains: bool,
    preload: bool,
}

const YEAR_SECS: u64 = 365 * 24 * 60 * 60;

/// Longer times are sent as this one. Caches read a number too large for them so too (RFC 9111 section 1.2.2).
const MOST_SECS: u64 = 1 << 31;

impl StrictTransportSecurity {
    /// Returns the policy for this host alone, for this long after each response, in whole seconds.
    ///
    /// # Errors
    ///
    /// Returns an error when it is less than a second: zero makes browsers forget earlier policies. See
    /// [`dangerous_forget`](Self::dangerous_forget).
    pub fn new(max_age: Duration) -> Result<Self, ConfigError> {
        if max_age.as_secs() == 0 {
            return Err(ConfigError::about(
                "strict_transport_security",
                max_age,
                "must be a second at least: with less, browsers forget earlier policies; \
                 use StrictTransportSecurity::dangerous_forget for that",
            ));
        }
        Ok(Self::host_alone(max_age.as_secs()))
    }

    /// Makes browsers forget earlier policies: `max-age=0` (RFC 6797 section 6.1.1). They then
    /// try plain http again. Use it for a host that has to return to plain http.
    ///
    /// ```
    /// use tower_bearer::{SecurityHeadersLayer, headers::StrictTransportSecurity};
    ///
    /// let forget = StrictTransportSecurity::dangerous_forget();
    /// let layer = SecurityHeadersLayer::new().strict_transport_security(forget);
    /// # let _ = layer;
    /// ```
    pub fn dangerous_forget() -> Self {
        Self::host_alone(0)
    }

    fn host_alone(max_age_secs: u64) -> Self {
        Self {
            max_age_secs: max_age_secs.min(MOST_SECS),
            include_subdomains: false,
            preload: false,
        }
    }

    /// Returns the policy for two years, every host below this one, and the browsers' preload lists.
    ///
    /// Those lists ask for all of it, on the response of a registrable domain. Getting off them
    /// takes months, and until then no host below the domain can be reached over plain http.
    pub fn preloaded() -> Self {
        Self {
            max_age_secs: 2 * YEAR_SECS,
            include_subdomains: true,
            preload: true,
        }
    }

    /// Binds every host below this one as well, those of other operators among them.
    pub fn include_subdomains(self) -> Self {
        Self {
            include_subdomains: true,
            ..self
        }
    }

    pub(super) fn value(self) -> HeaderValue {
        let mut text = format!("max-age={}", self.max_age_secs);
        if self.include_subdomains {
            text.push_str("; includeSubDomains");
        }
        if self.preload {
            text.push_str("; preload");
        }
        // The text is ASCII, so this cannot fail; if it did, the shortest safe value would go out.
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("max-age=31536000"))
    }
}

impl Default for StrictTransportSecurity {
    /// One year, this host alone.
    fn default() -> Self {
        Self::host_alone(YEAR_SECS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_written_as_the_rfc_says() {
        for (policy, expected) in [
            (StrictTransportSecurity::default(), "max-age=31536000"),
            (
                StrictTransportSecurity::default().include_subdomains(),
                "max-age=31536000; includeSubDomains",
            ),
            (
                StrictTransportSecurity::preloaded(),
                "max-age=63072000; includeSubDomains; preload",
            ),
            (StrictTransportSecurity::dangerous_forget(), "max-age=0"),
            (
                StrictTransportSecurity::new(Duration::from_millis(300_999)).unwrap(),
                "max-age=300",
            ),
            (
                StrictTransportSecurity::new(Duration::MAX).unwrap(),
                "max-age=2147483648",
            ),
        ] {
            assert_eq!(policy.value(), expected);
        }
    }

    #[test]
    fn a_time_of_no_seconds_is_an_error() {
        for max_age in [Duration::ZERO, Duration::from_millis(999)] {
            let error = StrictTransportSecurity::new(max_age).unwrap_err();
            assert_eq!(error.setting(), "strict_transport_security");
            assert!(error.problem().contains("dangerous_forget"), "{error}");
        }
    }
}
