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
    encoding::is_form,
    future::{CsrfFormFuture, Pending},
    layer::CsrfFormLayer,
};
use crate::{
    csrf::{
        decision::{Need, Proof},
        future::CsrfFuture,
    },
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
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    R: RejectionResponse<ResBody> + Clone,
    ReqBody: Body<Data = Bytes> + From<Bytes>,
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
        let config = &csrf.config;
        let answer = |rejection| CsrfFormFuture::answer(csrf.refuse(&parts.extensions, rejection));
        let bound = match config.bound(&parts) {
            Ok(bound) => bound,
            Err(mistake) => return answer(mistake),
        };
        let (good, proof, lacks) = match config.need(&parts, &bound.candidates) {
            Need::Safe { good, lacks } => (good, Proof::Absent, lacks),
            Need::Exempt => (None, Proof::Exempt, false),
            // A header that went wrong is not made good elsewhere.
            Need::Token if parts.headers.contains_key(&config.header) => {
                match config.decide(&parts.headers, &bound) {
                    Ok((good, proof)) => (Some(good), proof, false),
                    Err(rejection) => return answer(rejection),
                }
            }
            Need::Token => {
                // The body of a request that fails anyway is never read.
                let headers = &parts.headers;
                let cookie = config.cookie(headers);
                let good = cookie.and_then(|cookie| config.authentic(cookie, &bound.candidates));
                let good = match good {
                    Ok(good) if is_form(headers) => good,
                    Ok(_) => {
                        let missing = CsrfReason::TokenMissing;
                        return answer(config.rejection(missing, headers, &bound));
                    }
                    Err(reason) => return answer(config.rejection(reason, headers, &bound)),
                };
                if body.size_hint().lower() > self.layer.settings.limit as u64 {
                    return answer(Rejection::csrf(CsrfReason::BodyTooLarge));
                }
                // The service that was polled ready must get the request, so it is taken. The clone that stays behind
                // is polled before the next call.
                let clone = self.inner.clone();
                let pending = Pending {
                    inner: mem::replace(&mut self.inner, clone),
                    layer: self.layer.clone(),
                    parts,
                    bound,
                    good,
                };
                return CsrfFormFuture::reading(body, pending);
            }
        };
        let handle = csrf.handle(&mut parts.extensions, bound, good, proof, lacks);
        let inner = self.inner.call(Request::from_parts(parts, body));
        CsrfFormFuture::answer(CsrfFuture::passed(inner, handle, None))
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
