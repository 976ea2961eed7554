//! The value of `Content-Security-Policy`.

use std::{fmt, str::FromStr};

use http::HeaderValue;

use crate::config::ConfigError;

/// What a page may load and who may embed it (W3C Content Security Policy Level 3).
///
/// Browsers pass over what they do not understand, so a slip leaves a policy that protects less than
/// it says. Parsing refuses the usual ones: a directive that does not exist or is there twice, a
/// keyword without its single quotes (`self` would be a host of that name), and a comma, which begins a
/// second policy. It knows the directives of today and those that browsers or drafts once had, so a
/// policy with a past goes on as it is. Sources are not checked beyond that.
///
/// A nonce is for one response: in a policy that goes out with every response it protects from nobody
/// who has seen one. A handler that needs it sends the header itself, and the layer lets that stand.
///
/// ```
/// use tower_bearer::{ContentSecurityPolicy, SecurityHeadersLayer};
///
/// let policy: ContentSecurityPolicy =
///     "default-src 'self'; img-src 'self' https://images.example; frame-ancestors 'none'".parse()?;
/// let layer = SecurityHeadersLayer::new().content_security_policy(policy);
/// # let _ = layer;
///
/// assert!("default-src self".parse::<ContentSecurityPolicy>().is_err());
/// assert!("frame-ancestor 'none'".parse::<ContentSecurityPolicy>().is_err());
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentSecurityPolicy(HeaderValue);

/// What a page needs that loads its own files and calls its own server, and nothing more. Scripts and
/// styles are files: `'self'` allows none inside of the page.
const DEFAULT: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; \
                       frame-ancestors 'none'; object-src 'none'";

/// The directives of CSP Level 3, of the specifications that add to it, and the retired ones that live
/// on in policies: `block-all-mixed-content`, `navigate-to`, `plugin-types`, `prefetch-src` and
/// `require-sri-for`. Browsers pass over those, and nothing else in the policy depends on them.
const DIRECTIVES: [&str; 32] = [
    "base-uri",
    "block-all-mixed-content",
    "child-src",
    "connect-src",
    "default-src",
    "fenced-frame-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "navigate-to",
    "object-src",
    "plugin-types",
    "prefetch-src",
    "report-to",
    "report-uri",
    "require-sri-for",
    "require-trusted-types-for",
    "sandbox",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "trusted-types",
    "upgrade-insecure-requests",
    "webrtc",
    "worker-src",
];

/// Words that mean something in quotes alone. With a dash: what they begin with.
const KEYWORDS: [&str; 18] = [
    "inline-speculation-rules",
    "nonce-",
    "none",
    "report-sample",
    "report-sha256",
    "report-sha384",
    "report-sha512",
    "script",
    "self",
    "sha256-",
    "sha384-",
    "sha512-",
    "strict-dynamic",
    "trusted-types-eval",
    "unsafe-eval",
    "unsafe-hashes",
    "unsafe-inline",
    "wasm-unsafe-eval",
];

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
    /// When there is no directive, one that does not exist or is there twice, a keyword without its
    /// quotes, a comma, or anything but printable ASCII. The error says which.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if !text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return error("must be one line of printable ASCII");
        }
        if text.contains(',') {
            return error("must not have a comma: it begins a second policy");
        }
        let mut seen: Vec<String> = Vec::new();
        for directive in text.split(';') {
            let mut words = directive.split_ascii_whitespace();
            let Some(name) = words.next() else {
                continue;
            };
            let name = name.to_ascii_lowercase();
            if !DIRECTIVES.contains(&name.as_str()) {
                return error(format!("names {name}, which is not a directive"));
            }
            if seen.contains(&name) {
                return error(format!(
                    "has {name} twice, and browsers read the first alone"
                ));
            }
            // The first takes bare words, the others names of the page's own choice, and both may
            // look like keywords.
            let free = ["require-sri-for", "report-to", "trusted-types"].contains(&name.as_str());
            if let Some(word) = words.find(|word| !free && is_bare_keyword(word)) {
                return error(format!("has {word} in {name} without its single quotes"));
            }
            seen.push(name);
        }
        if seen.is_empty() {
            return error("must have one directive at least");
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

/// Whether `word` is a keyword that is not in single quotes: in none, in double ones, or in half of a
/// pair.
fn is_bare_keyword(word: &str) -> bool {
    let quoted = word.len() > 1 && word.starts_with('\'') && word.ends_with('\'');
    let bare = word.trim_matches(['\'', '"']).to_ascii_lowercase();
    // A host may begin like a nonce or a hash; neither of those has a dot in it.
    let begins =
        |start: &str| start.ends_with('-') && bare.starts_with(start) && !bare.contains('.');
    !quoted && KEYWORDS.iter().any(|word| bare == *word || begins(word))
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
        assert!(DIRECTIVES.is_sorted() && KEYWORDS.is_sorted());
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
            "require-trusted-types-for 'script'; trusted-types none self",
            "connect-src self.example https://self",
            "img-src nonce-less.example sha256-sums.example:8443/a/b",
            "script-src 'self' 'wasm-unsafe-eval' 'inline-speculation-rules' 'report-sha256'",
            "script-src 'strict-dynamic' 'nonce-rAnd0m' https: http:; object-src 'none'; base-uri 'none'",
            "default-src https:; connect-src wss://*.example:* https://a.example/b/; report-uri /csp?a=b",
            "style-src 'unsafe-hashes' 'sha384-oqVuAf' 'report-sample'; worker-src blob: 'self'",
            "default-src 'self'; block-all-mixed-content; upgrade-insecure-requests",
            "require-sri-for script style; plugin-types application/pdf; navigate-to 'self'",
            "trusted-types 'none'; require-trusted-types-for 'script'; script-src 'trusted-types-eval'",
            "trusted-types default a#b 'allow-duplicates'; report-to csp-endpoint; webrtc 'block'",
            "sandbox allow-forms allow-same-origin; fenced-frame-src https:; manifest-src 'SELF'",
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
            ("frame-ancestor 'none'", "frame-ancestor"),
            ("default-src: 'self'", "default-src:"),
            ("img-src a; default-src 'self'; IMG-SRC b", "img-src twice"),
            ("default-src self", "self in default-src"),
            ("script-src NONE", "NONE in script-src"),
            ("script-src nonce-abc", "nonce-abc in script-src"),
            ("script-src \"self\"", "\"self\" in script-src"),
            ("script-src 'self", "'self in script-src"),
            ("script-src none'", "none' in script-src"),
            (
                "style-src sha256-47DEQpj8/+=",
                "sha256-47DEQpj8/+= in style-src",
            ),
            ("style-scr 'self'", "names style-scr"),
            ("default-src 'self', img-src *", "comma"),
            ("default-src 'self'\r\nset-cookie: a=b", "one line"),
            ("default-src 'self';\timg-src *", "one line"),
            ("default-src \u{2018}self\u{2019}", "ASCII"),
        ] {
            assert!(problem(text).contains(part), "{text:?}: {}", problem(text));
        }
    }
}
