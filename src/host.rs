//! Hosts and ports: as they are configured, as browsers write them, and as requests name them.

use std::{
    fmt::{self, Write as _},
    net::{Ipv4Addr, Ipv6Addr},
};

/// Whether `origin`, as it came over the wire, is `http` or `https` on the given authority. That
/// authority is the request's own `Host` or `:authority`.
///
/// Neither names a scheme, so a port that is missing there is the default one of the origin's. The
/// authority may be spelled in any way that means the same, the origin in the browsers' way only.
/// Nothing is allocated.
pub(crate) fn is_on_host(origin: &str, authority: &str) -> bool {
    let (default, wire) = match (
        origin.strip_prefix("https://"),
        origin.strip_prefix("http://"),
    ) {
        (Some(wire), _) => (443, wire),
        (_, Some(wire)) => (80, wire),
        _ => return false,
    };
    let (Some((wire, wire_port)), Some((host, port))) = (split_port(wire), split_port(authority))
    else {
        return false;
    };
    // Browsers leave the default port out of an origin, so they never sent one that names it.
    let port = port.filter(|port| *port != default);
    wire_port == port && is_written_as(host, wire)
}

/// Whether `origin`, as it came over the wire, is an `http` or `https` origin as browsers write it.
/// Nothing is allocated.
pub(crate) fn is_web_origin(origin: &str) -> bool {
    // It is on the host that it names itself, unless it is spelled in another way.
    origin
        .split_once("://")
        .is_some_and(|(_, authority)| is_on_host(origin, authority))
}

/// Whether `host`, as a URL has it, is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || ipv6(host).is_some_and(|ip| ip.is_loopback())
}

pub(crate) fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Splits `host[:port]`. A port is written without leading zeros and is not zero.
pub(crate) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let in_brackets = authority.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = authority.get(in_brackets..)?.find(':') else {
        return Some((authority, None));
    };
    let host = authority.get(..in_brackets + colon)?;
    let port = authority.get(in_brackets + colon + 1..)?;
    if port.starts_with(['0', '+']) {
        return None;
    }
    Some((host, Some(port.parse().ok()?)))
}

/// The host in the form browsers send, or `None` when it is not one. A name keeps its final dot.
pub(crate) fn canonical_host(host: &str) -> Option<String> {
    match ipv6(host) {
        Some(address) => Some(Ipv6Host(address).to_string()),
        None => is_tuple_host(host).then(|| host.to_ascii_lowercase()),
    }
}

/// A host name, or the labels in front of one. It has one label or more of letters, digits, inner
/// hyphens and the underscores that real ones have. Read in one pass, because it runs on requests.
pub(crate) fn is_name(text: &str) -> bool {
    let (mut length, mut last) = (0, b'.');
    for byte in text.bytes() {
        match byte {
            b'.' if length == 0 || last == b'-' => return false,
            b'.' => length = 0,
            b'-' if length == 0 => return false,
            b'-' | b'_' => length += 1,
            _ if byte.is_ascii_alphanumeric() => length += 1,
            _ => return false,
        }
        if length > 63 {
            return false;
        }
        last = byte;
    }
    length > 0 && last != b'-'
}

/// Whether `wire` is the form that browsers send `host` in.
fn is_written_as(host: &str, wire: &str) -> bool {
    if let Some(address) = ipv6(host) {
        let mut rest = Rest(wire);
        return write!(rest, "{}", Ipv6Host(address)).is_ok() && rest.0.is_empty();
    }
    is_tuple_host(host)
        && host.eq_ignore_ascii_case(wire)
        && !wire.bytes().any(|b| b.is_ascii_uppercase())
}

fn ipv6(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// A name, with the dot of the root behind it or not, or an IPv4 address.
///
/// To browsers a name with that dot is another host. Behind an address they leave it out.
fn is_tuple_host(host: &str) -> bool {
    match host.strip_suffix('.') {
        Some(name) => is_name_or_ipv4(name) && name.parse::<Ipv4Addr>().is_err(),
        None => is_name_or_ipv4(host),
    }
}

fn is_name_or_ipv4(host: &str) -> bool {
    if host.len() > 253 || !is_name(host) {
        return false;
    }
    // Browsers read a host that ends in a number as an IPv4 address in many notations. Only the one
    // canonical form is accepted.
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|b| b.is_ascii_digit())
        || last.starts_with("0x")
        || last.starts_with("0X");
    !is_number || host.parse::<Ipv4Addr>().is_ok()
}

/// Browsers never write the last four bytes of an IPv6 address as decimals; the standard library
/// does for mapped addresses.
struct Ipv6Host(Ipv6Addr);

impl fmt::Display for Ipv6Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.segments() {
            [0, 0, 0, 0, 0, 0xffff, high, low] => write!(f, "[::ffff:{high:x}:{low:x}]"),
            _ => write!(f, "[{}]", self.0),
        }
    }
}

/// The part of a text that has not been written yet. Writing a different part is an error.
struct Rest<'a>(&'a str);

impl fmt::Write for Rest<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_host_names_no_scheme() {
        for (origin, authority) in [
            ("https://app.example", "app.example"),
            ("http://app.example", "app.example"),
            ("https://app.example", "APP.example:443"),
            ("http://app.example", "app.example:80"),
            ("https://app.example:80", "app.example:80"),
            ("http://app.example:443", "app.example:443"),
            ("https://app.example:8443", "app.example:8443"),
            ("http://127.0.0.1:3000", "127.0.0.1:3000"),
            ("http://[::1]:3000", "[0::1]:3000"),
            ("http://[::1]", "[::1]:80"),
            ("https://[::ffff:7f00:1]", "[::ffff:127.0.0.1]"),
            ("https://[2001:db8::a]", "[2001:DB8:0::A]:443"),
            ("https://app.example.", "APP.example."),
            ("https://app.example.:8443", "app.example.:8443"),
        ] {
            assert!(is_on_host(origin, authority), "{origin} on {authority}");
        }
    }

    #[test]
    fn an_own_origin_is_written_as_browsers_write_it() {
        for (origin, authority) in [
            ("https://app.example", "app.example:80"),
            ("https://app.example", "app.example:8443"),
            ("https://app.example:8443", "app.example"),
            ("https://app.example:443", "app.example:443"),
            ("https://app.example:443", "app.example"),
            ("http://app.example:80", "app.example"),
            ("https://APP.example", "APP.example"),
            ("https://app.example.", "app.example"),
            ("https://app.example..", "app.example.."),
            ("http://127.0.0.1.", "127.0.0.1."),
            ("https://app.example", "app.example."),
            ("https://app.example", "user@app.example"),
            ("https://user@app.example", "user@app.example"),
            ("https://app.example", "app.example/"),
            ("https://app.example/", "app.example/"),
            ("https://app.example", "app.example, evil.example"),
            ("https://app.example", "app.example:"),
            ("https://app.example:", "app.example:"),
            ("https://app.example:08", "app.example:08"),
            ("https://app.example:8", "app.example:08"),
            ("https://app.example:0", "app.example:0"),
            ("https://app.example", ""),
            ("https://", ""),
            ("tauri://app.example", "app.example"),
            ("app.example", "app.example"),
            ("https://[0::1]", "[0::1]"),
            ("https://[::1]x", "[::1]"),
            ("https://[::1", "[::1]"),
            ("https://[::1", "[::1"),
            ("https://[::12]", "[::1]"),
            ("https://[::1]", "[::12]"),
            ("https://[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"),
            ("https://::1", "::1"),
            ("http://127.1", "127.1"),
            ("http://0x7f.1", "0x7f.1"),
        ] {
            assert!(!is_on_host(origin, authority), "{origin} on {authority}");
        }
    }

    #[test]
    fn a_web_origin_is_written_as_browsers_write_it() {
        for origin in [
            "https://app.example",
            "http://app.example:443",
            "https://app.example.:8443",
            "http://localhost:5173",
            "http://127.0.0.1",
            "https://[::ffff:7f00:1]:1",
        ] {
            assert!(is_web_origin(origin), "{origin}");
        }
        for origin in [
            "",
            "null",
            "app.example",
            "//app.example",
            "https://",
            "https://app.example/",
            "https://app.example:443",
            "http://app.example:80",
            "https://app.example:",
            "https://app.example:08",
            "https://App.example",
            "HTTPS://app.example",
            "https://user@app.example",
            "https://app.example https://b.example",
            "https://app.example,https://b.example",
            "https://app..example",
            "https://b\u{fc}cher.example",
            "https://127.1",
            "https://[0::1]",
            "https://*.app.example",
            "http://localhost:*",
            "app://-",
            "wss://app.example",
        ] {
            assert!(!is_web_origin(origin), "{origin}");
        }
    }
}
