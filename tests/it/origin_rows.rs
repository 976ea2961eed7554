//! Every row of `tests/data/cases/origin*.json` through the public layer.

use http::{HeaderValue, StatusCode};
use serde_json::Value;
use tower::{Layer, ServiceExt};
use tower_bearer::{
    ConfigError, OriginGuardLayer,
    origin::Origin,
    rejection::{Rejection, RejectionKind},
};

use crate::support::{
    cases,
    echo::Echo,
    origin_rows::{self, Row},
};

#[tokio::test]
async fn every_row() {
    let rows = origin_rows::all();
    let (mut judged, mut unsent) = (0, Vec::new());
    let mut wrong = Vec::new();
    for row in &rows {
        match judge(row).await {
            Some(Ok(())) => judged += 1,
            Some(Err(problem)) => wrong.push(format!("{}: {problem}", row.name)),
            None => {
                // The HTTP library itself refuses such a value, so no layer ever sees it.
                let lines = row.lines();
                assert!(
                    lines
                        .iter()
                        .any(|(_, v)| HeaderValue::from_bytes(v).is_err())
                );
                assert!(!row.allowed, "{}", row.name);
                unsent.push(row.name.as_str());
            }
        }
    }
    println!("origin: {judged} rows judged, not expressible in HTTP: {unsent:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    unsent.dedup();
    assert_eq!(unsent.first(), Some(&"origin-control-char"));
    assert!(judged >= COMMITTED - 1, "{judged}");
    assert_eq!(origin_rows::committed().len(), COMMITTED);
}

/// How many rows the committed tables have.
const COMMITTED: usize = 467;

/// Judges the row, or `None` when no request can be made of it.
async fn judge(row: &Row) -> Option<Result<(), String>> {
    let request = row.request()?;
    let layer = row.layer();
    let verdict = layer.check(request.method(), request.uri(), request.headers());
    let echo = Echo::default();
    let response = layer.layer(echo.clone()).oneshot(request).await.unwrap();
    let rejection = response.extensions().get::<Rejection>();
    let problem = |text: String| Some(Err(text));

    if row.allowed {
        return match (response.status(), echo.calls(), rejection, verdict) {
            (StatusCode::OK, 1, None, Ok(())) => Some(Ok(())),
            other => problem(format!("{other:?}")),
        };
    }
    let Some(rejection) = rejection else {
        return problem("was not refused".to_owned());
    };
    let expected = row.evident_reason();
    if rejection.origin_reason() != Some(expected) || verdict != Err(expected) {
        return problem(format!(
            "{rejection:?} and {verdict:?} instead of {expected:?}"
        ));
    }
    let headers = response.headers();
    let complete = response.status() == StatusCode::FORBIDDEN
        && rejection.kind() == RejectionKind::ForeignOrigin
        && headers["vary"] == "Origin, Sec-Fetch-Site"
        && headers["cache-control"] == "no-store"
        && !headers.contains_key("www-authenticate")
        && response.body().is_empty()
        && echo.calls() == 0;
    if !complete {
        return problem(format!(
            "{response:?} after {} calls, {rejection:?}",
            echo.calls()
        ));
    }
    Some(Ok(()))
}

#[test]
fn every_entry() {
    let rows = origin_rows::configurations();
    let mut wrong = Vec::new();
    for row in &rows {
        let entries = match &row["entry"] {
            Value::Array(entries) => entries.clone(),
            entry => vec![entry.clone()],
        };
        let custom = row["options"]["allow_custom_schemes"] == true;
        let parse = |entry: String| -> Result<Origin, ConfigError> {
            if custom {
                Origin::custom_scheme(&entry)
            } else {
                entry.parse()
            }
        };
        let parsed: Result<Vec<Origin>, ConfigError> =
            entries.iter().map(cases::text).map(parse).collect();
        let layer = parsed.clone().and_then(OriginGuardLayer::new);
        // No operator is there to be warned; the documentation of `Origin` names the danger.
        let right = match (row["expect"].as_str().unwrap(), &layer) {
            ("accept" | "warn", layer) => layer.is_ok(),
            ("reject", Err(error)) => ["origin", "origins"].contains(&error.setting()),
            ("reject", Ok(_)) => false,
            (other, _) => panic!("{other}"),
        };
        let normalised = row["normalised"].as_str();
        let first = parsed.ok().and_then(|o| o.first().map(Origin::to_string));
        if !right || normalised.is_some_and(|n| first.as_deref() != Some(n)) {
            wrong.push((row["name"].as_str().unwrap(), first));
        }
    }
    println!("origin_config: {} judged", rows.len());
    assert_eq!(wrong, []);
    assert!(rows.len() >= 45 + 107);
}

#[test]
fn every_table_is_read() {
    assert_eq!(
        origin_rows::files(),
        [
            "origin.json",
            "origin_config.json",
            "origin_config_more.json",
            "origin_more.json"
        ]
    );
}
