//! Rules for the refusals of all layers.

use http::{Request, StatusCode};
use tower::ServiceExt;
use tower_bearer::rejection::Rejection;

use crate::support::{
    echo::Echo,
    guards::{self, Own},
};

/// A proxy that asks a service for permission goes by the status, and so do clients.
#[tokio::test]
async fn a_refusal_is_a_4xx_or_a_5xx_whatever_the_application_answers() {
    for guard in guards::all() {
        for status in 100..=999 {
            let own = Own::new(StatusCode::from_u16(status).unwrap());
            let inner = Echo::default();
            let mut request = Request::new(String::new());
            (guard.provoke)(&mut request);
            let response = guard.around(Some(&own), &inner).oneshot(request).await;
            let response = response.unwrap();

            let expected = match status {
                400..=599 => status,
                _ => guard.status,
            };
            assert_eq!(response.status(), expected, "{}: {status}", guard.name);
            // The rest of the answer stays the application's.
            assert_eq!(response.body(), "own", "{}: {status}", guard.name);
            assert!(response.extensions().get::<Rejection>().is_some());
            assert_eq!((own.asked(), inner.calls()), (1, 0), "{}", guard.name);
        }
    }
}

#[tokio::test]
async fn without_an_own_answer_the_status_is_the_rejections() {
    for guard in guards::all() {
        let inner = Echo::default();
        let mut request = Request::new(String::new());
        (guard.provoke)(&mut request);
        let response = guard.around(None, &inner).oneshot(request).await.unwrap();
        assert_eq!(response.status(), guard.status, "{}", guard.name);
        assert_eq!((response.body().as_str(), inner.calls()), ("", 0));
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert_eq!(rejection.status(), guard.status, "{}", guard.name);
        assert_eq!(rejection.response().status(), guard.status);
    }
}
