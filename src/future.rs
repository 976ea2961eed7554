//! The future of every guard.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use pin_project_lite::pin_project;

pin_project! {
    /// The future of every guard: the inner service's own, or an answer that is ready at once.
    ///
    /// # Cancel safety
    ///
    /// A guard holds nothing of its own across an `await`. Dropping the future drops only the inner
    /// service's future.
    ///
    /// # Example
    ///
    /// ```
    /// use http::{Request, Response};
    /// use tower::{Layer, Service, service_fn};
    /// use tower_bearer::OriginGuardLayer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut service = OriginGuardLayer::new(["https://app.example".parse()?])?.layer(service_fn(
    ///     |_: Request<()>| async { Ok::<_, std::convert::Infallible>(Response::new(())) },
    /// ));
    /// // A service is made ready before it is called; this one is always ready.
    /// let answer: tower_bearer::future::GuardFuture<_, ()> = service.call(Request::new(()));
    /// assert_eq!(answer.await?.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct GuardFuture<F, B> {
        #[pin]
        kind: Kind<F, B>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<F, B> {
        Passed { #[pin] future: F },
        Refused { response: Option<Response<B>> },
    }
}

impl<F, B> GuardFuture<F, B> {
    pub(crate) fn passed(future: F) -> Self {
        Self {
            kind: Kind::Passed { future },
        }
    }

    pub(crate) fn refused(response: Response<B>) -> Self {
        Self {
            kind: Kind::Refused {
                response: Some(response),
            },
        }
    }
}

impl<F, B, E> Future for GuardFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProjection::Passed { future } => future.poll(cx),
            // Polling again after the answer is the caller's mistake and must not stop the server.
            // So it waits for ever instead of panicking.
            KindProjection::Refused { response } => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                None => Poll::Pending,
            },
        }
    }
}

impl<F, B> std::fmt::Debug for GuardFuture<F, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind } = self;
        f.write_str(match kind {
            Kind::Passed { .. } => "GuardFuture(passed)",
            Kind::Refused { .. } => "GuardFuture(refused)",
        })
    }
}
