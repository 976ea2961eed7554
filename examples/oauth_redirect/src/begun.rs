//! The sign-ins that this browser has begun and not ended: a cookie for each, named after its `state`.
//!
//! So tabs do not take each other's place, and an end, good or bad, clears its own cookie alone. `__Host-`
//! keeps every other host from setting such a cookie: no attacker plants a sign-in of their own in it.

use axum::http::{
    HeaderMap, HeaderName,
    header::{COOKIE, SET_COOKIE},
};
use base64_simd::URL_SAFE_NO_PAD as BASE64URL;
use cookie::Cookie;

use crate::{random, sha256};

const PREFIX: &str = "__Host-signing-in-";

/// Time enough for a password and a second factor at the provider.
const SECONDS: u32 = 600;

/// One more, and the oldest gives way. Their short life does not bound the header `Cookie`: a hostile page can
/// send the browser to `/auth/begin` as often as it likes. This does, to about one kilobyte.
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

    /// The sign-in of this state, if this browser has begun it.
    pub(crate) fn find(headers: &HeaderMap, state: &str) -> Option<Self> {
        let name = name(state);
        let cookie = cookies(headers).find(|cookie| cookie.name() == name)?;
        let (begun, verifier) = cookie.value().split_once('.')?;
        // The name holds a part of the hash; what counts is the whole of the state.
        (begun == state).then(|| Self {
            state: begun.to_owned(),
            verifier: verifier.to_owned(),
        })
    }

    /// Its cookie, and the end of the oldest ones where there are too many.
    pub(crate) fn remember(&self, headers: &HeaderMap) -> Vec<(HeaderName, String)> {
        // Browsers send cookies of one path in the order in which they were made (RFC 6265 section 5.4).
        let others: Vec<_> = cookies(headers).collect();
        let surplus = (others.len() + 1).saturating_sub(MOST);
        let old = others.iter().take(surplus);
        let mut lines: Vec<_> = old.map(|old| set_cookie(old.name(), "", 0)).collect();
        let value = format!("{}.{}", self.state, self.verifier);
        lines.push(set_cookie(&name(&self.state), &value, SECONDS));
        lines
    }

    pub(crate) fn forget(&self) -> [(HeaderName, String); 1] {
        [set_cookie(&name(&self.state), "", 0)]
    }
}

/// Hashed, since the state of a request may have any length and any character in it.
fn name(state: &str) -> String {
    let hash = BASE64URL.encode_to_string(sha256(state));
    format!("{PREFIX}{}", &hash[..16])
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    let lines = headers.get_all(COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name().starts_with(PREFIX))
}

/// Written by hand: neither name nor value needs escaping. The names that come back from the browser are
/// tokens, or it would not have kept them.
fn set_cookie(name: &str, value: &str, max_age: u32) -> (HeaderName, String) {
    let attributes = "Path=/; Secure; HttpOnly; SameSite=Lax";
    let cookie = format!("{name}={value}; {attributes}; Max-Age={max_age}");
    (SET_COOKIE, cookie)
}
