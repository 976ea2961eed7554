//! The rules: pure functions of the request head and the binding.

use http::{HeaderMap, HeaderValue, Method, header, request::Parts};

use super::{
    config::Config,
    token::{Token, are_same},
};
use crate::{
    authorization::{self, Credentials},
    cookie,
    csrf_session::CsrfSession,
    current_session::CurrentSession,
    random::{RandomError, random},
    rejection::{CsrfReason, Rejection},
    request::{is_cross_site, overrides_method},
};

/// Without `RefreshCookieLayer` outside there is no session to bind tokens to.
const NO_SESSION: &str = "CsrfLayer finds no session: RefreshCookieLayer is missing, or stands inside \
     of CsrfLayer instead of outside (in a ServiceBuilder the outer layer comes first, with axum's \
     Router::layer it comes last); for sessions of another kind use CsrfBuilder::session";

/// A token from here would be of no session, and replace the one that the browser has.
const NOT_REACHED: &str = "CsrfLayer is around a path to which the browser does not send the refresh \
     cookie: put it around RefreshCookieBuilder::cookie_path alone, or give the cookie the path / \
     with host_prefix; where a proxy or router in front takes a prefix off, say rewritten_paths";

/// What a request's token has to do with.
pub(super) struct Bound {
    pub(super) binding: CsrfSession,
    /// The session of the refresh cookie, if a layer further out has one, which may move the browser on.
    pub(super) session: Option<CurrentSession>,
}

/// How a request stands before a token is looked for in it.
pub(super) enum Need {
    /// It needs a copy of the cookie's token.
    Token,
    /// A browser has added nothing to it.
    Exempt,
    /// It changes nothing. The token that the browser has, if it is worth something.
    Safe {
        token: Option<Token>,
        /// The browser is to get another one.
        replace: bool,
    },
}

/// What is known of the copy that a request submits.
pub(super) enum Proof {
    /// It is not asked for.
    Exempt,
    /// It is there and good.
    Given,
    /// The handler finds it, a copy of this token, which is of the request's session.
    Expected(Token),
    /// The request is a safe one, and nothing was checked.
    Absent,
}

/// What a form of files needs, which no layer reads.
const MULTIPART: &str = "a multipart form is not read for its CSRF token: send that in the header \
     (X-CSRF-Token), or let the handler check it with CsrfToken::verify \
     (CsrfBuilder::handler_verifies)";

impl Config {
    /// What the token of the request is bound to.
    ///
    /// # Errors
    ///
    /// The mistake in the wiring, whatever the method: a safe request would carry a wrong token away.
    pub(super) fn bound(&self, parts: &Parts) -> Result<Bound, Rejection> {
        let session = parts.extensions.get::<CurrentSession>();
        if let Some(bind) = &self.bind {
            return Ok(Bound {
                binding: bind(parts),
                session: session.cloned(),
            });
        }
        let misplaced = Rejection::wiring;
        let session = session.ok_or_else(|| misplaced(NO_SESSION))?;
        if !session.is_reached() {
            return Err(misplaced(NOT_REACHED));
        }
        Ok(Bound {
            binding: session.binding(&parts.headers),
            session: Some(session.clone()),
        })
    }

    /// What is decided without a look at what was submitted.
    pub(super) fn need(&self, parts: &Parts, binding: &CsrfSession) -> Need {
        let headers = &parts.headers;
        if self.is_guarded(&parts.method, headers) {
            return if self.is_exempt(headers) {
                Need::Exempt
            } else {
                Need::Token
            };
        }
        let cookie = self.cookie(headers);
        let token = cookie.and_then(|cookie| match self.authentic(cookie, binding) {
            // Without a view of the session nothing tells whether the token is good. A page that asks
            // for one gets a copy of what the browser has, and other tabs keep theirs. Its worth
            // shows when it comes back.
            Err(_) if binding.is_unseen() => self.parse_cookie(cookie),
            token => token,
        });
        Need::Safe {
            replace: token.is_err() && self.replaces(headers),
            token: token.ok(),
        }
    }

    /// Safe methods change nothing, so they need no token. Everything else does, an unknown method
    /// and one in lower case too (RFC 9110 section 9.1: methods are case-sensitive).
    pub(super) fn is_guarded(&self, method: &Method, headers: &HeaderMap) -> bool {
        let overridden = self.method_override && overrides_method(headers);
        overridden || ![Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
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

    /// The token of the cookie, if it was made by us for `binding`.
    pub(super) fn authentic(
        &self,
        cookie: &[u8],
        binding: &CsrfSession,
    ) -> Result<Token, CsrfReason> {
        let token = self.parse_cookie(cookie)?;
        self.verify(&token, binding)?;
        Ok(token)
    }

    pub(super) fn parse_cookie(&self, cookie: &[u8]) -> Result<Token, CsrfReason> {
        Token::parse_raw(cookie).ok_or(CsrfReason::CookieMalformed)
    }

    fn verify(&self, token: &Token, binding: &CsrfSession) -> Result<(), CsrfReason> {
        if self.keys.verify(binding, token) {
            Ok(())
        } else {
            Err(CsrfReason::SignatureInvalid)
        }
    }

    /// Whether `submitted` is a copy of the token in the cookie.
    pub(super) fn compare(&self, submitted: &[u8], cookie: &Token) -> Result<(), CsrfReason> {
        let submitted = Token::parse(submitted).ok_or(CsrfReason::TokenMalformed)?;
        if submitted.is_same_as(cookie) {
            Ok(())
        } else {
            Err(CsrfReason::TokenMismatch)
        }
    }

    /// The whole check where the header alone counts: the copy is there, both are written as they
    /// should be, they are the same, and the cookie is ours and of this session.
    pub(super) fn check(
        &self,
        headers: &HeaderMap,
        binding: &CsrfSession,
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

    /// Checks a request that needs a token, as far as that is the layer's to do.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub(super) fn decide(
        &self,
        headers: &HeaderMap,
        binding: &CsrfSession,
    ) -> Result<(Token, Proof), Rejection> {
        // A header that went wrong is not made good elsewhere.
        let judged = if self.handler_verifies && !headers.contains_key(&self.header) {
            let cookie = self.cookie(headers);
            let token = cookie.and_then(|cookie| self.authentic(cookie, binding));
            token.map(|token| (token, Proof::Expected(token)))
        } else {
            let token = self.check(headers, binding);
            token.map(|token| (token, Proof::Given))
        };
        judged.map_err(|reason| Self::rejection(reason, headers))
    }

    /// The refusal of a request with these `headers`. The client learns nothing of its text.
    pub(super) fn rejection(reason: CsrfReason, headers: &HeaderMap) -> Rejection {
        let is_multipart = |line: &HeaderValue| {
            let kind = line.as_bytes().get(..b"multipart/".len());
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"))
        };
        let rejection = Rejection::csrf(reason);
        let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
        if reason == CsrfReason::TokenMissing && kinds.any(is_multipart) {
            rejection.saying(MULTIPART)
        } else {
            rejection
        }
    }

    /// A new token for `binding`.
    pub(super) fn issue(&self, binding: &CsrfSession) -> Result<Token, RandomError> {
        self.keys.sign(binding, random()?)
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
    /// the browser looks like one without a session. Its token would be replaced by one of the wrong class, and
    /// the pages in its other tabs refused, whenever a foreign page likes.
    pub(super) fn replaces(&self, headers: &HeaderMap) -> bool {
        let may_be_good = |cookie| self.parse_cookie(cookie).is_ok();
        !(is_cross_site(headers) && self.cookie(headers).is_ok_and(may_be_good))
    }

    pub(super) fn set_cookie(&self, token: &Token) -> Option<HeaderValue> {
        self.cookie.set_until_closed(&token.raw())
    }
}

/// Exactly one `Authorization` line with one well-formed bearer token (RFC 6750 section 2.1). What
/// it is worth is for the bearer layer to say.
fn has_one_bearer(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    match authorization::parse(line.as_bytes(), usize::MAX) {
        Credentials::Token(token) => authorization::is_token68(token),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
