//! The two ends of the layer. Bodies follow the steps of the test, and an inner service keeps its requests.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tower::Service;
use tower_bearer::CsrfToken;

/// A step of a body when it is polled.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Data(Vec<u8>),
    Fail,
    Trailers(HeaderMap),
    Wait,
}

/// A body that does these steps and then ends, and counts how often it was polled.
#[derive(Debug)]
pub(super) struct Steps {
    steps: VecDeque<Step>,
    hint: SizeHint,
    polled: Arc<AtomicUsize>,
}

impl Steps {
    pub(super) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            hint: SizeHint::default(),
            polled: Arc::default(),
        }
    }

    pub(super) fn pieces(pieces: &[&[u8]]) -> Self {
        Self::new(pieces.iter().map(|piece| Step::Data(piece.to_vec())))
    }

    pub(super) fn hint(mut self, bytes: u64) -> Self {
        self.hint = SizeHint::with_exact(bytes);
        self
    }

    pub(super) fn polled(&self) -> Arc<AtomicUsize> {
        self.polled.clone()
    }
}

impl From<Bytes> for Steps {
    fn from(bytes: Bytes) -> Self {
        let length = bytes.len() as u64;
        Self::new([Step::Data(bytes.into())]).hint(length)
    }
}

impl Body for Steps {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.polled.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(match self.steps.pop_front() {
            None => None,
            Some(Step::Data(data)) => Some(Ok(Frame::data(data.into()))),
            Some(Step::Fail) => Some(Err("broken off")),
            Some(Step::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Some(Step::Wait) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

/// The request that arrived at the inner service.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) headers: HeaderMap,
    pub(super) data: Vec<u8>,
    pub(super) trailers: Option<HeaderMap>,
    pub(super) failed: bool,
    /// The body's stated length before anything was read.
    pub(super) hint: SizeHint,
    pub(super) ended_at_first: bool,
    pub(super) frames: usize,
}

type Work = dyn Fn(&CsrfToken) -> String + Send + Sync;

/// Reads all of the body and keeps it; the last request counts.
#[derive(Clone)]
pub(super) struct Inner {
    work: Arc<Work>,
    seen: Arc<Mutex<Option<Seen>>>,
}

impl Default for Inner {
    fn default() -> Self {
        Self::working(|_| {})
    }
}

impl Inner {
    pub(super) fn working(work: impl Fn(&CsrfToken) + Send + Sync + 'static) -> Self {
        Self {
            work: Arc::new(move |handle| {
                work(handle);
                String::new()
            }),
            seen: Arc::default(),
        }
    }

    /// Answers with the token for a page.
    pub(super) fn rendering() -> Self {
        Self {
            work: Arc::new(|handle| handle.masked().unwrap()),
            ..Self::default()
        }
    }

    pub(super) fn seen(&self) -> Option<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl<B> Service<Request<B>> for Inner
where
    B: Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<String>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let this = self.clone();
        let (parts, body) = request.into_parts();
        Box::pin(async move {
            let handle = CsrfToken::from_extensions(&parts.extensions).unwrap();
            let said = (this.work)(&handle);
            let mut seen = Seen {
                headers: parts.headers,
                data: Vec::new(),
                trailers: None,
                failed: false,
                hint: body.size_hint(),
                ended_at_first: body.is_end_stream(),
                frames: 0,
            };
            let mut body = Box::pin(body);
            while let Some(frame) = body.frame().await {
                seen.frames += 1;
                assert!(seen.trailers.is_none(), "something after the trailers");
                match frame.map(Frame::into_data) {
                    Ok(Ok(data)) => seen.data.extend_from_slice(&data),
                    Ok(Err(frame)) => seen.trailers = frame.into_trailers().ok(),
                    Err(_) => {
                        seen.failed = true;
                        break;
                    }
                }
            }
            *this.seen.lock().unwrap() = Some(seen);
            Ok(Response::new(said))
        })
    }
}
