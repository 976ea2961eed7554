//! `OriginGuard`.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response, header};
use tower_service::Service;

use super::config::Config;
use crate::{
    answer::Refusal,
    event::Event,
    future::GuardFuture,
    rejection::{DefaultRejection, Rejection, RejectionResponse},
};

/// The service of [`OriginGuardLayer`](crate::OriginGuardLayer).
#[derive(Clone)]
pub struct OriginGuard<S, R = DefaultRejection> {
    inner: S,
    config: Arc<Config>,
    refusal: Refusal<R>,
}

impl<S, R> OriginGuard<S, R> {
    pub(super) fn new(inner: S, config: Arc<Config>, refusal: Refusal<R>) -> Self {
        Self {
            inner,
            config,
            refusal,
        }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for OriginGuard<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: RejectionResponse<ResBody>,
    ResBody: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = GuardFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let headers = request.headers();
        match self.config.check(request.method(), request.uri(), headers) {
            Ok(()) => GuardFuture::passed(self.inner.call(request)),
            Err(reason) => {
                let lacking = self.config.origins.lacking();
                let rejection = Rejection::origin(reason, headers.get(header::ORIGIN), lacking);
                if self.config.report_only {
                    self.refusal.events.emit(&Event::WouldReject(&rejection));
                    return GuardFuture::passed(self.inner.call(request));
                }
                GuardFuture::refused(self.refusal.answer(request.extensions(), rejection))
            }
        }
    }
}

impl<S: fmt::Debug, R: fmt::Debug> fmt::Debug for OriginGuard<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            inner,
            config,
            refusal,
        } = self;
        f.debug_struct("OriginGuard")
            .field("inner", inner)
            .field("config", config)
            .field("refusal", refusal)
            .finish()
    }
}
