//! No more is read than was said, and nothing that is known to be longer.

use std::sync::atomic::Ordering;

use http::{Request, StatusCode, header};
use tower::{Layer, ServiceExt};
use tower_bearer::{
    csrf::CsrfFormLayer,
    rejection::{CsrfReason, Rejection, RejectionKind},
};

use super::{
    form,
    inner::{Inner, Step, Steps},
    masked, post, token,
};
use crate::support::csrf::reason;

/// Whether it passes, and how often the body was polled. A request that does not pass is answered 413.
async fn passes(layer: &CsrfFormLayer, request: Request<Steps>) -> (bool, usize) {
    let inner = Inner::default();
    let polled = request.body().polled();
    let response = layer.layer(inner.clone()).oneshot(request).await.unwrap();
    let passed = inner.seen().is_some();
    if !passed {
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(reason(&response), Some(CsrfReason::BodyTooLarge));
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert_eq!(rejection.kind(), RejectionKind::ContentTooLarge);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert!(response.body().is_empty());
    }
    (passed, polled.load(Ordering::SeqCst))
}

/// A form of so many bytes.
fn text(length: usize) -> Vec<u8> {
    let mut text = format!("csrf_token={}&pad=", masked()).into_bytes();
    text.resize(length, b'A');
    text
}

#[tokio::test]
async fn the_limit_is_inclusive_however_the_bytes_come() {
    for limit in [300, 301, 64 * 1024] {
        let layer = match limit {
            // The one that is set already.
            65_536 => form(),
            limit => form().body_limit(limit),
        };
        for (length, fits) in [(limit - 1, true), (limit, true), (limit + 1, false)] {
            let text = text(length);
            for piece in [length, 299, 100, 1] {
                let body = Steps::new(text.chunks(piece).map(|part| Step::Data(part.to_vec())));
                let (passed, polled) = passes(&layer, post(body)).await;
                assert_eq!(passed, fits, "{length} of {limit} by {piece}");
                let all = length.div_ceil(piece);
                assert_eq!(polled, all + usize::from(fits));
            }
        }
    }
}

#[tokio::test]
async fn a_body_without_end_is_left_at_the_limit() {
    let endless = (0..1000).map(|_| Step::Data(vec![b'A'; 100]));
    let layer = form().body_limit(1000);
    assert_eq!(passes(&layer, post(Steps::new(endless))).await, (false, 11));
}

#[tokio::test]
async fn a_body_that_says_that_it_is_longer_is_not_read() {
    let layer = form().body_limit(300);
    let body = || Steps::pieces(&[&text(300)]);
    assert_eq!(passes(&layer, post(body().hint(301))).await, (false, 0));
    assert_eq!(passes(&layer, post(body().hint(300))).await, (true, 2));
    // Its stated length is not trusted.
    let longer = Steps::pieces(&[&text(301)]).hint(10);
    assert_eq!(passes(&layer, post(longer)).await, (false, 1));
}

#[tokio::test]
async fn no_bytes_at_all_fit_into_no_limit() {
    let layer = form().body_limit(0);
    let body = Steps::pieces(&[format!("csrf_token={}", token()).as_bytes()]);
    assert_eq!(passes(&layer, post(body)).await, (false, 1));
    let inner = Inner::default();
    let empty = post(Steps::new([]));
    let response = layer.layer(inner).oneshot(empty).await.unwrap();
    assert_eq!(reason(&response), Some(CsrfReason::TokenMissing));
}
