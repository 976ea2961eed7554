//! The future of `SecurityHeaders`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::Response;

use super::config::Config;

pin_project_lite::pin_project! {
    /// The future of [`SecurityHeaders`](super::SecurityHeaders).
    ///
    /// # Cancel safety
    ///
    /// It holds nothing of its own across an `await`: dropping it drops the inner service's future
    /// and nothing else.
    #[must_use = "futures do nothing unless polled"]
    pub struct SecurityHeadersFuture<F> {
        #[pin]
        inner: F,
        config: Arc<Config>,
        plain: bool,
    }
}

impl<F> SecurityHeadersFuture<F> {
    pub(super) fn new(inner: F, config: Arc<Config>, plain: bool) -> Self {
        Self {
            inner,
            config,
            plain,
        }
    }
}

impl<F, B, E> Future for SecurityHeadersFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        let status = response.status();
        this.config.add(*this.plain, status, response.headers_mut());
        Poll::Ready(Ok(response))
    }
}

impl<F> fmt::Debug for SecurityHeadersFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            inner: _,
            config,
            plain,
        } = self;
        f.debug_struct("SecurityHeadersFuture")
            .field("config", config)
            .field("plain", plain)
            .finish_non_exhaustive()
    }
}
