//! The service that a browser asks, whatever its type is.

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tower_service::Service;

/// The body of the requests that a [`TestBrowser`](super::TestBrowser) sends: bytes that are there at once, and no
/// more.
///
/// ```
/// use http_body_util::BodyExt;
/// use tower_bearer::test_util::TestBody;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let body = TestBody::from("a=1".to_owned());
/// assert_eq!(body.collect().await.unwrap().to_bytes(), "a=1");
/// # }
/// ```
#[derive(Default)]
pub struct TestBody(Full<Bytes>);

impl From<String> for TestBody {
    fn from(text: String) -> Self {
        Self(Full::from(text))
    }
}

impl Body for TestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.get_mut().0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl fmt::Debug for TestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Forms hold passwords.
        f.debug_struct("TestBody").finish_non_exhaustive()
    }
}

type Failure = Box<dyn Error + Send + Sync>;
type Answering = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Failure>> + Send>>;

/// Asks a clone of the service each time.
#[derive(Clone)]
pub(super) struct Client(Arc<dyn Fn(Request<String>) -> Answering + Send + Sync>);

impl Client {
    pub(super) fn new<S, B, R>(service: S) -> Self
    where
        S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Failure>,
        B: From<String> + Send + 'static,
        R: Body + Send,
        R::Data: Send,
        R::Error: Into<Failure>,
    {
        // A service need not be `Sync`, and axum's futures may go from thread to thread.
        let service = Mutex::new(service);
        Self(Arc::new(move |request| {
            let service = service.lock();
            let mut service = service.unwrap_or_else(PoisonError::into_inner).clone();
            Box::pin(async move {
                let ready = poll_fn(|cx| service.poll_ready(cx)).await;
                ready.map_err(Into::into)?;
                let response = service.call(request.map(B::from)).await;
                let (head, body) = response.map_err(Into::into)?.into_parts();
                let body = body.collect().await.map_err(Into::into)?.to_bytes();
                Ok(Response::from_parts(head, body))
            })
        }))
    }

    pub(super) async fn ask(&self, request: Request<String>) -> Result<Response<Bytes>, Failure> {
        (self.0)(request).await
    }
}
