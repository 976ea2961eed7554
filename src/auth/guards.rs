//! The guards of what works by cookie, in their order.

use tower_layer::Layer;

use crate::{
    config::ConfigError,
    csrf::{CsrfFormLayer, layer::CsrfLayer},
    origin::{OriginGuard, layer::OriginGuardLayer},
    refresh::{RefreshCookie, layer::RefreshCookieLayer},
    refusal::{Refusals, layer::RefusalLayer},
    rejection::ProblemJson,
};

/// The guards of what works by cookie as one layer: [`Auth::guards`](crate::Auth::guards).
///
/// `T` is the one of the CSRF tokens: [`CsrfLayer`], or [`CsrfFormLayer`] where forms have no script.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthGuards<T = CsrfLayer<ProblemJson>> {
    pub(super) refusals: RefusalLayer,
    pub(super) origins: OriginGuardLayer<ProblemJson>,
    pub(super) sessions: RefreshCookieLayer,
    pub(super) csrf: T,
}

/// The service of the guards around `S`, which is the guard of the CSRF tokens. The bodies of its answers can
/// be made of [`Bytes`](bytes::Bytes).
pub type Guarded<S> = Refusals<OriginGuard<RefreshCookie<S>, ProblemJson>>;

impl AuthGuards {
    /// Accepts the CSRF token from the field `name` of HTML forms too, for pages that work without
    /// a script. See [`CsrfLayer::form_field`].
    ///
    /// # Errors
    ///
    /// As [`CsrfLayer::form_field`].
    pub fn form_field(
        self,
        name: impl Into<String>,
    ) -> Result<AuthGuards<CsrfFormLayer<ProblemJson>>, ConfigError> {
        let Self {
            refusals,
            origins,
            sessions,
            csrf,
        } = self;
        Ok(AuthGuards {
            refusals,
            origins,
            sessions,
            csrf: csrf.form_field(name)?,
        })
    }
}

impl<S, T: Layer<S>> Layer<S> for AuthGuards<T> {
    type Service = Guarded<T::Service>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self {
            refusals,
            origins,
            sessions,
            csrf,
        } = self;
        refusals.layer(origins.layer(sessions.layer(csrf.layer(inner))))
    }
}
