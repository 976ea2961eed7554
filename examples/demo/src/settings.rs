//! What the environment says. Everything has a default that works on one machine.

use std::{
    env,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::http::Uri;
use tower_bearer::{KeyRing, origin::Origin};

use crate::Error;

/// How this process is to run.
pub(crate) struct Settings {
    /// `ADDR`: where to listen.
    pub(crate) addr: SocketAddr,
    /// `ACCESS_TTL`: how long an access token is good for, in whole seconds.
    pub(crate) access_ttl: Duration,
    /// `TRUSTED_PROTO_HEADER`: the header in which the proxy in front says what the client speaks.
    pub(crate) trusted_proto_header: Option<String>,
    /// `REDIS_URL`: where sessions live; it may hold a password.
    pub(crate) redis_url: Option<String>,
    allowed_origins: Option<String>,
    insecure_cookie: Option<bool>,
}

impl Settings {
    /// Reads the environment; a value that cannot be used is an error, never a silent default.
    pub(crate) fn from_env() -> Result<Self, Error> {
        let read = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let addr = read("ADDR").unwrap_or_else(|| "127.0.0.1:3000".into());
        let ttl = read("ACCESS_TTL").unwrap_or_else(|| "900".into());
        Ok(Self {
            addr: addr
                .parse()
                .map_err(|_| format!("ADDR: `{addr}` is not like 127.0.0.1:3000"))?,
            access_ttl: ttl
                .parse()
                .map(Duration::from_secs)
                .map_err(|_| format!("ACCESS_TTL: `{ttl}` is not a number of seconds"))?,
            trusted_proto_header: read("TRUSTED_PROTO_HEADER"),
            redis_url: read("REDIS_URL"),
            allowed_origins: read("ALLOWED_ORIGINS"),
            insecure_cookie: read("INSECURE_COOKIE").map(|value| value != "0"),
        })
    }

    /// `ALLOWED_ORIGINS`, or the page's own as seen from this machine: who may use the cookies.
    pub(crate) fn origins(&self, listening: SocketAddr) -> Result<Vec<Origin>, Error> {
        let list = match &self.allowed_origins {
            Some(list) => list.clone(),
            None => own_origins(listening).join(","),
        };
        list.split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .map(|origin| {
                origin
                    .parse()
                    .map_err(|error| format!("ALLOWED_ORIGINS: `{origin}`: {error}").into())
            })
            .collect()
    }

    /// `INSECURE_COOKIE`: whether the cookies go without `Secure`. Unless that says so, they do where this
    /// machine alone can ask, and every page comes from it over plain http.
    pub(crate) fn insecure_cookie(&self, listening: SocketAddr, origins: &[Origin]) -> bool {
        self.insecure_cookie.unwrap_or_else(|| {
            listening.ip().is_loopback()
                && self.trusted_proto_header.is_none()
                && origins.iter().all(is_plain_and_local)
        })
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
            eprintln!("WARNING: using fresh random keys: a restart signs everybody out.");
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

fn own_origins(listening: SocketAddr) -> Vec<String> {
    let port = listening.port();
    let ip = listening.ip();
    if ip.is_unspecified() || ip.is_loopback() {
        // A browser on this machine may spell it in any of these ways.
        ["127.0.0.1", "localhost", "[::1]"]
            .map(|host| format!("http://{host}:{port}"))
            .into()
    } else {
        vec![format!("http://{listening}")]
    }
}
