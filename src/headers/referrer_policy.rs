//! The value of `Referrer-Policy`.

use std::{fmt, str::FromStr};

use http::HeaderValue;

use crate::config::ConfigError;

/// How much of its address a page reveals in its requests (W3C Referrer Policy).
///
/// Two kinds of policy are missing on purpose. With `no-referrer` browsers send `Origin: null` with the forms of a
/// page, to its own server too. An origin guard then accepts those by `Sec-Fetch-Site` alone, which older browsers do
/// not send. `unsafe-url` and `no-referrer-when-downgrade` send the whole address to other sites. A handler that
/// needs one of them all the same sets the header itself, for its own page.
///
/// ```
/// use tower_bearer::headers::ReferrerPolicy;
///
/// assert_eq!("strict-origin".parse::<ReferrerPolicy>()?, ReferrerPolicy::StrictOrigin);
/// let error = "no-referrer".parse::<ReferrerPolicy>().unwrap_err();
/// assert_eq!(error.setting(), "referrer_policy");
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReferrerPolicy {
    /// `origin`: the page's origin alone, to every site, over plain http too.
    Origin,
    /// `origin-when-cross-origin`: the whole address to the own origin, the origin to others, over
    /// plain http too.
    OriginWhenCrossOrigin,
    /// `same-origin`: the whole address to the own origin, nothing to others. A form that posts to
    /// another origin then sends `Origin: null`; requests of scripts do not.
    #[default]
    SameOrigin,
    /// `strict-origin`: the page's origin alone, nothing over plain http.
    StrictOrigin,
    /// `strict-origin-when-cross-origin`: the whole address to the own origin, the origin to
    /// others, nothing over plain http. It is what browsers do without the header.
    StrictOriginWhenCrossOrigin,
}

impl ReferrerPolicy {
    /// Returns the policy as it is written in the header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::OriginWhenCrossOrigin => "origin-when-cross-origin",
            Self::SameOrigin => "same-origin",
            Self::StrictOrigin => "strict-origin",
            Self::StrictOriginWhenCrossOrigin => "strict-origin-when-cross-origin",
        }
    }

    pub(super) fn value(self) -> HeaderValue {
        HeaderValue::from_static(self.as_str())
    }
}

impl FromStr for ReferrerPolicy {
    type Err = ConfigError;

    /// # Errors
    ///
    /// When the text is not exactly one of the policies above.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Ok(match text {
            "origin" => Self::Origin,
            "origin-when-cross-origin" => Self::OriginWhenCrossOrigin,
            "same-origin" => Self::SameOrigin,
            "strict-origin" => Self::StrictOrigin,
            "strict-origin-when-cross-origin" => Self::StrictOriginWhenCrossOrigin,
            _ => {
                return Err(ConfigError::about(
                    "referrer_policy",
                    text,
                    match text {
                        "no-referrer" => {
                            "must not be no-referrer: it makes browsers send `Origin: null` with \
                             forms; same-origin tells other sites as little"
                        }
                        "no-referrer-when-downgrade" | "unsafe-url" => {
                            "must not send other sites the whole address; \
                             strict-origin-when-cross-origin tells them the origin"
                        }
                        _ => {
                            "must be origin, origin-when-cross-origin, same-origin, strict-origin \
                             or strict-origin-when-cross-origin"
                        }
                    },
                ));
            }
        })
    }
}

impl fmt::Display for ReferrerPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_back_as_written() {
        for policy in [
            ReferrerPolicy::Origin,
            ReferrerPolicy::OriginWhenCrossOrigin,
            ReferrerPolicy::SameOrigin,
            ReferrerPolicy::StrictOrigin,
            ReferrerPolicy::StrictOriginWhenCrossOrigin,
        ] {
            assert_eq!(policy.as_str().parse::<ReferrerPolicy>(), Ok(policy));
            assert_eq!(policy.value(), policy.to_string().as_str());
        }
    }

    #[test]
    fn harmful_policies_are_rejected_with_the_reason() {
        let problem = |text: &str| {
            let error = text.parse::<ReferrerPolicy>().unwrap_err();
            assert_eq!(error.setting(), "referrer_policy");
            error.problem().to_owned()
        };
        assert!(problem("no-referrer").contains("Origin: null"));
        assert!(problem("unsafe-url").contains("whole address"));
        assert!(problem("no-referrer-when-downgrade").contains("whole address"));
        for text in ["", "same-origin ", "Same-Origin", "same-origin, origin"] {
            assert!(problem(text).contains("must be origin,"), "{text:?}");
        }
    }
}
