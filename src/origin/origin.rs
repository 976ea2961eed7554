//! Origins as an operator lists them and as browsers send them (RFC 6454 section 6.2).

use std::{fmt, net::Ipv4Addr, str::FromStr};

use crate::{
    config::ConfigError,
    host::{canonical_host, default_port, is_name, split_port},
};

/// An entry of the list of origins: `https://app.example`, or `https://*.app.example` for every
/// host with exactly one label more, or `https://**.app.example` for one or more.
///
/// Parsing is strict and normalises what is only spelling: the case of scheme and host, a default
/// port, and the form of an IPv6 address. What is left is written exactly as browsers send it, so
/// an entry that parses is an entry that can match. Hosts are ASCII: an internationalised name is
/// given in punycode.
///
/// A wildcard trusts whoever gets a host name below it. Below a public suffix, such as a hosting
/// provider's domain (`https://*.github.io`), that is anybody: no list of such suffixes is built in,
/// so an entry of this kind is accepted, and it opens the guard to every other customer. Below your
/// own domain it trusts each forgotten name that points to somebody else's server by now.
///
/// ```
/// use tower_bearer::origin::Origin;
///
/// let origin: Origin = "https://APP.example:443".parse()?;
/// assert_eq!(origin.as_str(), "https://app.example");
/// assert!("https://app.example/".parse::<Origin>().is_err());
/// assert!("app.example".parse::<Origin>().is_err());
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The whole entry in canonical form.
    text: Box<str>,
    wildcard: Option<Wildcard>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wildcard {
    /// Where the wildcard starts: behind `scheme://`.
    at: usize,
    /// Where the fixed rest starts, with its dot.
    rest: usize,
    many: bool,
}

impl Origin {
    /// An origin of a scheme other than `http` and `https`, as applications in a web view have:
    /// `tauri://localhost`, `chrome-extension://…`.
    ///
    /// Such a host is opaque to browsers (WHATWG URL, "opaque-host parser"): they send it in the case
    /// it was given in, some as an identifier in capitals. So it is kept as it is written here.
    ///
    /// # Errors
    ///
    /// As with parsing; schemes whose origins are opaque (`file`, `data`, `javascript`, `blob`,
    /// `about`) are refused, and so are `ws` and `wss`: a WebSocket has the origin of the page that
    /// opens it.
    pub fn custom_scheme(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text, true)
    }

    /// The entry as browsers would send it, with the wildcard if it has one.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `origin`, exactly as it came over the wire, is this entry's. With it, one list serves
    /// the guard and CORS (`AllowOrigin::predicate` of `tower-http`).
    ///
    /// Nothing is normalised here. Browsers send the canonical form, and who sends another is no
    /// browser or an attempt to be read in two ways.
    ///
    /// ```
    /// let entry: tower_bearer::origin::Origin = "https://*.app.example".parse()?;
    /// assert!(entry.matches("https://eu.app.example"));
    /// assert!(!entry.matches("https://app.example"));
    /// assert!(!entry.matches("https://eu.app.example.evil.example"));
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn matches(&self, origin: &str) -> bool {
        let Some(Wildcard { at, rest, many }) = self.wildcard else {
            return *self.text == *origin;
        };
        let labels = origin
            .strip_prefix(self.text.get(..at).unwrap_or_default())
            .and_then(|o| o.strip_suffix(self.text.get(rest..).unwrap_or_default()));
        labels.is_some_and(|labels| {
            is_name(labels)
                && (many || !labels.contains('.'))
                && !labels.bytes().any(|b| b.is_ascii_uppercase())
        })
    }

    fn parse(text: &str, custom: bool) -> Result<Self, ConfigError> {
        let error = |problem| Err(ConfigError::new("origin", problem));
        let Some((scheme, authority)) = text.split_once("://") else {
            return error("must start with a scheme, such as https://app.example");
        };
        let scheme = scheme.to_ascii_lowercase();
        let is_opaque = default_port(&scheme).is_none();
        match scheme.as_str() {
            "http" | "https" => {}
            "about" | "blob" | "data" | "file" | "javascript" => {
                return error("has a scheme whose origins are opaque, so it could never match");
            }
            "ws" | "wss" => {
                return error("must be http or https: a WebSocket has the origin of its page");
            }
            other if custom && is_scheme(other) => {}
            _ => return error("must be http or https; others are given to Origin::custom_scheme"),
        }
        if let Some(end) = authority.find(['/', '?', '#', '\\', '@', ',']) {
            return error(match authority.as_bytes().get(end) {
                Some(b'/') if authority.len() == end + 1 => {
                    "must not end in a slash: browsers send an origin without one"
                }
                Some(b'@') => "must not have a user name",
                _ => "must end behind host and port, with no path, query or fragment",
            });
        }
        let (wildcard, authority) = match authority {
            a if a.starts_with("**.") => (Some(true), a.get(3..).unwrap_or_default()),
            a if a.starts_with("*.") => (Some(false), a.get(2..).unwrap_or_default()),
            a => (None, a),
        };
        let (host, port) = match split_port(authority) {
            Some(parts) => parts,
            None => return error("must have a host, and a port between 1 and 65535 if any"),
        };
        let host = match canonical_host(host) {
            // Browsers do not change the case of an opaque host.
            Some(name) if is_opaque && !name.starts_with('[') => host.to_owned(),
            Some(host) => host,
            None => return error("must have a host name in ASCII (punycode), or an IP address"),
        };
        let is_address = host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok();
        if wildcard.is_some() && is_address {
            return error("must not have a wildcard in front of an IP address");
        }

        let mut text = format!("{scheme}://");
        let at = text.len();
        let wildcard = wildcard.map(|many| {
            text.push_str(if many { "**" } else { "*" });
            let rest = text.len();
            text.push('.');
            Wildcard { at, rest, many }
        });
        text.push_str(&host);
        if let Some(port) = port.filter(|port| Some(*port) != default_port(&scheme)) {
            text.push_str(&format!(":{port}"));
        }
        Ok(Self {
            text: text.into(),
            wildcard,
        })
    }
}

impl FromStr for Origin {
    type Err = ConfigError;

    /// # Errors
    ///
    /// When the text is not `http://host`, `https://host`, or either with a port; the error says
    /// what is in the way.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text, false)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The origin of a `Referer`: everything up to its path. What comes behind is not looked at, because
/// the browsers that send no `Origin` write bytes of any encoding there.
pub(super) fn origin_of(referer: &[u8]) -> Option<&[u8]> {
    let scheme = referer.iter().position(|b| *b == b':')?;
    let start = scheme + "://".len();
    let authority = referer.get(scheme..)?.strip_prefix(b"://")?;
    let end = |b: &u8| matches!(b, b'/' | b'?' | b'#');
    let length = authority.iter().position(end).unwrap_or(authority.len());
    referer.get(..start + length)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        text.parse::<Origin>().ok().map(|o| o.to_string())
    }

    #[test]
    fn spelling_is_normalised() {
        for (given, expected) in [
            ("HTTPS://App.Example:443", "https://app.example"),
            ("http://app.example:80", "http://app.example"),
            ("https://app.example:80", "https://app.example:80"),
            ("http://[0:0:0:0:0:0:0:1]:8080", "http://[::1]:8080"),
            ("http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]"),
            ("https://*.Example.com:8443", "https://*.example.com:8443"),
        ] {
            assert_eq!(canonical(given).as_deref(), Some(expected), "{given}");
        }
    }

    #[test]
    fn what_could_never_match_is_refused() {
        for given in [
            "",
            "*",
            "null",
            "https://",
            "https://*",
            "https://*.",
            "https://a..b",
            "https://a.example:",
            "https://a.example:0",
            "https://a.example:+1",
            "https://a.example:65536",
            "https://[::1",
            "https://::1",
            "https://[fe80::1%25eth0]",
            "http://127.1",
            "http://0177.0.0.1",
            "http://0x7f.1",
            "https://*.0.0.1",
            "https://*.[::1]",
            "https://a.example ",
            " https://a.example",
            "https://u@a.example",
            "https://b\u{fc}cher.example",
            "https://-a.example",
            "tauri://localhost",
        ] {
            assert_eq!(canonical(given), None, "{given:?}");
        }
        assert!(Origin::custom_scheme("tauri://localhost").is_ok());
        for given in [
            "file://localhost",
            "ws://a.example",
            "wss://a.example",
            "ta uri://a",
        ] {
            assert!(Origin::custom_scheme(given).is_err(), "{given}");
        }
    }

    #[test]
    fn the_error_says_what_is_in_the_way() {
        for (given, problem) in [
            ("app.example", "must start with a scheme"),
            ("ftp://app.example", "must be http or https; others"),
            ("file://app.example", "origins are opaque"),
            (
                "wss://app.example",
                "a WebSocket has the origin of its page",
            ),
            ("https://app.example/", "must not end in a slash"),
            ("https://app.example/x", "with no path, query or fragment"),
            ("https://app.example?", "with no path, query or fragment"),
            ("https://app.example#x", "with no path, query or fragment"),
            ("https://app.example\\", "with no path, query or fragment"),
            (
                "https://a.example,https://b.example",
                "with no path, query or fragment",
            ),
            ("https://user@app.example", "must not have a user name"),
            ("https://app.example:0", "a port between 1 and 65535"),
            ("https://b\u{fc}cher.example", "in ASCII (punycode)"),
            ("https://*.[::1]", "a wildcard in front of an IP address"),
        ] {
            let error = given.parse::<Origin>().unwrap_err();
            assert_eq!(error.setting(), "origin");
            assert!(error.to_string().contains(problem), "{given}: {error}");
        }
    }

    #[test]
    fn a_wildcard_is_whole_labels() {
        let one: Origin = "https://*.example.com".parse().unwrap();
        assert!(one.matches("https://a.example.com"));
        for other in [
            "https://example.com",
            "https://a.b.example.com",
            "https://.example.com",
            "https://*.example.com",
            "https://A.example.com",
            "http://a.example.com",
            "https://u@a.example.com",
            "https://a.example.com:8443",
            "https://evil/.example.com",
        ] {
            assert!(!one.matches(other), "{other}");
        }
        let many: Origin = "https://**.example.com".parse().unwrap();
        assert!(many.matches("https://a.b.example.com"));
        assert!(!many.matches("https://a..example.com"));
    }

    #[test]
    fn the_origin_of_a_referrer_ends_before_its_path() {
        for (referer, expected) in [
            (
                b"https://a.example/x?y".as_slice(),
                Some("https://a.example"),
            ),
            (b"https://a.example?y", Some("https://a.example")),
            (b"https://a.example#y", Some("https://a.example")),
            (b"https://a.example", Some("https://a.example")),
            (b"https://a.example/\xff\xfe", Some("https://a.example")),
            (b"https://", Some("https://")),
            (b"https:/a.example", None),
            (b"https:", None),
            (b"//a.example", None),
            (b"/x", None),
            (b"", None),
        ] {
            assert_eq!(origin_of(referer), expected.map(str::as_bytes));
        }
    }
}
