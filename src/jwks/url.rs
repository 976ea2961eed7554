//! Where a JWK Set is, or the metadata of an issuer.

use http::Uri;

use crate::{config::ConfigError, host::is_loopback};

/// The characters that a template has, and no issuer.
pub(super) const BRACES: [char; 2] = ['{', '}'];

/// Said of a name with such.
pub(super) const TEMPLATE: &str = "is a template for many. Configure that of one tenant, with its id for the \
     braces, as in the claim iss of its tokens";

/// A URL that keys may be fetched from.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    uri: Uri,
    /// The same without its query, which may hold secrets.
    shown: Box<str>,
}

impl Address {
    /// Accepts https, and plain http to this machine or where `plain_http` says so. Over plain http, an attacker
    /// between the service and the issuer could insert keys of their own.
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
                "must not hold a user or password: what an issuer publishes is public",
            ));
        }
        if scheme == "http" && !plain_http && !is_loopback(authority.host()) {
            return Err(ConfigError::about_url(
                "url",
                url,
                "must be https, because an attacker who changes the answer can sign tokens. Plain http is for \
                 127.0.0.1, [::1] and localhost, or with dangerous_plain_http()",
            ));
        }
        let shown = format!("{scheme}://{authority}{}", uri.path()).into();
        Ok(Self { uri, shown })
    }

    /// The two places for the metadata of `issuer`. That of OpenID Connect Discovery 1.0 section 4 is behind its
    /// path. That of RFC 8414 section 3.1 is between host and path.
    pub(super) fn of_metadata(issuer: &str, plain_http: bool) -> Result<[Self; 2], ConfigError> {
        let wrong = |problem| Err(ConfigError::about_url("issuer", issuer, problem));
        if issuer.contains("/.well-known/") {
            return wrong(
                "must be the issuer itself, which its metadata name in the member `issuer`",
            );
        }
        if issuer.contains('?') {
            return wrong("must be an issuer, which has no query");
        }
        if issuer.contains(BRACES) {
            return wrong(TEMPLATE);
        }
        let parse = |url: &str| {
            Self::parse(url, plain_http).map_err(|error| error.renamed("url", "issuer"))
        };
        let Self { uri, .. } = parse(issuer)?;
        let (scheme, authority) = (
            uri.scheme_str().unwrap_or_default(),
            uri.authority().map_or("", |authority| authority.as_str()),
        );
        let path = uri.path();
        let path = path.strip_suffix('/').unwrap_or(path);
        let openid = format!("{scheme}://{authority}{path}/.well-known/openid-configuration");
        let oauth = format!("{scheme}://{authority}/.well-known/oauth-authorization-server{path}");
        Ok([parse(&openid)?, parse(&oauth)?])
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// For logs and errors.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }
}

fn not_a_url(url: &str) -> ConfigError {
    ConfigError::about_url(
        "url",
        url,
        "must be a whole URL, like https://id.example/.well-known/jwks.json of a JWK Set or https://id.example of an \
         issuer, without a fragment",
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
    fn where_the_metadata_of_an_issuer_are() {
        for (issuer, openid, oauth) in [
            (
                "https://id.example",
                "https://id.example/",
                "https://id.example/",
            ),
            (
                "https://id.example/",
                "https://id.example/",
                "https://id.example/",
            ),
            (
                "https://id.example/a/b",
                "https://id.example/a/b/",
                "https://id.example/",
            ),
            (
                "https://id.example:8443/a/",
                "https://id.example:8443/a/",
                "https://id.example:8443/",
            ),
            (
                "http://127.0.0.1:3001/a",
                "http://127.0.0.1:3001/a/",
                "http://127.0.0.1:3001/",
            ),
        ] {
            let [first, second] = Address::of_metadata(issuer, false).unwrap();
            let first = first.uri().to_string();
            assert_eq!(first, format!("{openid}.well-known/openid-configuration"));
            let path = openid.strip_prefix(oauth).unwrap().trim_end_matches('/');
            let path = if path.is_empty() {
                String::new()
            } else {
                format!("/{path}")
            };
            let second = second.uri().to_string();
            assert_eq!(
                second,
                format!("{oauth}.well-known/oauth-authorization-server{path}")
            );
        }
        for (issuer, problem) in [
            (
                "https://id.example/.well-known/openid-configuration",
                "must be the issuer itself",
            ),
            ("https://id.example/?tenant=hunter2", "has no query"),
            ("https://id.example/#a", "must be a whole URL"),
            ("http://id.example/", "must be https"),
            ("id.example", "must be a whole URL"),
            ("https://id.example/{tenantid}/v2.0", "is a template"),
        ] {
            let error = Address::of_metadata(issuer, false).err().unwrap();
            assert!(error.problem().contains(problem), "{error}");
            assert!(!error.problem().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_query_is_not_shown() {
        let address = Address::parse("https://id.example/keys?code=hunter2", false).unwrap();
        assert_eq!(address.shown(), "https://id.example/keys");
        assert_eq!(address.uri().query(), Some("code=hunter2"));
    }
}
