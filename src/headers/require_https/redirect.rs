//! The redirect from plain http, for requests that lose nothing by it.

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::host::HttpsHost;
use crate::cookie;

/// The bytes that are encoded in a path. All but unreserved characters, sub-delimiters, `/:@` (RFC 3986 section 3.3),
/// and a `%` that came. Browsers send a few others (`|`, `"`, bytes of UTF-8).
const PATH: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'%')
    .remove(b'/')
    .remove(b':')
    .remove(b'@');

/// The same for a query, which may hold `?` as well (RFC 3986 section 3.4).
const QUERY: AsciiSet = PATH.remove(b'?');

/// Where to send a request, if it may be sent anywhere.
///
/// A request with credentials is rejected instead: the network has already seen them. A client that is silently
/// redirected would go on sending them. Cookies of others are no credentials here. A typed address brings those that
/// the pages of a site have set since the day before.
pub(super) fn location(
    host: &HttpsHost,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<HeaderValue> {
    let safe = *method == Method::GET || *method == Method::HEAD;
    let credentials = headers.contains_key(header::AUTHORIZATION) || cookie::has_own(headers);
    // Without the slash, the path would go on where the host ends: `app.example` + `.evil.example`.
    if !safe || credentials || !uri.path().starts_with('/') {
        return None;
    }
    // Only path and query of the address come from the client. Neither `Host` nor the authority of the request target
    // is read.
    let path = utf8_percent_encode(uri.path(), &PATH);
    let mut text = format!("https://{host}{path}");
    if let Some(query) = uri.query() {
        text.push('?');
        text.extend(utf8_percent_encode(query, &QUERY));
    }
    HeaderValue::try_from(text).ok()
}

/// 308, so that `HEAD` stays `HEAD` (RFC 9110 section 15.4.9). A 308 is cached unless it says otherwise. A cache
/// behind the proxy would answer it to the https request that follows.
pub(super) fn answer<B: Default>(location: HeaderValue) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(uri: &str) -> Option<String> {
        let host = "app.example".parse().unwrap();
        let value = location(
            &host,
            &Method::GET,
            &uri.parse().unwrap(),
            &HeaderMap::new(),
        )?;
        Some(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn path_and_query_are_kept_and_nothing_else_is() {
        for (uri, expected) in [
            ("/", "https://app.example/"),
            ("/a/b?c=d&e=f", "https://app.example/a/b?c=d&e=f"),
            ("/?", "https://app.example/?"),
            ("/?a?b/c:d@e", "https://app.example/?a?b/c:d@e"),
            ("http://evil.example", "https://app.example/"),
            ("http://evil.example?x", "https://app.example/?x"),
            ("http://evil.example:8080/x", "https://app.example/x"),
            ("//evil.example/x", "https://app.example//evil.example/x"),
            ("/@evil.example", "https://app.example/@evil.example"),
            ("/\\evil.example", "https://app.example/%5Cevil.example"),
            ("/..//evil.example", "https://app.example/..//evil.example"),
            (
                "/%0d%0aset-cookie:a=b",
                "https://app.example/%0d%0aset-cookie:a=b",
            ),
            ("/a|b\"{}?^|", "https://app.example/a%7Cb%22%7B%7D?%5E%7C"),
            ("/\u{fc}?\u{fc}", "https://app.example/%C3%BC?%C3%BC"),
        ] {
            assert_eq!(to(uri).as_deref(), Some(expected), "{uri}");
        }
    }

    #[test]
    fn requests_without_a_path_are_not_redirected() {
        assert_eq!(to("*"), None);
        let mut parts = http::uri::Parts::default();
        for path in [".evil.example/", "@evil.example/", ":80@evil.example/"] {
            // Newer versions of `http` refuse such a path, and then there is nothing to show.
            let Ok(path) = path.parse() else { continue };
            parts.path_and_query = Some(path);
            let uri = Uri::from_parts(std::mem::take(&mut parts)).unwrap();
            let host = "app.example".parse().unwrap();
            assert_eq!(location(&host, &Method::GET, &uri, &HeaderMap::new()), None);
        }
    }
}
