//! The future of the service.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderValue, Response, header};

use super::session::Session;
use crate::caching::leave_to_cache_control;

pin_project_lite::pin_project! {
    /// The future of [`RefreshCookie`](crate::refresh::RefreshCookie).
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the inner service's future. No cookie is sent then; each method of [`Session`](crate::Session)
    /// documents the effect of dropping it.
    pub struct RefreshCookieFuture<F> {
        #[pin]
        inner: F,
        // `None` where the same layer further out has it.
        session: Option<Session>,
    }
}

impl<F> RefreshCookieFuture<F> {
    pub(crate) fn new(inner: F, session: Option<Session>) -> Self {
        Self { inner, session }
    }
}

impl<F, R, E> Future for RefreshCookieFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        let Some(session) = this.session else {
            return Poll::Ready(Ok(response));
        };
        let mut outgoing = session.outgoing();
        let headers = response.headers_mut();
        for cookie in outgoing.take_cookies() {
            // Appended: the application may set cookies of its own.
            headers.append(header::SET_COOKIE, cookie);
        }
        if outgoing.private {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            leave_to_cache_control(headers);
        }
        drop(outgoing);
        Poll::Ready(Ok(response))
    }
}

impl<F> fmt::Debug for RefreshCookieFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshCookieFuture")
            .finish_non_exhaustive()
    }
}
