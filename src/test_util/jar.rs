//! The cookies of a browser.

use std::fmt;

use cookie::SameSite;
use http::header::{HeaderMap, SET_COOKIE};

use super::{
    set_cookie::Kept,
    site::{Site, path_of},
};
use crate::clock::Timestamp;

/// The cookies that a browser keeps of one host, for a test (feature `test-util`). A clone is a copy of the jar.
///
/// It follows `Path`, `Secure`, `Domain`, `Max-Age`, `Expires`, `SameSite` and the prefixes of names as browsers do.
/// See RFC 6265bis sections 5.6 to 5.8. The caller tells it the time. [`TestBrowser`](super::TestBrowser) has one. By
/// itself it serves tests that ask a server with a client of their own.
///
/// ```
/// use http::{HeaderMap, header::SET_COOKIE};
/// use std::time::Duration;
/// use tower_bearer::{Timestamp, test_util::TestJar};
///
/// let now = Timestamp::from_secs(1_800_000_000);
/// let line = "__Secure-refresh_token=a; Path=/auth; Secure; HttpOnly; Max-Age=60";
/// let answer = HeaderMap::from_iter([(SET_COOKIE, line.parse().unwrap())]);
///
/// let mut jar = TestJar::new("https://app.example");
/// assert!(jar.keep("/auth/login", &answer, now).is_empty());
/// assert_eq!(jar.header("/auth/refresh", now).as_deref(), Some("__Secure-refresh_token=a"));
/// assert_eq!(jar.header("/api", now), None);
/// assert_eq!(jar.header("/auth/refresh", now + Duration::from_secs(60)), None);
/// ```
#[derive(Clone)]
pub struct TestJar {
    site: Site,
    /// In the order they came.
    cookies: Vec<Kept>,
}

/// The page that causes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Own,
    /// A script of another site.
    Foreign,
}

impl TestJar {
    /// Returns an empty jar for the pages of `origin`, such as `https://app.example`. Pages of other ports of the host
    /// share it, as browsers have it.
    ///
    /// # Panics
    ///
    /// When `origin` is none.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self {
            site: Site::new(origin),
            cookies: Vec::new(),
        }
    }

    /// Takes the cookies of the answer to a request for `path`, which came at `now`. It forgets those that the answer
    /// clears. Returns those that a browser drops, each with the reason. Their values are left out.
    ///
    /// # Panics
    ///
    /// When `path` does not begin with a slash.
    pub fn keep(&mut self, path: &str, answer: &HeaderMap, now: Timestamp) -> Vec<String> {
        let path = path_of(path);
        let mut dropped = Vec::new();
        for line in answer.get_all(SET_COOKIE) {
            let text = String::from_utf8_lossy(line.as_bytes());
            match Kept::read(&text, &self.site, path, now) {
                Ok(cookie) => self.put(cookie, now),
                Err(reason) => {
                    let name = text.split('=').next().unwrap_or_default();
                    dropped.push(format!("{name}: {reason}"));
                }
            }
        }
        dropped
    }

    fn put(&mut self, new: Kept, now: Timestamp) {
        let old = self.cookies.iter().position(|old| new.replaces(old));
        match old.and_then(|at| self.cookies.get_mut(at)) {
            // It keeps its place among the others.
            Some(old) => *old = new,
            None => self.cookies.push(new),
        }
        self.cookies.retain(|cookie| cookie.is_live(now));
    }

    /// Returns the header `Cookie` of a request for `path` by a page of the host itself. `None` where no cookie goes
    /// there.
    ///
    /// # Panics
    ///
    /// When `path` does not begin with a slash.
    #[must_use]
    pub fn header(&self, path: &str, now: Timestamp) -> Option<String> {
        self.header_for(path, Page::Own, now)
    }

    pub(super) fn header_for(&self, path: &str, page: Page, now: Timestamp) -> Option<String> {
        let path = path_of(path);
        let mut sent: Vec<_> = self.cookies.iter().collect();
        sent.retain(|cookie| {
            cookie.is_live(now)
                && cookie.reaches(path)
                && (page == Page::Own || cookie.same_site == SameSite::None)
        });
        // The longest path goes first; those of one length as they came.
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> = sent
            .iter()
            .map(|cookie| [&*cookie.name, &cookie.value].join("="))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Returns the value of the first cookie of this name, whatever its path, and though it may have expired since.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let cookie = self.cookies.iter().find(|cookie| cookie.name == name)?;
        Some(&cookie.value)
    }

    /// The value that a script of the page reads.
    pub(super) fn readable(&self, name: &str, now: Timestamp) -> Option<&str> {
        let mut cookies = self.cookies.iter();
        let cookie = cookies.find(|c| c.name == name && !c.http_only && c.is_live(now))?;
        Some(&cookie.value)
    }

    /// Puts another value into a cookie that is there, as an attacker does.
    ///
    /// # Panics
    ///
    /// When there is none of this name.
    pub fn replace(&mut self, name: &str, value: &str) {
        let cookie = self.cookies.iter_mut().find(|cookie| cookie.name == name);
        match cookie {
            Some(cookie) => value.clone_into(&mut cookie.value),
            None => panic!(
                "the jar has no cookie {name:?} to replace, but {:?}: the name has its prefix, such as __Host-",
                self.names()
            ),
        }
    }

    /// Returns how many cookies there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cookies.len()
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }

    /// Forgets the cookies that last until the browser closes: those without `Max-Age` and `Expires`.
    pub fn close(&mut self) {
        self.cookies.retain(|cookie| cookie.expires.is_some());
    }

    fn names(&self) -> Vec<&str> {
        self.cookies.iter().map(|cookie| &*cookie.name).collect()
    }
}

impl fmt::Debug for TestJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values open sessions.
        f.debug_struct("TestJar")
            .field("origin", &self.site.origin)
            .field("names", &self.names())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
