//! The service.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{config::Config, future::RefreshCookieFuture, session::Session};
use crate::current_session::CurrentSession;

/// The service of [`RefreshCookieLayer`](crate::RefreshCookieLayer).
#[derive(Clone)]
pub struct RefreshCookie<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S> RefreshCookie<S> {
    pub(crate) fn new(inner: S, config: Arc<Config>) -> Self {
        Self { inner, config }
    }
}

impl<S, B, R> Service<Request<B>> for RefreshCookie<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RefreshCookieFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        // Where the layer is applied twice, the outer one serves the request. With an inner handle of its own, a CSRF
        // layer would not see what the handler does.
        let current = parts.extensions.get::<CurrentSession>();
        let is_served = current.is_some_and(|current| current.is_of(&self.config.cookies));
        let session = (!is_served).then(|| {
            let current = CurrentSession::new(self.config.cookies.clone(), &parts);
            let session = Session::new(self.config.clone(), current.clone(), &parts);
            parts.extensions.insert(current);
            parts.extensions.insert(session.clone());
            session
        });
        // The service that was polled is the one that is called; no clone of it is ever used.
        let inner = self.inner.call(Request::from_parts(parts, body));
        RefreshCookieFuture::new(inner, session)
    }
}

impl<S: fmt::Debug> fmt::Debug for RefreshCookie<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, config } = self;
        f.debug_struct("RefreshCookie")
            .field("inner", inner)
            .field("config", config)
            .finish()
    }
}
