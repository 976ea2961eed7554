//! `SecurityHeadersLayer`.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tower_layer::Layer;

use super::{
    ContentSecurityPolicy, ReferrerPolicy, StrictTransportSecurity, service::SecurityHeaders,
};

/// Adds the response headers that harden a page: RFC 6797, Content Security Policy Level 3,
/// Referrer Policy, and `nosniff` of the Fetch standard.
///
/// See the [module documentation](super) for the headers and an example. It works on pages, files,
/// APIs and gRPC alike, asks nothing of bodies, and never refuses a request.
#[derive(Clone, Debug)]
#[must_use]
pub struct SecurityHeadersLayer {
    headers: Arc<Headers>,
}

/// The values, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Headers {
    content_security_policy: Option<HeaderValue>,
    referrer_policy: Option<HeaderValue>,
    strict_transport_security: Option<HeaderValue>,
}

impl SecurityHeadersLayer {
    /// All four headers with their defaults.
    pub fn new() -> Self {
        Self {
            headers: Arc::new(Headers {
                content_security_policy: Some(ContentSecurityPolicy::default().into_value()),
                referrer_policy: Some(ReferrerPolicy::default().value()),
                strict_transport_security: Some(StrictTransportSecurity::default().value()),
            }),
        }
    }

    /// What pages may load, and who may embed them, where a handler does not say otherwise.
    pub fn content_security_policy(self, policy: ContentSecurityPolicy) -> Self {
        self.update(|headers| headers.content_security_policy = Some(policy.into_value()))
    }

    /// Sends no `Content-Security-Policy` of its own. A script that gets into a page then runs.
    pub fn dangerous_without_content_security_policy(self) -> Self {
        self.update(|headers| headers.content_security_policy = None)
    }

    /// Sends no `Referrer-Policy` of its own: browsers then tell other sites a page's origin.
    pub fn dangerous_without_referrer_policy(self) -> Self {
        self.update(|headers| headers.referrer_policy = None)
    }

    /// Sends no `Strict-Transport-Security` of its own, because a proxy in front sends it. If none
    /// does, whoever is between a user and the first request can keep the user on plain http.
    pub fn dangerous_without_strict_transport_security(self) -> Self {
        self.update(|headers| headers.strict_transport_security = None)
    }

    /// What the requests of a page tell about it.
    pub fn referrer_policy(self, policy: ReferrerPolicy) -> Self {
        self.update(|headers| headers.referrer_policy = Some(policy.value()))
    }

    /// For how long browsers use https alone.
    pub fn strict_transport_security(self, policy: StrictTransportSecurity) -> Self {
        self.update(|headers| headers.strict_transport_security = Some(policy.value()))
    }

    fn update(mut self, change: impl FnOnce(&mut Headers)) -> Self {
        change(Arc::make_mut(&mut self.headers));
        self
    }
}

impl Default for SecurityHeadersLayer {
    /// The same as [`new`](Self::new).
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for SecurityHeadersLayer {
    type Service = SecurityHeaders<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SecurityHeaders::new(inner, self.headers.clone())
    }
}

impl Headers {
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
        // The headers of a 304 replace those of the stored page (RFC 9111 section 4.3.4), which may
        // have policies of its own, with a nonce that its scripts need.
        if status != StatusCode::NOT_MODIFIED {
            let name = header::CONTENT_SECURITY_POLICY;
            add(name, &self.content_security_policy);
            add(header::REFERRER_POLICY, &self.referrer_policy);
        }
        let nosniff = Some(HeaderValue::from_static("nosniff"));
        add(header::X_CONTENT_TYPE_OPTIONS, &nosniff);
    }
}
