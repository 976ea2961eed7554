//! The settings from the environment. Everything has a default that works on one machine.

use std::{
    env,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::http::Uri;
use tower_bearer::{KeyRing, origin::Origin};

use crate::Error;

/// How long a session that is not remembered lasts: browsers may restore their cookies, and a copy has no browser.
pub(crate) const NOT_REMEMBERED: Duration = Duration::from_secs(12 * 60 * 60);

/// How this process is to run.
pub(crate) struct Settings {
    /// `ADDR`: where to listen.
    pub(crate) addr: SocketAddr,
    /// `ACCESS_TTL`: how long an access token is good for, in whole seconds.
    pub(crate) access_ttl: Duration,
    /// `GRACE_SECONDS`: how long a replaced cookie is still answered; one is replaced at most every twice as long.
    pub(crate) grace: Duration,
    /// `IDLE_SECONDS`: how long a session lasts unused. None: as long as it lasts at all.
    pub(crate) idle: Option<Duration>,
    /// `RECENT_SECONDS`: how long ago the password may have been typed where it has to be recent.
    pub(crate) recent: Duration,
    /// `TRUSTED_PROTO_HEADER`: the header in which the proxy in front says what the client speaks.
    pub(crate) trusted_proto_header: Option<String>,
    /// `PUBLIC_PATH`: the path below which the browser has this service, where the proxy in front takes it off.
    pub(crate) public_path: String,
    /// `ALLOWED_ORIGINS`: whose pages may use the cookies. None: the page's own alone, wherever it is seen.
    pub(crate) allowed_origins: Option<Vec<Origin>>,
    /// `REDIS_URL`: where sessions live; it may hold a password.
    pub(crate) redis_url: Option<String>,
    /// `DATABASE`: the file where sessions live.
    pub(crate) database: Option<String>,
    insecure_cookie: Option<bool>,
}

impl Settings {
    /// Reads the environment; a value that cannot be used is an error, never a silent default.
    pub(crate) fn from_env() -> Result<Self, Error> {
        let read = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let addr = read("ADDR").unwrap_or_else(|| "127.0.0.1:3000".into());
        let seconds = |name: &str, default| match read(name) {
            Some(text) => match text.parse() {
                Ok(seconds) => Ok(Duration::from_secs(seconds)),
                Err(_) => Err(format!("{name}: `{text}` is not a number of seconds")),
            },
            None => Ok(Duration::from_secs(default)),
        };
        let access_ttl = seconds("ACCESS_TTL", 900)?;
        if access_ttl > NOT_REMEMBERED {
            return Err("ACCESS_TTL: it is longer than a session of 12 hours".into());
        }
        Ok(Self {
            addr: addr
                .parse()
                .map_err(|_| format!("ADDR: `{addr}` is not like 127.0.0.1:3000"))?,
            access_ttl,
            grace: seconds("GRACE_SECONDS", 30)?,
            idle: match read("IDLE_SECONDS") {
                Some(_) => Some(seconds("IDLE_SECONDS", 0)?),
                None => None,
            },
            recent: seconds("RECENT_SECONDS", 300)?,
            trusted_proto_header: read("TRUSTED_PROTO_HEADER"),
            public_path: public_path(read("PUBLIC_PATH").unwrap_or_default())?,
            allowed_origins: read("ALLOWED_ORIGINS")
                .as_deref()
                .map(origins)
                .transpose()?,
            redis_url: read("REDIS_URL"),
            database: read("DATABASE"),
            insecure_cookie: read("INSECURE_COOKIE").map(zero_or_one).transpose()?,
        })
    }

    /// `INSECURE_COOKIE`: whether the cookies go without `Secure`. Unless that is set, they do where this machine alone
    /// can ask. No page may then be known to come from elsewhere or over https.
    pub(crate) fn insecure_cookie(&self, listening: SocketAddr) -> bool {
        self.insecure_cookie.unwrap_or_else(|| {
            listening.ip().is_loopback()
                && self.trusted_proto_header.is_none()
                && self
                    .allowed_origins
                    .iter()
                    .flatten()
                    .all(is_plain_and_local)
        })
    }
}

/// The cookie's path is made of it, and so it is written in one way only.
fn public_path(path: String) -> Result<String, Error> {
    if path.is_empty() || (path.starts_with('/') && !path.ends_with('/')) {
        return Ok(path);
    }
    Err(format!("PUBLIC_PATH: `{path}` is not like /app").into())
}

/// No other value: `false` must not mean yes.
fn zero_or_one(value: String) -> Result<bool, Error> {
    match value.as_str() {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(format!("INSECURE_COOKIE: `{value}` is neither 0 nor 1").into()),
    }
}

fn origins(list: &str) -> Result<Vec<Origin>, Error> {
    let entries = list.split(',').map(str::trim);
    let entries = entries.filter(|origin| !origin.is_empty());
    let origins: Result<Vec<Origin>, _> = entries.map(str::parse).collect();
    match origins {
        Ok(origins) if origins.is_empty() => Err("ALLOWED_ORIGINS: it lists none".into()),
        Ok(origins) => Ok(origins),
        Err(error) => Err(format!("ALLOWED_ORIGINS: {error}").into()),
    }
}

/// Whether pages of this origin come from this machine, over plain http.
fn is_plain_and_local(origin: &Origin) -> bool {
    let Ok(origin) = origin.as_str().parse::<Uri>() else {
        return false;
    };
    let host = origin.host().unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    origin.scheme_str() == Some("http")
        && (host == "localhost"
            || host.ends_with(".localhost")
            || ip.is_ok_and(|ip| ip.is_loopback()))
}

/// The keys from the environment, or fresh ones that end with this process.
pub(crate) fn keys() -> Result<KeyRing, Error> {
    match KeyRing::from_env() {
        Ok(keys) => Ok(keys),
        // A key that is there but unusable must not be replaced in silence.
        Err(error) if error.is_missing() => {
            eprintln!("WARNING: no keys in the environment ({error}).");
            eprintln!("WARNING: using fresh random keys: a restart signs every user out.");
            eprintln!("WARNING: `cargo run -p keygen` prints a set to keep.");
            Ok(KeyRing::generate()?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Where to point the browser.
pub(crate) fn url(listening: SocketAddr) -> String {
    let port = listening.port();
    if listening.ip().is_unspecified() {
        format!("http://localhost:{port}")
    } else {
        format!("http://{listening}")
    }
}
