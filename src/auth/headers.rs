//! The layer that goes around everything.

use tower_layer::Layer;

use super::cors::{Cors, CorsService};
use crate::{
    headers::{SecurityHeaders, layer::SecurityHeadersLayer},
    refusal::{Refusals, layer::RefusalLayer},
};

/// CORS, the headers that harden pages, and the format of refusals as one layer:
/// [`Auth::headers`](crate::Auth::headers).
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthHeaders {
    pub(super) cors: Cors,
    pub(super) security: SecurityHeadersLayer,
    pub(super) refusals: RefusalLayer,
}

impl<S> Layer<S> for AuthHeaders {
    type Service = CorsService<SecurityHeaders<Refusals<S>>>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self {
            cors,
            security,
            refusals,
        } = self;
        cors.around(security.layer(refusals.layer(inner)))
    }
}
