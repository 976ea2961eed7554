//! The value of `Content-Security-Policy`.

use std::{fmt, str::FromStr};

use http::HeaderValue;

use crate::config::ConfigError;

/// What a page may load and who may embed it (W3C Content Security Policy Level 3).
///
/// Parsing refuses a quoted word that is no keyword, nonce or hash: a browser would pass over
/// `'slef'`, and the policy would say more than it does. It also refuses what cannot name a directive, such
/// as `default-src:`, an empty policy, and a comma, which begins a second policy. Whether there is a
/// directive of that name, and hosts, are not checked: look at the page in a browser,
/// which reports what it does not know.
///
/// A nonce is for one response: sent with every response, it is known to an attacker who has seen
/// one. A handler that needs it sends the header itself, and the layer lets that stand.
///
/// ```
/// use tower_bearer::{SecurityHeadersLayer, headers::ContentSecurityPolicy};
///
/// let policy: ContentSecurityPolicy =
///     "default-src 'self'; img-src 'self' https://images.example; frame-ancestors 'none'".parse()?;
/// let layer = SecurityHeadersLayer::new().content_security_policy(policy);
/// # let _ = layer;
///
/// assert!("default-src 'slef'".parse::<ContentSecurityPolicy>().is_err());
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentSecurityPolicy(HeaderValue);

/// What a page needs that loads its own files and calls its own server, and nothing more. Scripts and
/// styles are files: `'self'` allows none inside of the page.
const DEFAULT: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; \
                       frame-ancestors 'none'; object-src 'none'";

/// What may stand in single quotes (CSP Level 3 section 2.3.1 and the specifications that add to it).
const KEYWORDS: [&str; 17] = [
    "allow",
    "allow-duplicates",
    "block",
    "inline-speculation-rules",
    "none",
    "report-sample",
    "report-sha256",
    "report-sha384",
    "report-sha512",
    "script",
    "self",
    "strict-dynamic",
    "trusted-types-eval",
    "unsafe-eval",
    "unsafe-hashes",
    "unsafe-inline",
    "wasm-unsafe-eval",
];

/// What a quoted nonce or hash begins with.
const PREFIXES: [&str; 4] = ["nonce-", "sha256-", "sha384-", "sha512-"];

impl ContentSecurityPolicy {
    /// The policy as it is written in the header.
    pub fn as_str(&self) -> &str {
        // Only ASCII gets here.
        self.0.to_str().unwrap_or_default()
    }

    pub(super) fn into_value(self) -> HeaderValue {
        self.0
    }
}

impl Default for ContentSecurityPolicy {
    /// `default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src
    /// 'none'`.
    fn default() -> Self {
        Self(HeaderValue::from_static(DEFAULT))
    }
}

impl FromStr for ContentSecurityPolicy {
    type Err = ConfigError;

    /// # Errors
    ///
    /// When there is no directive, or a name that none can have, a quoted word that is no keyword, nonce or hash, a comma, or
    /// anything but printable ASCII. The error says which.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if !text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return error("must be one line of printable ASCII");
        }
        if text.contains(',') {
            return error("must not have a comma: it begins a second policy");
        }
        let mut directives = text.split(';').filter(|part| !part.trim().is_empty());
        if directives.clone().next().is_none() {
            return error("must have one directive at least");
        }
        let no_name = directives.clone().find_map(|directive| {
            let name = directive.split_ascii_whitespace().next()?;
            (!is_name(name)).then_some(name)
        });
        if let Some(word) = no_name {
            return error(format!("has {word} where the name of a directive stands"));
        }
        let unknown = directives.find_map(|directive| {
            let mut sources = directive.split_ascii_whitespace().skip(1);
            sources.find(|source| is_quoted(source) && !is_known(source))
        });
        if let Some(word) = unknown {
            return error(format!(
                "has {word}, which is no keyword, nonce or hash in single quotes"
            ));
        }
        match HeaderValue::from_str(text.trim()) {
            Ok(value) => Ok(Self(value)),
            Err(_) => error("must be one line of printable ASCII"),
        }
    }
}

impl fmt::Display for ContentSecurityPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn error<T>(problem: impl Into<std::borrow::Cow<'static, str>>) -> Result<T, ConfigError> {
    Err(ConfigError::new("content_security_policy", problem))
}

/// Whether a directive can have this name (CSP Level 3 section 2.2).
fn is_name(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether `source` has a quote at one of its ends.
fn is_quoted(source: &str) -> bool {
    source.starts_with(['\'', '"']) || source.ends_with(['\'', '"'])
}

/// Whether `source` stands in single quotes and means something there.
fn is_known(source: &str) -> bool {
    let inside = source.strip_prefix('\'').and_then(|s| s.strip_suffix('\''));
    inside.map(str::to_ascii_lowercase).is_some_and(|word| {
        KEYWORDS.contains(&word.as_str()) || PREFIXES.iter().any(|start| word.starts_with(start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let error = text.parse::<ContentSecurityPolicy>().unwrap_err();
        assert_eq!(error.setting(), "content_security_policy");
        error.problem().to_owned()
    }

    #[test]
    fn the_default_is_a_policy_it_would_accept_itself() {
        assert_eq!(
            DEFAULT.parse(),
            Ok(ContentSecurityPolicy::default()),
            "{DEFAULT}"
        );
        assert_eq!(ContentSecurityPolicy::default().as_str(), DEFAULT);
    }

    #[test]
    fn what_people_write_is_accepted() {
        for text in [
            "default-src 'none'",
            " Default-Src 'self' ; ",
            "default-src 'self'; ; upgrade-insecure-requests;",
            "script-src 'nonce-q9Zx' 'strict-dynamic' 'unsafe-inline' https:",
            "script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
            "img-src * data: blob:; sandbox allow-scripts",
            "connect-src self.example https://self",
            "img-src nonce-less.example sha256-sums.example:8443/a/b",
            "script-src 'self' 'wasm-unsafe-eval' 'inline-speculation-rules' 'report-sha256'",
            "default-src https:; connect-src wss://*.example:* https://a.example/b/; report-uri /csp?a=b",
            "style-src 'unsafe-hashes' 'sha384-oqVuAf' 'report-sample'; worker-src blob: 'self'",
            "trusted-types 'none'; require-trusted-types-for 'script'; script-src 'trusted-types-eval'",
            "trusted-types default a#b 'allow-duplicates'; report-to csp-endpoint; webrtc 'block'",
            "fenced-frame-src https:; manifest-src 'SELF'",
            "sandbox",
        ] {
            let policy: ContentSecurityPolicy = text.parse().unwrap();
            assert_eq!(policy.to_string(), text.trim());
        }
    }

    #[test]
    fn slips_are_refused_and_named() {
        for (text, part) in [
            ("", "one directive"),
            (" ; ;", "one directive"),
            ("default-src: 'self'", "default-src:"),
            ("img-src a; default-src='self'", "default-src='self'"),
            ("'self'", "'self'"),
            ("default-src 'slef'", "'slef'"),
            ("img-src 'https:'", "'https:'"),
            ("script-src \"self\"", "\"self\""),
            ("script-src 'self", "'self,"),
            ("script-src none'", "none',"),
            ("script-src '", "',"),
            ("default-src 'self', img-src *", "comma"),
            ("default-src 'self'\r\nset-cookie: a=b", "one line"),
            ("default-src 'self';\timg-src *", "one line"),
            ("default-src \u{2018}self\u{2019}", "ASCII"),
        ] {
            assert!(problem(text).contains(part), "{text:?}: {}", problem(text));
        }
    }
}
