//! The origin guard through its public layer.

use std::sync::{Arc, Mutex};

use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use tower::{Layer, ServiceExt};
use tower_bearer::{
    ConfigError, Event, EventSink, OriginGuardLayer,
    origin::{MissingOrigin, Origin},
    rejection::{OriginReason, Rejection, RejectionKind},
};

use crate::support::echo::Echo;

fn app() -> OriginGuardLayer {
    OriginGuardLayer::new(["https://app.example".parse().unwrap()]).unwrap()
}

fn post(headers: &[(&str, &str)]) -> Request<String> {
    let mut request = Request::post("/transfer").header("host", "app.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(String::new()).unwrap()
}

/// Sends `request` and says how it was answered and whether the inner service ran.
async fn send(layer: OriginGuardLayer, request: Request<String>) -> (Response<String>, bool) {
    let echo = Echo::default();
    let response = layer.layer(echo.clone()).oneshot(request).await.unwrap();
    (response, echo.calls() == 1)
}

async fn reason(layer: OriginGuardLayer, request: Request<String>) -> Option<OriginReason> {
    let (response, ran) = send(layer, request).await;
    let reason = response
        .extensions()
        .get::<Rejection>()
        .and_then(Rejection::origin_reason);
    assert_eq!(ran, reason.is_none());
    reason
}

#[tokio::test]
async fn a_foreign_page_is_refused_before_the_inner_service_runs() {
    let (response, ran) = send(app(), post(&[("origin", "https://evil.example")])).await;
    assert!(!ran);
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()["vary"], "Origin, Sec-Fetch-Site");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(!response.headers().contains_key("www-authenticate"));
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.kind(), RejectionKind::ForeignOrigin);
    assert_eq!(
        rejection.origin_reason(),
        Some(OriginReason::UnlistedOrigin)
    );
    assert_eq!(rejection.foreign_origin().unwrap(), "https://evil.example");
    // Where there was none, there is none to tell.
    let (response, _) = send(app(), post(&[("sec-fetch-site", "cross-site")])).await;
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.foreign_origin(), None);
}

/// Headers, and why they are refused if they are.
type Case = (
    &'static [(&'static str, &'static str)],
    Option<OriginReason>,
);

#[tokio::test]
async fn every_rule_has_its_reason() {
    use OriginReason::*;
    let cases: &[Case] = &[
        (
            &[
                ("origin", "https://app.example"),
                ("origin", "https://app.example"),
            ],
            Some(Repeated),
        ),
        (
            &[("sec-fetch-site", "none"), ("sec-fetch-site", "none")],
            Some(Repeated),
        ),
        (
            &[("referer", "https://app.example/"), ("referer", "x")],
            Some(Repeated),
        ),
        (&[("origin", "null")], Some(Null)),
        (
            &[("origin", "null"), ("sec-fetch-site", "same-origin")],
            None,
        ),
        (&[("origin", "null"), ("sec-fetch-site", "none")], None),
        (
            &[
                ("origin", "https://app.example"),
                ("sec-fetch-site", "cross-site"),
            ],
            None,
        ),
        (
            &[
                ("origin", "https://evil.example"),
                ("sec-fetch-site", "same-origin"),
            ],
            Some(UnlistedOrigin),
        ),
        (&[("sec-fetch-site", "same-origin")], None),
        (&[("sec-fetch-site", "none")], None),
        (&[("sec-fetch-site", "same-site")], Some(CrossSite)),
        (&[("sec-fetch-site", "cross-site")], Some(CrossSite)),
        (
            &[
                ("sec-fetch-site", "other"),
                ("referer", "https://app.example/a"),
            ],
            None,
        ),
        (&[("sec-fetch-site", "other")], Some(UnlistedReferer)),
        (
            &[("referer", "https://evil.example/a")],
            Some(UnlistedReferer),
        ),
        (&[], None),
        (&[("cookie", "a=b")], Some(Missing)),
        (&[("authorization", "Basic YTpi")], Some(Missing)),
        (&[("authorization", "bearer a")], None),
        (
            &[
                ("x-forwarded-host", "evil.example"),
                ("origin", "https://evil.example"),
            ],
            Some(UnlistedOrigin),
        ),
    ];
    for (headers, expected) in cases {
        assert_eq!(reason(app(), post(headers)).await, *expected, "{headers:?}");
    }
}

#[tokio::test]
async fn same_origin_believes_the_browser_before_host() {
    use OriginReason::*;
    let cases: &[Case] = &[
        // A proxy in front has another name and port.
        (
            &[
                ("origin", "https://shop.example:8443"),
                ("sec-fetch-site", "same-origin"),
            ],
            None,
        ),
        (&[("sec-fetch-site", "same-origin")], None),
        (
            &[
                ("origin", "https://shop.example/"),
                ("sec-fetch-site", "same-origin"),
            ],
            Some(UnlistedOrigin),
        ),
        (
            &[("origin", ""), ("sec-fetch-site", "same-origin")],
            Some(UnlistedOrigin),
        ),
        // The page on plain http of the same host, and a sibling whose proxy names our host.
        (
            &[
                ("origin", "http://app.example"),
                ("sec-fetch-site", "cross-site"),
            ],
            Some(CrossSite),
        ),
        (
            &[
                ("origin", "https://app.example"),
                ("sec-fetch-site", "same-site"),
            ],
            Some(CrossSite),
        ),
        // The browser says nothing of use: `Host` decides.
        (&[("origin", "https://app.example")], None),
        (&[("origin", "https://shop.example")], Some(UnlistedOrigin)),
        (
            &[
                ("origin", "https://shop.example"),
                ("sec-fetch-site", "none"),
            ],
            Some(UnlistedOrigin),
        ),
        (
            &[
                ("origin", "https://app.example"),
                ("sec-fetch-site", "same-party"),
            ],
            None,
        ),
        (&[("origin", "null"), ("sec-fetch-site", "none")], None),
        (
            &[("origin", "null"), ("sec-fetch-site", "cross-site")],
            Some(Null),
        ),
    ];
    for (headers, expected) in cases {
        let guard = OriginGuardLayer::same_origin();
        assert_eq!(reason(guard, post(headers)).await, *expected, "{headers:?}");
    }
}

#[tokio::test]
async fn pages_of_applications_and_of_development_servers_can_be_listed() {
    let guard = OriginGuardLayer::new([
        Origin::custom_scheme("app://-").unwrap(),
        Origin::custom_scheme("shell://").unwrap(),
        "http://localhost:*".parse().unwrap(),
        "https://app.example.".parse().unwrap(),
    ])
    .unwrap();
    for (origin, passes) in [
        ("app://-", true),
        ("app://", false),
        ("shell://", true),
        ("shell://-", false),
        ("http://localhost:5173", true),
        ("http://localhost:5173.evil.example", false),
        ("http://evil.example:5173", false),
        ("https://app.example.", true),
        ("https://app.example", false),
    ] {
        let expected = (!passes).then_some(OriginReason::UnlistedOrigin);
        let request = post(&[("origin", origin)]);
        assert_eq!(reason(guard.clone(), request).await, expected, "{origin}");
    }
}

#[tokio::test]
async fn a_missing_origin_is_a_choice() {
    let cookie = [("cookie", "a=b")];
    let missing = Some(OriginReason::Missing);
    // The CSRF cookie authenticates no client, whichever prefix it has, nor does a jar cookie alone.
    for (cookie, refused) in [
        ("__Secure-refresh_token_jar=x; __Host-csrf=x", false),
        ("__Host-refresh_token_jar=x", false),
        ("__Http-refresh_token_jar=x", false),
        ("__Host-Http-refresh_token_jar=x", false),
        (
            "__Secure-refresh_token_jar=x; __Secure-refresh_token=x",
            true,
        ),
        ("__Secure-other_jar=x", true),
        ("__Host-csrf=x", false),
        ("__Host-Http-csrf=x", false),
        ("__Http-csrf=x", true),
        ("__Host-Http-csrf=x; a=b", true),
    ] {
        let found = reason(app(), post(&[("cookie", cookie)])).await;
        assert_eq!(found, missing.filter(|_| refused), "{cookie}");
    }
    assert_eq!(
        reason(
            app().missing_origin(MissingOrigin::DangerousAllow),
            post(&cookie)
        )
        .await,
        None
    );
    assert_eq!(
        reason(app().missing_origin(MissingOrigin::Refuse), post(&[])).await,
        missing
    );
}

/// The reports to a sink: the event's name and the reason.
type Seen = Arc<Mutex<Vec<(&'static str, Option<OriginReason>)>>>;

fn recorder() -> (EventSink, Seen) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let events = EventSink::new(move |event: &Event<'_>| {
        sink.lock().unwrap().push(match event {
            Event::Rejected(rejection) => ("rejected", rejection.origin_reason()),
            Event::WouldReject(rejection) => ("would reject", rejection.origin_reason()),
            other => panic!("{other:?}"),
        });
    });
    (events, seen)
}

#[tokio::test]
async fn refusals_are_reported_once() {
    let (events, seen) = recorder();
    let layer = app().events(events);
    send(layer.clone(), post(&[("origin", "null")])).await;
    assert_eq!(
        *seen.lock().unwrap(),
        [("rejected", Some(OriginReason::Null))]
    );
    send(layer, post(&[("origin", "https://app.example")])).await;
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn report_only_lets_through_and_reports() {
    let (events, seen) = recorder();
    let layer = app().events(events).report_only();
    let foreign = [
        ("origin", "https://evil.example"),
        ("content-type", "application/grpc"),
    ];
    let (response, ran) = send(layer.clone(), post(&foreign)).await;
    assert!(ran);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.body(), "inner");
    assert!(response.headers().is_empty());
    assert!(response.extensions().get::<Rejection>().is_none());
    let expected = [("would reject", Some(OriginReason::UnlistedOrigin))];
    assert_eq!(*seen.lock().unwrap(), expected);
    // Requests that pass anyway are not reported.
    let (_, ran) = send(layer.clone(), post(&[("origin", "https://app.example")])).await;
    assert!(ran);
    assert_eq!(*seen.lock().unwrap(), expected);

    // The verdict itself does not change.
    let request = post(&foreign);
    let verdict = layer.check(request.method(), request.uri(), request.headers());
    assert_eq!(verdict, Err(OriginReason::UnlistedOrigin));
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn a_setting_of_one_layer_is_not_one_of_its_clone() {
    let layer = app();
    let _reporting = layer
        .clone()
        .report_only()
        .missing_origin(MissingOrigin::DangerousAllow);
    let printed = format!("{layer:?}");
    assert!(printed.contains("report_only: false"), "{printed}");
    assert!(printed.contains("RefuseWithCredentials"), "{printed}");
}

#[test]
fn the_verdict_needs_no_service() {
    let verdict = |layer: &OriginGuardLayer, method: Method, headers: &HeaderMap| {
        layer.check(&method, &Uri::from_static("/socket"), headers)
    };
    let mut headers = HeaderMap::new();
    headers.insert("upgrade", "websocket".parse().unwrap());
    headers.insert("origin", "https://evil.example".parse().unwrap());
    let refused = Err(OriginReason::UnlistedOrigin);
    assert_eq!(verdict(&app(), Method::GET, &headers), refused);
    headers.remove("upgrade");
    assert_eq!(verdict(&app(), Method::GET, &headers), Ok(()));
    assert_eq!(verdict(&app(), Method::CONNECT, &headers), refused);
    let custom = app().rejection_response(|_| Response::new(String::new()));
    let uri = Uri::from_static("/socket");
    assert_eq!(custom.check(&Method::POST, &uri, &headers), refused);
}

#[test]
fn an_empty_list_is_a_configuration_error() {
    let error: ConfigError = OriginGuardLayer::new([]).unwrap_err();
    assert_eq!(error.setting(), "origins");
}
