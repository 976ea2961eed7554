//! `Auth`.

use std::{fmt, sync::Arc};

#[cfg(feature = "axum")]
use super::routes::Mount;
use super::{AuthBuilder, AuthGuards, AuthHeaders};
use crate::{
    admin::session_admin::SessionAdmin,
    bearer::layer::BearerAuthLayer,
    endpoints::service::SessionEndpoints,
    keys::key_ring::KeyRing,
    refresh::layer::RefreshCookieLayer,
    rejection::ProblemJson,
    token::{NoClaims, codec::TokenCodec},
};

/// The layers of this crate, put together so that they agree. Cheap to clone.
///
/// `C` is what access tokens say beyond the registered claims. There is an example on the
/// [module page](crate::auth), and one for axum on [the crate's front page](crate).
pub struct Auth<C = NoClaims>(pub(super) Arc<Parts<C>>);

pub(super) struct Parts<C> {
    pub(super) codec: TokenCodec<C>,
    pub(super) sessions: RefreshCookieLayer,
    pub(super) guards: AuthGuards,
    pub(super) bearer: BearerAuthLayer<C, ProblemJson>,
    pub(super) endpoints: SessionEndpoints,
    pub(super) headers: AuthHeaders,
    #[cfg(feature = "axum")]
    pub(super) mount: Mount,
}

impl Auth {
    /// Starts with the keys of access tokens and sessions, and every other setting open.
    pub fn builder(keys: &KeyRing) -> AuthBuilder {
        AuthBuilder::new(keys)
    }
}

impl<C> Auth<C> {
    /// Returns the layer for what takes access tokens. Handlers inside of it take
    /// [`Claims`](crate::Claims).
    ///
    /// A sign-in has no token yet, so it lies outside. With axum, `route_layer` puts the layer around the
    /// routes that are there by then.
    pub fn bearer(&self) -> BearerAuthLayer<C, ProblemJson> {
        self.0.bearer.clone()
    }

    /// Returns the layers for what works by cookie, in their order. Handlers inside of them take
    /// [`Session`](crate::Session) and [`CsrfToken`](crate::CsrfToken).
    ///
    /// With axum, `Auth::routes` has them already.
    pub fn guards(&self) -> AuthGuards {
        self.0.guards.clone()
    }

    /// Returns the session endpoints as a service, to stand inside of [`guards`](Self::guards). `B` is the
    /// body of its answers.
    pub fn endpoints<B: From<String>>(&self) -> SessionEndpoints<B> {
        self.0.endpoints.clone().with_body()
    }

    /// Returns the layers for everything: CORS, the headers that harden pages, and the format of refusals.
    pub fn headers(&self) -> AuthHeaders {
        self.0.headers.clone()
    }

    /// Returns the operator's side of the sessions, which lists and ends them from outside a
    /// request. An example is [`end_all`](SessionAdmin::end_all) after a password reset by mail.
    pub fn admin(&self) -> SessionAdmin {
        self.0.sessions.admin()
    }

    /// Returns the layer of the refresh cookie, for what happens outside of requests:
    /// [`drain`](RefreshCookieLayer::drain) before the process ends.
    pub fn sessions(&self) -> &RefreshCookieLayer {
        &self.0.sessions
    }

    /// Returns the codec of access tokens, for tests, sockets and other services.
    pub fn codec(&self) -> &TokenCodec<C> {
        &self.0.codec
    }
}

// By hand, because a derive would ask for `C: Clone`.
impl<C> Clone for Auth<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C> fmt::Debug for Auth<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(parts) = self;
        f.debug_struct("Auth")
            .field("guards", &parts.guards)
            .field("bearer", &parts.bearer)
            .field("endpoints", &parts.endpoints)
            .field("headers", &parts.headers)
            .finish_non_exhaustive()
    }
}
