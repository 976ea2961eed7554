//! How long an issuer wants no further request (RFC 9110 section 10.2.3).

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use super::cache_control::{date, delta_seconds};
use crate::clock::Timestamp;

/// No pause is longer. During a pause the service does not learn of new keys, and one that has just started has none.
/// Other clients on the same address may have caused the answer. It must not cause a long outage.
pub(super) const LONGEST: Duration = Duration::from_secs(5 * 60);

/// The time that `Retry-After` asks for, 5 minutes at most; `None` where it does not count, or cannot be read.
///
/// It is in seconds, or a date: from `Date` on, or from `now` where there is none.
pub(super) fn retry_after(
    status: StatusCode,
    headers: &HeaderMap,
    now: Timestamp,
) -> Option<Duration> {
    let counts = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    if !counts.contains(&status) {
        return None;
    }
    let value = headers.get(header::RETRY_AFTER)?;
    let wait = match delta_seconds(value.to_str().ok()?.trim()) {
        Some(seconds) => Duration::from_secs(seconds),
        None => {
            let from = headers.get(header::DATE).and_then(date).unwrap_or(now);
            date(value)?.since(from)
        }
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// Half a minute past the date of RFC 9110 section 5.6.7.
    const NOW: Timestamp = Timestamp::from_secs(784_111_777 + 30);

    #[test]
    fn seconds_or_a_date_and_five_minutes_at_most() {
        const SIX: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        const FOUR_LATER: &str = "Sun, 06 Nov 1994 08:53:37 GMT";
        for (status, value, sent, expected) in [
            (503, "120", None, Some(120)),
            (429, " 1 ", None, Some(1)),
            (503, "0", None, Some(0)),
            (503, "301", None, Some(300)),
            (503, "99999999999999999999", None, Some(300)),
            (503, FOUR_LATER, None, Some(210)),
            (503, FOUR_LATER, Some(SIX), Some(240)),
            (503, SIX, None, Some(0)),
            (503, "Sun, 06 Nov 2044 08:49:37 GMT", None, Some(300)),
            (503, "-1", None, None),
            (503, "1.5", None, None),
            (503, "soon", None, None),
            (503, "", None, None),
            (500, "120", None, None),
            (404, "120", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
            if let Some(sent) = sent {
                headers.insert(header::DATE, HeaderValue::from_static(sent));
            }
            let status = StatusCode::from_u16(status).unwrap();
            let wait = retry_after(status, &headers, NOW);
            let expected = expected.map(Duration::from_secs);
            assert_eq!(wait, expected, "{status} {value:?} {sent:?}");
            headers.remove(header::RETRY_AFTER);
            assert_eq!(retry_after(status, &headers, NOW), None);
        }
    }
}
