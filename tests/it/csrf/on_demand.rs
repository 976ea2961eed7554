//! A browser gets a token where a page may need one, and nowhere else.

use std::convert::Infallible;

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use tower::{Layer, ServiceExt, service_fn};
use tower_bearer::{CsrfLayer, CsrfToken, csrf::CsrfSession};

use crate::support::csrf::{self, Fixtures};

fn layer(keys: &[&str]) -> CsrfLayer {
    let fixtures = Fixtures::load();
    csrf::layer(fixtures.keys(keys), fixtures.binding_of("S1"))
}

fn request(method: Method, cookie: Option<&str>) -> Request<String> {
    let mut headers = HeaderMap::new();
    if let Some(cookie) = cookie {
        let cookie = format!("{}={cookie}", csrf::COOKIE);
        headers.insert(header::COOKIE, cookie.parse().unwrap());
    }
    csrf::request(method, headers)
}

/// The answer of a handler that answers a `kind`, and takes the token if it is to.
async fn answer(
    layer: &CsrfLayer,
    request: Request<String>,
    status: StatusCode,
    kind: Option<&'static str>,
    takes: bool,
) -> Response<String> {
    let inner = service_fn(move |request: Request<String>| async move {
        if takes {
            CsrfToken::from_extensions(request.extensions()).unwrap();
        }
        let mut response = Response::builder().status(status);
        response = response.header(header::CACHE_CONTROL, "public, max-age=3600");
        if let Some(kind) = kind {
            response = response.header(header::CONTENT_TYPE, kind);
        }
        Ok::<_, Infallible>(response.body(String::new()).unwrap())
    });
    layer.layer(inner).oneshot(request).await.unwrap()
}

async fn is_issued(
    cookie: Option<&str>,
    status: StatusCode,
    kind: Option<&'static str>,
    takes: bool,
) -> bool {
    let request = request(Method::GET, cookie);
    let response = answer(&layer(&["K1"]), request, status, kind, takes).await;
    let is_issued = csrf::issued(&response).is_some();
    // A cache may keep what has no token in it.
    let expected = match is_issued {
        true => "no-store",
        false => "public, max-age=3600",
    };
    assert_eq!(response.headers()[header::CACHE_CONTROL], expected);
    assert_eq!(response.headers().contains_key(header::VARY), is_issued);
    is_issued
}

#[tokio::test]
async fn a_stylesheet_stays_cachable_and_a_page_brings_a_token() {
    for (kind, takes, expected) in [
        (Some("text/css"), false, false),
        (Some("application/javascript"), false, false),
        (Some("application/json"), false, false),
        (Some("image/png"), false, false),
        (Some("text/html-x"), false, false),
        (None, false, false),
        (Some("text/html"), false, true),
        (Some("text/html; charset=utf-8"), false, true),
        (Some("Text/HTML ;charset=utf-8"), false, true),
        (Some("application/json"), true, true),
        (None, true, true),
    ] {
        // Nothing, what is no token, and one of another session.
        let other = csrf::issue(&csrf::layer(
            Fixtures::load().keys(&["K1"]),
            CsrfSession::session("another"),
        ))
        .await;
        for cookie in [None, Some("junk"), Some(&*other)] {
            let found = is_issued(cookie, StatusCode::OK, kind, takes).await;
            assert_eq!(found, expected, "{kind:?} {takes} {cookie:?}");
        }
        let good = csrf::issue(&layer(&["K1"])).await;
        assert!(!is_issued(Some(&good), StatusCode::OK, kind, takes).await);
    }
}

#[tokio::test]
async fn an_answer_304_brings_none() {
    for takes in [true, false] {
        let kept = StatusCode::NOT_MODIFIED;
        assert!(!is_issued(None, kept, Some("text/html"), takes).await);
        // An error page is a page.
        let missing = StatusCode::NOT_FOUND;
        assert!(is_issued(None, missing, Some("text/html"), takes).await);
    }
}

#[tokio::test]
async fn a_preflight_brings_none() {
    for takes in [true, false] {
        let mut request = request(Method::OPTIONS, None);
        let asked = header::ACCESS_CONTROL_REQUEST_METHOD;
        request.headers_mut().insert(asked, "POST".parse().unwrap());
        let layer = layer(&["K1"]);
        let response = answer(&layer, request, StatusCode::OK, Some("text/html"), takes).await;
        assert!(!response.headers().contains_key(header::SET_COOKIE));
    }
}

/// A key can be taken out once the pages of its time have been loaded again.
#[tokio::test]
async fn a_token_of_the_key_before_is_replaced_where_a_page_asks() {
    for binding in [CsrfSession::ANONYMOUS, Fixtures::load().binding_of("S1")] {
        let keys = |names: &[&str]| csrf::layer(Fixtures::load().keys(names), binding);
        let old = csrf::issue(&keys(&["K1"])).await;
        for names in [&["K2", "K1"][..], &["K2"]] {
            let layer = keys(names);
            let get = || request(Method::GET, Some(&old));
            let css = answer(&layer, get(), StatusCode::OK, Some("text/css"), false).await;
            assert_eq!(csrf::issued(&css), None);
            let page = answer(&layer, get(), StatusCode::OK, Some("text/html"), false).await;
            let fresh = csrf::issued(&page).expect("a token of the new key");
            let only_new = keys(&["K2"]);
            let post = csrf::post(&fresh, &fresh);
            assert_eq!(only_new.verify(post.headers(), &binding), Ok(()));
        }
    }
}

#[tokio::test]
async fn the_exemption_does_not_end_with_the_first_page() {
    let layer = layer(&["K1"]);
    let first = answer(
        &layer,
        request(Method::GET, None),
        StatusCode::OK,
        Some("text/html"),
        false,
    )
    .await;
    let cookie = csrf::issued(&first).unwrap();
    let mut call = request(Method::POST, Some(&cookie));
    let headers = call.headers_mut();
    headers.insert(header::AUTHORIZATION, "DPoP a".parse().unwrap());
    let response = answer(&layer, call, StatusCode::OK, None, false).await;
    assert_eq!(response.status(), StatusCode::OK);
}
