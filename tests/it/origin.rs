//! The origin guard through its public layer.

use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, header};
use serde_json::Value;
use tower::{Layer, ServiceExt};
use tower_bearer::{
    ConfigError, Event, EventSink, Origin, OriginGuardLayer, OriginReason, Rejection, RejectionKind,
};

use crate::support::{cases, echo::Echo};

fn app() -> OriginGuardLayer {
    OriginGuardLayer::new(["https://app.example".parse().unwrap()])
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
async fn what_is_missing_is_a_choice() {
    let cookie = [("cookie", "a=b")];
    let missing = Some(OriginReason::Missing);
    assert_eq!(
        reason(app().dangerous_allow_missing(), post(&cookie)).await,
        None
    );
    assert_eq!(reason(app().deny_missing(), post(&[])).await, missing);
    assert_eq!(
        reason(app().ambient_credentials(), post(&[])).await,
        missing
    );
}

#[tokio::test]
async fn grpc_is_answered_in_grpc() {
    let request = post(&[
        ("origin", "https://evil.example"),
        ("content-type", "application/grpc-web+proto"),
    ]);
    let (response, ran) = send(app(), request).await;
    assert!(!ran);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers()["content-type"],
        "application/grpc-web+proto"
    );
    assert_eq!(response.headers()["grpc-status"], "7");
    assert_eq!(response.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn refusals_are_reported_once() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = seen.clone();
    let events = EventSink::new(move |event| {
        if let Event::Rejected(rejection) = event {
            sink.lock().unwrap().push(rejection.origin_reason());
        }
    });
    send(app().events(events), post(&[("origin", "null")])).await;
    assert_eq!(*seen.lock().unwrap(), [Some(OriginReason::Null)]);
}

#[test]
fn an_empty_list_is_a_configuration_error() {
    let error: ConfigError = OriginGuardLayer::from_origins([]).unwrap_err();
    assert_eq!(error.setting(), "origins");
}

#[tokio::test]
async fn the_public_table() {
    let Some(text) = cases::outside("TOWER_BEARER_CASES", "origin.json") else {
        return;
    };
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let (mut judged, mut unsent) = (0, Vec::new());
    let mut wrong = Vec::new();
    for row in &rows {
        let name = row["name"].as_str().unwrap();
        let Some(headers) = table_headers(&row["headers"]) else {
            // The HTTP library itself refuses such a value, so no layer ever sees it.
            assert_eq!(row["expect"], "deny", "{name}");
            unsent.push(name);
            continue;
        };
        let mut request = Request::new(String::new());
        *request.method_mut() =
            Method::from_bytes(row["method"].as_str().unwrap().as_bytes()).unwrap();
        *request.headers_mut() = headers;
        let host = row["host"].as_str().unwrap();
        request
            .headers_mut()
            .insert(header::HOST, host.parse().unwrap());
        let (response, ran) = send(table_layer(row), request).await;
        assert_eq!(ran, response.status() == StatusCode::OK, "{name}");
        if ran != (row["expect"] == "allow") {
            wrong.push(name);
        }
        judged += 1;
    }
    println!(
        "origin.json: {judged} judged, {} not expressible in HTTP: {unsent:?}",
        unsent.len()
    );
    assert_eq!(wrong, Vec::<&str>::new());
    assert_eq!(judged + unsent.len(), rows.len());
}

fn table_headers(value: &Value) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in value.as_object().unwrap() {
        let name: HeaderName = name.parse().unwrap();
        let lines = match value {
            Value::Array(lines) => lines.clone(),
            line => vec![line.clone()],
        };
        for line in lines {
            headers.append(&name, cases::header_value(&cases::text(&line))?);
        }
    }
    Some(headers)
}

fn table_layer(row: &Value) -> OriginGuardLayer {
    let options = &row["options"];
    let origins: Vec<Origin> = row["allowed_origins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o.as_str().unwrap())
        .map(|o| match options["allow_custom_schemes"].as_bool() {
            Some(true) if !o.starts_with("http") => Origin::custom_scheme(o).unwrap(),
            _ => o.parse().unwrap(),
        })
        .collect();
    let mut layer = match options["self_origin"].as_str() {
        Some("from_host") => OriginGuardLayer::same_origin(),
        _ => OriginGuardLayer::from_origins(origins).unwrap(),
    };
    for (option, value) in options.as_object().into_iter().flatten() {
        layer = match (option.as_str(), value) {
            ("ambient_credentials", Value::Bool(true)) => layer.ambient_credentials(),
            ("method_override_layer", Value::Bool(true)) => layer.method_override(),
            ("missing", value) if value == "allow" => layer.dangerous_allow_missing(),
            ("missing", value) if value == "deny" => layer.deny_missing(),
            // Read above, or a property of the request that the guard needs not know.
            ("allow_custom_schemes" | "self_origin" | "protocol_pseudo_header", _) => layer,
            other => panic!("an option nobody reads: {other:?}"),
        };
    }
    layer
}

#[test]
fn the_public_table_of_entries() {
    let Some(text) = cases::outside("TOWER_BEARER_CASES", "origin_config.json") else {
        return;
    };
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut wrong = Vec::new();
    for row in &rows {
        let entries = match &row["entry"] {
            Value::Array(entries) => entries.clone(),
            entry => vec![entry.clone()],
        };
        let custom = row["options"]["allow_custom_schemes"] == true;
        let parsed: Result<Vec<Origin>, ConfigError> = entries
            .iter()
            .map(cases::text)
            .map(|e| {
                if custom {
                    Origin::custom_scheme(&e)
                } else {
                    e.parse()
                }
            })
            .collect();
        let layer = parsed.clone().and_then(OriginGuardLayer::from_origins);
        // Nobody is there to be warned; the documentation of `Origin` names the danger.
        let right = match row["expect"].as_str().unwrap() {
            "accept" | "warn" => layer.is_ok(),
            "reject" => layer.is_err(),
            other => panic!("{other}"),
        };
        let normalised = row["normalised"].as_str();
        let first = parsed.ok().and_then(|o| o.first().map(Origin::to_string));
        if !right || normalised.is_some_and(|n| first.as_deref() != Some(n)) {
            wrong.push((row["name"].as_str().unwrap(), first));
        }
    }
    println!("origin_config.json: {} judged", rows.len());
    assert_eq!(wrong, []);
}
