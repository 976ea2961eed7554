//! The settings of `CsrfLayer`.

use std::{fmt, sync::Arc};

use cookie::SameSite;
use http::{HeaderName, request::Parts};

use super::{
    config::{Bind, Config},
    header_name,
    keys::CsrfKeys,
    layer::CsrfLayer,
};
use crate::{
    config::ConfigError,
    cookie::{CookieError, CookieSpec, HTTP_PREFIX_NEEDS_SECURE, Prefix},
    csrf_session::CsrfSession,
    event::EventSink,
};

/// Builds a [`CsrfLayer`]; [`CsrfLayer::builder`] starts it.
///
/// ```
/// use tower_bearer::{CsrfLayer, KeyRing};
///
/// let csrf = CsrfLayer::builder(&KeyRing::generate()?)
///     .http_only()
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
    http_prefix: bool,
    insecure: bool,
    header: HeaderName,
    method_override: bool,
    session_cookies: Option<Vec<String>>,
    handler_verifies: bool,
    events: EventSink,
}

impl CsrfBuilder {
    pub(super) fn new(keys: CsrfKeys) -> Self {
        Self {
            keys,
            bind: None,
            cookie_name: "csrf".to_owned(),
            http_only: false,
            http_prefix: false,
            insecure: false,
            header: HeaderName::from_static("x-csrf-token"),
            method_override: false,
            session_cookies: None,
            handler_verifies: false,
            events: EventSink::default(),
        }
    }

    /// Sets which session a request belongs to, where it is not that of a
    /// [`RefreshCookieLayer`](crate::RefreshCookieLayer) further out. Use [`CsrfSession::bearer`] for a
    /// `BearerAuthLayer` further out, or a function of your own for sessions of another kind.
    ///
    /// Handlers that begin or end such a session call
    /// [`CsrfToken::rotate_to`](crate::CsrfToken::rotate_to). Where its cookie is `SameSite=Strict`, the function
    /// returns [`CsrfSession::UNSEEN`] for a request that a page of another site caused.
    ///
    /// ```
    /// use tower_bearer::{CsrfLayer, KeyRing, csrf::CsrfSession};
    ///
    /// let csrf = CsrfLayer::builder(&KeyRing::generate()?).session(CsrfSession::bearer).build()?;
    /// # let _ = csrf;
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn session(
        mut self,
        session: impl Fn(&Parts) -> CsrfSession + Send + Sync + 'static,
    ) -> Self {
        self.bind = Some(Arc::new(session));
        self
    }

    /// Sets the cookie's name, without its prefix. Default: `csrf`, sent as `__Host-csrf`.
    ///
    /// [`OriginGuardLayer`](crate::OriginGuardLayer) knows the default name. A cookie of another name counts as a
    /// credential there, in requests without an origin. Do not use the name of the refresh cookie or of its jar
    /// cookie. The layer answers 500 to requests that pass both layers then.
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

    /// Sets the sink for refusals.
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }

    /// Leaves the check of a token outside the header to the handler. The handler reads the body: a multipart form,
    /// for example. The layer still checks the cookie, and the header if one came.
    ///
    /// **The handler runs before the check.** It calls [`CsrfToken::verify`](crate::CsrfToken::verify) before it
    /// changes anything, with or without a header. Without that call the layer answers 403 to each request that needs
    /// a token. A session that the handler began then does not reach the browser. So a forgotten call shows at the
    /// first try; put the layer around such handlers alone. If an extractor rejects the body before the handler runs,
    /// with 415 say, the answer is 403 as well.
    ///
    /// ```
    /// use axum::{Router, extract::Form, routing::post};
    /// use tower_bearer::{CsrfLayer, CsrfToken, KeyRing, rejection::Rejection};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Upload {
    ///     csrf_token: String,
    /// }
    ///
    /// // The same with any other extractor that reads the body.
    /// async fn upload(csrf: CsrfToken, Form(form): Form<Upload>) -> Result<&'static str, Rejection> {
    ///     csrf.verify(&form.csrf_token)?;
    ///     Ok("kept")
    /// }
    ///
    /// let csrf = CsrfLayer::builder(&KeyRing::generate()?).handler_verifies().build()?;
    /// let uploads: Router = Router::new().route("/upload", post(upload)).layer(csrf);
    /// # let _ = uploads;
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn handler_verifies(mut self) -> Self {
        self.handler_verifies = true;
        self
    }

    /// Sets the header that carries the token back. Default: `X-CSRF-Token`.
    ///
    /// Pages of other sites must not be able to send it without a preflight. Neither browsers nor proxies may write
    /// it. [`build`](Self::build) rejects `Content-Type`, `Authorization`, `X-Requested-With`, `X-Forwarded-Proto`
    /// and their like.
    pub fn header_name(mut self, name: HeaderName) -> Self {
        self.header = name;
        self
    }

    /// The header that carries the token back.
    #[cfg(feature = "cors")]
    pub(crate) fn header(&self) -> HeaderName {
        self.header.clone()
    }

    /// Hides the cookie from scripts (`HttpOnly`). Pages then get the token from
    /// [`CsrfToken::masked`](crate::CsrfToken::masked) alone. Default: a script may read the
    /// cookie, and copies it into the header.
    pub fn http_only(mut self) -> Self {
        self.http_only = true;
        self
    }

    /// Names the cookie `__Host-Http-…` and hides it from scripts, as [`http_only`](Self::http_only) does.
    /// Default: off, the prefix is `__Host-`.
    ///
    /// A browser that knows the prefix takes the cookie from answers alone
    /// (draft-ietf-httpbis-layered-cookies): no script can plant one. Any other browser reads it as
    /// `__Host-`. [Refresh cookies](crate::refresh::RefreshCookieBuilder::http_prefix) have more on it.
    pub fn http_prefix(mut self) -> Self {
        self.http_prefix = true;
        self
    }

    /// Says that something further in replaces the method by `X-HTTP-Method-Override`,
    /// `X-HTTP-Method` or `X-Method-Override`. Safe methods with such a header then need a token.
    pub fn method_override(mut self) -> Self {
        self.method_override = true;
        self
    }

    /// Names the cookies that authenticate, in full. A request with credentials of the client's own in
    /// `Authorization`, and none of these, then needs no CSRF token. Default: every cookie but that of this
    /// layer and the jar cookie of a session may authenticate.
    pub fn session_cookies<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.session_cookies = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Checks the settings and makes the layer.
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// * the ring has no refresh secret;
    /// * the cookie's name cannot be written into a cookie, or a session cookie has no name that can be sent;
    /// * the header cannot carry a token;
    /// * [`http_prefix`](Self::http_prefix) is set with
    ///   [`dangerous_insecure_cookie`](Self::dangerous_insecure_cookie).
    pub fn build(self) -> Result<CsrfLayer, ConfigError> {
        self.keys.check()?;
        header_name::check(&self.header)?;
        let prefix = match (self.http_prefix, self.insecure) {
            (true, true) => return Err(ConfigError::new("http_prefix", HTTP_PREFIX_NEEDS_SECURE)),
            (true, false) => Prefix::HostHttp,
            (false, true) => Prefix::Insecure,
            (false, false) => Prefix::Host,
        };
        // `Lax`: with `Strict`, a page reached by a link from elsewhere would come without the cookie. It would get
        // another one, and the forms in the other tabs would go stale.
        let cookie = CookieSpec::new(&self.cookie_name, "/", prefix, SameSite::Lax);
        let cookie = cookie.map_err(|error| match error {
            CookieError::Name(problem) | CookieError::Path(problem) => {
                ConfigError::about("cookie_name", &self.cookie_name, problem)
            }
        })?;
        if let Some(names) = &self.session_cookies {
            check_session_cookies(names, cookie.name())?;
        }
        let config = Config {
            keys: self.keys,
            bind: self.bind,
            cookie: if self.http_only || self.http_prefix {
                cookie
            } else {
                cookie.readable()
            },
            header: self.header,
            method_override: self.method_override,
            session_cookies: self.session_cookies,
            handler_verifies: self.handler_verifies,
        };
        Ok(CsrfLayer::with_config(config, self.events))
    }
}

/// A name that no cookie can have would never end the exemption.
fn check_session_cookies(names: &[String], own: &str) -> Result<(), ConfigError> {
    const SETTING: &str = "session_cookies";
    if names.is_empty() {
        return Err(ConfigError::new(
            SETTING,
            "must name one cookie at least; without the setting any cookie may authenticate",
        ));
    }
    let visible = |b: u8| b.is_ascii_graphic() && b != b';' && b != b'=';
    let problem = |name: &str| match name {
        name if name.is_empty() || !name.bytes().all(visible) => Some(
            "must be the full name of a cookie, such as __Secure-refresh_token: visible ASCII \
             characters other than ; and =",
        ),
        name if name == own => Some(
            "must not be named: the layer's own cookie authenticates no client, and every page brings it",
        ),
        _ => None,
    };
    match names.iter().find_map(|name| Some((name, problem(name)?))) {
        Some((name, problem)) => Err(ConfigError::about(SETTING, name, problem)),
        None => Ok(()),
    }
}

impl fmt::Debug for CsrfBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            keys,
            bind: _,
            cookie_name,
            http_only,
            http_prefix,
            insecure,
            header,
            method_override,
            session_cookies,
            handler_verifies,
            events,
        } = self;
        f.debug_struct("CsrfBuilder")
            .field("keys", keys)
            .field("cookie_name", cookie_name)
            .field("http_only", http_only)
            .field("http_prefix", http_prefix)
            .field("insecure", insecure)
            .field("header", header)
            .field("method_override", method_override)
            .field("session_cookies", session_cookies)
            .field("handler_verifies", handler_verifies)
            .field("events", events)
            .finish_non_exhaustive()
    }
}
