//! Which header may say what the proxy's client spoke.

use http::{HeaderName, header};

use crate::{config::ConfigError, header_owner::HeaderOwner};

/// Proxies, tracing and pages write these, and never a scheme. One that a client may write as well, with a
/// word of [`value`](crate::RequireHttpsLayer::value), would let the client prove anything.
const NO_SCHEME: [&str; 22] = [
    "b3",
    "baggage",
    "cdn-loop",
    "cf-connecting-ip",
    "cf-ray",
    "client-ip",
    "newrelic",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "true-client-ip",
    "x-amzn-trace-id",
    "x-client-ip",
    "x-cloud-trace-context",
    "x-cluster-client-ip",
    "x-correlation-id",
    "x-csrf-token",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "x-request-id",
    "x-xsrf-token",
];

/// So do these families of names.
const NO_SCHEMES: [&str; 2] = ["x-b3-", "x-datadog-"];

/// Refuses a header that proxies do not write, or that holds something else than the scheme.
pub(super) fn check(name: &HeaderName) -> Result<(), ConfigError> {
    let reason = if *name == header::FORWARDED {
        "Forwarded is a list of pairs, and is not parsed"
    } else if NO_SCHEME.contains(&name.as_str())
        || NO_SCHEMES
            .iter()
            .any(|start| name.as_str().starts_with(start))
    {
        "this one never does"
    } else {
        match HeaderOwner::of(name) {
            None | Some(HeaderOwner::Proxy) => return Ok(()),
            Some(HeaderOwner::AnyPage | HeaderOwner::Browser | HeaderOwner::Client) => {
                "clients and browsers write this one"
            }
        }
    };
    Err(ConfigError::new(
        "behind_proxy",
        format!(
            "must be a header that proxies alone write and that holds the scheme, such as x-forwarded-proto, \
             and not {name}: {reason}"
        ),
    ))
}
