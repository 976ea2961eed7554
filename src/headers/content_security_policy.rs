//! The value of `Content-Security-Policy`.

mod scripts;
mod words;

use std::{fmt, str::FromStr};

use http::HeaderValue;

use self::scripts::Directive;
use crate::config::ConfigError;

/// A policy for a page (W3C Content Security Policy Level 3). It lists the resources that the page may load and the
/// pages that may embed it.
///
/// Parsing rejects a quoted word that is no keyword, nonce or hash. A browser would ignore `'slef'`, and the policy
/// would say more than it does. It also rejects an impossible name of a directive, such as `default-src:`, and a
/// directive that comes twice. It rejects an empty policy, and a comma, which begins a second policy. It does not
/// check whether a directive of that name exists, nor hosts. Look at the page in a browser, which reports unknown
/// ones.
///
/// A policy that lets scripts of an attacker run is an error as well. Such a policy has one of these in `script-src`,
/// or in `default-src` where there is no `script-src`:
///
/// * `*`;
/// * a scheme alone (`https:`, `data:`);
/// * `'unsafe-inline'` without a nonce or hash;
/// * `'unsafe-eval'`.
///
/// A policy without either directive is such a policy too. Under `'strict-dynamic'` with a nonce or hash, browsers
/// ignore the first three. [`dangerous_any_script`](Self::dangerous_any_script) takes such a policy. A hash is the
/// whole digest: browsers ignore a shorter one.
///
/// A nonce is for one response: sent with every response, it is known to an attacker who has seen one.
/// So [`SecurityHeadersLayer::content_security_policy`] refuses a policy with a nonce. A handler that needs
/// it sends the header itself, and the layer lets that stand.
///
/// [`SecurityHeadersLayer::content_security_policy`]: crate::SecurityHeadersLayer::content_security_policy
///
/// ```
/// use tower_bearer::{SecurityHeadersLayer, headers::ContentSecurityPolicy};
///
/// let policy: ContentSecurityPolicy =
///     "default-src 'self'; img-src 'self' https://images.example; frame-ancestors 'none'".parse()?;
/// let layer = SecurityHeadersLayer::new().content_security_policy(policy)?;
/// # let _ = layer;
///
/// for slip in ["default-src 'slef'", "default-src 'self'; script-src https:", "frame-ancestors 'none'"] {
///     assert!(slip.parse::<ContentSecurityPolicy>().is_err());
/// }
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentSecurityPolicy(HeaderValue);

/// The policy for a page that loads its own files and calls its own server, and nothing more. Scripts and styles are
/// files: `'self'` allows none inside of the page.
const DEFAULT: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; \
                       frame-ancestors 'none'; object-src 'none'";

impl ContentSecurityPolicy {
    /// Takes a policy that lets scripts of an attacker run, and refuses other slips as parsing does.
    ///
    /// Use it only for a page that cannot work otherwise, until it can. A script that gets into such a page acts for
    /// its user.
    ///
    /// ```
    /// use tower_bearer::headers::ContentSecurityPolicy;
    ///
    /// let text = "default-src 'self'; script-src 'self' 'unsafe-inline'";
    /// assert!(text.parse::<ContentSecurityPolicy>().is_err());
    /// assert!(ContentSecurityPolicy::dangerous_any_script(text).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error when there is no directive, or one of them twice. Other errors are an impossible name, and a
    /// quoted word that is no keyword, nonce or hash. A comma and anything but printable ASCII are errors too. The
    /// error says which.
    pub fn dangerous_any_script(text: &str) -> Result<Self, ConfigError> {
        let mut chars = text.char_indices();
        if let Some((at, odd)) = chars.find(|(_, c)| *c != ' ' && !c.is_ascii_graphic()) {
            return error(format!(
                "has {odd:?} at byte {at}, and must be one line of printable ASCII"
            ));
        }
        if let Some(at) = text.find(',') {
            return error(format!(
                "has a comma at byte {at}, which begins a second policy"
            ));
        }
        let directives = directives(text);
        if directives.is_empty() {
            return error("must have one directive at least");
        }
        for (at, (name, words)) in directives.iter().enumerate() {
            if !is_name(name) {
                return error(format!("has {name} where the name of a directive stands"));
            }
            if directives.iter().take(at).any(|(before, _)| before == name) {
                return error(format!("has {name} twice: browsers read the first alone"));
            }
            let unknown = |word: &&&str| words::is_quoted(word) && !words::is_known(word);
            if let Some(word) = words.iter().find(unknown) {
                return error(format!(
                    "has {word}, which is no keyword, nonce or hash in single quotes{}",
                    words::cure(word)
                ));
            }
        }
        match HeaderValue::from_str(text.trim()) {
            Ok(value) => Ok(Self(value)),
            Err(_) => error("must be one line of printable ASCII"),
        }
    }

    /// Returns the policy as it is written in the header.
    pub fn as_str(&self) -> &str {
        // Only ASCII gets here.
        self.0.to_str().unwrap_or_default()
    }

    /// The value of the default.
    pub(super) const fn default_value() -> HeaderValue {
        HeaderValue::from_static(DEFAULT)
    }

    /// The value for every response.
    ///
    /// # Errors
    ///
    /// When it has a nonce: an attacker who has seen one response could write scripts for all others.
    pub(super) fn into_value(self) -> Result<HeaderValue, ConfigError> {
        let directives = directives(self.as_str());
        let mut words = directives.iter().flat_map(|(_, words)| words);
        match words.find(|word| words::is_nonce(word)) {
            None => Ok(self.0),
            Some(word) => error(format!(
                "has {word}, which would be the same with every response. Send the policy with its nonce from the \
                 handler: the layer leaves that header alone"
            )),
        }
    }
}

impl Default for ContentSecurityPolicy {
    /// `default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src
    /// 'none'`.
    fn default() -> Self {
        Self(Self::default_value())
    }
}

impl FromStr for ContentSecurityPolicy {
    type Err = ConfigError;

    /// # Errors
    ///
    /// Returns an error when there is no directive, or one of them twice. Other errors are an impossible name, and a
    /// quoted word that is no keyword, nonce or hash. A comma and anything but printable ASCII are errors too. So is
    /// a policy that lets scripts of an attacker run. The error says which.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let policy = Self::dangerous_any_script(text)?;
        match scripts::opening(&directives(policy.as_str())) {
            None => Ok(policy),
            Some(opening) => error(format!(
                "{opening}, or accept it with ContentSecurityPolicy::dangerous_any_script"
            )),
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

/// The directives of a policy: names in lower case, as browsers compare them, and what follows each.
fn directives(text: &str) -> Vec<Directive<'_>> {
    let parts = text.split(';').map(str::split_ascii_whitespace);
    parts
        .filter_map(|mut words| Some((words.next()?.to_ascii_lowercase(), words.collect())))
        .collect()
}

/// Whether a directive can have this name (CSP Level 3 section 2.2).
fn is_name(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
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
    fn common_policies_are_accepted() {
        for text in [
            "default-src 'none'",
            " Default-Src 'self' ; ",
            "default-src 'self'; ; upgrade-insecure-requests;",
            "script-src 'nonce-q9Zx' 'strict-dynamic' 'unsafe-inline' https:",
            "script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
            "default-src 'self'; img-src * data: blob:; sandbox allow-scripts",
            "default-src 'self'; connect-src self.example https://self",
            "default-src nonce-less.example sha256-sums.example:8443/a/b",
            "script-src 'nonce-AZaz09+/-_=='",
            "script-src 'SHA512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=='",
            "script-src 'self' 'wasm-unsafe-eval' 'inline-speculation-rules' 'report-sha256'",
            "default-src https:; connect-src wss://*.example:* https://a.example/b/; report-uri /csp?a=b; \
             script-src 'none'",
            "default-src 'self'; style-src 'unsafe-hashes' 'sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6_529l-9Ua0vFImLlb' 'report-sample'; worker-src blob:; \
             connect-src 'unsafe-webtransport-hashes'",
            "trusted-types 'none'; require-trusted-types-for 'script'; script-src 'trusted-types-eval'",
            "trusted-types default a#b 'allow-duplicates'; script-src; report-to csp-endpoint; webrtc 'block'",
            "default-src 'none'; fenced-frame-src https:; manifest-src 'SELF'",
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
            ("img-src a; default-src b; IMG-src 'none'", "img-src twice"),
            ("'self'", "'self'"),
            ("default-src 'slef'", "'slef'"),
            ("img-src 'https:'", "'https:'"),
            ("script-src \"self\"", "\"self\""),
            ("script-src 'self", "'self,"),
            ("script-src none'", "none',"),
            ("script-src '", "',"),
            ("script-src ''", "'',"),
            ("script-src `self`", "`self`,"),
            ("script-src ' self '", "',"),
            (
                "script-src 'self'https://a.example",
                "'self'https://a.example,",
            ),
            ("script-src 'self'none'", "'self'none',"),
            ("script-src 'nonce-'", "'nonce-',"),
            ("script-src 'nonce-{nonce}'", "'nonce-{nonce}',"),
            ("script-src 'nonce-a b'", "'nonce-a,"),
            ("script-src 'nonce-==='", "'nonce-===',"),
            ("script-src 'nonce-a==='", "'nonce-a===',"),
            ("script-src 'nonce-a=b'", "'nonce-a=b',"),
            ("script-src 'nonce'", "'nonce',"),
            ("script-src 'nonce:q9Zx'", "'nonce:q9Zx',"),
            ("script-src 'sha256-'", "'sha256-',"),
            ("script-src 'sha256-a'", "'sha256-a',"),
            ("script-src 'SHA512-a='", "'SHA512-a=',"),
            (
                "script-src 'unsafe-inline' 'sha384-oqVuAf'",
                "'sha384-oqVuAf',",
            ),
            (
                "script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=='",
                "hSuFU==',",
            ),
            ("script-src 'sha512-q9Zx'", "43 digits and =, 64, or 86"),
            ("script-src 'nonce-{nonce}'", "from the handler"),
            ("script-src 'sha256-a.b'", "'sha256-a.b',"),
            ("script-src 'sha1-q9Zx'", "'sha1-q9Zx',"),
            ("script-src 'strict-dynmic'", "'strict-dynmic',"),
            ("script-src 'unsafe inline'", "'unsafe,"),
            ("default-src 'self', img-src *", "comma"),
            ("default-src \u{b4}self\u{b4}", "ASCII"),
            ("default-src 'self'\r\nset-cookie: a=b", "one line"),
            ("default-src 'self';\timg-src *", "one line"),
            ("default-src \u{2018}self\u{2019}", "ASCII"),
        ] {
            assert!(problem(text).contains(part), "{text:?}: {}", problem(text));
            // A slip is one under either name.
            let dangerous = ContentSecurityPolicy::dangerous_any_script(text);
            assert_eq!(dangerous.unwrap_err().problem(), problem(text), "{text:?}");
        }
    }
}
