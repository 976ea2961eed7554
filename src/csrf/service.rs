//! `Csrf`.

use std::{
    fmt,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{
    decision::{Need, Proof},
    future::{Awaited, CsrfFuture},
    layer::CsrfLayer,
};
use crate::rejection::{DefaultRejection, RejectionResponse};

/// The service of [`CsrfLayer`](crate::CsrfLayer).
#[derive(Clone)]
pub struct Csrf<S, R = DefaultRejection> {
    inner: S,
    layer: CsrfLayer<R>,
}

impl<S, R> Csrf<S, R> {
    pub(super) fn new(inner: S, layer: CsrfLayer<R>) -> Self {
        Self { inner, layer }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for Csrf<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: RejectionResponse<ResBody>,
    ResBody: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = CsrfFuture<S::Future, ResBody, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    // The inner service that is called is the one that was polled ready.
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let layer = &self.layer;
        let config = &layer.config;
        let bound = match config.bound(&parts) {
            Ok(bound) => bound,
            Err(mistake) => return layer.refuse(&parts.extensions, mistake),
        };
        let (good, proof, lacks) = match config.need(&parts, &bound.candidates) {
            Need::Safe { good, lacks } => (good, Proof::Absent, lacks),
            Need::Exempt => (None, Proof::Exempt, false),
            Need::Token => match config.decide(&parts.headers, &bound) {
                Ok((good, proof)) => (Some(good), proof, false),
                Err(rejection) => return layer.refuse(&parts.extensions, rejection),
            },
        };
        let handle = layer.handle(&mut parts.extensions, bound, good, proof, lacks);
        let awaited = handle
            .is_awaited()
            .then(|| Awaited::new(&layer.refusal, &parts.extensions));
        let inner = self.inner.call(Request::from_parts(parts, body));
        CsrfFuture::passed(inner, handle, awaited)
    }
}

impl<S: fmt::Debug, R: fmt::Debug> fmt::Debug for Csrf<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, layer } = self;
        f.debug_struct("Csrf")
            .field("inner", inner)
            .field("layer", layer)
            .finish()
    }
}
