//! The inner service gets what the client has sent.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

use super::{
    form,
    inner::{Inner, Seen, Step, Steps},
    post, token,
};
use crate::support::csrf;

async fn seen(request: Request<Steps>) -> Option<Seen> {
    let inner = Inner::default();
    form().layer(inner.clone()).oneshot(request).await.unwrap();
    inner.seen()
}

fn trailers() -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.append("x-checksum", "1".parse().unwrap());
    trailers.append("x-checksum", "2".parse().unwrap());
    trailers
}

/// The same bytes and headers after they were read; run for the case table as well.
pub(crate) async fn the_form_is_handed_on() {
    let text = format!("csrf_token={}&a=1&b=%00+%FF;", token());
    let wait = || Step::Wait;
    let data = |range: std::ops::Range<usize>| Step::Data(text.as_bytes()[range].to_vec());
    let whole = text.len();
    for steps in [
        vec![data(0..whole)],
        vec![
            wait(),
            data(0..5),
            wait(),
            wait(),
            data(5..50),
            data(50..whole),
        ],
        vec![data(0..0), data(0..whole), data(0..0), wait()],
        (0..whole).map(|at| data(at..at + 1)).collect(),
    ] {
        let mut request = post(Steps::new(steps));
        request.headers_mut().append("x-a", "1".parse().unwrap());
        request.headers_mut().append("x-a", "2".parse().unwrap());
        let sent = request.headers().clone();
        let seen = seen(request).await.expect("it passes");
        assert_eq!(seen.data, text.as_bytes());
        assert_eq!(seen.headers, sent);
        assert_eq!(seen.hint.exact(), Some(whole as u64));
        assert!(!seen.ended_at_first && !seen.failed);
        assert_eq!((seen.frames, seen.trailers), (1, None));
    }
}

#[tokio::test]
async fn bytes_and_headers_are_handed_on() {
    the_form_is_handed_on().await;
}

#[tokio::test]
async fn bytes_after_a_form_reach_no_handler() {
    let good = Step::Data(format!("csrf_token={}", token()).into_bytes());
    let again = Step::Data(b"&csrf_token=junk".to_vec());
    let steps = [good.clone(), Step::Trailers(trailers()), again];
    let seen = seen(post(Steps::new(steps))).await.unwrap();
    assert_eq!(seen.data.len(), 102);
    assert_eq!(seen.trailers, None);
}

/// Requests that need no look at the body: it is the client's own, untouched.
#[tokio::test]
async fn an_unread_body_is_handed_on_as_it_is() {
    let bearer = Request::post("/").header(header::AUTHORIZATION, "Bearer abc");
    let with_header = Request::post("/")
        .header(header::COOKIE, format!("{}={}", csrf::COOKIE, token()))
        .header(header::CONTENT_TYPE, super::URL_ENCODED)
        .header(csrf::HEADER, token());
    for head in [
        Request::get("/").header(header::CONTENT_TYPE, super::URL_ENCODED),
        bearer,
        with_header,
    ] {
        let body = Steps::new([
            Step::Data(b"csrf_token=junk".to_vec()),
            Step::Wait,
            Step::Data(b"&csrf_token=".to_vec()),
            Step::Trailers(trailers()),
        ]);
        let polled = body.polled();
        let ask = polled.clone();
        let inner = service_fn(move |request: Request<Steps>| {
            assert_eq!(ask.load(Ordering::SeqCst), 0, "polled before the handler");
            async move {
                let body = request.into_body();
                assert_eq!(body.size_hint().exact(), Some(1_000_000));
                let body = body.collect().await.unwrap();
                assert_eq!(body.trailers(), Some(&trailers()));
                Ok::<_, Infallible>(Response::new(body.to_bytes()))
            }
        });
        let request = head.body(body.hint(1_000_000)).unwrap();
        let response = form().layer(inner).oneshot(request).await.unwrap();
        assert_eq!(response.into_body(), "csrf_token=junk&csrf_token=");
        assert_eq!(polled.load(Ordering::SeqCst), 5);
    }
}

#[tokio::test]
async fn a_body_that_is_not_read_may_end_and_fail_as_it_likes() {
    let get = Request::get("/").body(Steps::new([Step::Fail])).unwrap();
    assert!(seen(get).await.unwrap().failed);
    let ended = Arc::new(AtomicUsize::new(0));
    let keep = ended.clone();
    let inner = service_fn(move |request: Request<Full<Bytes>>| {
        keep.fetch_add(
            usize::from(request.body().is_end_stream()),
            Ordering::SeqCst,
        );
        async { Ok::<_, Infallible>(Response::new(())) }
    });
    let get = Request::get("/").body(Full::default()).unwrap();
    form().layer(inner).oneshot(get).await.unwrap();
    assert_eq!(ended.load(Ordering::SeqCst), 1);
}
