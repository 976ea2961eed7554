//! The future of `Csrf`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Extensions, Response};
use pin_project_lite::pin_project;

use super::csrf_token::CsrfToken;
use crate::{
    answer::Refusal,
    future::GuardFuture,
    rejection::{DefaultRejection, GrpcMark, Rejection, RejectionResponse},
};

pin_project! {
    /// The future of [`Csrf`](crate::csrf::Csrf): the inner service's, whose response gets the token, or
    /// an answer that is ready at once.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the inner service's future and nothing else.
    #[must_use = "futures do nothing unless polled"]
    pub struct CsrfFuture<F, B, R = DefaultRejection> {
        #[pin]
        guard: GuardFuture<F, B>,
        handle: Option<CsrfToken>,
        awaited: Option<Awaited<R>>,
    }
}

/// The data for the answer in place of a handler that has not checked the token.
pub(super) struct Awaited<R> {
    refusal: Arc<Refusal<R>>,
    /// The request's extensions, which an answer reads.
    extensions: Extensions,
}

impl<R> Awaited<R> {
    pub(super) fn new(refusal: &Arc<Refusal<R>>, request: &Extensions) -> Self {
        let mut extensions = Extensions::new();
        if let Some(mark) = request.get::<GrpcMark>() {
            extensions.insert(*mark);
        }
        Self {
            refusal: refusal.clone(),
            extensions,
        }
    }
}

impl<F, B, R> CsrfFuture<F, B, R> {
    pub(super) fn passed(future: F, handle: CsrfToken, awaited: Option<Awaited<R>>) -> Self {
        Self {
            guard: GuardFuture::passed(future),
            handle: Some(handle),
            awaited,
        }
    }

    pub(super) fn refused(response: Response<B>) -> Self {
        Self {
            guard: GuardFuture::refused(response),
            handle: None,
            awaited: None,
        }
    }
}

impl<F, B, R, E> Future for CsrfFuture<F, B, R>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
    R: RejectionResponse<B>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.guard.poll(cx))?;
        let Some(handle) = this.handle else {
            return Poll::Ready(Ok(response));
        };
        if let Some(awaited) = this.awaited
            && let Some(rejection) = handle.withhold()
        {
            let Awaited {
                refusal,
                extensions,
            } = awaited;
            // A handler that answers with the rejection of `verify` has had it logged.
            let known = response.extensions().get::<Rejection>();
            let known = known.and_then(Rejection::csrf_reason) == rejection.csrf_reason();
            return Poll::Ready(Ok(match known {
                true => refusal.answer_again(extensions, rejection),
                false => refusal.answer(extensions, rejection),
            }));
        }
        handle.write(&mut response);
        Poll::Ready(Ok(response))
    }
}

impl<F, B, R> fmt::Debug for CsrfFuture<F, B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            guard,
            handle: _,
            awaited: _,
        } = self;
        f.debug_struct("CsrfFuture")
            .field("guard", guard)
            .finish_non_exhaustive()
    }
}
