//! The settings of the cookie, and whether they go together.

use cookie::SameSite;

use crate::{
    config::ConfigError,
    cookie::{CookieError, CookieSpec, HTTP_PREFIX_NEEDS_SECURE, Prefix, path},
};

/// Where the endpoints lie below what something in front takes off, unless the cookie's path says it.
const BASE: &str = "/auth";

/// The settings as they came.
#[derive(Debug)]
pub(super) struct CookieSettings {
    pub(super) name: String,
    pub(super) path: Option<String>,
    /// Empty: nothing is taken off.
    pub(super) external_prefix: String,
    pub(super) host_prefix: bool,
    pub(super) http_prefix: bool,
    pub(super) insecure: bool,
    pub(super) same_site: SameSite,
}

/// The settings, judged.
pub(super) struct CookiePlace {
    pub(super) cookie: CookieSpec,
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
            external_prefix: String::new(),
            host_prefix: false,
            http_prefix: false,
            insecure: false,
            same_site: SameSite::Strict,
        }
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
            name: _,
            http_prefix: _,
            same_site: _,
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
        Ok(CookiePlace {
            cookie: cookie.map_err(|error| match error {
                CookieError::Name(problem) => {
                    ConfigError::about("cookie_name", &self.name, problem)
                }
                CookieError::Path(problem) => ConfigError::about("cookie_path", below, problem),
            })?,
            base: [front, base].concat(),
            everywhere: below.is_empty(),
        })
    }

    /// The prefix of the name, which tells browsers what to refuse.
    fn prefix(&self) -> Result<Prefix, ConfigError> {
        let clash = |setting, problem| Err(ConfigError::new(setting, problem));
        let elsewhere = self.path.as_ref().filter(|path| *path != "/");
        match (self.host_prefix, self.http_prefix, self.insecure) {
            (true, _, true) => clash(
                "host_prefix",
                "does not go with dangerous_insecure_cookie: browsers take a __Host- cookie with Secure \
                 alone; in development over plain http say cookie_path(\"/\") instead of host_prefix",
            ),
            (_, true, true) => clash("http_prefix", HTTP_PREFIX_NEEDS_SECURE),
            (true, ..) if elsewhere.is_some() => clash(
                "host_prefix",
                "does not go with cookie_path: browsers take a __Host- cookie with the path / alone, and \
                 send it with every request; leave cookie_path out, and say where the endpoints lie with \
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
                "does not go with host_prefix: browsers send a __Host- cookie with every request to the \
                 host, and to what else it serves; leave external_prefix out, or say cookie_path(\"/\") \
                 instead of host_prefix",
            ),
            "/" => error("must name what is taken off the paths, such as \"/app\""),
            front => match path::check(front) {
                Ok(()) => Ok(front),
                Err(problem) => Err(ConfigError::about("external_prefix", front, problem)),
            },
        }
    }
}
