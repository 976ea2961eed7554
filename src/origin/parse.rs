//! Entries of the list of origins as an operator writes them.

use std::net::Ipv4Addr;

use super::origin::{Origin, Pattern, Wildcard};
use crate::{
    config::ConfigError,
    host::{canonical_host, default_port, split_port},
};

/// Reads an entry, of schemes other than `http` and `https` if `custom`.
///
/// # Errors
///
/// Quotes the entry, so that a list of several shows which it is.
pub(super) fn parse(text: &str, custom: bool) -> Result<Origin, ConfigError> {
    read(text, custom).map_err(|problem| ConfigError::about_url("origin", text, problem))
}

type Problem = &'static str;

fn read(text: &str, custom: bool) -> Result<Origin, Problem> {
    if is_bare_wildcard(text) {
        return Err(
            "is a bare wildcard, which is not offered: it would let in every site; list each origin",
        );
    }
    let (scheme, authority) = scheme_and_authority(text, custom)?;
    let default_port = default_port(&scheme);
    let is_opaque = default_port.is_none();
    let (many, authority) = match authority {
        a if a.starts_with("**.") => (Some(true), a.get(3..).unwrap_or_default()),
        a if a.starts_with("*.") => (Some(false), a.get(2..).unwrap_or_default()),
        a => (None, a),
    };
    let any_port = authority.strip_suffix(":*");
    let (host, port) = match any_port {
        Some(host) => (host, None),
        None => split_port(authority)
            .ok_or("must have a host, and a port between 1 and 65535 if any")?,
    };
    let host = match is_opaque && many.is_none() && !host.starts_with('[') {
        true => opaque_host(host, port)?,
        false => tuple_host(host, is_opaque)?,
    };
    if many.is_some() {
        check_below_wildcard(&host)?;
    }
    if any_port.is_some() && (is_opaque || !is_loopback(&host)) {
        return Err(
            "must not have any port (`:*`), except with http or https on a loopback host. That is localhost or a \
             name below it, 127.0.0.1, [::1]",
        );
    }

    let mut text = format!("{scheme}://");
    let at = text.len();
    let wildcard = many.map(|many| {
        text.push_str(if many { "**" } else { "*" });
        let rest = text.len();
        text.push('.');
        Wildcard { at, rest, many }
    });
    text.push_str(&host);
    match port.filter(|port| Some(*port) != default_port) {
        Some(port) => text.push_str(&format!(":{port}")),
        None if any_port.is_some() => text.push_str(":*"),
        None => {}
    }
    let pattern = Pattern {
        wildcard,
        any_port: any_port.is_some(),
    };
    Ok(Origin {
        text: text.into(),
        pattern: (wildcard.is_some() || pattern.any_port).then_some(pattern),
    })
}

/// Whether every host is meant, whatever the scheme and the port.
fn is_bare_wildcard(text: &str) -> bool {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = authority.split(':').next().unwrap_or_default();
    matches!(host, "*" | "**")
}

/// The scheme in lower case, and the authority, which is all of the rest.
fn scheme_and_authority(text: &str, custom: bool) -> Result<(String, &str), Problem> {
    let Some((scheme, authority)) = text.split_once("://") else {
        return Err("must start with a scheme, such as https://app.example");
    };
    let scheme = scheme.to_ascii_lowercase();
    let problem = match scheme.as_str() {
        "http" | "https" => None,
        "about" | "blob" | "data" | "file" | "javascript" => {
            Some("has a scheme whose origins are opaque, so it could never match")
        }
        "ws" | "wss" => Some("must be http or https: a WebSocket has the origin of its page"),
        other if custom && is_scheme(other) => None,
        _ => Some("must be http or https; others are given to Origin::custom_scheme"),
    };
    let end = authority.find(['/', '?', '#', '\\', '@', ',']);
    let problem = problem.or_else(|| match authority.as_bytes().get(end?) {
        Some(b'/') if end.map(|end| end + 1) == Some(authority.len()) => {
            Some("must not end in a slash: browsers send an origin without one")
        }
        Some(b'@') => Some("must not have a user name"),
        _ => Some("must end behind host and port, with no path, query or fragment"),
    });
    match problem {
        None => Ok((scheme, authority)),
        Some(problem) => Err(problem),
    }
}

/// A name or an address, as browsers write it.
fn tuple_host(host: &str, keep_case: bool) -> Result<String, Problem> {
    match canonical_host(host) {
        Some(name) if keep_case && !name.starts_with('[') => Ok(host.to_owned()),
        Some(host) => Ok(host),
        None => Err("must have a host name in ASCII (punycode), or an IP address"),
    }
}

/// The host of a scheme that browsers do not know. It is a registered name (RFC 3986 section 3.2.2), which may be
/// empty. A star and a comma are in none here: they read as a wildcard and as a list.
fn opaque_host(host: &str, port: Option<u16>) -> Result<String, Problem> {
    let is_of_name = |b: u8| b.is_ascii_alphanumeric() || b"-._~%!$&'()+;=".contains(&b);
    if !host.bytes().all(is_of_name) {
        return Err(
            "must have a host of ASCII letters, digits and -._~%!$&'()+;= without a wildcard inside",
        );
    }
    // WHATWG URL, "host state": a port needs a host in front of it.
    if host.is_empty() && port.is_some() {
        return Err("must have a host where it has a port");
    }
    Ok(host.to_owned())
}

fn check_below_wildcard(host: &str) -> Result<(), Problem> {
    if host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok() {
        return Err("must not have a wildcard in front of an IP address");
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    if !name.contains('.') && name != "localhost" {
        return Err(
            "must not have a wildcard directly below a top-level domain: it would let in every \
             site there",
        );
    }
    Ok(())
}

/// Returns whether browsers reach the user's own machine by this host, in canonical form. A name server does not change
/// that (RFC 6761 section 6.3).
pub(super) fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost")
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        text.parse::<Origin>().ok().map(|o| o.to_string())
    }

    #[test]
    fn spelling_is_normalised() {
        for (given, expected) in [
            ("HTTPS://App.Example:443", "https://app.example"),
            ("http://app.example:80", "http://app.example"),
            ("https://app.example:80", "https://app.example:80"),
            ("http://[0:0:0:0:0:0:0:1]:8080", "http://[::1]:8080"),
            ("http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]"),
            ("https://*.Example.com:8443", "https://*.example.com:8443"),
            ("https://App.Example.:443", "https://app.example."),
            ("HTTP://LocalHost:*", "http://localhost:*"),
            ("http://App.LocalHost:*", "http://app.localhost:*"),
            ("https://127.0.0.1:*", "https://127.0.0.1:*"),
            ("http://[0::1]:*", "http://[::1]:*"),
            ("http://*.localhost", "http://*.localhost"),
            ("http://**.localhost:*", "http://**.localhost:*"),
        ] {
            assert_eq!(canonical(given).as_deref(), Some(expected), "{given}");
        }
    }

    #[test]
    fn an_entry_that_could_never_match_is_refused() {
        for given in [
            "",
            "*",
            "null",
            "https://",
            "https://*",
            "https://*.",
            "https://a..b",
            "https://a.example:",
            "https://a.example:0",
            "https://a.example:+1",
            "https://a.example:65536",
            "https://[::1",
            "https://::1",
            "https://[fe80::1%25eth0]",
            "http://127.1",
            "http://0177.0.0.1",
            "http://0x7f.1",
            "https://*.0.0.1",
            "https://*.[::1]",
            "https://a.example ",
            " https://a.example",
            "https://u@a.example",
            "https://b\u{fc}cher.example",
            "https://-a.example",
            "https://a.example..",
            "https://.",
            "http://127.0.0.1.",
            "http://[::1].",
            "http://1.",
            "https://*.com",
            "https://**.com",
            "https://*.com.",
            "https://*.COM:8443",
            "http://localhost:80:*",
            "http://localhost:**",
            "http://localhost.:*",
            "http://127.0.0.2:*",
            "http://*.127.0.0.1:*",
            "http://:*",
            "http://notlocalhost:*",
            "http://[::2]:*",
            "http://localhost.example:*",
            "tauri://localhost",
        ] {
            assert_eq!(canonical(given), None, "{given:?}");
        }
        for given in ["tauri://localhost", "app://-", "app://", "app://-:3000"] {
            let origin = Origin::custom_scheme(given).unwrap();
            assert_eq!(origin.as_str(), given);
        }
        for given in [
            "file://localhost",
            "ws://a.example",
            "wss://a.example",
            "ta uri://a",
            "app://*",
            "app://*.x",
            "app://a*",
            "app://a b",
            "app://a\u{fc}",
            "app://[-]",
            "app://:80",
            "app://-:0",
            "app://-:*",
            "app://localhost:*",
            "app://-/",
        ] {
            assert!(Origin::custom_scheme(given).is_err(), "{given}");
        }
    }

    #[test]
    fn the_error_says_what_is_in_the_way() {
        for (given, problem) in [
            ("app.example", "must start with a scheme"),
            ("ftp://app.example", "must be http or https; others"),
            ("file://app.example", "origins are opaque"),
            (
                "wss://app.example",
                "a WebSocket has the origin of its page",
            ),
            ("https://app.example/", "must not end in a slash"),
            ("https://app.example/x", "with no path, query or fragment"),
            ("https://app.example?", "with no path, query or fragment"),
            ("https://app.example#x", "with no path, query or fragment"),
            ("https://app.example\\", "with no path, query or fragment"),
            (
                "https://a.example,https://b.example",
                "with no path, query or fragment",
            ),
            ("https://user@app.example", "must not have a user name"),
            ("https://app.example:0", "a port between 1 and 65535"),
            ("https://b\u{fc}cher.example", "in ASCII (punycode)"),
            ("https://*.[::1]", "a wildcard in front of an IP address"),
            ("https://*.com", "directly below a top-level domain"),
            ("https://**.com.", "directly below a top-level domain"),
            (
                "https://app.example:*",
                "on a loopback host. That is localhost",
            ),
            ("*", "is a bare wildcard, which is not offered"),
            ("https://*", "is a bare wildcard, which is not offered"),
            ("http://**:8080", "is a bare wildcard, which is not offered"),
            ("https://*:*", "is a bare wildcard, which is not offered"),
        ] {
            let error = given.parse::<Origin>().unwrap_err();
            assert_eq!(error.setting(), "origin");
            assert!(error.to_string().contains(problem), "{given}: {error}");
        }
    }

    #[test]
    fn the_error_quotes_the_entry_and_no_password() {
        for (given, quoted) in [
            ("app.example", r#""app.example" must"#),
            ("", r#""" must start with a scheme"#),
            ("https://app.example ", r#""https://app.example " must"#),
            ("https://*.com", r#""https://*.com" must"#),
            ("*", r#""*" is a bare wildcard"#),
            ("https://a\nb", r#""https://a\nb" must"#),
            (
                "https://user:pass@app.example",
                r#""@app.example" must not have a user name"#,
            ),
            ("https://u:pass@a.example,https://v:pass@", r#""@" must"#),
        ] {
            for error in [given.parse::<Origin>(), Origin::custom_scheme(given)] {
                let problem = error.unwrap_err().problem().to_owned();
                assert!(problem.starts_with(quoted), "{given}: {problem}");
                assert!(!problem.contains("pass"), "{problem}");
            }
        }
        let problem = Origin::custom_scheme("app://*").unwrap_err();
        assert!(
            problem
                .to_string()
                .starts_with(r#"origin: "app://*" is a bare"#)
        );
    }
}
