//! Request headers that already have a writer other than the application and its pages.
//!
//! A setting that names one of them works on a developer's machine. It fails, or protects nothing,
//! where that writer is present.

use http::HeaderName;

/// The writer of a request header, of those that [`HeaderOwner::of`] knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderOwner {
    /// Pages of other sites send it without a preflight. These are the safelist of CORS (Fetch,
    /// "CORS-safelisted request-header") and the client hints, which browsers include.
    AnyPage,
    /// Browsers and connections: no script can set it (Fetch, "forbidden request-header").
    Browser,
    /// Clients, libraries or browsers, for a purpose of its own.
    Client,
    /// Proxies, load balancers and tracing.
    Proxy,
}

/// Each row: the writer, whole names, and beginnings of names. The first row that fits counts.
const OWNERS: [(HeaderOwner, &[&str], &[&str]); 4] = [
    (
        HeaderOwner::AnyPage,
        &[
            "accept",
            "accept-language",
            "content-language",
            "content-type",
            "device-memory",
            "downlink",
            "dpr",
            "ect",
            "range",
            "rtt",
            "save-data",
            "viewport-width",
            "width",
        ],
        &["sec-ch-"],
    ),
    (
        HeaderOwner::Browser,
        &[
            "accept-charset",
            "accept-encoding",
            "connection",
            "content-length",
            "cookie",
            "cookie2",
            "date",
            "dnt",
            "expect",
            "feature-policy",
            "host",
            "keep-alive",
            "origin",
            "permissions-policy",
            "referer",
            "set-cookie",
            "set-cookie2",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "via",
        ],
        &["access-control-", "proxy-", "sec-"],
    ),
    (
        HeaderOwner::Client,
        &[
            "alt-used",
            "authorization",
            "available-dictionary",
            "cache-control",
            "dictionary-id",
            "early-data",
            "from",
            "last-event-id",
            "max-forwards",
            "ping-from",
            "ping-to",
            "pragma",
            "prefer",
            "priority",
            "purpose",
            "upgrade-insecure-requests",
            "user-agent",
            "x-purpose",
            // Android's WebView writes the name of its program there, and older libraries `XMLHttpRequest`.
            "x-requested-with",
        ],
        // `x-http-method` and `x-method-override` ask for another method.
        &[
            "attribution-reporting-",
            "content-",
            "if-",
            "service-worker",
            "x-http-method",
            "x-method-override",
        ],
    ),
    (
        HeaderOwner::Proxy,
        &[
            "b3",
            "baggage",
            "cdn-loop",
            "client-ip",
            "forwarded",
            "front-end-https",
            "newrelic",
            "sentry-trace",
            "traceparent",
            "tracestate",
            "true-client-ip",
            "x-client-ip",
            "x-cloud-trace-context",
            "x-cluster-client-ip",
            "x-correlation-id",
            "x-real-ip",
            "x-request-id",
            "x-request-start",
            "x-scheme",
            "x-url-scheme",
            "x-varnish",
        ],
        &[
            "cf-",
            "cloudfront-",
            "fastly-",
            "fly-",
            "x-amz-",
            "x-amzn-",
            "x-appengine-",
            "x-arr-",
            "x-azure-",
            "x-b3-",
            "x-datadog-",
            "x-envoy-",
            "x-forwarded",
            "x-original-",
            "x-vercel-",
        ],
    ),
];

impl HeaderOwner {
    /// The writer of the header with this name, or none where the application may write it.
    pub(crate) fn of(name: &HeaderName) -> Option<Self> {
        let name = name.as_str();
        let fits = |names: &[&str], starts: &[&str]| {
            names.contains(&name) || starts.iter().any(|start| name.starts_with(start))
        };
        OWNERS
            .iter()
            .find_map(|(owner, names, starts)| fits(names, starts).then_some(*owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_are_distinguished() {
        for (name, owner) in [
            ("content-type", Some(HeaderOwner::AnyPage)),
            ("Sec-CH-UA-Platform", Some(HeaderOwner::AnyPage)),
            ("sec-fetch-site", Some(HeaderOwner::Browser)),
            ("Content-Length", Some(HeaderOwner::Browser)),
            ("content-encoding", Some(HeaderOwner::Client)),
            ("If-None-Match", Some(HeaderOwner::Client)),
            ("Attribution-Reporting-Eligible", Some(HeaderOwner::Client)),
            ("alt-used", Some(HeaderOwner::Client)),
            ("available-dictionary", Some(HeaderOwner::Client)),
            ("dictionary-id", Some(HeaderOwner::Client)),
            ("x-forwarded-proto", Some(HeaderOwner::Proxy)),
            ("sentry-trace", Some(HeaderOwner::Proxy)),
            ("X-Datadog-Trace-Id", Some(HeaderOwner::Proxy)),
            ("x-datadog-origin", Some(HeaderOwner::Proxy)),
            ("newrelic", Some(HeaderOwner::Proxy)),
            ("x-csrf-token", None),
            ("x-xsrf-token", None),
            ("csrf-token", None),
            ("x-requested-by", None),
            ("x-host", None),
            ("x-sentry", None),
            ("x-newrelic-csrf", None),
        ] {
            let found = HeaderOwner::of(&name.parse().unwrap());
            assert_eq!(found, owner, "{name}");
        }
    }
}
