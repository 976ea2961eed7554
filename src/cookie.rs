//! Cookies on the wire: reading every value of a name, writing and clearing one cookie.
//!
//! Reading follows RFC 6265 section 5.4 as a server sees it; writing uses the `cookie` crate.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};
use memchr::memchr;

pub(crate) mod path;

/// The longest lifetime a browser honours (RFC 6265bis section 5.5): 400 days.
pub(crate) const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// How long a browser keeps a cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// Whole seconds, rounded down, and at most [`LONGEST`].
    For(Duration),
    /// Until the browser closes: without `Max-Age`.
    #[default]
    UntilClosed,
}

/// Every value of the cookie `name` in all `Cookie` lines, in the order they were sent.
///
/// HTTP/2 splits the header into several lines (RFC 9113 section 8.2.3), so all of them are read.
/// Names match exactly and nothing is trimmed but space and tab.
pub(crate) fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let is_named = move |(named, _): &(Option<&[u8]>, _)| *named == Some(name.as_bytes());
    cookies(headers)
        .filter(is_named)
        .map(|(_, value)| trim(value))
}

/// Whether any cookie but those of the names `own` came. A `Cookie` line that is empty has none.
pub(crate) fn has_other_than(headers: &HeaderMap, own: &[&str]) -> bool {
    cookies(headers).any(|(name, value)| match name {
        Some(name) => !own.iter().any(|own| name == own.as_bytes()),
        None => !trim(value).is_empty(),
    })
}

/// Whether a cookie may be one that a layer of this crate set, by its name alone.
///
/// A name with one of the prefixes counts whatever follows it, in any case. Browsers read prefixes so too (RFC
/// 6265bis section 4.1.3). No browser sends such a cookie over plain http, so one that comes that way has leaked. The
/// names are those of the layers that are configured without `Secure`.
pub(crate) fn has_own(headers: &HeaderMap) -> bool {
    // A value without a name may be a name whose value got lost.
    let mut names = cookies(headers).map(|(name, value)| name.unwrap_or(trim(value)));
    names.any(|name| {
        let begins = |prefix: &str| {
            let start = name.get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        ["__Host-", "__Http-", "__Secure-"].into_iter().any(begins)
            || name == b"refresh_token"
            || name == b"refresh_token_jar"
            || name == b"csrf"
    })
}

/// Every cookie in all lines: its name, and its value as it stands there. Without an equals sign it is a
/// value that has no name.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (Option<&[u8]>, &[u8])> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let pairs = lines.flat_map(|line| pairs(line.as_bytes()));
    pairs.map(|pair| {
        let named = memchr(b'=', pair).and_then(|at| {
            let (name, value) = pair.split_at_checked(at)?;
            Some((Some(trim(name)), value.strip_prefix(b"=")?))
        });
        named.unwrap_or((None, pair))
    })
}

/// Yields the parts between the semicolons. It searches many bytes at a time, since a browser sends
/// its cookies with every request.
fn pairs(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let Some(end) = memchr(b';', line) else {
            return rest.take();
        };
        let (pair, behind) = line.split_at_checked(end)?;
        rest = behind.get(1..);
        Some(pair)
    })
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The name and attributes of a cookie. Clearing must repeat them all, so they live in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CookieSpec {
    name: String,
    path: String,
    same_site: SameSite,
    secure: bool,
    /// The text after the value except the lifetime, `; ` first. Rendered once: it never changes.
    attributes: String,
}

/// How the cookie's name tells the browser what to insist on (RFC 6265bis section 4.1.3 and
/// draft-ietf-httpbis-layered-cookies).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// `__Secure-`: set over https only.
    Secure,
    /// `__Http-`: over https, and by an answer alone, which no script reads or writes.
    Http,
    /// `__Host-`: this host only, `Path=/`.
    Host,
    /// `__Host-Http-`: both.
    HostHttp,
    /// No prefix and no `Secure`: plain http during development.
    Insecure,
}

/// Why the two settings do not go together.
pub(crate) const HTTP_PREFIX_NEEDS_SECURE: &str = "does not go with dangerous_insecure_cookie: browsers accept a \
     cookie of this prefix only with Secure. In development over plain http leave http_prefix out";

impl Prefix {
    fn as_str(self) -> &'static str {
        match self {
            Self::Secure => "__Secure-",
            Self::Http => "__Http-",
            Self::Host => "__Host-",
            Self::HostHttp => "__Host-Http-",
            Self::Insecure => "",
        }
    }
}

/// An attribute that cannot be written into a cookie, and what would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieError {
    Name(&'static str),
    Path(&'static str),
}

impl CookieSpec {
    /// Checks and fixes the attributes.
    ///
    /// # Errors
    ///
    /// When the name is not a token or the path cannot be written into a cookie.
    pub(crate) fn new(
        name: &str,
        path: &str,
        prefix: Prefix,
        same_site: SameSite,
    ) -> Result<Self, CookieError> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(CookieError::Name(
                "must be a token: letters, digits and !#$%&'*+-.^_`|~",
            ));
        }
        if name.to_ascii_lowercase().starts_with("__") {
            return Err(CookieError::Name(
                "must come without a prefix: the layer adds it itself, and host_prefix and http_prefix choose which",
            ));
        }
        path::check(path).map_err(CookieError::Path)?;
        let spec = Self {
            name: [prefix.as_str(), name].concat(),
            path: match prefix {
                Prefix::Host | Prefix::HostHttp => "/".to_owned(),
                Prefix::Secure | Prefix::Http | Prefix::Insecure => path.to_owned(),
            },
            same_site,
            secure: prefix != Prefix::Insecure,
            attributes: String::new(),
        };
        Ok(spec.with_attributes(true))
    }

    fn with_attributes(mut self, http_only: bool) -> Self {
        let cookie = Cookie::build(("", ""))
            .path(self.path.as_str())
            .secure(self.secure)
            .http_only(http_only)
            .same_site(self.same_site)
            .build();
        let rendered = cookie.to_string();
        self.attributes = rendered.trim_start_matches('=').to_owned();
        self
    }

    /// Whether browsers keep it back from requests that pages of other sites cause.
    pub(crate) fn is_strict(&self) -> bool {
        self.same_site == SameSite::Strict
    }

    /// Whether browsers send it with a request that arrives for `path` (RFC 6265 section 5.1.4). A
    /// proxy may have removed leading segments, but not all that the cookie's path has.
    pub(crate) fn reaches(&self, path: &str) -> bool {
        // A request without a path, such as `OPTIONS *`, carries the cookies for every path.
        self.path == "/"
            || path::tails(&self.path)
                .any(|tail| !tail.is_empty() && path::below(path, tail).is_some())
    }

    /// The path that browsers send it to, and all below.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The same cookie, open to the page's scripts.
    pub(crate) fn readable(self) -> Self {
        self.with_attributes(false)
    }

    /// Another cookie beside it: the same attributes, and `suffix` behind the name.
    pub(crate) fn beside(&self, suffix: &str) -> Self {
        Self {
            name: [&self.name, suffix].concat(),
            ..self.clone()
        }
    }

    /// The name, prefix included.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A `Set-Cookie` that stores `value`.
    pub(crate) fn set(&self, value: &str, lasts: Lasts) -> Option<HeaderValue> {
        let mut line = [&self.name, "=", value, &self.attributes].concat();
        if let Lasts::For(time) = lasts {
            let seconds = time.min(LONGEST).as_secs().to_string();
            line.push_str(&["; Max-Age=", &seconds].concat());
        }
        let mut header = HeaderValue::try_from(line).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// A `Set-Cookie` that removes the cookie: same name, path and attributes, no lifetime.
    pub(crate) fn clear(&self) -> Option<HeaderValue> {
        self.set("", Lasts::For(Duration::ZERO))
    }
}

#[cfg(test)]
mod tests;
