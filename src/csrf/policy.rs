//! The rules: pure functions of the request head, the binding and the time.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::{
    keys::CsrfKeys,
    token::{Form, Token, are_same},
};
use crate::{
    binding::CsrfBinding,
    clock::{Clock, Timestamp},
    cookie::{self, CookieSpec},
    credentials::{self, Credentials},
    guard::{is_cross_site, overrides_method},
    random::{RandomError, random},
    rejection::CsrfReason,
};

/// What the layer was told.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) keys: CsrfKeys,
    pub(super) cookie: CookieSpec,
    pub(super) header: HeaderName,
    pub(super) safe_methods: Vec<Method>,
    pub(super) method_override: bool,
    /// The cookies that authenticate; `None` when any may.
    pub(super) session_cookies: Option<Vec<String>>,
    pub(super) age: Option<AgeLimit>,
    pub(super) clock: Arc<dyn Clock>,
}

/// How long a token is good.
#[derive(Clone, Copy, Debug)]
pub(super) struct AgeLimit {
    pub(super) max: Duration,
    /// How far ahead the clock may be that dated it.
    pub(super) skew: Duration,
}

impl Policy {
    pub(super) fn form(&self) -> Form {
        match self.age {
            Some(_) => Form::Dated,
            None => Form::Plain,
        }
    }

    /// Safe methods change nothing, so they need no token. Everything else does, an unknown method
    /// and one in lower case too (RFC 9110 section 9.1: methods are case-sensitive).
    pub(super) fn is_guarded(&self, method: &Method, headers: &HeaderMap) -> bool {
        let overridden = self.method_override && overrides_method(headers);
        overridden || !self.safe_methods.contains(method)
    }

    /// Whether nothing in the request was added by the browser on its own: the client has put one
    /// bearer token there itself, and no cookie came that could authenticate instead.
    pub(super) fn is_exempt(&self, headers: &HeaderMap) -> bool {
        let cookies = match &self.session_cookies {
            None => headers.contains_key(header::COOKIE),
            Some(names) => names
                .iter()
                .any(|name| cookie::values(headers, name).next().is_some()),
        };
        !cookies && has_one_bearer(headers)
    }

    /// The token of the cookie, whatever it is worth.
    pub(super) fn cookie<'a>(&'a self, headers: &'a HeaderMap) -> Result<&'a [u8], CsrfReason> {
        let mut values = cookie::values(headers, self.cookie.name());
        let value = values.next().ok_or(CsrfReason::CookieMissing)?;
        match values.next() {
            Some(_) => Err(CsrfReason::CookieDuplicate),
            None => Ok(value),
        }
    }

    /// What the header says.
    fn submitted<'a>(&self, headers: &'a HeaderMap) -> Result<&'a [u8], CsrfReason> {
        let mut lines = headers.get_all(&self.header).iter();
        let line = lines.next().ok_or(CsrfReason::TokenMissing)?;
        if lines.next().is_some() {
            return Err(CsrfReason::TokenDuplicate);
        }
        match line.as_bytes().trim_ascii() {
            [] => Err(CsrfReason::TokenMissing),
            text => Ok(text),
        }
    }

    /// The token of the cookie, if it was made by us for `binding` and is not too old.
    pub(super) fn authentic(
        &self,
        cookie: &[u8],
        binding: &CsrfBinding,
    ) -> Result<Token, CsrfReason> {
        let token = self.parse_cookie(cookie)?;
        self.verify(&token, binding)?;
        Ok(token)
    }

    pub(super) fn parse_cookie(&self, cookie: &[u8]) -> Result<Token, CsrfReason> {
        Token::parse_raw(self.form(), cookie).ok_or(CsrfReason::CookieMalformed)
    }

    fn verify(&self, token: &Token, binding: &CsrfBinding) -> Result<(), CsrfReason> {
        if !self.keys.verify(binding, token) {
            return Err(CsrfReason::SignatureInvalid);
        }
        match self.age {
            Some(age) if !age.allows(token.stamp, self.clock.now()) => Err(CsrfReason::Expired),
            _ => Ok(()),
        }
    }

    /// Whether `submitted` is a copy of the token in the cookie.
    pub(super) fn compare(&self, submitted: &[u8], cookie: &Token) -> Result<(), CsrfReason> {
        let submitted = Token::parse(self.form(), submitted).ok_or(CsrfReason::TokenMalformed)?;
        if submitted.is_same_as(cookie) {
            Ok(())
        } else {
            Err(CsrfReason::TokenMismatch)
        }
    }

    /// The whole check where the header alone counts: the copy is there, both are written as they
    /// should be, they are the same, and the cookie is ours, of this session and of this age.
    pub(super) fn check(
        &self,
        headers: &HeaderMap,
        binding: &CsrfBinding,
    ) -> Result<Token, CsrfReason> {
        let cookie = self.cookie(headers)?;
        let submitted = self.submitted(headers)?;
        let token = self.parse_cookie(cookie)?;
        // A token has one spelling, so a script's copy of the cookie need not be decoded again.
        if !are_same(submitted, cookie) {
            self.compare(submitted, &token)?;
        }
        self.verify(&token, binding)?;
        Ok(token)
    }

    /// A new token for `binding`.
    pub(super) fn issue(&self, binding: &CsrfBinding) -> Result<Token, RandomError> {
        let form = self.form();
        let stamp = match form {
            Form::Plain => [0; 8],
            Form::Dated => self.clock.now().as_secs().to_be_bytes(),
        };
        self.keys.sign(binding, form, random()?, stamp)
    }

    /// Whether a response has the cookie already.
    pub(super) fn is_set(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie.name().as_bytes();
        let is_ours = |line: &HeaderValue| {
            let rest = line.as_bytes().strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(b"="))
        };
        headers.get_all(header::SET_COOKIE).iter().any(is_ours)
    }

    /// Whether a safe request whose cookie is worth nothing here gets another one.
    ///
    /// A link on another site leads here without the `SameSite=Strict` cookie of the session, so
    /// the browser looks like nobody's. Its token would be replaced by one of the wrong class, and
    /// the pages in its other tabs refused, whenever a foreign page likes.
    pub(super) fn replaces(&self, headers: &HeaderMap) -> bool {
        let may_be_good = |cookie| self.parse_cookie(cookie).is_ok();
        !(is_cross_site(headers) && self.cookie(headers).is_ok_and(may_be_good))
    }

    pub(super) fn set_cookie(&self, token: &Token) -> Option<HeaderValue> {
        self.cookie.set_until_closed(&token.raw())
    }
}

impl AgeLimit {
    /// Good while its age is below the limit, and not from further ahead than clocks differ.
    fn allows(self, stamp: [u8; 8], now: Timestamp) -> bool {
        let (issued, now) = (u64::from_be_bytes(stamp), now.as_secs());
        match now.checked_sub(issued) {
            Some(age) => age < self.max.as_secs(),
            None => issued - now <= self.skew.as_secs(),
        }
    }
}

/// Exactly one `Authorization` line with one well-formed bearer token (RFC 6750 section 2.1). What
/// it is worth is for the bearer layer to say.
fn has_one_bearer(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    match credentials::parse(line.as_bytes(), usize::MAX) {
        Credentials::Token(token) => credentials::is_token68(token),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_until_the_limit_and_not_from_too_far_ahead() {
        let age = AgeLimit {
            max: Duration::from_secs(3600),
            skew: Duration::from_secs(60),
        };
        let issued = 1_800_000_000_u64;
        for (now, good) in [
            (issued, true),
            (issued + 3599, true),
            (issued + 3600, false),
            (issued + 3601, false),
            (issued - 60, true),
            (issued - 61, false),
            (u64::MAX / 1000, false),
            (0, false),
        ] {
            let now = Timestamp::from_secs(now);
            assert_eq!(age.allows(issued.to_be_bytes(), now), good, "{now:?}");
        }
        assert!(!age.allows([0xff; 8], Timestamp::from_secs(issued)));
    }

    #[test]
    fn only_one_well_formed_bearer_token_exempts() {
        let has = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(line));
            }
            has_one_bearer(&headers)
        };
        for good in ["Bearer abc", "bearer a.b-c_d~e+f/g==", "BEARER   a"] {
            assert!(has(&[good]), "{good}");
        }
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer a, Basic b",
            "Basic dTpw",
            "Bearera",
            "Bearer a b",
        ] {
            assert!(!has(&[bad]), "{bad}");
        }
        assert!(!has(&[]));
        assert!(!has(&["Bearer a", "Bearer a"]));
    }
}
