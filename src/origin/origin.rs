//! Origins as an operator lists them and as browsers send them (RFC 6454 section 6.2).

use std::{fmt, str::FromStr};

use super::parse::{is_loopback, parse};
use crate::{
    config::ConfigError,
    host::{default_port, is_name, split_port},
};

/// An entry of the list of origins.
///
/// | entry | lets in |
/// |---|---|
/// | `https://app.example` | this origin alone |
/// | `https://*.app.example` | every host with exactly one label more |
/// | `https://**.app.example` | every host with one label more, or several |
/// | `http://localhost:*` | this host with any port: for development servers |
///
/// Parsing is strict and normalises only spelling. That is the case of scheme and host, a default port, and the form of
/// an IPv6 address. The result is written exactly as browsers send it. So an entry that parses is an entry that can
/// match. Hosts are ASCII: an internationalised name is given in punycode. For browsers and cookies, a host with a
/// final dot differs from the host without. List both where you mean both.
///
/// A wildcard trusts every owner of a host name below it. Directly below a top-level domain (`https://*.com`) that is
/// the whole of the internet, and an error. Below a public suffix of more labels it trusts every customer of the
/// provider, such as a hosting provider's (`https://*.github.io`). No list of such suffixes is built in, so the entry
/// is accepted. Below your own domain, a wildcard trusts each forgotten name that now points to a server of another
/// owner.
///
/// Any port is for loopback hosts: `localhost` and the names below it, `127.0.0.1` and `[::1]`. It
/// trusts every program that serves pages on the user's machine, so production lists have none.
///
/// ```
/// use tower_bearer::origin::Origin;
///
/// let origin: Origin = "https://APP.example:443".parse()?;
/// assert_eq!(origin.as_str(), "https://app.example");
/// assert!("https://app.example/".parse::<Origin>().is_err());
/// assert!("app.example".parse::<Origin>().is_err());
///
/// let development: Origin = "http://localhost:*".parse()?;
/// assert!(development.matches("http://localhost:5173"));
/// assert!("http://app.example:*".parse::<Origin>().is_err());
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The whole entry in canonical form.
    pub(super) text: Box<str>,
    pub(super) pattern: Option<Pattern>,
}

/// The part that an entry leaves open. An entry that leaves nothing open has none, and is compared as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) wildcard: Option<Wildcard>,
    /// Whether the entry ends in `:*`.
    pub(super) any_port: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wildcard {
    /// Where the wildcard starts: behind `scheme://`.
    pub(super) at: usize,
    /// Where the fixed rest starts, with its dot.
    pub(super) rest: usize,
    pub(super) many: bool,
}

impl Origin {
    /// Reads an origin of a scheme other than `http` and `https`. Applications in a web view have them:
    /// `tauri://localhost`, `chrome-extension://…`, Electron's `app://-`.
    ///
    /// Such a host is opaque to browsers (WHATWG URL, "opaque-host parser"). It need not be a name, may be empty, and
    /// keeps the case it was given in. So the entry is kept as it is written here, and matches exactly that.
    ///
    /// ```
    /// use tower_bearer::origin::Origin;
    ///
    /// let page = Origin::custom_scheme("app://-")?;
    /// assert!(page.matches("app://-"));
    /// assert!(!page.matches("app://"));
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As with parsing. Schemes whose origins are opaque (`file`, `data`, `javascript`, `blob`, `about`) are refused.
    /// So are `ws` and `wss`: a WebSocket has the origin of the page that opens it.
    pub fn custom_scheme(text: &str) -> Result<Self, ConfigError> {
        parse(text, true)
    }

    /// Returns the entry as browsers would send it, with its wildcard and its `:*` if it has them.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether its pages come over plain http from another machine than the user's own. Browsers keep no
    /// `Secure` cookie for them.
    pub(crate) fn is_plain_http(&self) -> bool {
        let Some(authority) = self.text.strip_prefix("http://") else {
            return false;
        };
        let host = match split_port(authority) {
            Some((host, _)) => host,
            // Any port is for loopback hosts alone.
            None => return false,
        };
        !is_loopback(host)
    }

    /// Returns whether `origin`, exactly as it came over the wire, is this entry's. With it, one list serves the guard
    /// and CORS (`AllowOrigin::predicate` of `tower-http`).
    ///
    /// Nothing is normalised here. Browsers send the canonical form. Another form comes from another client, or is an
    /// attempt to be read in two ways.
    ///
    /// ```
    /// let entry: tower_bearer::origin::Origin = "https://*.app.example".parse()?;
    /// assert!(entry.matches("https://eu.app.example"));
    /// assert!(!entry.matches("https://app.example"));
    /// assert!(!entry.matches("https://eu.app.example.evil.example"));
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn matches(&self, origin: &str) -> bool {
        match self.pattern {
            None => *self.text == *origin,
            Some(pattern) => pattern.matches(&self.text, origin),
        }
    }
}

impl Pattern {
    /// Whether `origin` is what `entry`, to which this pattern belongs, leaves open.
    fn matches(self, entry: &str, origin: &str) -> bool {
        let ends = match self.any_port {
            true => entry.strip_suffix(":*").zip(without_port(origin)),
            false => Some((entry, origin)),
        };
        let Some((entry, origin)) = ends else {
            return false;
        };
        let Some(Wildcard { at, rest, many }) = self.wildcard else {
            return entry == origin;
        };
        let labels = origin
            .strip_prefix(entry.get(..at).unwrap_or_default())
            .and_then(|o| o.strip_suffix(entry.get(rest..).unwrap_or_default()));
        labels.is_some_and(|labels| {
            is_name(labels)
                && (many || !labels.contains('.'))
                && !labels.bytes().any(|b| b.is_ascii_uppercase())
        })
    }
}

/// Cuts the port off an origin, if browsers write it so: without leading zeros, and not the default port.
fn without_port(origin: &str) -> Option<&str> {
    let (scheme, authority) = origin.split_once("://")?;
    let (host, port) = split_port(authority)?;
    if port.is_some() && port == default_port(scheme) {
        return None;
    }
    origin.get(..scheme.len() + "://".len() + host.len())
}

impl FromStr for Origin {
    type Err = ConfigError;

    /// # Errors
    ///
    /// When the text is no entry of the table above; the error names the fault.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        parse(text, false)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The origin of a `Referer`: everything up to its path. The bytes behind it are not read: the browsers that send no
/// `Origin` write bytes of any encoding there.
pub(super) fn origin_of(referer: &[u8]) -> Option<&[u8]> {
    let scheme = referer.iter().position(|b| *b == b':')?;
    let start = scheme + "://".len();
    let authority = referer.get(scheme..)?.strip_prefix(b"://")?;
    let end = |b: &u8| matches!(b, b'/' | b'?' | b'#');
    let length = authority.iter().position(end).unwrap_or(authority.len());
    referer.get(..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn any_port_is_one_that_browsers_write() {
        let entry: Origin = "http://localhost:*".parse().unwrap();
        for origin in [
            "http://localhost",
            "http://localhost:1",
            "http://localhost:443",
            "http://localhost:5173",
            "http://localhost:65535",
        ] {
            assert!(entry.matches(origin), "{origin}");
        }
        for origin in [
            "https://localhost:5173",
            "http://localhost:80",
            "http://localhost:",
            "http://localhost:0",
            "http://localhost:05173",
            "http://localhost:+5173",
            "http://localhost:65536",
            "http://localhost:5173:5173",
            "http://localhost:*",
            "http://localhost:5173/",
            "http://localhost.:5173",
            "http://LOCALHOST:5173",
            "http://user@localhost:5173",
            "http://localhost.evil.example:5173",
            "http://evil.example:5173",
            "http://localhost:5173@evil.example",
            "localhost:5173",
            "",
        ] {
            assert!(!entry.matches(origin), "{origin}");
        }
        let below: Origin = "https://*.localhost:*".parse().unwrap();
        assert!(below.matches("https://a.localhost:8443"));
        assert!(below.matches("https://a.localhost"));
        assert!(!below.matches("https://localhost:8443"));
        assert!(!below.matches("https://a.localhost:443"));
        assert!(!below.matches("https://a.b.localhost:8443"));
        let address: Origin = "http://[0::1]:*".parse().unwrap();
        assert!(address.matches("http://[::1]:3000"));
        assert!(address.matches("http://[::1]"));
        assert!(!address.matches("http://[0::1]:3000"));
        assert!(!address.matches("http://[::1]x:3000"));
    }

    #[test]
    fn a_final_dot_makes_another_host() {
        let with: Origin = "https://App.Example.".parse().unwrap();
        let without: Origin = "https://app.example".parse().unwrap();
        assert!(with.matches("https://app.example."));
        assert!(!with.matches("https://app.example"));
        assert!(!with.matches("https://app.example.."));
        assert!(!without.matches("https://app.example."));
        let below: Origin = "https://*.app.example.".parse().unwrap();
        assert!(below.matches("https://a.app.example."));
        assert!(!below.matches("https://a.app.example"));
        assert!(!below.matches("https://app.example."));
    }

    #[test]
    fn an_opaque_host_is_matched_as_it_is_listed() {
        for (listed, foreign) in [
            ("app://-", "app://_"),
            ("app://-", "app://-:80"),
            ("app://", "app://-"),
            ("app://-", "app://"),
            ("app://.", "app://"),
            ("app://%2D", "app://-"),
            ("app://Main", "app://main"),
        ] {
            let entry = Origin::custom_scheme(listed).unwrap();
            assert!(entry.matches(listed), "{listed}");
            assert!(!entry.matches(foreign), "{listed} is not {foreign}");
        }
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
