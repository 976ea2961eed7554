//! The ordered rules: a pure function of the request head.

use http::{HeaderMap, HeaderName, Method, Uri, header, uri::Scheme};

use super::{
    config::{Config, MissingOrigin, Origins},
    origin::origin_of,
};
use crate::{
    authorization::{is_ambient, is_tchar},
    cookie,
    csrf_session::CSRF_COOKIES,
    host::{is_on_host, is_web_origin},
    rejection::OriginReason,
    request::{SEC_FETCH_SITE, overrides_method},
};

/// Cookies of this crate that authenticate no client. They are the CSRF cookie, and the jar cookie without the refresh
/// cookie, which it outlives. Their names are those that the application has not changed.
const HARMLESS: [&str; 6] = {
    let [csrf, csrf_of_answers] = CSRF_COOKIES;
    [
        csrf,
        csrf_of_answers,
        "__Secure-refresh_token_jar",
        "__Host-refresh_token_jar",
        "__Http-refresh_token_jar",
        "__Host-Http-refresh_token_jar",
    ]
};

impl Config {
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
        let origin = single(headers, &header::ORIGIN)?;
        let site = single(headers, &SEC_FETCH_SITE)?;
        let referer = single(headers, &header::REFERER)?;

        if let Some(origin) = origin {
            return self.check_origin(origin, site, uri, headers);
        }
        match site {
            Some(b"same-origin" | b"none") => return Ok(()),
            Some(b"same-site" | b"cross-site") => return Err(OriginReason::CrossSite),
            _ => {}
        }
        match (site, referer) {
            (None, None) => self.unsaid(headers),
            (_, referer) => match referer.and_then(origin_of) {
                Some(origin) if self.is_listed(origin, uri, headers) => Ok(()),
                _ => Err(OriginReason::UnlistedReferer),
            },
        }
    }

    /// Safe methods change nothing, so they pass. CORS asks with `OPTIONS`. A `GET` that opens a WebSocket is guarded:
    /// browsers apply no CORS there and send the cookies along.
    fn is_guarded(&self, method: &Method, headers: &HeaderMap) -> bool {
        let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        let overridden = || self.method_override && overrides_method(headers);
        !safe || (*method == Method::GET && is_websocket(headers)) || overridden()
    }

    fn check_origin(
        &self,
        origin: &[u8],
        site: Option<&[u8]>,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), OriginReason> {
        if origin == b"null" {
            // A form that is restored or sent again comes without its page, as `none`. No page can
            // bring a browser to say that.
            return match site {
                Some(b"same-origin" | b"none") => Ok(()),
                _ => Err(OriginReason::Null),
            };
        }
        let passes = match (&self.origins, site) {
            // The browser knows which address it asks. Proxies may change `Host`.
            (Origins::Own, Some(b"same-origin")) => {
                std::str::from_utf8(origin).is_ok_and(is_web_origin)
            }
            // `Host` names no scheme, so it would take the page on plain `http` for our own.
            (Origins::Own, Some(b"same-site" | b"cross-site")) => {
                return Err(OriginReason::CrossSite);
            }
            // A list holds for browsers that err in `Sec-Fetch-Site`, too.
            _ => self.is_listed(origin, uri, headers),
        };
        match passes {
            true => Ok(()),
            false => Err(OriginReason::UnlistedOrigin),
        }
    }

    fn is_listed(&self, origin: &[u8], uri: &Uri, headers: &HeaderMap) -> bool {
        let Ok(origin) = std::str::from_utf8(origin) else {
            return false;
        };
        match &self.origins {
            Origins::Listed(list) => list.iter().any(|entry| entry.matches(origin)),
            Origins::Own => is_own(origin, uri, headers),
        }
    }

    fn unsaid(&self, headers: &HeaderMap) -> Result<(), OriginReason> {
        let refused = match self.missing {
            MissingOrigin::DangerousAllow => false,
            MissingOrigin::Refuse => true,
            MissingOrigin::RefuseWithCredentials => has_ambient(headers),
        };
        if refused {
            return Err(OriginReason::Missing);
        }
        Ok(())
    }
}

/// The header's value without the white space around it.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, OriginReason> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next();
    if lines.next().is_some() {
        return Err(OriginReason::Repeated);
    }
    Ok(first.map(|value| value.as_bytes().trim_ascii()))
}

/// Returns whether `origin` is the host that the request is sent to. The host is that of `:authority` (or the authority
/// of an absolute target) and of `Host`.
///
/// Where both are there they must agree (RFC 9113 section 8.3.1). A proxy that forwards a request with two different
/// hosts was deceived, or deceives this server. A request that names its scheme as `https` does not come from an own
/// page on plain `http`. An attacker on the network can write such a page.
fn is_own(origin: &str, uri: &Uri, headers: &HeaderMap) -> bool {
    if uri.scheme() == Some(&Scheme::HTTPS) && !origin.starts_with("https://") {
        return false;
    }
    let Ok(host) = single(headers, &header::HOST) else {
        return false;
    };
    let authority = uri
        .authority()
        .map(|authority| authority.as_str().as_bytes());
    let is_on = |own: &[u8]| std::str::from_utf8(own).is_ok_and(|own| is_on_host(origin, own));
    (authority.is_some() || host.is_some()) && authority.is_none_or(is_on) && host.is_none_or(is_on)
}

/// Whether a `GET` asks for a WebSocket (RFC 6455 section 4.1).
///
/// `Upgrade` is a list of protocols, possibly over several lines. Each is in any case and may have a version behind a
/// slash (RFC 9110 section 7.8). A proxy may have removed it as a hop-by-hop header, in front of a server that does not
/// require it. The handshake's key then remains. Pages can set neither.
fn is_websocket(headers: &HeaderMap) -> bool {
    let is_name = |protocol: &[u8]| {
        let mut parts = protocol.trim_ascii().split(|b| !is_tchar(*b));
        let name = parts.next().unwrap_or_default();
        name.eq_ignore_ascii_case(b"websocket")
    };
    headers.contains_key(header::SEC_WEBSOCKET_KEY)
        || headers
            .get_all(header::UPGRADE)
            .iter()
            .any(|line| line.as_bytes().split(|b| *b == b',').any(is_name))
}

/// Returns whether the browser may have added credentials by itself. That is a cookie, or an `Authorization` of a
/// scheme that browsers send unasked.
fn has_ambient(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    cookie::has_other_than(headers, &HARMLESS) || lines.any(|line| is_ambient(line.as_bytes()))
}
