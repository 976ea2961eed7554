//! What the guards share: their future, and the mark they leave on a request that they let
//! through without credentials.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use pin_project_lite::pin_project;

pin_project! {
    /// The future of every guard: the inner service's own, or an answer that is ready at once.
    ///
    /// # Cancel safety
    ///
    /// A guard holds nothing of its own across an `await`: dropping the future drops the inner
    /// service's future and nothing else.
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
    /// let answer: tower_bearer::GuardFuture<_, ()> = service.call(Request::new(()));
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
            // Polling again after the answer is a mistake of the caller that must not bring the
            // server down, so it waits for ever instead of panicking.
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

/// A bearer layer was here and let the request through without credentials, as it was told to.
///
/// It tells "nobody signed in" from "the layer is missing", and carries the challenge that the
/// layer would have answered with.
#[derive(Clone, Debug)]
pub(crate) struct Anonymous {
    pub(crate) challenge: HeaderValue,
}

/// The headers by which frameworks let a client replace the method. A static, so that a look-up
/// borrows the name instead of making and dropping one.
static METHOD_OVERRIDES: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
];

/// What browsers say of where a request comes from (W3C Fetch Metadata). A static for the same reason.
pub(crate) static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a page of another site caused the request, a link there among them.
pub(crate) fn is_cross_site(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all(&SEC_FETCH_SITE).iter();
    sites.any(|site| site == "cross-site")
}

/// Whether the request asks for another method than its own, should anybody further in listen.
pub(crate) fn overrides_method(headers: &HeaderMap) -> bool {
    METHOD_OVERRIDES
        .iter()
        .any(|name| headers.contains_key(name))
}
