//! Where a redirect goes.

use std::{fmt, str::FromStr};

use crate::{
    config::ConfigError,
    host::{canonical_host, split_port},
};

/// The host, and the port if it is not 443, that plain requests are redirected to.
///
/// ```
/// use tower_bearer::headers::HttpsHost;
///
/// let host: HttpsHost = "App.Example:443".parse()?;
/// assert_eq!(host.as_str(), "app.example");
/// assert!("https://app.example".parse::<HttpsHost>().is_err());
/// assert!("user@app.example".parse::<HttpsHost>().is_err());
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpsHost(Box<str>);

impl HttpsHost {
    /// Returns the host, in lower case, with its port unless that is 443.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HttpsHost {
    type Err = ConfigError;

    /// # Errors
    ///
    /// Accepts a host name in ASCII, an IPv4 address or an IPv6 address in brackets. A port between 1 and 65535 may
    /// follow. Any other text is an error.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let parts = split_port(text).and_then(|(host, port)| Some((canonical_host(host)?, port)));
        // To browsers a host with a final dot is another one: cookies and HSTS would not apply there.
        let parts = parts.filter(|(host, _)| !host.ends_with('.'));
        let Some((mut text, port)) = parts else {
            return Err(ConfigError::about_url(
                "redirect_to",
                text,
                "must be a host such as app.example, with a port if it is not 443. It has no scheme, user name or \
                 path",
            ));
        };
        if let Some(port) = port.filter(|port| *port != 443) {
            text.push_str(&format!(":{port}"));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for HttpsHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_normalised() {
        for (given, expected) in [
            ("app.example", "app.example"),
            ("APP.Example:443", "app.example"),
            ("app.example:8443", "app.example:8443"),
            ("localhost:65535", "localhost:65535"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[2001:DB8::1]:8443", "[2001:db8::1]:8443"),
        ] {
            let host: HttpsHost = given.parse().unwrap();
            assert_eq!(
                (host.as_str(), host.to_string().as_str()),
                (expected, expected)
            );
        }
    }

    #[test]
    fn anything_else_is_refused_and_the_setting_named() {
        for text in [
            "",
            ":443",
            "https://app.example",
            "//app.example",
            "app.example/",
            "app.example/x",
            "app.example?x",
            "app.example#x",
            "app.example\\x",
            "user@app.example",
            "*.app.example",
            "app.example.",
            "app..example",
            "-app.example",
            "app-.example",
            " app.example",
            "app.example ",
            "app.example\r\nset-cookie: a=b",
            "b\u{fc}cher.example",
            "app.example:",
            "app.example:0",
            "app.example:080",
            "app.example:+80",
            "app.example:65536",
            "app.example:80:80",
            "::1",
            "[::1",
            "::1]",
            "[::1]x",
            "[::1]x:80",
            "[app.example]",
            "[fe80::1%25eth0]",
            "a]:80",
        ] {
            let error = text.parse::<HttpsHost>().unwrap_err();
            assert_eq!(error.setting(), "redirect_to", "{text:?}");
        }
        let label = "a".repeat(64);
        assert!(label.parse::<HttpsHost>().is_err());
        assert!(label[1..].parse::<HttpsHost>().is_ok());
        let long = "a.".repeat(127) + "a";
        assert!(long.parse::<HttpsHost>().is_err());
        assert!(long[2..].parse::<HttpsHost>().is_ok());
    }
}
