//! The ordered rules: a pure function of the request head.

use std::fmt;

use http::{HeaderMap, HeaderName, Method, Uri, header};

use super::origin::{Origin, is_on_host, origin_of};
use crate::rejection::OriginReason;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The headers by which frameworks let a client replace the method.
const METHOD_OVERRIDES: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
];

/// What `OriginGuardLayer` was told.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) origins: Origins,
    pub(super) missing: Missing,
    pub(super) ambient_credentials: bool,
    pub(super) method_override: bool,
}

/// Whose requests pass.
#[derive(Clone)]
pub(super) enum Origins {
    /// Those of the listed origins.
    Listed(Box<[Origin]>),
    /// Those of the host that the request is sent to.
    Own,
}

/// What happens to a request that does not say where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Allow,
    Deny,
    DenyWithCredentials,
}

impl Policy {
    /// Whether the request comes from where it may come from.
    pub(super) fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), OriginReason> {
        if !self.is_guarded(method, headers) {
            return Ok(());
        }
        let origin = single(headers, header::ORIGIN)?;
        let site = single(headers, SEC_FETCH_SITE)?;
        let referer = single(headers, header::REFERER)?;

        // An origin that is not listed is refused even when `Sec-Fetch-Site` calls it the same:
        // behind a rebound host name both are the attacker's.
        if let Some(origin) = origin {
            return match origin {
                b"null" if site == Some(b"same-origin") => Ok(()),
                b"null" => Err(OriginReason::Null),
                _ if self.is_listed(origin, uri, headers) => Ok(()),
                _ => Err(OriginReason::UnlistedOrigin),
            };
        }
        match site {
            Some(b"same-origin" | b"none") => return Ok(()),
            Some(b"same-site" | b"cross-site") => return Err(OriginReason::CrossSite),
            _ => {}
        }
        match (site, referer) {
            (None, None) => self.unsaid(headers),
            (_, referer) => {
                let origin = referer
                    .and_then(|r| std::str::from_utf8(r).ok())
                    .and_then(origin_of);
                match origin {
                    Some(origin) if self.is_listed(origin.as_bytes(), uri, headers) => Ok(()),
                    _ => Err(OriginReason::UnlistedReferer),
                }
            }
        }
    }

    /// Safe methods change nothing, so they pass. `OPTIONS` is what CORS asks with. A `GET` that
    /// opens a WebSocket is guarded: browsers apply no CORS there and send the cookies along.
    fn is_guarded(&self, method: &Method, headers: &HeaderMap) -> bool {
        let safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
        let overridden = self.method_override
            && METHOD_OVERRIDES
                .iter()
                .any(|name| headers.contains_key(name));
        !safe || overridden || (method == Method::GET && is_websocket(headers))
    }

    fn is_listed(&self, origin: &[u8], uri: &Uri, headers: &HeaderMap) -> bool {
        let Ok(origin) = std::str::from_utf8(origin) else {
            return false;
        };
        match &self.origins {
            Origins::Listed(list) => list.iter().any(|entry| entry.matches(origin)),
            Origins::Own => own_authority(uri, headers).is_some_and(|own| is_on_host(origin, own)),
        }
    }

    fn unsaid(&self, headers: &HeaderMap) -> Result<(), OriginReason> {
        let refused = match self.missing {
            Missing::Allow => false,
            Missing::Deny => true,
            Missing::DenyWithCredentials => self.ambient_credentials || has_ambient(headers),
        };
        if refused {
            return Err(OriginReason::Missing);
        }
        Ok(())
    }
}

impl fmt::Debug for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(list) => f
                .debug_list()
                .entries(list.iter().map(Origin::as_str))
                .finish(),
            Self::Own => f.write_str("same origin"),
        }
    }
}

/// The header's value without the white space around it.
fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<&[u8]>, OriginReason> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next();
    if lines.next().is_some() {
        return Err(OriginReason::Repeated);
    }
    Ok(first.map(|value| value.as_bytes().trim_ascii()))
}

/// The host that the request is sent to: `:authority`, or else the only `Host`.
fn own_authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    if let Some(authority) = uri.authority() {
        return Some(authority.as_str());
    }
    let host = single(headers, header::HOST).ok()??;
    std::str::from_utf8(host).ok()
}

fn is_websocket(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::UPGRADE)
        .iter()
        .flat_map(|line| line.as_bytes().split(|b| *b == b','))
        .any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// Whether the browser adds credentials by itself: a cookie, or an `Authorization` that is not a
/// bearer token.
fn has_ambient(headers: &HeaderMap) -> bool {
    let is_bearer = |value: &[u8]| {
        let value = value.trim_ascii();
        let scheme = value.split(|b| *b == b' ').next().unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"bearer")
    };
    headers.contains_key(header::COOKIE)
        || headers
            .get_all(header::AUTHORIZATION)
            .iter()
            .any(|value| !is_bearer(value.as_bytes()))
}
