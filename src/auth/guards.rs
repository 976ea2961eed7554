//! The guards of what works by cookie, in their order.

use tower_layer::Layer;

use crate::{
    csrf::{Csrf, layer::CsrfLayer},
    origin::{OriginGuard, layer::OriginGuardLayer},
    refresh::{RefreshCookie, layer::RefreshCookieLayer},
    refusal::{Refusals, layer::RefusalLayer},
    rejection::ProblemJson,
};

/// The guards of what works by cookie as one layer: [`Auth::guards`](crate::Auth::guards).
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthGuards {
    pub(super) refusals: RefusalLayer,
    pub(super) origins: OriginGuardLayer<ProblemJson>,
    pub(super) sessions: RefreshCookieLayer,
    pub(super) csrf: CsrfLayer<ProblemJson>,
}

/// The service of [`AuthGuards`]. The bodies of its answers can be made of [`Bytes`](bytes::Bytes).
pub type Guarded<S> = Refusals<OriginGuard<RefreshCookie<Csrf<S, ProblemJson>>, ProblemJson>>;

impl<S> Layer<S> for AuthGuards {
    type Service = Guarded<S>;

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
