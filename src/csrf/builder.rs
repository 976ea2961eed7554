//! The settings of `CsrfLayer`.

use std::{fmt, sync::Arc, time::Duration};

use cookie::SameSite;
use http::{HeaderName, Method, request::Parts};

use super::{
    keys::CsrfKeys,
    layer::{Bind, CsrfLayer},
    policy::{AgeLimit, Policy},
};
use crate::{
    binding::CsrfBinding,
    clock::{Clock, SystemClock},
    config::ConfigError,
    cookie::{CookieError, CookieSpec, Prefix},
    event::EventSink,
};

/// Builds a [`CsrfLayer`]; [`CsrfLayer::builder`] starts it.
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::{CsrfLayer, KeyRing};
///
/// let csrf = CsrfLayer::builder(&KeyRing::generate()?)
///     .http_only()
///     .max_age(Duration::from_secs(8 * 60 * 60))
///     .build()?;
/// # let _ = csrf;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[must_use]
pub struct CsrfBuilder {
    keys: CsrfKeys,
    bind: Option<Bind>,
    cookie_name: String,
    http_only: bool,
    insecure: bool,
    header: HeaderName,
    safe_methods: Vec<Method>,
    method_override: bool,
    session_cookies: Option<Vec<String>>,
    max_age: Option<Duration>,
    skew: Duration,
    clock: Arc<dyn Clock>,
    events: EventSink,
}

/// How far the clocks of two servers may differ.
const SKEW: Duration = Duration::from_secs(60);

impl CsrfBuilder {
    pub(super) fn new(keys: CsrfKeys) -> Self {
        Self {
            keys,
            bind: None,
            cookie_name: "csrf".to_owned(),
            http_only: false,
            insecure: false,
            header: HeaderName::from_static("x-csrf-token"),
            safe_methods: vec![Method::GET, Method::HEAD, Method::OPTIONS],
            method_override: false,
            session_cookies: None,
            max_age: None,
            skew: SKEW,
            clock: Arc::new(SystemClock),
            events: EventSink::default(),
        }
    }

    /// Sets which session a request belongs to, where that is not the one of a
    /// [`RefreshCookieLayer`](crate::RefreshCookieLayer) further out: [`CsrfBinding::bearer`] for a
    /// `BearerAuthLayer` further out, a function of your own for sessions of another kind.
    ///
    /// Handlers that begin or end such a session call
    /// [`CsrfToken::rotate_to`](crate::CsrfToken::rotate_to).
    ///
    /// ```
    /// use tower_bearer::{CsrfBinding, CsrfLayer, KeyRing};
    ///
    /// let csrf = CsrfLayer::builder(&KeyRing::generate()?).binding(CsrfBinding::bearer).build()?;
    /// # let _ = csrf;
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn binding(
        mut self,
        session: impl Fn(&Parts) -> CsrfBinding + Send + Sync + 'static,
    ) -> Self {
        self.bind = Some(Arc::new(session));
        self
    }

    /// The clock that an age limit is judged by. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The cookie's name, without its prefix. Default: `csrf`, sent as `__Host-csrf`.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = name.into();
        self
    }

    /// Drops `Secure` and the prefix, for development over plain http on another host than
    /// `localhost`. Every sibling host can then plant the cookie.
    pub fn dangerous_insecure_cookie(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// Where refusals are reported to.
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }

    /// The header that carries the token back. Default: `X-CSRF-Token`.
    pub fn header_name(mut self, name: HeaderName) -> Self {
        self.header = name;
        self
    }

    /// Hides the cookie from scripts (`HttpOnly`). Pages then get the token from
    /// [`CsrfToken::masked`](crate::CsrfToken::masked) alone. Default: a script may read the
    /// cookie, and copies it into the header.
    pub fn http_only(mut self) -> Self {
        self.http_only = true;
        self
    }

    /// How long a token is good, in whole seconds. Default: as long as its session.
    ///
    /// Tokens then carry the time they were made at (`v2.…`), so switching the limit on or off
    /// replaces every token at the next safe request.
    pub fn max_age(mut self, limit: Duration) -> Self {
        self.max_age = Some(limit);
        self
    }

    /// Says that something further in replaces the method by `X-HTTP-Method-Override`,
    /// `X-HTTP-Method` or `X-Method-Override`. Safe methods with such a header then need a token.
    pub fn method_override(mut self) -> Self {
        self.method_override = true;
        self
    }

    /// The methods that need no token: some of `GET`, `HEAD`, `OPTIONS` and `TRACE`, which change
    /// nothing (RFC 9110 section 9.2.1). Default: the first three.
    pub fn safe_methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.safe_methods = methods.into_iter().collect();
        self
    }

    /// The full names of the cookies that authenticate. A request with one bearer token and none
    /// of these then needs no CSRF token. Default: any cookie may authenticate.
    pub fn session_cookies<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.session_cookies = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// How far ahead the time in a token may be, where there is an age limit: the clocks of two
    /// servers differ. Default: 60 seconds.
    pub fn skew(mut self, skew: Duration) -> Self {
        self.skew = skew;
        self
    }

    /// Checks the settings and makes the layer.
    ///
    /// # Errors
    ///
    /// When the ring has no refresh secret, the cookie's name cannot be written into a cookie, a
    /// method on the safe list is not safe, a session cookie has no name that can be sent, or the age limit
    /// is shorter than a second.
    pub fn build(self) -> Result<CsrfLayer, ConfigError> {
        self.keys.check()?;
        let prefix = if self.insecure {
            Prefix::Insecure
        } else {
            Prefix::Host
        };
        // `Lax`, since with `Strict` a page reached by a link from elsewhere would come without
        // the cookie and get another one, and the forms in the other tabs would go stale.
        let cookie = CookieSpec::new(&self.cookie_name, "/", prefix, SameSite::Lax);
        let cookie = cookie.map_err(|error| match error {
            CookieError::Name(problem) | CookieError::Path(problem) => {
                ConfigError::new("cookie_name", problem)
            }
        })?;
        let safe = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE];
        if !self.safe_methods.iter().all(|method| safe.contains(method)) {
            return Err(ConfigError::new(
                "safe_methods",
                "may name GET, HEAD, OPTIONS and TRACE only: every other method changes state",
            ));
        }
        if let Some(names) = &self.session_cookies {
            check_session_cookies(names)?;
        }
        if self.max_age.is_some_and(|limit| limit.as_secs() == 0) {
            return Err(ConfigError::new(
                "max_age",
                "must be a second at least: every token would be too old",
            ));
        }
        let policy = Policy {
            keys: self.keys,
            cookie: if self.http_only {
                cookie
            } else {
                cookie.readable()
            },
            header: self.header,
            safe_methods: self.safe_methods,
            method_override: self.method_override,
            session_cookies: self.session_cookies,
            age: self.max_age.map(|max| AgeLimit {
                max,
                skew: self.skew,
            }),
            clock: self.clock,
        };
        Ok(CsrfLayer::with_policy(policy, self.bind, self.events))
    }
}

/// A name that no cookie can have would never end the exemption.
fn check_session_cookies(names: &[String]) -> Result<(), ConfigError> {
    let error = |problem| Err(ConfigError::new("session_cookies", problem));
    if names.is_empty() {
        return error(
            "must name one cookie at least; without the setting any cookie may authenticate",
        );
    }
    let visible = |b: u8| b.is_ascii_graphic() && b != b';' && b != b'=';
    if !names
        .iter()
        .all(|name| !name.is_empty() && name.bytes().all(visible))
    {
        return error(
            "must be full names of cookies, such as __Secure-refresh_token: visible ASCII \
             characters other than ; and =",
        );
    }
    Ok(())
}

impl fmt::Debug for CsrfBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            keys,
            bind: _,
            cookie_name,
            http_only,
            insecure,
            header,
            safe_methods,
            method_override,
            session_cookies,
            max_age,
            skew,
            clock,
            events,
        } = self;
        f.debug_struct("CsrfBuilder")
            .field("keys", keys)
            .field("cookie_name", cookie_name)
            .field("http_only", http_only)
            .field("insecure", insecure)
            .field("header", header)
            .field("safe_methods", safe_methods)
            .field("method_override", method_override)
            .field("session_cookies", session_cookies)
            .field("max_age", max_age)
            .field("skew", skew)
            .field("clock", clock)
            .field("events", events)
            .finish_non_exhaustive()
    }
}
