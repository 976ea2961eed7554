//! When and how the user of a token authenticated. Few routes ask for these claims, and they are read where one does.
//!
//! Verifying a token pays nothing for them. Each look goes once over the text of the claims, and stops behind the claim
//! that it looks for.

use std::{borrow::Cow, time::Duration};

use super::{Claims, TokenContext, verified::Verified};
use crate::clock::Timestamp;

/// The last second of the year 9999, as everywhere: a larger number counts milliseconds.
const MAX_SECONDS: f64 = 253_402_300_799.0;

/// Why an authentication is not recent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotRecent {
    /// It lies in the future, by more than clocks differ.
    Future,
    /// The token does not say when it was.
    Missing,
    /// The token says something that is no time.
    Odd,
    /// It was too long ago.
    TooOld,
}

impl<C> Claims<C> {
    /// Returns `auth_time`: when the user authenticated (RFC 9068 section 2.2.1, OpenID Connect Core 1.0 section 2).
    /// `None` where the token does not say it, or says something that is no time. The session layer
    /// [mints it](crate::refresh::RefreshCookieBuilder::authentication_in_tokens) in whole seconds.
    ///
    /// It is read from the text of the claims at each call.
    ///
    /// ```
    /// use serde::Serialize;
    /// use tower_bearer::{Claims, KeyRing, NoClaims, Timestamp, TokenCodec};
    ///
    /// /// As an issuer elsewhere writes them.
    /// #[derive(Serialize)]
    /// struct Theirs {
    ///     auth_time: u64,
    ///     amr: [&'static str; 2],
    ///     acr: &'static str,
    /// }
    ///
    /// let keys = KeyRing::generate()?;
    /// let theirs = TokenCodec::<Theirs>::signed(&keys).issuer("https://id.example").audience("api").build()?;
    /// let ours = TokenCodec::<NoClaims>::signed(&keys).issuer("https://id.example").audience("api").build()?;
    /// let their = Theirs { auth_time: 1_800_000_000, amr: ["pwd", "otp"], acr: "aal2" };
    /// let claims: Claims = ours.verify(theirs.mint("user-1", &their)?.as_str())?;
    /// assert_eq!(claims.auth_time(), Some(Timestamp::from_secs(1_800_000_000)));
    /// assert_eq!(claims.amr(), ["pwd", "otp"]);
    /// assert_eq!(claims.acr().as_deref(), Some("aal2"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn auth_time(&self) -> Option<Timestamp> {
        self.0.verified.auth_time()
    }

    /// Returns `amr`: the methods by which the user authenticated (RFC 8176). Empty where the token does not name
    /// them, or `amr` is not an array of strings. Read at each call, as [`auth_time`](Self::auth_time).
    pub fn amr(&self) -> Vec<String> {
        self.0.verified.amr()
    }

    /// Returns `acr`: the authentication context class (OpenID Connect Core 1.0 section 2). `None` where there is
    /// none, or it is not a string. Read at each call, as [`auth_time`](Self::auth_time).
    pub fn acr(&self) -> Option<Cow<'_, str>> {
        self.0.verified.acr()
    }

    /// Returns whether the user authenticated at most `max_age` before `now`, for handlers that decide by themselves.
    /// [`RequireRecentAuth`](crate::RequireRecentAuth) does it for whole routes.
    ///
    /// False where the token does not say it. False also where it says a time further in the future than the codec's
    /// [`leeway`](crate::token::TokenCodecBuilder::leeway).
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_bearer::{Claims, Clock, SystemClock};
    ///
    /// /// Small amounts need no second look.
    /// fn may_pay(claims: &Claims, cents: u64) -> bool {
    ///     cents < 5_000 || claims.authenticated_within(Duration::from_secs(300), SystemClock.now())
    /// }
    /// # let _ = may_pay;
    /// ```
    pub fn authenticated_within(&self, max_age: Duration, now: Timestamp) -> bool {
        self.0.verified.recent(max_age, now).is_ok()
    }
}

impl TokenContext {
    /// Returns when the user authenticated, as [`Claims::auth_time`] does.
    pub fn auth_time(&self) -> Option<Timestamp> {
        self.claims.verified().auth_time()
    }

    /// Returns the methods by which the user authenticated, as [`Claims::amr`] does.
    pub fn amr(&self) -> Vec<String> {
        self.claims.verified().amr()
    }

    /// Returns the authentication context class, as [`Claims::acr`] does.
    pub fn acr(&self) -> Option<Cow<'_, str>> {
        self.claims.verified().acr()
    }

    /// Returns whether the user authenticated recently, as [`Claims::authenticated_within`] does.
    pub fn authenticated_within(&self, max_age: Duration, now: Timestamp) -> bool {
        self.claims.verified().recent(max_age, now).is_ok()
    }

    /// Whether the user had authenticated at most `max_age` before the token was judged.
    pub(crate) fn recent(&self, max_age: Duration) -> Result<(), NotRecent> {
        let verified = self.claims.verified();
        verified.recent(max_age, verified.judged.at)
    }
}

impl Verified {
    fn auth_time(&self) -> Option<Timestamp> {
        time(member(self.raw(), "auth_time")?)
    }

    fn amr(&self) -> Vec<String> {
        let amr = member(self.raw(), "amr").map(serde_json::from_str);
        amr.and_then(Result::ok).unwrap_or_default()
    }

    fn acr(&self) -> Option<Cow<'_, str>> {
        let json = member(self.raw(), "acr")?;
        let string = json.strip_prefix('"')?.strip_suffix('"')?;
        match memchr::memchr(b'\\', string.as_bytes()) {
            None => Some(Cow::Borrowed(string)),
            Some(_) => serde_json::from_str(json).ok().map(Cow::Owned),
        }
    }

    fn recent(&self, max_age: Duration, now: Timestamp) -> Result<(), NotRecent> {
        let json = member(self.raw(), "auth_time").ok_or(NotRecent::Missing)?;
        let at = time(json).ok_or(NotRecent::Odd)?;
        if at > now + self.judged.leeway {
            return Err(NotRecent::Future);
        }
        match now.since(at) <= max_age {
            true => Ok(()),
            false => Err(NotRecent::TooOld),
        }
    }
}

/// A `NumericDate` that is not before 1970: a JSON number, fractions allowed (RFC 7519 section 2).
fn time(json: &str) -> Option<Timestamp> {
    let seconds: f64 = json.parse().ok()?;
    // All that parses is a number here as well, but for words that are no JSON.
    let is_number = json.starts_with(|first: char| first.is_ascii_digit());
    (is_number && seconds <= MAX_SECONDS).then(|| Timestamp::from_millis((seconds * 1000.0) as u64))
}

/// The text of the value of `name` in `object`, which was read strictly before. So no name is repeated, and every
/// bracket is closed.
///
/// A name that is written with escapes is not found, and counts as none. No issuer writes these so.
fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = object.trim_ascii_start().strip_prefix('{')?;
    loop {
        let key = rest.trim_ascii_start();
        let (key, behind) = key.split_at_checked(string_end(key)?)?;
        let value = behind.trim_ascii_start().strip_prefix(':')?;
        let value = value.trim_ascii_start();
        let (value, behind) = value.split_at_checked(value_end(value)?)?;
        if key.strip_prefix('"')?.strip_suffix('"')? == name {
            return Some(value);
        }
        rest = behind.trim_ascii_start().strip_prefix(',')?;
    }
}

/// Where the value ends that `text` begins with.
fn value_end(text: &str) -> Option<usize> {
    match text.as_bytes().first()? {
        b'"' => string_end(text),
        b'{' | b'[' => container_end(text),
        _ => text.find(|c: char| c == ',' || c == '}' || c.is_ascii_whitespace()),
    }
}

/// Behind the closing quote of the string that `text` begins with.
fn string_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = usize::from(bytes.first() == Some(&b'"'));
    while at > 0 {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            // Whatever is escaped is not the end.
            _ => at += 2,
        }
    }
    None
}

/// Behind the closing bracket of the object or array that `text` begins with.
fn container_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' => {
                at += string_end(text.get(at..)?)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests;
