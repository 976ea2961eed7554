//! The settings of the cookie, and whether they go together.

use cookie::SameSite;
use http::HeaderValue;

use super::builder::RefreshCookieBuilder;
use crate::{
    config::ConfigError,
    cookie::{CookieError, CookieSpec, HTTP_PREFIX_NEEDS_SECURE, Prefix, path},
};

/// Where the endpoints lie below what something in front takes off, unless the cookie's path says it.
const BASE: &str = "/auth";

/// Whether a second cookie shows that a request comes out of the session's own cookie jar.
///
/// The jar cookie has the refresh cookie's name with `_jar` behind it, and the same attributes. The server derives its
/// value of 28 characters from the session's id. It stays the same until the session ends. A browser that dies before
/// it writes its cookies to the disk loses the newest refresh token. It still has this cookie.
///
/// ```
/// use tower_bearer::refresh::{JarCookie, RefreshCookieBuilder};
///
/// /// The gateway in front lets cookies through by their names, and knows of one.
/// fn one_cookie(builder: RefreshCookieBuilder) -> RefreshCookieBuilder {
///     builder.jar_cookie(JarCookie::Off)
/// }
/// # let _ = one_cookie;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JarCookie {
    /// It goes beside the refresh cookie, and is cleared with it. Without meaning where tokens travel in bodies.
    #[default]
    On,
    /// The refresh cookie is the only one.
    Off,
}

/// The settings as they came.
#[derive(Debug)]
pub(super) struct CookieSettings {
    pub(super) name: String,
    pub(super) path: Option<String>,
    /// Where it went before, as browsers have it.
    pub(super) former: Option<String>,
    /// Empty: nothing is taken off.
    pub(super) external_prefix: String,
    pub(super) host_prefix: bool,
    pub(super) http_prefix: bool,
    pub(super) insecure: bool,
    pub(super) same_site: SameSite,
    pub(super) jar: JarCookie,
}

/// The settings, judged.
pub(super) struct CookiePlace {
    pub(super) cookie: CookieSpec,
    pub(super) jar: Option<CookieSpec>,
    /// Clear both under the former path.
    pub(super) former: Vec<HeaderValue>,
    /// The path the session endpoints lie under.
    pub(super) base: String,
    /// Every request that comes here is below the cookie's path.
    pub(super) everywhere: bool,
}

impl Default for CookieSettings {
    fn default() -> Self {
        Self {
            name: "refresh_token".to_owned(),
            path: None,
            former: None,
            external_prefix: String::new(),
            host_prefix: false,
            http_prefix: false,
            insecure: false,
            same_site: SameSite::Strict,
            jar: JarCookie::On,
        }
    }
}

impl RefreshCookieBuilder {
    /// Sets the cookie's name, without prefix. Default `refresh_token`.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie.name = name.into();
        self
    }

    /// Sets the path under which the session endpoints lie, and which the cookie is sent to.
    /// Default `/auth`.
    ///
    /// It is the path that this service sees. A sign-in elsewhere is reported as
    /// [`Event::CookiePathMismatch`](crate::Event::CookiePathMismatch): it does not see the session that it replaces.
    pub fn cookie_path(mut self, path: impl Into<String>) -> Self {
        self.cookie.path = Some(path.into());
        self
    }

    /// Names a path that the cookie had before, as browsers have it: the prefix that a proxy takes off included.
    /// Default: none.
    ///
    /// Cookies of one name differ by their path too. After a change of [`cookie_path`](Self::cookie_path) a browser
    /// sends the old one beside the new one, until it ends. Each answer that sets or clears the cookie then clears it
    /// under the former path as well. Leave it set for one absolute lifetime after the change. Browsers have one path
    /// for all `__Host-` cookies, so it does not go with [`host_prefix`](Self::host_prefix).
    ///
    /// ```
    /// use tower_bearer::refresh::RefreshCookieBuilder;
    ///
    /// /// The endpoints lay below `/api/session` until the last release.
    /// fn moved(sessions: RefreshCookieBuilder) -> RefreshCookieBuilder {
    ///     sessions.cookie_path("/auth").former_path("/api/session")
    /// }
    /// # let _ = moved;
    /// ```
    pub fn former_path(mut self, path: impl Into<String>) -> Self {
        self.cookie.former = Some(path.into());
        self
    }

    /// Sets the prefix that a component in front removes from the paths of requests. That is a proxy, or a router
    /// around the layer other than axum's. It is also axum's router without this crate's feature `axum`. Default:
    /// nothing, as with an empty prefix.
    ///
    /// The browser's path has it, so it goes in front of [`cookie_path`](Self::cookie_path) in the cookie.
    ///
    /// | settings | the cookie | this service sees |
    /// |---|---|---|
    /// | `.cookie_path("/auth").external_prefix("/app")` | `Path=/app/auth` | `/auth/refresh` |
    /// | `.cookie_path("/").external_prefix("/auth")` | `Path=/auth` | `/refresh` |
    ///
    /// ```
    /// use tower_bearer::{RefreshCookieLayer, refresh::RefreshCookieBuilder};
    ///
    /// /// `PUBLIC_PATH=/app` where the proxy serves the application below `/app`.
    /// fn behind_a_proxy(sessions: RefreshCookieBuilder) -> RefreshCookieBuilder {
    ///     sessions.external_prefix(std::env::var("PUBLIC_PATH").unwrap_or_default())
    /// }
    /// ```
    pub fn external_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.cookie.external_prefix = prefix.into();
        self
    }

    /// Names the cookie `__Host-…` with `Path=/`. No other host of the domain can set it, and every request to this
    /// host carries it. The endpoints lie below `/auth`, unless
    /// [`SessionEndpoints::base`](crate::SessionEndpoints::base) says otherwise.
    pub fn host_prefix(mut self) -> Self {
        self.cookie.host_prefix = true;
        self
    }

    /// Names the cookie `__Http-…`, with [`host_prefix`](Self::host_prefix) `__Host-Http-…`. Default: off.
    ///
    /// A browser that knows the prefixes takes such a cookie with `Secure` and `HttpOnly` alone. It came in an answer,
    /// and no script has planted it (draft-ietf-httpbis-layered-cookies; Chrome 140, Firefox 143). An older browser
    /// reads `__Host-Http-` as `__Host-`. It reads `__Http-` as an ordinary name, which lacks even the protection of
    /// `__Secure-`.
    ///
    /// A new name signs every user out. Chromium refuses a `__Host-Http-` cookie as the one that a device-bound session
    /// renews. It takes `__Http-` and `__Host-` (seen in Chromium 156).
    pub fn http_prefix(mut self) -> Self {
        self.cookie.http_prefix = true;
        self
    }

    /// Sends the cookie with top-level navigations by GET from other sites too. Default
    /// `SameSite=Strict`.
    ///
    /// The return from an OAuth provider is such a navigation. With `Strict` the cookie does not come with it. A page
    /// that the server renders then says that no user is signed in. [`Session::start`](crate::Session::start) in the
    /// callback does not see the session it replaces. Such pages lie outside of `/auth`, so they need
    /// [`host_prefix`](Self::host_prefix) as well. A page that refreshes by `fetch` once it is loaded works with
    /// `Strict`.
    pub fn same_site_lax(mut self) -> Self {
        self.cookie.same_site = SameSite::Lax;
        self
    }

    /// Drops `Secure` and the name prefix, for development over plain http. An attacker on the network
    /// can then read the refresh token. In place of [`host_prefix`](Self::host_prefix), which needs
    /// `Secure`, development says `cookie_path("/")`.
    pub fn dangerous_insecure_cookie(mut self) -> Self {
        self.cookie.insecure = true;
        self
    }

    /// Sets whether the jar cookie is sent. Default: [`JarCookie::On`].
    pub fn jar_cookie(mut self, jar: JarCookie) -> Self {
        self.cookie.jar = jar;
        self
    }
}

impl CookieSettings {
    /// The settings that say where the cookie goes.
    pub(super) fn place(&self) -> impl PartialEq + use<> {
        let Self {
            path,
            external_prefix,
            host_prefix,
            insecure,
            former: _,
            name: _,
            http_prefix: _,
            same_site: _,
            jar: _,
        } = self;
        (
            path.clone(),
            external_prefix.clone(),
            *host_prefix,
            *insecure,
        )
    }

    /// The cookie, and where it goes.
    ///
    /// # Errors
    ///
    /// Names the setting that cannot be used, or does not go together with another one.
    pub(super) fn judge(&self) -> Result<CookiePlace, ConfigError> {
        let prefix = self.prefix()?;
        let default = if self.host_prefix { "/" } else { BASE };
        let below = self.path.as_deref().unwrap_or(default);
        path::check(below).map_err(|problem| ConfigError::about("cookie_path", below, problem))?;
        let front = self.front()?;
        let (below, base) = if below == "/" {
            ("", BASE)
        } else {
            (below, below)
        };
        let whole = [front, below].concat();
        let whole = if whole.is_empty() { "/" } else { &whole };
        let cookie = CookieSpec::new(&self.name, whole, prefix, self.same_site);
        let cookie = cookie.map_err(|error| match error {
            CookieError::Name(problem) => ConfigError::about("cookie_name", &self.name, problem),
            CookieError::Path(problem) => ConfigError::about("cookie_path", below, problem),
        })?;
        let jar = |cookie: &CookieSpec| {
            let is_on = self.jar == JarCookie::On;
            is_on.then(|| cookie.beside("_jar"))
        };
        let former = self.former(&cookie, prefix)?;
        let former = former.iter().flat_map(|cookie| {
            let both = [Some(cookie.clone()), jar(cookie)];
            both.into_iter().flatten()
        });
        Ok(CookiePlace {
            former: former.filter_map(|cookie| cookie.clear()).collect(),
            jar: jar(&cookie),
            cookie,
            base: [front, base].concat(),
            everywhere: below.is_empty(),
        })
    }

    /// The cookie under its former path, if it had one.
    fn former(
        &self,
        cookie: &CookieSpec,
        prefix: Prefix,
    ) -> Result<Option<CookieSpec>, ConfigError> {
        let Some(path) = &self.former else {
            return Ok(None);
        };
        let error = |problem| Err(ConfigError::about("former_path", path, problem));
        if self.host_prefix {
            return error(
                "does not go with host_prefix: a __Host- cookie has the path / and a name of its own",
            );
        }
        if path == cookie.path() {
            return error(
                "is the path that the cookie has now: name the one before, or leave it out",
            );
        }
        match CookieSpec::new(&self.name, path, prefix, self.same_site) {
            Ok(former) => Ok(Some(former)),
            Err(CookieError::Name(problem) | CookieError::Path(problem)) => error(problem),
        }
    }

    /// The prefix of the name, by which browsers refuse some cookies.
    fn prefix(&self) -> Result<Prefix, ConfigError> {
        let clash = |setting, problem| Err(ConfigError::new(setting, problem));
        let elsewhere = self.path.as_ref().filter(|path| *path != "/");
        match (self.host_prefix, self.http_prefix, self.insecure) {
            (true, _, true) => clash(
                "host_prefix",
                "does not go with dangerous_insecure_cookie: browsers accept a __Host- cookie only with Secure. In \
                 development over plain http say cookie_path(\"/\") instead of host_prefix",
            ),
            (_, true, true) => clash("http_prefix", HTTP_PREFIX_NEEDS_SECURE),
            (true, ..) if elsewhere.is_some() => clash(
                "host_prefix",
                "does not go with cookie_path: browsers accept a __Host- cookie only with the path /, and send it \
                 with every request. Leave cookie_path out and say where the endpoints lie with \
                 SessionEndpoints::base, or leave host_prefix out",
            ),
            (true, http, false) => Ok(if http { Prefix::HostHttp } else { Prefix::Host }),
            (false, true, false) => Ok(Prefix::Http),
            (false, false, true) => Ok(Prefix::Insecure),
            (false, false, false) => Ok(Prefix::Secure),
        }
    }

    /// The prefix that something in front takes off.
    fn front(&self) -> Result<&str, ConfigError> {
        let error = |problem| Err(ConfigError::new("external_prefix", problem));
        match self.external_prefix.as_str() {
            "" => Ok(""),
            _ if self.host_prefix => error(
                "does not go with host_prefix: browsers send a __Host- cookie with every request to the host, \
                 whatever else it serves. Leave external_prefix out, or say cookie_path(\"/\") instead of \
                 host_prefix",
            ),
            "/" => error("must name what is taken off the paths, such as \"/app\""),
            front => match path::check(front) {
                Ok(()) => Ok(front),
                Err(problem) => Err(ConfigError::about("external_prefix", front, problem)),
            },
        }
    }
}
