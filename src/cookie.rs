//! Cookies on the wire: reading every value of a name, writing and clearing one cookie.
//!
//! Reading follows RFC 6265 section 5.4 as a server sees it; writing uses the `cookie` crate.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};
use memchr::memchr;

/// The longest lifetime a browser honours (RFC 6265bis section 5.5): 400 days.
pub(crate) const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Every value of the cookie `name` in all `Cookie` lines, in the order they were sent.
///
/// HTTP/2 splits the header into several lines (RFC 9113 section 8.2.3), so all of them are read.
/// Names match exactly and nothing is trimmed but space and tab.
pub(crate) fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    lines
        .flat_map(|line| pairs(line.as_bytes()))
        .filter_map(move |pair| {
            let (left, right) = pair.split_at_checked(memchr(b'=', pair)?)?;
            let value = right.strip_prefix(b"=")?;
            (trim(left) == name.as_bytes()).then(|| trim(value))
        })
}

/// Whether any cookie but that of the name `own` came. A `Cookie` line that is empty has none.
pub(crate) fn has_other_than(headers: &HeaderMap, own: &str) -> bool {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = lines.flat_map(|line| pairs(line.as_bytes())).map(trim);
    pairs.any(|pair| {
        let end = memchr(b'=', pair).unwrap_or(pair.len());
        let name = pair.get(..end).unwrap_or_default();
        // Without an equals sign it is a value that has no name.
        !pair.is_empty() && (end == pair.len() || trim(name) != own.as_bytes())
    })
}

/// Whether a cookie may be one that a layer of this crate set, by its name alone.
///
/// The prefixes count whatever follows, in any case, as browsers read them (RFC 6265bis section 4.1.3):
/// no browser sends such a cookie over plain http, so one that comes that way has leaked. The two names
/// are those of the layers that were told to do without `Secure`.
pub(crate) fn has_own(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut names = lines
        .flat_map(|line| pairs(line.as_bytes()))
        .filter_map(|pair| pair.split(|b| *b == b'=').next().map(trim));
    names.any(|name| {
        let begins = |prefix: &str| {
            let start = name.get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        begins("__Host-") || begins("__Secure-") || name == b"refresh_token" || name == b"csrf"
    })
}

/// What stands between the semicolons. Searched many bytes at a time, since a browser sends its
/// cookies with every request.
fn pairs(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let Some(end) = memchr(b';', line) else {
            return rest.take();
        };
        let (pair, behind) = line.split_at_checked(end)?;
        rest = behind.get(1..);
        Some(pair)
    })
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The name and attributes of a cookie. Clearing must repeat them all, so they live in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CookieSpec {
    name: String,
    path: String,
    same_site: SameSite,
    secure: bool,
    /// What follows the value but for the lifetime, `; ` first. Rendered once: it never changes.
    attributes: String,
}

/// How the cookie's name tells the browser what to insist on (RFC 6265bis section 4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// `__Secure-`: set over https only.
    Secure,
    /// `__Host-`: this host only, `Path=/`.
    Host,
    /// No prefix and no `Secure`: plain http during development.
    Insecure,
    /// The same with `Path=/`, in place of `__Host-`.
    InsecureHost,
}

/// An attribute that cannot be written into a cookie, and what would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieError {
    Name(&'static str),
    Path(&'static str),
}

impl CookieSpec {
    /// Checks and fixes the attributes.
    ///
    /// # Errors
    ///
    /// When the name is not a token or the path cannot be written into a cookie.
    pub(crate) fn new(
        name: &str,
        path: &str,
        prefix: Prefix,
        same_site: SameSite,
    ) -> Result<Self, CookieError> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(CookieError::Name(
                "must be a token: letters, digits and !#$%&'*+-.^_`|~",
            ));
        }
        if name.to_ascii_lowercase().starts_with("__") {
            return Err(CookieError::Name(
                "must come without a prefix: the layer adds __Secure- or __Host- itself",
            ));
        }
        let writable = |b: u8| b.is_ascii_graphic() && b != b';' && b != b'?' && b != b'#';
        if !path.starts_with('/') || !path.bytes().all(writable) {
            return Err(CookieError::Path(
                "must be an absolute path without query, such as \"/auth\"",
            ));
        }
        if path.len() > 1 && path.ends_with('/') {
            return Err(CookieError::Path(
                "must not end with a slash: the session endpoints lie below it",
            ));
        }
        let (name, path) = match prefix {
            Prefix::Secure => (format!("__Secure-{name}"), path.to_owned()),
            Prefix::Host => (format!("__Host-{name}"), "/".to_owned()),
            Prefix::Insecure => (name.to_owned(), path.to_owned()),
            Prefix::InsecureHost => (name.to_owned(), "/".to_owned()),
        };
        let spec = Self {
            name,
            path,
            same_site,
            secure: matches!(prefix, Prefix::Secure | Prefix::Host),
            attributes: String::new(),
        };
        Ok(spec.with_attributes(true))
    }

    fn with_attributes(mut self, http_only: bool) -> Self {
        let cookie = Cookie::build(("", ""))
            .path(self.path.as_str())
            .secure(self.secure)
            .http_only(http_only)
            .same_site(self.same_site)
            .build();
        let rendered = cookie.to_string();
        self.attributes = rendered.trim_start_matches('=').to_owned();
        self
    }

    /// Whether browsers keep it back from requests that pages of other sites cause.
    pub(crate) fn is_strict(&self) -> bool {
        self.same_site == SameSite::Strict
    }

    /// Whether browsers send it with a request for `path` (RFC 6265 section 5.1.4).
    pub(crate) fn reaches(&self, path: &str) -> bool {
        // What has no path, such as `OPTIONS *`, is sent what every path is sent.
        let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
        self.path == "/" || path.strip_prefix(&self.path).is_some_and(below)
    }

    /// The same cookie, open to the page's scripts.
    pub(crate) fn readable(self) -> Self {
        self.with_attributes(false)
    }

    /// The name, prefix included.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A `Set-Cookie` that stores `value` for `max_age`, whole seconds, rounded down.
    pub(crate) fn set(&self, value: &str, max_age: Duration) -> Option<HeaderValue> {
        self.header(value, Some(max_age.min(LONGEST).as_secs()))
    }

    /// A `Set-Cookie` that stores `value` until the browser closes.
    pub(crate) fn set_until_closed(&self, value: &str) -> Option<HeaderValue> {
        self.header(value, None)
    }

    /// A `Set-Cookie` that removes the cookie: same name, path and attributes, no lifetime.
    pub(crate) fn clear(&self) -> Option<HeaderValue> {
        self.header("", Some(0))
    }

    fn header(&self, value: &str, max_age: Option<u64>) -> Option<HeaderValue> {
        let mut line = [&self.name, "=", value, &self.attributes].concat();
        if let Some(seconds) = max_age {
            line.push_str(&["; Max-Age=", &seconds.to_string()].concat());
        }
        let mut header = HeaderValue::try_from(line).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                header::COOKIE,
                HeaderValue::from_bytes(line.as_bytes()).unwrap(),
            );
        }
        values(&headers, "a")
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    #[test]
    fn every_line_and_every_value_of_the_exact_name_is_read() {
        assert_eq!(
            read(&["a=1; b=2;a = 3 ", "A=4;aa=5; a=\"6\"; a"]),
            ["1", "3", "\"6\""]
        );
        assert_eq!(read(&["a==x=;;=;"]), ["=x="]);
        assert!(read(&["", ";", "b=a=1"]).is_empty());
    }

    #[test]
    fn any_other_cookie_is_seen_and_an_empty_line_is_none() {
        let has = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            has_other_than(&headers, "own")
        };
        for none in [
            &[][..],
            &[""],
            &["; ;"],
            &["own=1"],
            &["own=1; own=2", " own =3;"],
        ] {
            assert!(!has(none), "{none:?}");
        }
        for other in [
            "a=1",
            "a=",
            "own",
            "=own",
            "Own=1",
            "own=1; a=2",
            "owner=1",
            "own=1;x",
        ] {
            assert!(has(&[other]), "{other}");
        }
        assert!(has(&["own=1", "a=1"]));
    }

    #[test]
    fn own_cookies_are_known_by_their_names() {
        for (line, own) in [
            ("__Host-csrf=1", true),
            ("_ga=1; __Secure-refresh_token=2", true),
            ("_ga=1;__HOST-x", true),
            ("\t__secure-x =1", true),
            ("refresh_token=1", true),
            ("csrf=1", true),
            ("", false),
            (";=;", false),
            ("_ga=__Host-csrf", false),
            ("a=b=csrf", false),
            ("__Hos-a=1; __Secure=2; _Host-c=3", false),
            ("csrf2=1; xcsrf=2; CSRF=3; refresh_token_2=4", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, HeaderValue::from_static("theme=dark"));
            headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
            assert_eq!(has_own(&headers), own, "{line}");
        }
        assert!(!has_own(&HeaderMap::new()));
    }

    #[test]
    fn set_and_clear_repeat_the_same_attributes() {
        let spec =
            CookieSpec::new("refresh_token", "/auth", Prefix::Secure, SameSite::Strict).unwrap();
        assert_eq!(
            spec.set("v", Duration::from_secs(604_800)).unwrap(),
            "__Secure-refresh_token=v; HttpOnly; SameSite=Strict; Secure; Path=/auth; Max-Age=604800"
        );
        assert_eq!(
            spec.clear().unwrap(),
            "__Secure-refresh_token=; HttpOnly; SameSite=Strict; Secure; Path=/auth; Max-Age=0"
        );
        let host = CookieSpec::new("t", "/auth", Prefix::Host, SameSite::Lax).unwrap();
        assert_eq!(
            host.set("v", Duration::from_secs(u64::MAX)).unwrap(),
            "__Host-t=v; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=34560000"
        );
    }

    #[test]
    fn paths_match_as_rfc_6265_section_5_1_4_says() {
        let spec = |path| CookieSpec::new("t", path, Prefix::Secure, SameSite::Lax).unwrap();
        for (cookie, path, reached) in [
            ("/auth", "/auth", true),
            ("/auth", "/auth/", true),
            ("/auth", "/auth/refresh", true),
            ("/auth", "/authentic", false),
            ("/auth", "/Auth/refresh", false),
            ("/auth", "/", false),
            ("/auth", "", false),
            ("/auth", "*", false),
            ("/a/b", "/a", false),
            ("/", "/", true),
            ("/", "/auth", true),
            ("/", "*", true),
            ("/", "", true),
        ] {
            assert_eq!(spec(cookie).reaches(path), reached, "{cookie} {path}");
        }
    }

    #[test]
    fn names_and_paths_that_would_inject_are_refused_by_name() {
        let spec = |name, path| CookieSpec::new(name, path, Prefix::Secure, SameSite::Strict);
        assert!(matches!(spec("a;b", "/"), Err(CookieError::Name(_))));
        assert!(matches!(spec("__host-x", "/"), Err(CookieError::Name(_))));
        for path in ["auth", "/a;Domain=x", "/a\r\n", "/a?x", "/auth/", ""] {
            assert!(
                matches!(spec("a", path), Err(CookieError::Path(_))),
                "{path:?}"
            );
        }
    }

    /// The public `Cookie` header vectors, where they are at hand; the tests above always run.
    #[test]
    fn public_vectors_read_as_rfc_6265_says() {
        let Some(folder) = std::env::var_os("TOWER_BEARER_VECTORS") else {
            println!("TOWER_BEARER_VECTORS is not set: the public cookie vectors are not run");
            return;
        };
        let text = std::fs::read_to_string(std::path::Path::new(&folder).join("cookies.jsonl"));
        let mut judged = 0;
        for row in text.unwrap().lines() {
            let row: serde_json::Value = serde_json::from_str(row).unwrap();
            let lines = match &row["cookie_header"] {
                serde_json::Value::Array(lines) => lines.clone(),
                line => vec![line.clone()],
            };
            let mut headers = HeaderMap::new();
            for line in &lines {
                // One character is one byte, as in the files.
                let bytes: Vec<u8> = line.as_str().unwrap().chars().map(|c| c as u8).collect();
                match HeaderValue::from_bytes(&bytes) {
                    Ok(value) => drop(headers.append(header::COOKIE, value)),
                    // The HTTP library refuses it before us.
                    Err(_) => continue,
                }
            }
            let pairs = row["expect_pairs"].as_array().unwrap();
            for pair in pairs {
                let name = pair[0].as_str().unwrap();
                // A pair without a name is nobody's cookie, and never ours.
                if name.is_empty() || headers.is_empty() {
                    continue;
                }
                let expected: Vec<Vec<u8>> = pairs
                    .iter()
                    .filter(|pair| pair[0] == name)
                    .map(|pair| pair[1].as_str().unwrap().chars().map(|c| c as u8).collect())
                    .collect();
                let found: Vec<Vec<u8>> = values(&headers, name).map(<[u8]>::to_vec).collect();
                assert_eq!(found, expected, "{}", row["id"]);
                judged += 1;
            }
            if let Some(name) = row["lookup"].as_str().filter(|_| !headers.is_empty()) {
                let listed = pairs.iter().filter(|pair| pair[0] == name).count();
                assert_eq!(values(&headers, name).count(), listed, "{}", row["id"]);
                judged += 1;
            }
        }
        println!("{judged} public cookie look-ups judged");
        assert!(judged > 80, "{judged}");
    }
}
