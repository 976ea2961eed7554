//! The one site that a browser or a jar of a test knows.

use crate::{host::split_port, origin::Origin};

/// An origin, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) origin: String,
    /// Host and port, as `Host` has them.
    pub(super) authority: String,
    pub(super) host: String,
    /// Whether browsers take and send `Secure` cookies there: over TLS, and on the user's own machine. Safari does
    /// not on the latter.
    pub(super) is_trustworthy: bool,
}

impl Site {
    /// # Panics
    ///
    /// When `origin` is none of one page.
    pub(super) fn new(origin: &str) -> Self {
        let parsed = origin.parse::<Origin>();
        let parsed = parsed.unwrap_or_else(|error| {
            panic!("a browser's page has an origin such as https://app.example, and not {origin:?}: {error}")
        });
        let text = parsed.as_str();
        assert!(
            !text.contains('*'),
            "a browser's page has one origin, and not the pattern {origin:?}: write https://app.example"
        );
        let (_, authority) = text.split_once("://").unwrap_or_default();
        let (host, _) = split_port(authority).unwrap_or((authority, None));
        Self {
            origin: text.to_owned(),
            authority: authority.to_owned(),
            host: host.to_owned(),
            is_trustworthy: text.starts_with("https://") || !parsed.is_plain_http(),
        }
    }

    /// Whether browsers send a cookie of `domain` to this host (RFC 6265 section 5.1.3).
    pub(super) fn is_in(&self, domain: &str) -> bool {
        let is_below = |rest: &str| rest.ends_with('.') && !self.is_address();
        match self.host.strip_suffix(domain) {
            Some(rest) => rest.is_empty() || is_below(rest),
            None => false,
        }
    }

    /// No host lies below an address.
    fn is_address(&self) -> bool {
        self.host.starts_with('[') || self.host.parse::<std::net::Ipv4Addr>().is_ok()
    }
}

/// The path of `target`, which may have a query.
///
/// # Panics
///
/// When it is none: a whole address has its origin elsewhere.
pub(super) fn path_of(target: &str) -> &str {
    assert!(
        target.starts_with('/'),
        "a request of a test goes to a path such as /auth/refresh, and not to {target:?}. The browser knows its \
         origin"
    );
    target.split('?').next().unwrap_or_default()
}
