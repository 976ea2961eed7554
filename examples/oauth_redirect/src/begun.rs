//! The sign-ins that this browser has begun and not ended: a cookie for each, named after its `state`.
//!
//! So tabs do not take each other's place, and an end, good or bad, clears its own cookie alone. `__Host-`
//! keeps every other host from setting such a cookie: no attacker plants a sign-in of their own in it. Browsers
//! want https for that name, and so it goes where `main.rs` drops `Secure`.

use axum::http::{
    HeaderMap, HeaderName,
    header::{COOKIE, SET_COOKIE},
};
use base64_simd::URL_SAFE_NO_PAD as BASE64URL;
use cookie::Cookie;

use crate::{random, sha256};

/// Time enough for a password and a second factor at the provider.
const SECONDS: u32 = 600;

/// One more, and the oldest gives way. Their short life does not bound the header `Cookie`. Many tabs, or a hostile
/// page in a browser without `Sec-Fetch-Site`, can begin at any pace. This limit does, to about one kilobyte.
const MOST: usize = 8;

/// A sign-in under way.
pub(crate) struct Begun {
    pub(crate) state: String,
    /// Of PKCE: it leaves this service for the provider's token endpoint alone.
    pub(crate) verifier: String,
}

impl Begun {
    pub(crate) fn new() -> Self {
        Self {
            state: random(),
            verifier: random(),
        }
    }
}

/// The cookies of all that are under way.
#[derive(Clone)]
pub(crate) struct Beginnings {
    /// How their names begin.
    prefix: &'static str,
    attributes: &'static str,
}

impl Beginnings {
    /// Without `Secure` they need no https, and the name has no prefix then.
    pub(crate) fn new(secure: bool) -> Self {
        let (prefix, attributes) = match secure {
            true => (
                "__Host-signing-in-",
                "Path=/; Secure; HttpOnly; SameSite=Lax",
            ),
            false => ("signing-in-", "Path=/; HttpOnly; SameSite=Lax"),
        };
        Self { prefix, attributes }
    }

    /// The sign-in of this state, if this browser has begun it.
    pub(crate) fn find(&self, headers: &HeaderMap, state: &str) -> Option<Begun> {
        let name = self.name(state);
        let cookie = self.cookies(headers).find(|cookie| cookie.name() == name)?;
        let (begun, verifier) = cookie.value().split_once('.')?;
        // The name holds a part of the hash; what counts is the whole of the state.
        (begun == state).then(|| Begun {
            state: begun.to_owned(),
            verifier: verifier.to_owned(),
        })
    }

    /// The cookie of one more, and the end of the oldest ones where there are too many.
    pub(crate) fn remember(&self, begun: &Begun, headers: &HeaderMap) -> Vec<(HeaderName, String)> {
        // Browsers send cookies of one path in the order in which they were made (RFC 6265 section 5.4).
        let others: Vec<_> = self.cookies(headers).collect();
        let surplus = (others.len() + 1).saturating_sub(MOST);
        let old = others.iter().take(surplus);
        let mut lines: Vec<_> = old.map(|old| self.set(old.name(), "", 0)).collect();
        let value = format!("{}.{}", begun.state, begun.verifier);
        lines.push(self.set(&self.name(&begun.state), &value, SECONDS));
        lines
    }

    pub(crate) fn forget(&self, begun: &Begun) -> [(HeaderName, String); 1] {
        [self.set(&self.name(&begun.state), "", 0)]
    }

    /// Hashed, since the state of a request may have any length and any character in it.
    fn name(&self, state: &str) -> String {
        let hash = BASE64URL.encode_to_string(sha256(state));
        format!("{}{}", self.prefix, &hash[..16])
    }

    fn cookies<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = Cookie<'a>> {
        let lines = headers.get_all(COOKIE).iter();
        lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .filter(|cookie| cookie.name().starts_with(self.prefix))
    }

    /// Written by hand: neither name nor value needs escaping. The names that come back from the browser are
    /// tokens, or it would not have kept them.
    fn set(&self, name: &str, value: &str, max_age: u32) -> (HeaderName, String) {
        let attributes = self.attributes;
        let cookie = format!("{name}={value}; {attributes}; Max-Age={max_age}");
        (SET_COOKIE, cookie)
    }
}
