//! One `Set-Cookie` line, as a browser reads it (RFC 6265bis section 5.7).

use std::time::Duration;

use cookie::{Cookie, SameSite};

use super::site::Site;
use crate::{
    clock::Timestamp,
    cookie::{LONGEST, path::below},
};

/// The most that browsers take for a name and its value together, in bytes.
const LARGEST: usize = 4096;

/// A cookie that a browser keeps.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) value: String,
    /// `None` where only the host that set it gets it.
    pub(super) domain: Option<String>,
    pub(super) path: String,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: SameSite,
    /// `None` until the browser closes.
    pub(super) expires: Option<Timestamp>,
}

impl Kept {
    /// Reads a line of an answer to a request for `path`.
    ///
    /// # Errors
    ///
    /// Why a browser drops it.
    pub(super) fn read(
        line: &str,
        site: &Site,
        path: &str,
        now: Timestamp,
    ) -> Result<Self, &'static str> {
        let cookie = Cookie::parse(line).map_err(|_| "it is no cookie")?;
        let domain = cookie.domain().map(str::to_ascii_lowercase);
        let kept = Self {
            name: cookie.name().to_owned(),
            value: cookie.value().to_owned(),
            domain: domain.filter(|domain| !domain.is_empty()),
            path: match cookie.path().filter(|path| path.starts_with('/')) {
                Some(path) => path.to_owned(),
                None => default_path(path).to_owned(),
            },
            secure: cookie.secure() == Some(true),
            http_only: cookie.http_only() == Some(true),
            same_site: cookie.same_site().unwrap_or(SameSite::Lax),
            expires: expires(&cookie, now),
        };
        kept.check(site, cookie.path())?;
        Ok(kept)
    }

    fn check(&self, site: &Site, path: Option<&str>) -> Result<(), &'static str> {
        if self.name.len() + self.value.len() > LARGEST {
            return Err("name and value are longer than 4096 bytes");
        }
        if self.secure && !site.is_trustworthy {
            return Err("it is Secure, and the page is on plain http");
        }
        if self.same_site == SameSite::None && !self.secure {
            return Err("it is SameSite=None, and that needs Secure");
        }
        if self
            .domain
            .as_deref()
            .is_some_and(|domain| !site.is_in(domain))
        {
            return Err("its Domain is not that of the host");
        }
        let begins = |prefix: &str| {
            let start = self.name.get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let [host, http] = [
            begins("__Host-"),
            begins("__Http-") || begins("__Host-Http-"),
        ];
        if (host || http || begins("__Secure-")) && !self.secure {
            return Err("the prefix of its name needs Secure");
        }
        if host && (self.domain.is_some() || path != Some("/")) {
            return Err("the prefix __Host- needs Path=/ and no Domain");
        }
        if http && !self.http_only {
            return Err("the prefix __Http- needs HttpOnly");
        }
        Ok(())
    }

    /// Whether a line that sets this cookie replaces `other`.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        (&self.name, &self.domain, &self.path) == (&other.name, &other.domain, &other.path)
    }

    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    /// Whether it goes with a request for `path` (RFC 6265 section 5.1.4).
    pub(super) fn reaches(&self, path: &str) -> bool {
        // A path with a slash at its end holds what is below it, and not the path without.
        let is_below = self.path.ends_with('/') && path.starts_with(&self.path);
        is_below || below(path, &self.path).is_some()
    }
}

/// The path of a cookie without one of its own: that of the request, without its last segment.
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(at @ 1..) => path.get(..at).unwrap_or("/"),
        _ => "/",
    }
}

fn expires(cookie: &Cookie<'_>, now: Timestamp) -> Option<Timestamp> {
    let latest = now + LONGEST;
    let at = match (cookie.max_age(), cookie.expires_datetime()) {
        (Some(age), _) => now + Duration::try_from(age).unwrap_or_default(),
        (None, Some(date)) => {
            Timestamp::from_secs(u64::try_from(date.unix_timestamp()).unwrap_or_default())
        }
        (None, None) => return None,
    };
    Some(at.min(latest))
}
