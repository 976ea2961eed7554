//! The future of `Refusals`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Response;

use super::layer::Config;

pin_project_lite::pin_project! {
    /// The future of [`Refusals`](super::Refusals).
    ///
    /// # Cancel safety
    ///
    /// It holds nothing of its own across an `await`: dropping it drops the inner service's future
    /// and nothing else.
    #[must_use = "futures do nothing unless polled"]
    pub struct RefusalsFuture<F> {
        #[pin]
        inner: F,
        config: Arc<Config>,
    }
}

impl<F> RefusalsFuture<F> {
    pub(super) fn new(inner: F, config: Arc<Config>) -> Self {
        Self { inner, config }
    }
}

impl<F, B, E> Future for RefusalsFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: From<Bytes>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        this.config.finish(&mut response);
        Poll::Ready(Ok(response))
    }
}

impl<F> fmt::Debug for RefusalsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner: _, config } = self;
        f.debug_struct("RefusalsFuture")
            .field("config", config)
            .finish_non_exhaustive()
    }
}
