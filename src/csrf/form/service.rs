//! `CsrfForm`.

use std::{
    fmt, mem,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    body::FormBody,
    encoding::is_declared_longer,
    future::{CsrfFormFuture, Pending},
    layer::{CsrfFormLayer, Place},
};
use crate::{
    csrf::{future::CsrfFuture, layer::Standing},
    rejection::{CsrfReason, DefaultRejection, Rejection, RejectionResponse},
};

/// The service of [`CsrfFormLayer`].
#[derive(Clone)]
pub struct CsrfForm<S, R = DefaultRejection> {
    inner: S,
    layer: CsrfFormLayer<R>,
}

impl<S, R> CsrfForm<S, R> {
    pub(super) fn new(inner: S, layer: CsrfFormLayer<R>) -> Self {
        Self { inner, layer }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for CsrfForm<S, R>
where
    S: Service<Request<FormBody<ReqBody>>, Response = Response<ResBody>> + Clone,
    R: RejectionResponse<ResBody> + Clone,
    ReqBody: Body<Data = Bytes>,
    ResBody: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = CsrfFormFuture<S, R, ReqBody, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let csrf = &self.layer.csrf;
        let standing = csrf.standing(&mut parts);
        let answer = |rejection| CsrfFormFuture::answer(csrf.refuse(&parts.extensions, rejection));
        let refuse = |reason| answer(Rejection::csrf(reason));
        let handle = match standing {
            Err(mistake) => return answer(mistake),
            Ok(Standing::Free(handle)) => handle,
            Ok(Standing::Guarded(binding, session)) => match self.layer.place(&parts, &binding) {
                Err(reason) => return refuse(reason),
                Ok(Place::Header(token)) => {
                    csrf.handle(&mut parts.extensions, session, binding, Some(token))
                }
                Ok(Place::Form(token, encoding)) => {
                    let limit = self.layer.settings.limit as u64;
                    let least = body.size_hint().lower();
                    if least > limit || is_declared_longer(&parts.headers, limit) {
                        return refuse(CsrfReason::BodyTooLarge);
                    }
                    // The service that was polled ready is the one that gets the request, so it
                    // is taken; the clone that stays behind is polled before the next call.
                    let clone = self.inner.clone();
                    let pending = Pending {
                        inner: mem::replace(&mut self.inner, clone),
                        layer: self.layer.clone(),
                        parts,
                        session,
                        binding,
                        token,
                        encoding,
                    };
                    return CsrfFormFuture::reading(body, pending);
                }
            },
        };
        let request = Request::from_parts(parts, FormBody::unread(body));
        CsrfFormFuture::answer(CsrfFuture::passed(self.inner.call(request), handle))
    }
}

impl<S: fmt::Debug, R: fmt::Debug> fmt::Debug for CsrfForm<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, layer } = self;
        f.debug_struct("CsrfForm")
            .field("inner", inner)
            .field("layer", layer)
            .finish()
    }
}
