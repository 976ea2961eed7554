//! The CSRF token in a field of a form. The rows of the case table that have one are judged with
//! the others, in `csrf::cases`.

mod axum;
mod bodies;
mod inner;
mod limits;
mod properties;
mod refusals;

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_bearer::{
    CsrfLayer,
    csrf::{CsrfFormLayer, CsrfSession},
    rejection::CsrfReason,
};

use crate::support::{
    csrf::{self, Fixtures, reason},
    readiness::Requests,
};
use inner::Inner;

pub(crate) use bodies::the_form_is_handed_on;

const URL_ENCODED: &str = "application/x-www-form-urlencoded";

/// Every request belongs to the first session.
pub(crate) fn layer() -> CsrfLayer {
    let fixtures = Fixtures::load();
    csrf::layer(fixtures.keys(&["K1"]), fixtures.binding_of("S1"))
}

/// The same for the second session.
fn elsewhere() -> CsrfLayer {
    let fixtures = Fixtures::load();
    csrf::layer(fixtures.keys(&["K1"]), fixtures.binding_of("S2"))
}

fn form() -> CsrfFormLayer {
    layer().form_field("csrf_token").unwrap()
}

/// The token of the first session, raw and masked.
fn token() -> String {
    vector("raw")
}

fn masked() -> String {
    vector("masked")
}

fn vector(form: &str) -> String {
    let fixtures = Fixtures::load();
    fixtures.vectors()[0][form].as_str().unwrap().to_owned()
}

/// A form with a good cookie.
fn post<B>(body: B) -> Request<B> {
    Request::post("/")
        .header(header::COOKIE, format!("{}={}", csrf::COOKIE, token()))
        .header(header::CONTENT_TYPE, URL_ENCODED)
        .body(body)
        .unwrap()
}

/// The requests that the readiness of the layer is tried with, where it has read a form.
pub(crate) const READ: Requests = Requests {
    passed: || post(format!("t={}", token())),
    refused: Some(|| post("t=junk".to_owned())),
};

/// Sends a text and gives back the answer and what the inner service got.
async fn send(
    layer: &CsrfFormLayer,
    request: Request<String>,
) -> (Response<String>, Option<inner::Seen>) {
    let inner = Inner::default();
    let request = request.map(|text| Full::new(bytes::Bytes::from(text)));
    let response = layer.layer(inner.clone()).oneshot(request).await.unwrap();
    (response, inner.seen())
}

#[tokio::test]
async fn a_form_with_the_token_passes_raw_and_masked() {
    for copy in [token(), masked()] {
        let body = format!("a=1&csrf_token={copy}&b=%26");
        let (response, seen) = send(&form(), post(body.clone())).await;
        assert_eq!(response.status(), StatusCode::OK, "{:?}", reason(&response));
        assert_eq!(seen.unwrap().data, body.as_bytes());
    }
}

#[tokio::test]
async fn a_rendered_token_comes_back_as_it_was_rendered() {
    // The page that `masked` is made for, with another cookie each time.
    let page = Inner::rendering();
    let get = Request::get("/").body(Full::default()).unwrap();
    let response = form().layer(page).oneshot(get).await.unwrap();
    let cookie = csrf::issued(&response).unwrap();
    let copy = response.into_body();
    let mut request = post(format!("csrf_token={copy}"));
    let line = format!("{}={cookie}", csrf::COOKIE).parse().unwrap();
    request.headers_mut().insert(header::COOKIE, line);
    assert!(send(&form(), request).await.1.is_some());
}

#[tokio::test]
async fn the_field_has_its_own_name_and_is_there_once() {
    let (good, other) = (token(), csrf::issue(&elsewhere()).await);
    for (body, why) in [
        (String::new(), CsrfReason::TokenMissing),
        ("csrf_token=".to_owned(), CsrfReason::TokenMissing),
        (format!("csrf-token={good}"), CsrfReason::TokenMissing),
        (format!("CSRF_TOKEN={good}"), CsrfReason::TokenMissing),
        (format!("x-csrf-token={good}"), CsrfReason::TokenMissing),
        ("csrf_token=junk".to_owned(), CsrfReason::TokenMalformed),
        (format!("csrf_token=+{good}"), CsrfReason::TokenMalformed),
        (
            format!("csrf_token={}", good.replace('.', "%252E")),
            CsrfReason::TokenMalformed,
        ),
        (
            format!("csrf_token={}", "A".repeat(30_000)),
            CsrfReason::TokenMalformed,
        ),
        (format!("csrf_token={other}"), CsrfReason::TokenMismatch),
        (
            format!("csrf_token={good}&csrf_token={good}"),
            CsrfReason::TokenDuplicate,
        ),
        (
            format!("csrf_token={good}&csrf%5Ftoken="),
            CsrfReason::TokenDuplicate,
        ),
    ] {
        let (response, seen) = send(&form(), post(body.clone())).await;
        assert_eq!(reason(&response), Some(why), "{body}");
        assert!(seen.is_none());
    }
    // A name of the application's choice, and the address is not looked at.
    let other = layer().form_field("form[_csrf]").unwrap();
    let body = format!("form%5B_csrf%5D={good}");
    assert!(send(&other, post(body.clone())).await.1.is_some());
    let mut request = post("a=1".to_owned());
    *request.uri_mut() = format!("/?csrf_token={good}").parse().unwrap();
    let (response, _) = send(&form(), request).await;
    assert_eq!(reason(&response), Some(CsrfReason::TokenMissing));
}

#[tokio::test]
async fn the_handle_is_in_the_request_and_its_decisions_in_the_response() {
    let fixtures = Fixtures::load();
    let next = fixtures.binding_of("S1_NEW");
    let inner = Inner::working(move |handle| handle.rotate_to(next).unwrap());
    let request = post(Full::from(format!("csrf_token={}", token())));
    let response = form().layer(inner).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let moved = csrf::issued(&response).unwrap();
    assert_eq!(response.headers()[header::VARY], "Cookie");
    // It is good for the session that the handler has moved to, and there alone.
    for (binding, passes) in [(next, true), (fixtures.binding_of("S1"), false)] {
        let layer = csrf::layer(fixtures.keys(&["K1"]), binding);
        let layer = layer.form_field("csrf_token").unwrap();
        let mut request = post(format!("csrf_token={moved}"));
        let cookie = format!("{}={moved}", csrf::COOKIE).parse().unwrap();
        request.headers_mut().insert(header::COOKIE, cookie);
        assert_eq!(send(&layer, request).await.1.is_some(), passes);
    }
    // A form changes nothing by itself.
    let (response, _) = send(&form(), post(format!("csrf_token={}", token()))).await;
    assert_eq!(csrf::issued(&response), None);
    // The handle goes on with the browser's token, and does not make another.
    let page = Inner::rendering();
    let request = post(Full::from(format!("csrf_token={}", token())));
    let response = form().layer(page).oneshot(request).await.unwrap();
    assert_eq!(csrf::issued(&response), None);
    let copy = response.into_body();
    assert!(
        send(&form(), post(format!("csrf_token={copy}")))
            .await
            .1
            .is_some()
    );
}

#[tokio::test]
async fn safe_methods_get_a_token_as_without_forms() {
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        let is_page = method != Method::OPTIONS;
        let request = csrf::request(method, http::HeaderMap::new());
        let (response, seen) = send(&form(), request).await;
        assert!(seen.is_some());
        assert_eq!(csrf::issued(&response).is_some(), is_page);
    }
}

#[tokio::test]
async fn the_token_is_that_of_the_session_of_the_request() {
    let fixtures = Fixtures::load();
    for binding in [CsrfSession::ANONYMOUS, fixtures.binding_of("S2")] {
        let layer = csrf::layer(fixtures.keys(&["K1"]), binding);
        let layer = layer.form_field("csrf_token").unwrap();
        let (response, seen) = send(&layer, post(format!("csrf_token={}", token()))).await;
        assert_eq!(reason(&response), Some(CsrfReason::SignatureInvalid));
        assert!(seen.is_none());
    }
}

#[test]
fn a_name_that_browsers_write_in_several_ways_is_refused() {
    for name in [
        "", " ", "a b", "a\"b", "a\\b", "a\r\nb", "\0", "tökén", "a\u{7f}",
    ] {
        let error = layer().form_field(name).unwrap_err();
        assert_eq!(error.setting(), "form_field", "{name:?}");
        assert!(error.problem().contains("csrf_token"), "{error}");
    }
    for name in ["t", "csrf_token", "form[_token]", "~!#$&'"] {
        assert!(layer().form_field(name).is_ok(), "{name}");
    }
}
