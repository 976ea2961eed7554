//! How long an answer is fresh, by its own headers (RFC 9111 section 4.2).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use crate::clock::Timestamp;

/// How long the answer says it may be kept; `None` when it says nothing.
///
/// It is zero where it has to be checked every time, or cannot be read. This is a private cache, so `s-maxage` and
/// `private` do not apply. `Expires` counts where there is no `max-age` (RFC 9111 section 5.3). It counts from `Date`
/// on, or from `now` where there is none.
pub(super) fn freshness(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let mut max_age = None;
    for line in headers.get_all(header::CACHE_CONTROL) {
        let Ok(line) = line.to_str() else {
            return Some(Duration::ZERO);
        };
        for directive in Directives(line) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let name = name.trim();
            if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
                return Some(Duration::ZERO);
            }
            if name.eq_ignore_ascii_case("max-age") {
                let seconds = delta_seconds(value.trim().trim_matches('"'));
                // Two that contradict each other are as good as none that can be read.
                if seconds.is_none() || max_age.is_some_and(|earlier| Some(earlier) != seconds) {
                    return Some(Duration::ZERO);
                }
                max_age = seconds;
            }
        }
    }
    let age = headers.get(header::AGE).map(HeaderValue::to_str);
    let age = age.and_then(|age| delta_seconds(age.ok()?.trim()));
    let stated = max_age
        .map(Duration::from_secs)
        .or_else(|| expires(headers, now));
    stated.map(|stated| stated.saturating_sub(Duration::from_secs(age.unwrap_or(0))))
}

/// The time that `Expires` leaves. One that cannot be read, and `0` above all, lies in the past.
fn expires(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let expires = headers.get(header::EXPIRES)?;
    let from = headers.get(header::DATE).and_then(date).unwrap_or(now);
    Some(date(expires).map_or(Duration::ZERO, |expires| expires.since(from)))
}

/// A date in any of the three forms (RFC 9110 section 5.6.7).
pub(super) fn date(value: &HeaderValue) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(value.to_str().ok()?).ok()?;
    Timestamp::of_system(date)
}

/// RFC 9111 section 1.2.2: what is too large to be held counts as the largest.
pub(super) fn delta_seconds(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse::<u32>().unwrap_or(u32::MAX).into())
}

/// The parts between commas that are not within quotes.
struct Directives<'a>(&'a str);

impl<'a> Iterator for Directives<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let (mut quoted, mut escaped) = (false, false);
        let end = self.0.bytes().position(|b| {
            let plain = !std::mem::take(&mut escaped);
            match b {
                b'\\' if quoted && plain => escaped = true,
                b'"' if plain => quoted = !quoted,
                b',' => return !quoted,
                _ => {}
            }
            false
        });
        let (directive, rest) = match end {
            Some(end) => (&self.0[..end], &self.0[end + 1..]),
            None => (self.0, ""),
        };
        self.0 = rest;
        Some(directive.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a minute past the date of RFC 9110 section 5.6.7.
    const NOW: Timestamp = Timestamp::from_secs(784_111_777 + 30);

    fn of(lines: &[(&'static str, &str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        freshness(&headers, NOW).map(|fresh| fresh.as_secs())
    }

    #[test]
    fn freshness_follows_the_headers_of_the_answer() {
        const CC: &str = "cache-control";
        const EXPIRES: &str = "expires";
        const SIX: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (lines, expected) in [
            (vec![], None),
            (vec![(CC, "")], None),
            (vec![(CC, "public, must-revalidate")], None),
            (vec![(CC, "s-maxage=5")], None),
            (vec![("age", "5")], None),
            (vec![(CC, "max-age=600")], Some(600)),
            (vec![(CC, "public , MAX-AGE=\"600\",x=1")], Some(600)),
            (vec![(CC, "public"), (CC, "max-age=600")], Some(600)),
            (vec![(CC, "max-age=600"), ("age", "100")], Some(500)),
            (vec![(CC, "max-age=600"), ("age", "601")], Some(0)),
            (vec![(CC, "max-age=600"), ("age", "-1")], Some(600)),
            (vec![(CC, "max-age=600"), ("age", "x")], Some(600)),
            (vec![(CC, "max-age=0")], Some(0)),
            (vec![(CC, "max-age=600, no-cache")], Some(0)),
            (vec![(CC, "max-age=600"), (CC, "no-store")], Some(0)),
            (vec![(CC, "no-cache=\"x, y\", max-age=600")], Some(0)),
            (vec![(CC, "max-age=600, max-age=600")], Some(600)),
            (vec![(CC, "max-age=600, max-age=60")], Some(0)),
            (vec![(CC, "max-age")], Some(0)),
            (vec![(CC, "max-age=-1")], Some(0)),
            (vec![(CC, "max-age=1e9")], Some(0)),
            (vec![(CC, "max-age=\u{e9}")], Some(0)),
            (
                vec![(CC, "max-age=99999999999999999999999")],
                Some(4_294_967_295),
            ),
            // `Expires` stands in for `max-age` (RFC 9111 section 5.3).
            (vec![(EXPIRES, "Sun, 06 Nov 1994 08:59:37 GMT")], Some(570)),
            (vec![(EXPIRES, "Sunday, 06-Nov-94 08:59:37 GMT")], Some(570)),
            (vec![(EXPIRES, SIX), ("date", SIX)], Some(0)),
            (
                vec![(EXPIRES, "Sun, 06 Nov 1994 08:59:37 GMT"), ("date", SIX)],
                Some(600),
            ),
            (
                vec![(EXPIRES, "Sun, 06 Nov 1994 08:59:37 GMT"), ("age", "70")],
                Some(500),
            ),
            (vec![(EXPIRES, SIX)], Some(0)),
            (vec![(EXPIRES, "0")], Some(0)),
            (vec![(EXPIRES, "tomorrow")], Some(0)),
            (vec![(EXPIRES, "0"), (CC, "max-age=600")], Some(600)),
            (vec![(EXPIRES, "0"), (CC, "public")], Some(0)),
            // A text that only looks like directives.
            (
                vec![(CC, "x=\"no-store, max-age=1\", max-age=600")],
                Some(600),
            ),
            (vec![(CC, "x=\"a\\\", no-store\", max-age=600")], Some(600)),
            (vec![(CC, ",,max-age=600,")], Some(600)),
        ] {
            assert_eq!(of(&lines), expected, "{lines:?}");
        }
    }
}
