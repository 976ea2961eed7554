//! Where a JWK Set is.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;

use crate::config::ConfigError;

/// A URL that keys may be fetched from.
#[derive(Clone)]
pub(super) struct Address {
    uri: Uri,
    /// The same without its query, which may hold what is nobody's business.
    shown: Box<str>,
}

impl Address {
    /// Takes https, and plain http to this machine or where `plain_http` says so: whoever is between
    /// us and the issuer could otherwise put keys of their own in.
    pub(super) fn parse(url: &str, plain_http: bool) -> Result<Self, ConfigError> {
        let uri: Uri = url.parse().map_err(|_| not_a_url(url))?;
        let (scheme, authority) = match (uri.scheme_str(), uri.authority()) {
            (Some(scheme @ ("https" | "http")), Some(authority)) => (scheme, authority),
            _ => return Err(not_a_url(url)),
        };
        if url.contains('#') || authority.host().is_empty() {
            return Err(not_a_url(url));
        }
        if authority.as_str().contains('@') {
            return Err(ConfigError::new(
                "url",
                "must not hold a user or password: a JWK Set is public",
            ));
        }
        if scheme == "http" && !plain_http && !is_loopback(authority.host()) {
            return Err(ConfigError::about_url(
                "url",
                url,
                "must be https, because whoever can change the answer can sign tokens; plain http is \
                 for 127.0.0.1, [::1] and localhost, or with dangerous_plain_http()",
            ));
        }
        let shown = format!("{scheme}://{authority}{}", uri.path()).into();
        Ok(Self { uri, shown })
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// For people.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }
}

fn is_loopback(host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || v6.is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback()))
}

fn not_a_url(url: &str) -> ConfigError {
    ConfigError::about_url(
        "url",
        url,
        "must be like https://id.example/.well-known/jwks.json, without a fragment",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_plain_http_at_home() {
        for url in [
            "https://id.example/.well-known/jwks.json",
            "https://id.example:8443/keys?tenant=a",
            "http://127.0.0.1:3001/jwks",
            "http://127.9.9.9/jwks",
            "http://LOCALHOST/jwks",
            "http://[::1]:3001/jwks",
        ] {
            assert!(Address::parse(url, false).is_ok(), "{url}");
        }
        for url in [
            "http://id.example/jwks",
            "http://10.0.0.1/jwks",
            "http://localhost.evil.example/jwks",
            "http://127.0.0.1.evil.example/jwks",
            "http://[::2]/jwks",
        ] {
            let error = Address::parse(url, false).err().unwrap();
            assert_eq!(error.setting(), "url");
            assert!(error.problem().contains("dangerous_plain_http"), "{url}");
            assert!(
                error.problem().starts_with(&format!("{url:?} must")),
                "{error}"
            );
            assert!(Address::parse(url, true).is_ok(), "{url}");
        }
        for url in [
            "",
            "/jwks",
            "id.example/jwks",
            "ftp://id.example/jwks",
            "file:///etc/jwks",
            "https://",
            "https:///jwks",
            "https://id.example/jwks#keys",
            "https://user:hunter2@id.example/jwks",
            "http://user@127.0.0.1/jwks",
            "id.example/jwks?code=hunter2",
            "user:hunter2@id.example/jwks#keys",
        ] {
            let error = Address::parse(url, true).err().unwrap();
            assert!(!error.to_string().contains("hunter2"), "{url}");
        }
    }

    #[test]
    fn the_query_is_not_shown() {
        let address = Address::parse("https://id.example/keys?code=hunter2", false).unwrap();
        assert_eq!(address.shown(), "https://id.example/keys");
        assert_eq!(address.uri().query(), Some("code=hunter2"));
    }
}
