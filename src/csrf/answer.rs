//! The headers of an answer that brings or carries a token.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::caching::leave_to_cache_control;

/// A shared cache would give one browser's token to another browser. The handler's own caching rule stays where it
/// excludes shared caches. `public`, `max-age` and the like do not stay, beside a cookie or not (RFC 9111 section
/// 7.3).
pub(super) fn keep_to_one_browser(headers: &mut HeaderMap) {
    let excludes = |directive: &[u8]| {
        let directive = directive.trim_ascii();
        directive.eq_ignore_ascii_case(b"private") || directive.eq_ignore_ascii_case(b"no-store")
    };
    // A comma inside of quotes ends no directive.
    let is_plain = |line: &&HeaderValue| !line.as_bytes().contains(&b'"');
    let lines = headers.get_all(header::CACHE_CONTROL).iter();
    let mut directives = lines
        .filter(is_plain)
        .flat_map(|line| line.as_bytes().split(|b| *b == b','));
    if !directives.any(excludes) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    leave_to_cache_control(headers);
    headers.append(header::VARY, HeaderValue::from_static("Cookie"));
}

/// The header of the Fetch standard that keeps a response from pages of other origins.
static CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A page of another host can load any address as a script, with the cookies.
pub(super) fn keep_to_own_pages(headers: &mut HeaderMap) {
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    headers.insert(&CORP, HeaderValue::from_static("same-origin"));
}

/// Whether the answer is a page, which may have forms and scripts.
pub(super) fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let essence = kind.and_then(|kind| kind.split(|b| *b == b';').next());
    essence.is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(b"text/html"))
}
