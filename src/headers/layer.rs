//! `SecurityHeadersLayer`.

use std::sync::Arc;

use tower_layer::Layer;

use super::{
    ContentSecurityPolicy, ReferrerPolicy, StrictTransportSecurity, config::Config,
    service::SecurityHeaders,
};
use crate::config::ConfigError;

/// Adds the response headers that harden a page. They follow RFC 6797, Content Security Policy Level 3, Referrer
/// Policy, and `nosniff` of the Fetch standard.
///
/// See the [module documentation](super) for the headers and an example. It works on pages, files,
/// APIs and gRPC alike, asks nothing of bodies, and never refuses a request.
#[derive(Clone, Debug)]
#[must_use]
pub struct SecurityHeadersLayer {
    config: Arc<Config>,
}

impl SecurityHeadersLayer {
    /// Returns the layer with all four headers and their defaults.
    pub fn new() -> Self {
        Self {
            config: Arc::new(Config {
                content_security_policy: Some(ContentSecurityPolicy::default_value()),
                referrer_policy: Some(ReferrerPolicy::default().value()),
                strict_transport_security: Some(StrictTransportSecurity::default().value()),
            }),
        }
    }

    /// Sets what pages may load, and who may embed them, where a handler does not say otherwise.
    ///
    /// ```
    /// use tower_bearer::SecurityHeadersLayer;
    ///
    /// let policy = "default-src 'self'; frame-ancestors 'none'".parse()?;
    /// let layer = SecurityHeadersLayer::new().content_security_policy(policy)?;
    /// # let _ = layer;
    /// let policy = "script-src 'nonce-q9Zx'".parse()?;
    /// assert!(SecurityHeadersLayer::new().content_security_policy(policy).is_err());
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the policy has a nonce (CSP Level 3 section 7.1): it would be the same with every response. The
    /// handler that makes a new one for each sends the header itself.
    pub fn content_security_policy(
        self,
        policy: ContentSecurityPolicy,
    ) -> Result<Self, ConfigError> {
        let policy = policy.into_value()?;
        Ok(self.update(|config| config.content_security_policy = Some(policy)))
    }

    /// Sends no `Content-Security-Policy` of its own. A script that gets into a page then runs.
    pub fn dangerous_without_content_security_policy(self) -> Self {
        self.update(|config| config.content_security_policy = None)
    }

    /// Sends no `Referrer-Policy` of its own: browsers then tell other sites a page's origin.
    pub fn dangerous_without_referrer_policy(self) -> Self {
        self.update(|config| config.referrer_policy = None)
    }

    /// Sends no `Strict-Transport-Security` of its own, because a proxy in front sends it. If none does, an attacker
    /// on the network before the first request can keep the user on plain http.
    pub fn dangerous_without_strict_transport_security(self) -> Self {
        self.update(|config| config.strict_transport_security = None)
    }

    /// Sets how much of its address a page reveals in its requests.
    pub fn referrer_policy(self, policy: ReferrerPolicy) -> Self {
        self.update(|config| config.referrer_policy = Some(policy.value()))
    }

    /// Sets for how long browsers use only https.
    pub fn strict_transport_security(self, policy: StrictTransportSecurity) -> Self {
        self.update(|config| config.strict_transport_security = Some(policy.value()))
    }

    fn update(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.config));
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
        SecurityHeaders::new(inner, self.config.clone())
    }
}
