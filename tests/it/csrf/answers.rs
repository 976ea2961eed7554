//! The layer's changes to answers: caches, several layers, headers of other layers.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use tower::{BoxError, Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_bearer::{CsrfLayer, CsrfToken, csrf::CsrfSession, rejection::CsrfReason};

use crate::support::csrf::{self, App, Fixtures, reason};

fn s1() -> CsrfLayer {
    let fixtures = Fixtures::load();
    csrf::layer(fixtures.keys(&["K1"]), fixtures.binding_of("S1"))
}

fn get() -> Request<String> {
    csrf::request(Method::GET, HeaderMap::new())
}

/// Returns the answer's caching headers when the handler sends `lines` and the layer gives a token.
async fn caching(lines: &[&'static str]) -> Vec<String> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header::CACHE_CONTROL, HeaderValue::from_static(line));
    }
    let (response, _) = csrf::send(&s1(), &App::answering(headers), get()).await;
    assert!(csrf::issued(&response).is_some());
    let lines = response.headers().get_all(header::CACHE_CONTROL).iter();
    lines.map(|l| l.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn no_shared_cache_keeps_a_token_whatever_the_handler_says() {
    for kept in [
        "private, max-age=5",
        "max-age=5,PRIVATE",
        "no-store",
        "no-cache, no-store",
    ] {
        assert_eq!(caching(&[kept]).await, [kept]);
    }
    assert_eq!(
        caching(&["max-age=5", "private"]).await,
        ["max-age=5", "private"]
    );
    for replaced in [
        "public, max-age=31536000, immutable",
        "max-age=60",
        "s-maxage=60",
        "no-cache",
        "private=\"set-cookie\"",
        "not-private",
        "",
        // A word in quotes is no directive.
        "public, max-age=600, no-cache=\"a, private, b\"",
        "max-age=600, ext=\"x,no-store\"",
    ] {
        assert_eq!(caching(&[replaced]).await, ["no-store"], "{replaced}");
    }
    assert_eq!(caching(&["public", "max-age=5"]).await, ["no-store"]);
}

/// Caches of one kind would read these before `Cache-Control` (RFC 9213).
#[tokio::test]
async fn no_header_for_caches_of_one_kind_is_left_beside_a_token() {
    let targeted = [
        "cdn-cache-control",
        "any-cdn-cache-control",
        "surrogate-control",
        "x-accel-expires",
    ];
    let mut headers = HeaderMap::new();
    for name in targeted {
        headers.insert(name, HeaderValue::from_static("max-age=600"));
    }
    headers.insert("x-cache", HeaderValue::from_static("kept"));
    let (response, _) = csrf::send(&s1(), &App::answering(headers), get()).await;
    assert!(csrf::issued(&response).is_some());
    assert_eq!(response.headers()["x-cache"], "kept");
    for name in targeted {
        assert!(!response.headers().contains_key(name), "{name}");
    }
}

/// An answer that a cache may keep stays so where no token is in it.
#[tokio::test]
async fn an_answer_without_a_token_may_be_cached() {
    let cookie = csrf::issue(&s1()).await;
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=60"),
    );
    let mut request = csrf::post(&cookie, &cookie);
    *request.method_mut() = Method::GET;
    let (response, _) = csrf::send(&s1(), &App::answering(headers.clone()), request).await;
    assert_eq!(*response.headers(), headers);
}

/// Every status can bring the token: it is the handler that asks for it. Not where the page is the one that
/// the browser has.
#[tokio::test]
async fn the_token_comes_with_every_status() {
    for status in [
        StatusCode::SWITCHING_PROTOCOLS,
        StatusCode::NO_CONTENT,
        StatusCode::SEE_OTHER,
        StatusCode::NOT_MODIFIED,
        StatusCode::NOT_FOUND,
        StatusCode::INTERNAL_SERVER_ERROR,
    ] {
        let inner = service_fn(move |request: Request<String>| async move {
            CsrfToken::from_extensions(request.extensions()).unwrap();
            let mut response = Response::new(String::new());
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        });
        let response = s1().layer(inner).oneshot(get()).await.unwrap();
        assert_eq!(response.status(), status);
        let is_issued = csrf::issued(&response).is_some();
        assert_eq!(is_issued, status != StatusCode::NOT_MODIFIED, "{status}");
    }
}

#[tokio::test]
async fn an_error_of_the_inner_service_is_handed_on() {
    let inner = service_fn(|_: Request<String>| async {
        Err::<Response<String>, BoxError>("the inner service".into())
    });
    let error = s1().layer(inner).oneshot(get()).await.unwrap_err();
    assert_eq!(error.to_string(), "the inner service");
}

/// A layer around the router and the same one around a route. The browser gets one cookie, and the page was given the
/// copy of it.
#[tokio::test]
async fn a_layer_inside_of_itself_gives_one_token() {
    let page = service_fn(|request: Request<String>| async move {
        let token = CsrfToken::from_extensions(request.extensions()).unwrap();
        Ok::<_, Infallible>(Response::new(token.masked().unwrap()))
    });
    let service = ServiceBuilder::new().layer(s1()).layer(s1()).service(page);
    let response = service.clone().oneshot(get()).await.unwrap();
    let cookie = csrf::issued(&response).unwrap();
    let request = csrf::post(&cookie, response.body());
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{:?}", reason(&response));
    assert_eq!(csrf::issued(&response), None);
}

/// Two layers that have nothing to do with each other each give their own.
#[tokio::test]
async fn layers_of_two_names_do_not_disturb_each_other() {
    let fixtures = Fixtures::load();
    let other = csrf::builder(fixtures.keys(&["K2"]), CsrfSession::ANONYMOUS)
        .cookie_name("csrf-admin")
        .build()
        .unwrap();
    for [outer, inner] in [[s1(), other.clone()], [other, s1()]] {
        let service = ServiceBuilder::new()
            .layer(outer)
            .layer(inner)
            .service(App::new());
        let response = service.oneshot(get()).await.unwrap();
        assert!(csrf::issued(&response).is_some());
        let lines = response.headers().get_all(header::SET_COOKIE).iter();
        let other = lines.filter(|line| line.as_bytes().starts_with(b"__Host-csrf-admin=v1a."));
        assert_eq!(other.count(), 1);
    }
}

/// A token of the form that another key could have made is kept when a foreign page leads here. A text that is not even
/// a token is replaced, and so is an absent one.
#[tokio::test]
async fn a_foreign_page_replaces_no_token() {
    let fixtures = Fixtures::load();
    let other = csrf::layer(fixtures.keys(&["K1"]), fixtures.binding_of("S2"));
    let token = csrf::issue(&other).await;
    for (cookie, site, replaced) in [
        (Some(&*token), Some("cross-site"), false),
        (Some(&*token), Some("same-site"), true),
        (Some(&*token), Some("same-origin"), true),
        (Some(&*token), Some("none"), true),
        (Some(&*token), None, true),
        (Some("junk"), Some("cross-site"), true),
        (None, Some("cross-site"), true),
    ] {
        let mut request = get();
        if let Some(cookie) = cookie {
            let cookie = format!("{}={cookie}", csrf::COOKIE).parse().unwrap();
            request.headers_mut().insert(header::COOKIE, cookie);
        }
        if let Some(site) = site {
            let site = HeaderValue::from_static(site);
            request.headers_mut().insert("sec-fetch-site", site);
        }
        let (response, ran) = csrf::send(&s1(), &App::new(), request).await;
        assert!(ran);
        assert_eq!(
            csrf::issued(&response).is_some(),
            replaced,
            "{cookie:?} {site:?}"
        );
    }
    // A page that carries the token gets one that works.
    let seen = Arc::new(Mutex::new(String::new()));
    let sink = seen.clone();
    let app = App::with(move |token| *sink.lock().unwrap() = token.masked().unwrap());
    let mut request = csrf::post(&token, &token);
    *request.method_mut() = Method::GET;
    let site = HeaderValue::from_static("cross-site");
    request.headers_mut().insert("sec-fetch-site", site);
    let (response, _) = csrf::send(&s1(), &app, request).await;
    let cookie = csrf::issued(&response).unwrap();
    let masked = seen.lock().unwrap().clone();
    let request = csrf::post(&cookie, &masked);
    assert_eq!(
        s1().verify(request.headers(), &fixtures.binding_of("S1")),
        Ok(())
    );
}

/// The handle is of use while the request is under way, and harmless afterwards.
#[tokio::test]
async fn a_handle_that_is_kept_changes_nothing_afterwards() {
    let kept = Arc::new(Mutex::new(None));
    let sink = kept.clone();
    let app = App::with(move |token| *sink.lock().unwrap() = Some(token.clone()));
    let cookie = csrf::issue(&s1()).await;
    let (response, _) = csrf::send(&s1(), &app, csrf::post(&cookie, &cookie)).await;
    assert_eq!(csrf::issued(&response), None);
    let kept = kept.lock().unwrap().take().unwrap();
    kept.rotate().unwrap();
    assert!(kept.masked().unwrap().starts_with("1m."));
    let (_, ran) = csrf::send(&s1(), &App::new(), csrf::post(&cookie, &cookie)).await;
    assert!(ran);
}

#[tokio::test]
async fn a_refused_request_leaves_a_good_cookie_alone() {
    let cookie = csrf::issue(&s1()).await;
    let (response, ran) = csrf::send(&s1(), &App::new(), csrf::post(&cookie, "junk")).await;
    assert!(!ran);
    assert_eq!(reason(&response), Some(CsrfReason::TokenMalformed));
    assert_eq!(csrf::issued(&response), None);
    assert!(!response.headers().contains_key(header::SET_COOKIE));
}
