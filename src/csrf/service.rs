//! `Csrf`.

use std::{
    fmt,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{
    future::CsrfFuture,
    layer::{CsrfLayer, Standing},
};
use crate::rejection::{DefaultRejection, Rejection, RejectionResponse};

/// The service of [`CsrfLayer`](super::CsrfLayer).
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
    type Future = CsrfFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    // The inner service that is called is the one that was polled ready.
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let layer = &self.layer;
        let handle = match layer.standing(&mut parts) {
            Err(mistake) => return layer.refuse(&parts.extensions, mistake),
            Ok(Standing::Free(handle)) => handle,
            Ok(Standing::Guarded(binding, session)) => {
                match layer.policy.check(&parts.headers, &binding) {
                    Ok(token) => layer.handle(&mut parts.extensions, session, binding, Some(token)),
                    Err(reason) => {
                        return layer.refuse(&parts.extensions, Rejection::csrf(reason));
                    }
                }
            }
        };
        CsrfFuture::passed(self.inner.call(Request::from_parts(parts, body)), handle)
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
