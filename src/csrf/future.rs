//! The future of `Csrf`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use pin_project_lite::pin_project;

use super::handle::CsrfToken;
use crate::guard::GuardFuture;

pin_project! {
    /// The future of [`Csrf`](crate::Csrf): the inner service's, whose response gets the token, or
    /// an answer that is ready at once.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the inner service's future and nothing else.
    #[must_use = "futures do nothing unless polled"]
    pub struct CsrfFuture<F, B> {
        #[pin]
        guard: GuardFuture<F, B>,
        handle: Option<CsrfToken>,
    }
}

impl<F, B> CsrfFuture<F, B> {
    pub(super) fn passed(future: F, handle: CsrfToken) -> Self {
        Self {
            guard: GuardFuture::passed(future),
            handle: Some(handle),
        }
    }

    pub(super) fn refused(response: Response<B>) -> Self {
        Self {
            guard: GuardFuture::refused(response),
            handle: None,
        }
    }
}

impl<F, B, E> Future for CsrfFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.guard.poll(cx))?;
        if let Some(handle) = this.handle {
            handle.write(response.headers_mut());
        }
        Poll::Ready(Ok(response))
    }
}

impl<F, B> fmt::Debug for CsrfFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { guard, handle: _ } = self;
        f.debug_struct("CsrfFuture")
            .field("guard", guard)
            .finish_non_exhaustive()
    }
}
