//! The service of `acting_as`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use tower_service::Service;

use crate::{
    rejection::{Rejection, RejectionKind},
    token::TokenContext,
};

/// The service of [`acting_as`](super::acting_as), which has an example.
///
/// # Panics
///
/// Where a bearer layer stands around it or inside of it: then it is not these claims that decide. A test of the
/// application with its bearer layer sends a token, as [`TestBrowser`](super::TestBrowser) does.
#[derive(Clone)]
pub struct ActingAs<S> {
    inner: S,
    context: TokenContext,
}

impl<S> ActingAs<S> {
    pub(super) fn new(inner: S, context: TokenContext) -> Self {
        Self { inner, context }
    }
}

const CLAIMED: &str = "the request has claims already: acting_as stands in place of BearerAuthLayer, and not inside of \
     it. A request that brings its own by `.extension(acting_as(..).context())` goes to routes without the layer";

const ASKED: &str = "a BearerAuthLayer inside of acting_as has asked for a token: acting_as stands in place of that \
     layer. Build the routes without it, or send a token: `.bearer_token(auth.codec().mint(..)?.as_str())` of a \
     TestBrowser";

impl<S, B, R> Service<Request<B>> for ActingAs<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ActingAsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let before = request.extensions_mut().insert(self.context.clone());
        assert!(before.is_none(), "{CLAIMED}");
        ActingAsFuture {
            inner: self.inner.call(request),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for ActingAs<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, context } = self;
        f.debug_struct("ActingAs")
            .field("inner", inner)
            .field("context", context)
            .finish()
    }
}

pin_project_lite::pin_project! {
    /// The future of [`ActingAs`].
    ///
    /// # Cancel safety
    ///
    /// As the inner service's future, which it drops.
    pub struct ActingAsFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, R, E> Future for ActingAsFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().inner.poll(cx))?;
        let rejection = response.extensions().get::<Rejection>();
        let asked = rejection.is_some_and(|r| r.kind() == RejectionKind::MissingCredentials);
        assert!(!asked, "{ASKED}");
        Poll::Ready(Ok(response))
    }
}

impl<F> fmt::Debug for ActingAsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActingAsFuture").finish_non_exhaustive()
    }
}
