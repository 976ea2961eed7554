//! `Grpc`.

use std::task::{Context, Poll};

use http::Request;
use tower_service::Service;

use super::decision;
use crate::rejection::GrpcMark;

/// The service of [`GrpcLayer`](crate::GrpcLayer).
#[derive(Clone, Debug)]
pub struct Grpc<S> {
    inner: S,
}

impl<S> Grpc<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S, B> Service<Request<B>> for Grpc<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mark = decision::mark(&request);
        let extensions = request.extensions_mut();
        match mark {
            Some(mark) => {
                extensions.insert(mark);
            }
            // One may have come along with the extensions of another request.
            None => {
                extensions.remove::<GrpcMark>();
            }
        }
        self.inner.call(request)
    }
}
