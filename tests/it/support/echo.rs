//! An inner service that counts its calls.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use http::{Request, Response};
use tower::Service;

/// Answers 200 with the body `inner` and keeps the last request it got. Clones share both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Echo {
    calls: Arc<AtomicUsize>,
    last: Arc<std::sync::Mutex<Option<http::request::Parts>>>,
}

impl Echo {
    /// How many requests got here.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// The head of the last request that got here.
    pub(crate) fn last(&self) -> http::request::Parts {
        self.last
            .lock()
            .unwrap()
            .take()
            .expect("no request got here")
    }
}

impl<B> Service<Request<B>> for Echo {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        *self.last.lock().unwrap() = Some(request.into_parts().0);
        ready(Ok(Response::new("inner".to_owned())))
    }
}
