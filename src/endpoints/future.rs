//! The future of `SessionEndpoints`.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;

use super::settings::Answer;

/// The future of [`SessionEndpoints`](crate::SessionEndpoints).
///
/// # Cancel safety
///
/// Dropping it is as safe as dropping the method of [`Session`](crate::Session) behind the call.
pub struct EndpointsFuture<B = String> {
    answer: Pin<Box<dyn Future<Output = Answer> + Send>>,
    body: PhantomData<fn() -> B>,
}

impl<B> EndpointsFuture<B> {
    pub(super) fn new(answer: Pin<Box<dyn Future<Output = Answer> + Send>>) -> Self {
        let body = PhantomData;
        Self { answer, body }
    }
}

impl<B: From<String>> Future for EndpointsFuture<B> {
    type Output = Result<Response<B>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = self.answer.as_mut().poll(cx);
        answer.map(|answer| Ok(answer.map(B::from)))
    }
}

impl<B> fmt::Debug for EndpointsFuture<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointsFuture").finish_non_exhaustive()
    }
}
