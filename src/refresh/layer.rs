//! The layer.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use serde::Serialize;
use tower_layer::Layer;

use super::{
    builder::RefreshCookieBuilder,
    claims::{ClaimsError, ClaimsRequest},
    config::Config,
    service::RefreshCookie,
};
use crate::{config::ConfigError, store::RefreshStore, token::TokenCodec};

/// Carries the refresh cookie: gives every request a [`Session`](crate::Session) and appends the handle's decision to
/// the response. It never rejects and never waits. Cheap to clone.
///
/// Refresh tokens rotate (RFC 9700 section 4.14.2), in a cookie as RFC 6265 has it. There is an example on
/// the [module page](crate::refresh).
#[derive(Clone)]
pub struct RefreshCookieLayer {
    pub(crate) config: Arc<Config>,
}

impl RefreshCookieLayer {
    /// Returns the layer with every default: rotating cookie `__Secure-refresh_token` on `/auth`, seven days. `claims`
    /// decides the content of every access token, at sign-in and at refresh.
    ///
    /// # Errors
    ///
    /// When the codec cannot mint, or its ring has no refresh secret. Also when its access tokens live shorter than the
    /// grace of the rotation.
    pub fn new<C, F, Fut, E>(
        codec: TokenCodec<C>,
        store: impl RefreshStore,
        claims: F,
    ) -> Result<Self, ConfigError>
    where
        C: Serialize + Send + Sync + 'static,
        F: Fn(ClaimsRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<C, E>> + Send + 'static,
        E: Into<ClaimsError> + 'static,
    {
        Self::builder(codec, store, claims).build()
    }

    /// Starts a layer with every setting open.
    pub fn builder<C, F, Fut, E>(
        codec: TokenCodec<C>,
        store: impl RefreshStore,
        claims: F,
    ) -> RefreshCookieBuilder
    where
        C: Serialize + Send + Sync + 'static,
        F: Fn(ClaimsRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<C, E>> + Send + 'static,
        E: Into<ClaimsError> + 'static,
    {
        RefreshCookieBuilder::new(codec, store, claims)
    }

    /// Waits until every revocation is written, at most for `timeout`, and returns how many still wait. Call it when the
    /// server has answered its last request, before the runtime ends. Revocations that were lost before are not
    /// counted.
    ///
    /// Revocations that wait for the store are tried at once and go on being tried. Those that are left when the
    /// runtime ends are lost, and [`Event::RevocationLost`](crate::Event::RevocationLost) reports each.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_bearer::RefreshCookieLayer;
    ///
    /// /// After `axum::serve(..).with_graceful_shutdown(..).await`.
    /// async fn leave(sessions: &RefreshCookieLayer) {
    ///     let left = sessions.drain(Duration::from_secs(10)).await;
    ///     if left > 0 {
    ///         eprintln!("{left} revocations are lost: the store does not answer");
    ///     }
    /// }
    /// # let _ = leave;
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Safe: revocations go on being tried as without it.
    pub async fn drain(&self, timeout: Duration) -> usize {
        self.config.queue.drain(timeout).await
    }
}

impl<S> Layer<S> for RefreshCookieLayer {
    type Service = RefreshCookie<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RefreshCookie::new(inner, self.config.clone())
    }
}

impl fmt::Debug for RefreshCookieLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config } = self;
        f.debug_struct("RefreshCookieLayer")
            .field("config", config)
            .finish()
    }
}
