//! Refusals without a look at the body, and the answer to the client.

use std::sync::{Arc, Mutex, atomic::Ordering};

use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_bearer::{
    Event, EventSink,
    csrf::CsrfFormLayer,
    rejection::{CsrfReason, RejectionKind},
};

use super::{
    URL_ENCODED, form,
    inner::{Inner, Step, Steps},
    masked, post, token,
};
use crate::support::csrf::{self, Fixtures, reason};

/// Sends these headers with a body that would pass, and says whether it was polled.
async fn judge(layer: &CsrfFormLayer, headers: HeaderMap) -> (Option<CsrfReason>, bool) {
    let body = Steps::pieces(&[format!("csrf_token={}", token()).as_bytes()]);
    let polled = body.polled();
    let inner = Inner::default();
    let mut request = post(body);
    *request.headers_mut() = headers;
    let response = layer.layer(inner.clone()).oneshot(request).await.unwrap();
    let reason = reason(&response);
    let status = match reason {
        Some(_) => StatusCode::FORBIDDEN,
        None => StatusCode::OK,
    };
    assert_eq!(response.status(), status);
    assert_eq!(inner.seen().is_none(), reason.is_some());
    let by_us = reason.is_some() || inner.seen().is_some_and(|seen| seen.hint.exact().is_some());
    (reason, by_us && polled.load(Ordering::SeqCst) > 0)
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name: header::HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    headers
}

#[tokio::test]
async fn a_body_that_is_no_form_is_not_read() {
    let cookie = format!("{}={}", csrf::COOKIE, token());
    let good = ("cookie", cookie.as_str());
    let kind = |value| ("content-type", value);
    assert_eq!(
        judge(&form(), headers(&[good, kind(URL_ENCODED)])).await,
        (None, true)
    );
    let upper = "APPLICATION/X-WWW-FORM-URLENCODED;charset=utf-8";
    assert_eq!(
        judge(&form(), headers(&[good, kind(upper)])).await,
        (None, true)
    );
    for lines in [
        vec![],
        vec![kind("")],
        vec![kind("text/plain")],
        vec![kind("application/json")],
        vec![kind("application/x-www-form-urlencoded, text/plain")],
        vec![kind("multipart/form-data; boundary=b")],
        vec![kind(URL_ENCODED), kind(URL_ENCODED)],
        vec![kind(URL_ENCODED), kind("text/plain")],
        vec![kind(URL_ENCODED), ("content-encoding", "gzip")],
        vec![kind(URL_ENCODED), ("content-encoding", "identity")],
    ] {
        let all: Vec<_> = [good].into_iter().chain(lines).collect();
        let verdict = judge(&form(), headers(&all)).await;
        assert_eq!(verdict, (Some(CsrfReason::TokenMissing), false), "{all:?}");
    }
}

#[tokio::test]
async fn the_cookie_is_checked_before_anything_is_read() {
    use CsrfReason::*;

    let fixtures = Fixtures::load();
    let forged = csrf::issue(&csrf::layer(
        fixtures.keys(&["K2"]),
        fixtures.binding_of("S1"),
    ))
    .await;
    let pair = |value: &str| format!("{}={value}", csrf::COOKIE);
    let cut = &token()[..60];
    for (cookies, why) in [
        (vec![], CookieMissing),
        (vec!["sid=1".to_owned()], CookieMissing),
        (vec![pair(&token()), pair(&token())], CookieDuplicate),
        (vec![pair("")], CookieMalformed),
        (vec![pair(cut)], CookieMalformed),
        (vec![pair(&masked())], CookieMalformed),
        (vec![pair(&forged)], SignatureInvalid),
    ] {
        // Whether it is a form or not: the cookie comes first.
        for kind in [URL_ENCODED, "text/plain"] {
            let mut lines = vec![("content-type", kind)];
            lines.extend(cookies.iter().map(|cookie| ("cookie", cookie.as_str())));
            let verdict = judge(&form(), headers(&lines)).await;
            assert_eq!(verdict, (Some(why), false), "{lines:?}");
        }
    }
}

/// The form in it would pass each time.
#[tokio::test]
async fn a_header_decides_alone() {
    use CsrfReason::*;

    let cookie = format!("{}={}", csrf::COOKIE, token());
    let (good, other) = (token(), csrf::issue(&super::elsewhere()).await);
    for (lines, why) in [
        (vec![good.as_str()], None),
        (vec![masked().as_str()], None),
        (vec![""], Some(TokenMissing)),
        (vec!["  "], Some(TokenMissing)),
        (vec!["junk"], Some(TokenMalformed)),
        (vec![other.as_str()], Some(TokenMismatch)),
        (vec![good.as_str(), good.as_str()], Some(TokenDuplicate)),
        (vec!["", good.as_str()], Some(TokenDuplicate)),
    ] {
        let mut all = vec![("cookie", cookie.as_str()), ("content-type", URL_ENCODED)];
        all.extend(lines.iter().map(|line| (csrf::HEADER, *line)));
        assert_eq!(judge(&form(), headers(&all)).await, (why, false), "{all:?}");
    }
    // And the cookie counts with a header as it does without forms.
    let lines = [("content-type", URL_ENCODED), (csrf::HEADER, good.as_str())];
    let verdict = judge(&form(), headers(&lines)).await;
    assert_eq!(verdict, (Some(CookieMissing), false));
}

#[tokio::test]
async fn a_form_that_breaks_off_submits_nothing() {
    let good = Step::Data(format!("csrf_token={}", token()).into_bytes());
    for steps in [
        vec![Step::Fail],
        vec![good.clone(), Step::Fail],
        vec![good.clone(), Step::Wait, Step::Fail],
    ] {
        let inner = Inner::default();
        let request = post(Steps::new(steps));
        let response = form().layer(inner.clone()).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(reason(&response), Some(CsrfReason::TokenMissing));
        assert!(inner.seen().is_none());
    }
}

#[tokio::test]
async fn every_refusal_looks_alike() {
    let cookie = format!("{}={}", csrf::COOKIE, token());
    let fixtures = Fixtures::load();
    let elsewhere = csrf::layer(fixtures.keys(&["K2"]), fixtures.binding_of("S2"));
    let forged = csrf::issue(&elsewhere).await;
    let stranger = format!("{}={forged}", csrf::COOKIE);
    let mut answers = Vec::new();
    for (cookie, body) in [
        (&cookie, format!("csrf_token={forged}")),
        (&cookie, "csrf_token=junk".to_owned()),
        (&cookie, "csrf_token=a&csrf_token=b".to_owned()),
        (&cookie, String::new()),
        (&stranger, format!("csrf_token={forged}")),
    ] {
        let mut request = post(body);
        let cookie = cookie.parse().unwrap();
        request.headers_mut().insert(header::COOKIE, cookie);
        let (response, seen) = super::send(&form(), request).await;
        assert!(seen.is_none());
        assert!(!response.headers().contains_key(header::SET_COOKIE));
        assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
        assert!(!format!("{response:?}").contains(&forged[3..40]));
        answers.push((
            response.status(),
            response.headers().clone(),
            response.into_body(),
        ));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[tokio::test]
async fn refusals_are_reported_once_and_can_be_answered_otherwise() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let events = EventSink::new(move |event| {
        if let Event::Rejected(rejection) = event {
            sink.lock().unwrap().push(rejection.csrf_reason());
        }
    });
    let fixtures = Fixtures::load();
    let layer = csrf::builder(fixtures.keys(&["K1"]), fixtures.binding_of("S1"))
        .events(events)
        .build()
        .unwrap()
        .rejection_response(|rejection| {
            let kind = rejection.kind();
            assert!([RejectionKind::CsrfFailed, RejectionKind::ContentTooLarge].contains(&kind));
            Response::new("reload the page".to_owned())
        })
        .form_field("csrf_token")
        .unwrap()
        .body_limit(200);
    for (body, status, why) in [
        (
            "a=1".to_owned(),
            StatusCode::FORBIDDEN,
            CsrfReason::TokenMissing,
        ),
        (
            "a".repeat(201),
            StatusCode::PAYLOAD_TOO_LARGE,
            CsrfReason::BodyTooLarge,
        ),
    ] {
        let service = layer.clone().layer(Inner::default());
        let response = service
            .oneshot(post(Full::<bytes::Bytes>::from(body)))
            .await
            .unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.body(), "reload the page");
        assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [Some(why)]);
    }
}
