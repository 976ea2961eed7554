//! The settings of `SecurityHeadersLayer`.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// The values, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) content_security_policy: Option<HeaderValue>,
    pub(super) referrer_policy: Option<HeaderValue>,
    pub(super) strict_transport_security: Option<HeaderValue>,
}

impl Config {
    /// Adds what a response does not have yet; `plain` when it is known to leave over plain http.
    pub(super) fn add(&self, plain: bool, status: StatusCode, headers: &mut HeaderMap) {
        let mut add = |name: HeaderName, value: &Option<HeaderValue>| {
            if let Some(value) = value
                && !headers.contains_key(&name)
            {
                headers.insert(name, value.clone());
            }
        };
        if !plain {
            let name = header::STRICT_TRANSPORT_SECURITY;
            add(name, &self.strict_transport_security);
        }
        // The headers of a 304 replace those of the stored page (RFC 9111 section 4.3.4). That page may have policies
        // of its own, with a nonce that its scripts need.
        if status != StatusCode::NOT_MODIFIED {
            let name = header::CONTENT_SECURITY_POLICY;
            add(name, &self.content_security_policy);
            add(header::REFERRER_POLICY, &self.referrer_policy);
        }
        let nosniff = Some(HeaderValue::from_static("nosniff"));
        add(header::X_CONTENT_TYPE_OPTIONS, &nosniff);
    }
}
