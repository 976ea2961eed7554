//! The rules: pure functions of the request head and the binding.

use http::{HeaderMap, HeaderValue, Method, header, request::Parts};

use super::{
    config::Config,
    keys::Made,
    token::{Class, Token, are_same},
};
use crate::{
    authorization,
    cookie::{self, Lasts},
    csrf_session::{Candidates, CsrfSession},
    current_session::{CurrentSession, SIGNED_OUT},
    random::{RandomError, random},
    rejection::{CsrfReason, Rejection},
    request::{is_cross_site, overrides_method},
};

/// Without `RefreshCookieLayer` outside there is no session to bind tokens to.
const NO_SESSION: &str = "CsrfLayer finds no session: RefreshCookieLayer is missing, or stands inside of CsrfLayer \
     instead of outside. In a ServiceBuilder the outer layer comes first, with axum's Router::layer it comes last. \
     For sessions of another kind use CsrfBuilder::session";

/// Two cookies of one name would replace each other.
const SAME_NAME: &str = "CsrfBuilder::cookie_name is that of the refresh cookie or its jar cookie: give one of \
     them another name. The jar cookie has the refresh cookie's name with _jar behind it";

/// A token from here would be of no session, and replace the one that the browser has.
fn not_reached(path: &str, cookie_path: &str) -> String {
    let path: String = path.chars().take(80).collect();
    format!(
        "CsrfLayer is around {path:?}. The browser sends the refresh cookie only to {cookie_path:?} and below. Put \
         CsrfLayer around RefreshCookieBuilder::cookie_path alone (with Auth, mount is the whole path of its \
         routes). Or give the cookie the path / with host_prefix (with Auth, everywhere). external_prefix names \
         the prefix that a proxy in front removes, or that a router has around these routes"
    )
}

/// The sessions that a request's token may belong to.
pub(super) struct Bound {
    pub(super) candidates: Candidates,
    /// The session of the refresh cookie, if a layer further out has one, which may move the browser on.
    pub(super) session: Option<CurrentSession>,
}

/// A token of the cookie that is good, and the session that it is good for.
#[derive(Clone, Copy)]
pub(super) struct Good {
    pub(super) token: Token,
    pub(super) binding: CsrfSession,
    /// The cookies of several sessions came, and one of them may be an attacker's own. No other token of `binding`
    /// goes with this one. The request acts on that session alone.
    pub(super) alone: bool,
}

/// How a request stands before a token is looked for in it.
pub(super) enum Need {
    /// It needs a copy of the cookie's token.
    Token,
    /// The client has put credentials there itself, and a browser has added none.
    Exempt,
    /// It changes nothing.
    Safe {
        /// The token that pages can be given copies of, if the browser has one.
        good: Option<Good>,
        /// A page that asks for a token brings the browser one.
        lacks: bool,
    },
}

/// The state of the copy that a request submits.
pub(super) enum Proof {
    /// It is not asked for.
    Exempt,
    /// It is there and good.
    Given,
    /// The handler finds it, and it has to go with the cookie's token.
    Expected(Good),
    /// The request is a safe one, and nothing was checked.
    Absent,
}

/// The error for a form with files, which no layer reads.
const MULTIPART: &str = "a multipart form is not read for its CSRF token. Send the token in the header \
     (X-CSRF-Token), or let the handler check it with CsrfToken::verify (CsrfBuilder::handler_verifies)";

impl Config {
    /// Returns the sessions that the request's token may be bound to.
    ///
    /// # Errors
    ///
    /// The mistake in the wiring, whatever the method: a safe request would carry a wrong token away.
    pub(super) fn bound(&self, parts: &Parts) -> Result<Bound, Rejection> {
        let session = parts.extensions.get::<CurrentSession>();
        if session.is_some_and(|session| session.has_cookie_name(self.cookie.name())) {
            return Err(Rejection::wiring(SAME_NAME));
        }
        if let Some(bind) = &self.bind {
            return Ok(Bound {
                candidates: bind(parts).into(),
                session: session.cloned(),
            });
        }
        let session = session.ok_or_else(|| Rejection::wiring(NO_SESSION))?;
        if let Some(path) = session.unreached() {
            return Err(Rejection::wiring(not_reached(path, session.cookie_path())));
        }
        Ok(Bound {
            candidates: session.candidates(&parts.headers),
            session: Some(session.clone()),
        })
    }

    /// Decides without reading the submitted token.
    pub(super) fn need(&self, parts: &Parts, candidates: &Candidates) -> Need {
        let headers = &parts.headers;
        if self.is_guarded(&parts.method, headers) {
            let jar = parts.extensions.get::<CurrentSession>();
            let jar = jar.and_then(CurrentSession::jar_name);
            return match self.is_exempt(headers, jar) {
                true => Need::Exempt,
                false => Need::Token,
            };
        }
        let (good, lacks) = self.held(headers, candidates);
        Need::Safe {
            good,
            // A preflight brings no cookies, whatever the browser has. And of several sessions a page
            // does not choose one: `GET {base}/csrf` asks the store.
            lacks: lacks && parts.method != Method::OPTIONS && candidates.others.is_empty(),
        }
    }

    /// Judges the cookie of a safe request, and says whether the browser is to get another one.
    ///
    /// A link on another site leads here without the `SameSite=Strict` cookie of the session. So the browser looks
    /// like one without a session. Its token would be replaced by one of the wrong class, and the forms in its other
    /// tabs rejected. A foreign page could cause that at will.
    fn held(&self, headers: &HeaderMap, candidates: &Candidates) -> (Option<Good>, bool) {
        let token = self
            .cookie(headers)
            .and_then(|cookie| self.parse_cookie(cookie));
        let Ok(token) = token else {
            return (None, true);
        };
        let first = candidates.first;
        match self.find(&token, candidates) {
            Some((good, made)) => (Some(good), made == Made::Before),
            // Nothing tells whether it is good: the session is not in view. A page that asks gets a copy of
            // it, and its worth shows when that comes back.
            None if first.is_unseen() && token.class == Class::Session => {
                let good = Good {
                    token,
                    binding: first,
                    alone: true,
                };
                (Some(good), false)
            }
            // One of no session is judged in every view.
            None => {
                let is_unknown = token.class == Class::Session || first.digest().is_some();
                (None, !(is_unknown && is_cross_site(headers)))
            }
        }
    }

    /// Safe methods change nothing, so they need no token. Everything else does, an unknown method
    /// and one in lower case too (RFC 9110 section 9.1: methods are case-sensitive).
    pub(super) fn is_guarded(&self, method: &Method, headers: &HeaderMap) -> bool {
        let overridden = self.method_override && overrides_method(headers);
        overridden || ![Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
    }

    /// Whether the client has put credentials there itself, and no cookie came that could authenticate
    /// instead. Our own cookie authenticates no client, nor does the one of the name `jar` without the
    /// refresh cookie.
    fn is_exempt(&self, headers: &HeaderMap, jar: Option<&str>) -> bool {
        let own = self.cookie.name();
        let cookies = match &self.session_cookies {
            None => cookie::has_other_than(headers, &[own, jar.unwrap_or(own)]),
            Some(names) => names
                .iter()
                .any(|name| cookie::values(headers, name).next().is_some()),
        };
        !cookies && authorization::is_explicit(headers)
    }

    /// The token of the cookie, valid or not.
    pub(super) fn cookie<'a>(&'a self, headers: &'a HeaderMap) -> Result<&'a [u8], CsrfReason> {
        let mut values = cookie::values(headers, self.cookie.name());
        let value = values.next().ok_or(CsrfReason::CookieMissing)?;
        match values.next() {
            Some(_) => Err(CsrfReason::CookieDuplicate),
            None => Ok(value),
        }
    }

    /// Reads the token from the header.
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

    /// Judges the cookie's token: for which of the `candidates` it is good, and by which key it was made.
    fn find(&self, token: &Token, candidates: &Candidates) -> Option<(Good, Made)> {
        let made = |binding: &CsrfSession| Some((*binding, self.keys.verify(binding, token)?));
        let (binding, made) = candidates.iter().find_map(made)?;
        let good = Good {
            token: *token,
            binding,
            alone: !candidates.others.is_empty(),
        };
        Some((good, made))
    }

    /// The token of the cookie, if it is ours and of one of the `candidates`.
    pub(super) fn authentic(
        &self,
        cookie: &[u8],
        candidates: &Candidates,
    ) -> Result<Good, CsrfReason> {
        let token = self.parse_cookie(cookie)?;
        let found = self.find(&token, candidates);
        found
            .map(|(good, _)| good)
            .ok_or(CsrfReason::SignatureInvalid)
    }

    fn parse_cookie(&self, cookie: &[u8]) -> Result<Token, CsrfReason> {
        Token::parse_raw(cookie).ok_or(CsrfReason::CookieMalformed)
    }

    /// Whether `submitted` goes with the token in the cookie. It is a copy of it, or another token of the same
    /// session, issued to another tab.
    pub(super) fn compare(&self, submitted: &[u8], cookie: &Good) -> Result<(), CsrfReason> {
        self.goes_with(submitted, &cookie.token, Some(cookie))
    }

    /// The same, where the cookie is good for no session if `good` is `None`.
    fn goes_with(
        &self,
        submitted: &[u8],
        cookie: &Token,
        good: Option<&Good>,
    ) -> Result<(), CsrfReason> {
        let submitted = Token::parse(submitted, cookie.class).ok_or(CsrfReason::TokenMalformed)?;
        // An attacker can have a token of no session made, so that one has to be a copy. One of the session
        // is given to the session's own pages alone.
        let is_of = |good: &Good| {
            let is_asked = !good.alone && submitted.class == Class::Session;
            is_asked && self.keys.verify(&good.binding, &submitted).is_some()
        };
        if submitted.is_same_as(cookie) || good.is_some_and(is_of) {
            Ok(())
        } else {
            Err(CsrfReason::TokenMismatch)
        }
    }

    /// The whole check where the header alone counts. Header and cookie are present and well-formed, go together, and
    /// the cookie is ours and of this session.
    pub(super) fn check(
        &self,
        headers: &HeaderMap,
        candidates: &Candidates,
    ) -> Result<Good, CsrfReason> {
        let cookie = self.cookie(headers)?;
        let submitted = self.submitted(headers)?;
        let token = self.parse_cookie(cookie)?;
        let good = self.find(&token, candidates).map(|(good, _)| good);
        // A token has one spelling, so a script's copy of the cookie need not be decoded again.
        if !are_same(submitted, cookie) {
            self.goes_with(submitted, &token, good.as_ref())?;
        }
        good.ok_or(CsrfReason::SignatureInvalid)
    }

    /// Checks a request that needs a token, as far as that is the layer's to do.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub(super) fn decide(
        &self,
        headers: &HeaderMap,
        bound: &Bound,
    ) -> Result<(Good, Proof), Rejection> {
        let candidates = &bound.candidates;
        // A header that went wrong is not made good elsewhere.
        let judged = if self.handler_verifies && !headers.contains_key(&self.header) {
            let cookie = self.cookie(headers);
            let good = cookie.and_then(|cookie| self.authentic(cookie, candidates));
            good.map(|good| (good, Proof::Expected(good)))
        } else {
            let good = self.check(headers, candidates);
            good.map(|good| (good, Proof::Given))
        };
        judged.map_err(|reason| self.rejection(reason, headers, bound))
    }

    /// Whether the CSRF cookie is of a session whose refresh cookie did not come. The cookie's own word is taken
    /// for it: without the session nothing checks its MAC.
    pub(super) fn is_left(&self, headers: &HeaderMap, session: Option<&CurrentSession>) -> bool {
        let is_alone = |session: &CurrentSession| self.bind.is_none() && !session.is_sent();
        let cookie = session.filter(|session| is_alone(session));
        let cookie = cookie.and_then(|_| self.cookie(headers).ok());
        let token = cookie.and_then(Token::parse_raw);
        token.is_some_and(|token| token.class == Class::Session)
    }

    /// The refusal of a request with these `headers`. The client learns nothing of its text.
    pub(super) fn rejection(
        &self,
        reason: CsrfReason,
        headers: &HeaderMap,
        bound: &Bound,
    ) -> Rejection {
        let is_multipart = |line: &HeaderValue| {
            let kind = line.as_bytes().get(..b"multipart/".len());
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"))
        };
        let rejection = Rejection::csrf(reason);
        let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
        let session = bound.session.as_ref();
        match reason {
            CsrfReason::TokenMissing if kinds.any(is_multipart) => rejection.saying(MULTIPART),
            CsrfReason::SignatureInvalid | CsrfReason::TokenMismatch
                if self.is_left(headers, session) =>
            {
                rejection.saying_alone(SIGNED_OUT)
            }
            _ => rejection,
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

    /// The cookie of `token`.
    pub(super) fn set_cookie(&self, token: &Token, lasts: Lasts) -> Option<HeaderValue> {
        self.cookie.set(&token.raw(), lasts)
    }
}
