//! `BearerAuth`.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use serde::de::DeserializeOwned;
use tower_service::Service;

use super::config::Config;
use crate::{
    answer::Refusal,
    future::GuardFuture,
    rejection::{DefaultRejection, RejectionResponse},
    telemetry,
    token::NoClaims,
};

/// The service of [`BearerAuthLayer`](crate::BearerAuthLayer).
pub struct BearerAuth<S, C = NoClaims, R = DefaultRejection> {
    inner: S,
    config: Arc<Config<C>>,
    refusal: Refusal<R>,
}

impl<S, C, R> BearerAuth<S, C, R> {
    pub(super) fn new(inner: S, config: Arc<Config<C>>, refusal: Refusal<R>) -> Self {
        Self {
            inner,
            config,
            refusal,
        }
    }
}

impl<S, C, R, ReqBody, ResBody> Service<Request<ReqBody>> for BearerAuth<S, C, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    C: DeserializeOwned + Send + Sync + 'static,
    R: RejectionResponse<ResBody>,
    ResBody: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = GuardFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    // The inner service that is called is the one that was polled ready. A clone of it would not
    // be ready, and under a concurrency limit or a buffer that is a panic.
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let required = self.config.is_required(request.method(), request.headers());
        match self.config.decide(required, request.headers_mut()) {
            Ok(Some(context)) => {
                telemetry::accepted();
                request.extensions_mut().insert(context);
            }
            Ok(None) => {
                telemetry::anonymous();
                request.extensions_mut().insert(self.config.anonymous());
            }
            Err(rejection) => {
                let hidden = self.config.hides_document(request.uri());
                let rejection = hidden.unwrap_or(rejection);
                telemetry::refused(rejection.reason());
                let response = self.refusal.answer(request.extensions(), rejection);
                return GuardFuture::refused(response);
            }
        }
        GuardFuture::passed(self.inner.call(request))
    }
}

// By hand, because a derive would ask for `C: Clone`.
impl<S: Clone, C, R: Clone> Clone for BearerAuth<S, C, R> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            config: self.config.clone(),
            refusal: self.refusal.clone(),
        }
    }
}

impl<S: fmt::Debug, C, R: fmt::Debug> fmt::Debug for BearerAuth<S, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            inner,
            config,
            refusal,
        } = self;
        f.debug_struct("BearerAuth")
            .field("inner", inner)
            .field("config", config)
            .field("refusal", refusal)
            .finish()
    }
}
