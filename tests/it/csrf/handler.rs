//! A handler that checks the token itself, and one that forgets to.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tokio::sync::Notify;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_bearer::{
    CsrfLayer, CsrfToken, Event, EventSink, GrpcLayer, Session,
    csrf::CsrfSession,
    rejection::{CsrfReason, Rejection, RejectionKind},
};

use crate::support::{
    csrf::{self, App, Fixtures, reason},
    world::{self, World},
};

const MULTIPART: &str = "multipart/form-data; boundary=b";

fn layer() -> CsrfLayer {
    let fixtures = Fixtures::load();
    csrf::builder(fixtures.keys(&["K1"]), fixtures.binding_of("S1"))
        .handler_verifies()
        .build()
        .unwrap()
}

fn vector(form: &str) -> String {
    let fixtures = Fixtures::load();
    fixtures.vectors()[0][form].as_str().unwrap().to_owned()
}

/// A form of files with a good cookie, and no header.
fn upload(cookie: &str) -> Request<String> {
    Request::post("/auth/upload")
        .header(header::COOKIE, format!("{}={cookie}", csrf::COOKIE))
        .header(header::CONTENT_TYPE, MULTIPART)
        .body(String::new())
        .unwrap()
}

/// A handler that checks each of these in turn, and what the last check said.
fn checking(submitted: &[&str]) -> (App, Arc<Mutex<Option<CsrfReason>>>) {
    let submitted: Vec<String> = submitted.iter().map(|s| (*s).to_owned()).collect();
    let last = Arc::new(Mutex::new(None));
    let said = last.clone();
    let app = App::with(move |token| {
        for submitted in &submitted {
            let verified = token
                .verify(submitted)
                .map_err(|e| e.csrf_reason().unwrap());
            *said.lock().unwrap() = verified.err();
        }
    });
    (app, last)
}

#[tokio::test]
async fn a_copy_that_the_handler_has_checked_passes() {
    let (raw, masked) = (vector("raw"), vector("masked"));
    for copy in [&raw, &masked] {
        let (app, said) = checking(&[copy]);
        let (response, ran) = csrf::send(&layer(), &app, upload(&raw)).await;
        assert!(ran);
        assert_eq!(response.status(), StatusCode::OK, "{:?}", reason(&response));
        assert_eq!(*said.lock().unwrap(), None);
    }
}

#[tokio::test]
async fn a_token_that_the_handler_did_not_check_is_refused_whatever_it_answers() {
    use CsrfReason::*;

    let raw = vector("raw");
    let fixtures = Fixtures::load();
    let other = csrf::layer(fixtures.keys(&["K1"]), fixtures.binding_of("S2"));
    let other = csrf::issue(&other).await;
    for (checked, why) in [
        (&[][..], Unverified),
        (&[""], TokenMissing),
        (&["junk"], TokenMalformed),
        (&[&*other], TokenMismatch),
        (&[&*raw, "junk"], TokenMalformed),
    ] {
        let (app, _) = checking(checked);
        let (response, ran) = csrf::send(&layer(), &app, upload(&raw)).await;
        assert!(ran, "the handler reads the body");
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(reason(&response), Some(why), "{checked:?}");
        // Nothing of the handler's answer is left.
        assert!(response.body().is_empty());
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }
}

/// A handler that forgets the check is found out by the first page that sends the header.
#[tokio::test]
async fn a_good_header_does_not_hide_that_the_check_is_missing() {
    let raw = vector("raw");
    let (response, ran) = csrf::send(&layer(), &App::new(), csrf::post(&raw, &raw)).await;
    assert!(ran);
    assert_eq!(reason(&response), Some(CsrfReason::Unverified));
    // With the header the form need not have the field.
    let (app, said) = checking(&[""]);
    let (response, _) = csrf::send(&layer(), &app, csrf::post(&raw, &raw)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(*said.lock().unwrap(), None);
}

#[tokio::test]
async fn a_request_that_the_layer_can_judge_never_reaches_the_handler() {
    use CsrfReason::*;

    let raw = vector("raw");
    let fixtures = Fixtures::load();
    let elsewhere = csrf::layer(fixtures.keys(&["K1"]), fixtures.binding_of("S2"));
    let foreign = csrf::issue(&elsewhere).await;
    for (request, why) in [
        (upload(&foreign), SignatureInvalid),
        (upload("junk"), CookieMalformed),
        (csrf::request(Method::POST, HeaderMap::new()), CookieMissing),
        (csrf::post(&raw, "junk"), TokenMalformed),
        (csrf::post(&raw, ""), TokenMissing),
    ] {
        let (app, _) = checking(&[&raw]);
        let (response, ran) = csrf::send(&layer(), &app, request).await;
        assert!(!ran);
        assert_eq!(reason(&response), Some(why));
    }
}

/// Requests that need no token need no check, and a safe one proves nothing.
#[tokio::test]
async fn requests_that_need_no_token_need_no_check() {
    let raw = vector("raw");
    let bearer = || {
        let request = Request::post("/").header(header::AUTHORIZATION, "Bearer abc");
        request.body(String::new()).unwrap()
    };
    let get = || {
        let mut request = upload(&raw);
        *request.method_mut() = Method::GET;
        request
    };
    for request in [bearer(), get()] {
        let (response, _) = csrf::send(&layer(), &App::new(), request).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
    let (app, said) = checking(&[&raw]);
    csrf::send(&layer(), &app, bearer()).await;
    assert_eq!(*said.lock().unwrap(), None);
    csrf::send(&layer(), &app, get()).await;
    assert_eq!(*said.lock().unwrap(), Some(CsrfReason::Unverified));
}

/// The layer that checks before the handler runs has the same handle.
#[tokio::test]
async fn behind_a_layer_that_checks_the_handler_may_check_as_well() {
    let fixtures = Fixtures::load();
    let layer = csrf::layer(fixtures.keys(&["K1"]), fixtures.binding_of("S1"));
    let raw = vector("raw");
    let (app, said) = checking(&[""]);
    let (response, _) = csrf::send(&layer, &app, csrf::post(&raw, &raw)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(*said.lock().unwrap(), None);
}

/// A sign-in that was not checked leaves the browser where it is, whatever the tokens are bound to.
#[tokio::test]
async fn a_session_that_an_unchecked_handler_began_does_not_reach_the_browser() {
    for (checks, of_its_own) in [(false, false), (true, false), (false, true), (true, true)] {
        let world = World::new();
        let mut csrf = CsrfLayer::builder(&world.keys).handler_verifies();
        if of_its_own {
            csrf = csrf.session(|_| CsrfSession::ANONYMOUS);
        }
        let service = ServiceBuilder::new()
            .layer(world.layer.clone())
            .layer(csrf.build().unwrap())
            .service_fn(move |request: Request<Full<Bytes>>| async move {
                let token = CsrfToken::from_extensions(request.extensions()).unwrap();
                if request.method() == Method::POST {
                    let session = Session::from_extensions(request.extensions()).unwrap();
                    session.start("alice").await.unwrap();
                    if checks {
                        token.verify("").unwrap();
                    }
                }
                Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
            });
        let visit = Request::get("/auth/csrf").body(Full::default()).unwrap();
        let response = service.clone().oneshot(visit).await.unwrap();
        let token = csrf::issued(&response).unwrap();
        let login = csrf::post(&token, &token).map(|_| Full::default());
        let response = service.oneshot(login).await.unwrap();
        let lines = response.headers().get_all(header::SET_COOKIE).iter();
        let names: Vec<_> = lines
            .map(|l| l.to_str().unwrap().split('=').next().unwrap())
            .collect();
        match (checks, of_its_own) {
            (true, false) => assert_eq!(names, [csrf::COOKIE, world::COOKIE, world::JAR]),
            // Only a handler knows when a session of another kind begins.
            (true, true) => assert_eq!(names, [world::COOKIE, world::JAR]),
            (false, _) => {
                assert_eq!(reason(&response), Some(CsrfReason::Unverified));
                assert!(names.is_empty(), "{names:?}");
            }
        }
    }
}

/// A task of the handler's signs in after the layer has refused, and before the answer is on its way.
#[tokio::test]
async fn a_session_that_begins_after_the_refusal_does_not_reach_the_browser() {
    let world = World::new();
    let csrf = CsrfLayer::builder(&world.keys).handler_verifies();
    let (refused, begun) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (is_refused, has_begun) = (refused.clone(), begun.clone());
    let service = ServiceBuilder::new()
        .layer(world.layer.clone())
        .map_future(|inner| {
            let (refused, begun) = (refused.clone(), begun.clone());
            async move {
                let response: Result<Response<Full<Bytes>>, std::convert::Infallible> = inner.await;
                refused.notify_one();
                begun.notified().await;
                response
            }
        })
        .layer(csrf.build().unwrap())
        .service_fn(move |request: Request<Full<Bytes>>| {
            let (refused, begun) = (is_refused.clone(), has_begun.clone());
            async move {
                if request.method() == Method::GET {
                    CsrfToken::from_extensions(request.extensions()).unwrap();
                    begun.notify_one();
                    return Ok(Response::default());
                }
                let session = Session::from_extensions(request.extensions()).unwrap();
                tokio::spawn(async move {
                    refused.notified().await;
                    session.start("alice").await.unwrap();
                    begun.notify_one();
                });
                Ok(Response::default())
            }
        });
    let visit = Request::get("/auth/csrf").body(Full::default()).unwrap();
    let response = service.clone().oneshot(visit).await.unwrap();
    refused.notified().await;
    let token = csrf::issued(&response).unwrap();
    let login = csrf::post(&token, &token).map(|_| Full::default());
    let response = service.oneshot(login).await.unwrap();
    assert_eq!(reason(&response), Some(CsrfReason::Unverified));
    assert!(!response.headers().contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn the_refusal_is_told_once_and_answered_as_the_others_are() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let events = EventSink::new(move |event| {
        if let Event::Rejected(rejection) = event {
            sink.lock().unwrap().push(rejection.csrf_reason());
        }
    });
    let fixtures = Fixtures::load();
    let layer = csrf::builder(fixtures.keys(&["K1"]), fixtures.binding_of("S1"))
        .handler_verifies()
        .events(events)
        .build()
        .unwrap()
        .rejection_response(|_| Response::new("reload the page".to_owned()));
    let raw = vector("raw");
    let service = layer.layer(App::new());
    let response = service
        .clone()
        .oneshot(csrf::post(&raw, &raw))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.body(), "reload the page");
    assert_eq!(*seen.lock().unwrap(), [Some(CsrfReason::Unverified)]);

    let mut request = csrf::post(&raw, &raw);
    let grpc = "application/grpc".parse().unwrap();
    request.headers_mut().insert(header::CONTENT_TYPE, grpc);
    *request.version_mut() = http::Version::HTTP_2;
    let response = GrpcLayer::new()
        .layer(service)
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["grpc-status"], "7");
}

/// The log of a refused form of files says what to do, with every kind of the layer.
#[tokio::test]
async fn a_form_of_files_is_refused_by_a_text_that_helps() {
    let fixtures = Fixtures::load();
    let layer = csrf::layer(fixtures.keys(&["K1"]), fixtures.binding_of("S1"));
    let form = csrf::over_texts(layer.clone().form_field("csrf_token").unwrap());
    let raw = vector("raw");
    let app = service_fn(|_: Request<String>| async {
        Ok::<_, std::convert::Infallible>(Response::new(String::new()))
    });
    for response in [
        layer.layer(app).oneshot(upload(&raw)).await.unwrap(),
        form.layer(app).oneshot(upload(&raw)).await.unwrap(),
    ] {
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert_eq!(rejection.kind(), RejectionKind::CsrfFailed);
        assert_eq!(rejection.csrf_reason(), Some(CsrfReason::TokenMissing));
        let said = rejection.to_string();
        assert!(
            said.contains("X-CSRF-Token") && said.contains("CsrfToken::verify"),
            "{said}"
        );
        assert!(
            response.body().is_empty(),
            "the client learns nothing of it"
        );
    }
}

#[test]
fn a_layer_that_reads_forms_leaves_no_check_to_the_handler() {
    let error = layer().form_field("csrf_token").unwrap_err();
    assert_eq!(error.setting(), "form_field");
    assert!(error.to_string().contains("handler_verifies"), "{error}");
}
