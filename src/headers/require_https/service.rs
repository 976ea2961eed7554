//! `RequireHttps`.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{config::Config, decision::Verdict, redirect};
use crate::{
    answer::Refusal,
    event::Event,
    future::GuardFuture,
    rejection::{DefaultRejection, Rejection, RejectionKind, RejectionResponse},
};

/// The service of [`RequireHttpsLayer`](crate::RequireHttpsLayer).
#[derive(Clone)]
pub struct RequireHttps<S, R = DefaultRejection> {
    inner: S,
    config: Arc<Config>,
    refusal: Refusal<R>,
}

impl<S, R> RequireHttps<S, R> {
    pub(super) fn new(inner: S, config: Arc<Config>, refusal: Refusal<R>) -> Self {
        Self {
            inner,
            config,
            refusal,
        }
    }

    /// The answer to a request that is known to have come over plain http.
    fn plain<ReqBody, ResBody>(&self, request: &Request<ReqBody>) -> Response<ResBody>
    where
        R: RejectionResponse<ResBody>,
        ResBody: Default,
    {
        let rejection = Rejection::new(
            RejectionKind::InsecureTransport,
            "the request came over plain http",
        );
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let host = self.config.redirect_to.as_ref();
        let location = host.and_then(|host| redirect::location(host, method, uri, headers));
        let Some(location) = location else {
            return self.refusal.answer(request.extensions(), rejection);
        };
        // The inner service did not see the request, so it is reported like any other refusal.
        self.refusal.events.emit(&Event::Rejected(&rejection));
        let mut response = redirect::answer(location);
        response.extensions_mut().insert(rejection);
        response
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for RequireHttps<S, R>
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
        match self.config.evidence.decide(headers, request.extensions()) {
            Verdict::Https => GuardFuture::passed(self.inner.call(request)),
            Verdict::PlainHttp => GuardFuture::refused(self.plain(&request)),
            Verdict::Refused(rejection) => {
                GuardFuture::refused(self.refusal.answer(request.extensions(), rejection))
            }
        }
    }
}

impl<S: fmt::Debug, R: fmt::Debug> fmt::Debug for RequireHttps<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            inner,
            config,
            refusal,
        } = self;
        f.debug_struct("RequireHttps")
            .field("inner", inner)
            .field("config", config)
            .field("refusal", refusal)
            .finish()
    }
}
