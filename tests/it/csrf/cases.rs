//! Every row of `tests/data/cases/csrf.json` and `csrf_more.json`.
//!
//! Rows with a form field in their configuration are judged here as well, through the form layer.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;
use tower::{Layer, ServiceExt};
use tower_bearer::{
    CsrfLayer,
    csrf::CsrfKeys,
    rejection::{Rejection, RejectionKind},
};

use super::properties;
use crate::support::{
    cases,
    csrf::{self, App, Fixtures, hex},
};

#[tokio::test]
async fn every_row() {
    let table = cases::table("csrf.json");
    let judged = judge_all(table.as_array().unwrap()).await;
    assert_eq!(judged, 110);
}

/// More of the same kind, made by the formula of the fixtures and not by this crate.
#[tokio::test]
async fn every_row_of_our_own() {
    let table = cases::table("csrf_more.json");
    let judged = judge_all(table.as_array().unwrap()).await;
    assert_eq!(judged, 164);
}

#[tokio::test]
async fn rows_from_outside() {
    let Some(text) = cases::outside("TOWER_BEARER_CASES", "csrf.json") else {
        return;
    };
    let rows: Vec<Value> = serde_json::from_str(&written_anew(&text)).unwrap();
    let (gone, mut rows): (Vec<Value>, Vec<Value>) = rows.into_iter().partition(sets_what_is_gone);
    for row in &mut rows {
        if row["name"] == OTHER_TOKEN {
            assert_eq!(row["reason"], "token_mismatch");
            row["expect"] = "accept".into();
        }
    }
    let names: Vec<&str> = gone
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    println!("csrf.json from outside: not judged, for settings that are gone: {names:?}");
    assert_eq!(names, GONE);
    let judged = judge_all(&rows).await;
    println!("csrf.json from outside: {judged} rows judged");
}

/// The row of the table from outside that asks for a copy of the cookie in a session. Another token of the
/// session does there, or one of twenty tabs could send its form.
const OTHER_TOKEN: &str = "masked-copy-of-other-nonce";

/// The table from outside writes raw tokens `v1.` and masked ones `m1.`. A raw one says its class now, and a
/// masked one is no program; nothing else about them has changed.
fn written_anew(text: &str) -> String {
    let fixtures = Fixtures::load();
    let raw = |vector: &Value| vector["raw"].as_str().unwrap().to_owned();
    let anonymous = fixtures.vectors().iter().map(raw);
    let anonymous = anonymous.filter(|raw| raw.starts_with("v1a."));
    let text = anonymous.fold(text.replace("m1.", "1m."), |text, raw| {
        text.replace(&raw.replace("v1a.", "v1."), &raw)
    });
    [("v1.", "v1s."), ("V1.", "V1s."), ("v1%2E", "v1s%2E")]
        .iter()
        .fold(text, |text, (before, now)| text.replace(before, now))
}

/// The rows of the table from outside that set options that the layer lacks. These are an age limit, and a list of safe
/// methods.
const GONE: [&str; 6] = [
    "max-age-just-before-limit",
    "max-age-at-limit",
    "max-age-after-limit",
    "issued-in-the-future",
    "timestamp-is-under-the-mac",
    "unsafe-method-on-safe-list",
];

fn sets_what_is_gone(row: &Value) -> bool {
    let given = &row["given"];
    !given["config"]["max_age"].is_null() || !given["safe_methods"].is_null()
}

/// The named values of the fixtures, through the layer: what it makes is what they say.
#[tokio::test]
async fn the_vectors_of_the_fixtures() {
    let fixtures = Fixtures::load();
    for vector in fixtures.vectors() {
        let keys = fixtures.keys(&[vector["key"].as_str().unwrap()]);
        let binding = fixtures.binding(&vector["session"]);
        let layer = csrf::layer(keys, binding);
        let raw = vector["raw"].as_str().unwrap();
        for submitted in [raw, vector["masked"].as_str().unwrap()] {
            let (response, ran) = csrf::send(&layer, &App::new(), csrf::post(raw, submitted)).await;
            assert!(ran, "{:?}", csrf::reason(&response));
        }
    }
}

async fn judge_all(rows: &[Value]) -> usize {
    let fixtures = Fixtures::load();
    let mut wrong = Vec::new();
    for row in rows {
        let name = row["name"].as_str().unwrap();
        let verdict = match row["expect"].as_str().unwrap() {
            "accept" | "reject" => judge(row, &fixtures).await,
            "issue" | "no-issue" => issuance(row, &fixtures).await,
            "config-error" => configuration(row),
            "property" => properties::hold(name).await,
            other => Err(format!("{other} is not known")),
        };
        if let Err(problem) = verdict {
            wrong.push(format!("{name}: {problem}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    rows.len()
}

fn keys(given: &Value, fixtures: &Fixtures) -> CsrfKeys {
    let names: Vec<&str> = given["keys"].as_array().map_or(vec!["K1"], |keys| {
        keys.iter().map(|k| k.as_str().unwrap()).collect()
    });
    fixtures.keys(&names)
}

/// The layer that a row describes; an option that the test does not read is a mistake.
pub(super) fn layer(given: &Value, fixtures: &Fixtures) -> CsrfLayer {
    let mut builder = csrf::builder(keys(given, fixtures), fixtures.binding(&given["session"]));
    for (option, value) in given["config"].as_object().into_iter().flatten() {
        builder = match option.as_str() {
            "method_override_layer" if value == true => builder.method_override(),
            "session_cookies" => builder.session_cookies(
                value
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|n| n.as_str().unwrap()),
            ),
            // Read where the form layer is made.
            "form_field" | "body_limit" => builder,
            other => panic!("an unknown option: {other}"),
        };
    }
    builder.build().unwrap()
}

/// The request that a row describes.
pub(super) fn described(row: &Value) -> Option<Request<String>> {
    let when = &row["when"];
    let headers = cases::pairs(&when["headers"])?;
    let method = Method::from_bytes(when["method"].as_str().unwrap().as_bytes()).unwrap();
    let mut request = csrf::request(method, headers);
    if !when["body"].is_null() {
        *request.body_mut() = cases::text(&when["body"]);
    }
    Some(request)
}

async fn judge(row: &Value, fixtures: &Fixtures) -> Result<(), String> {
    let given = &row["given"];
    let layer = layer(given, fixtures);
    let Some(request) = described(row) else {
        return Err("HTTP cannot carry it".to_owned());
    };
    let submitted: Vec<String> = request
        .headers()
        .get_all(csrf::HEADER)
        .iter()
        .filter(|value| value.len() > 8)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    let app = App::new();
    let response = match given["config"]["form_field"].as_str() {
        Some(name) => {
            let mut layer = layer.form_field(name).unwrap();
            if let Some(limit) = given["config"]["body_limit"].as_u64() {
                layer = layer.body_limit(usize::try_from(limit).unwrap());
            }
            let request = request.map(|text| Full::new(Bytes::from(text)));
            layer.layer(app.clone()).oneshot(request).await.unwrap()
        }
        None => csrf::send(&layer, &app, request).await.0,
    };
    let ran = app.calls();
    if row["expect"] == "accept" {
        return match (ran, response.status(), csrf::reason(&response)) {
            (1, StatusCode::OK, None) => Ok(()),
            other => Err(format!("expected to pass: {other:?}")),
        };
    }
    refusal(&response, &submitted)?;
    let reason = csrf::reason(&response).map(csrf::reason_name);
    let expected = row["reason"].as_str();
    let status = u64::from(response.status().as_u16());
    if ran != 0 || reason != expected || Some(status) != row["status"].as_u64() {
        return Err(format!(
            "{ran} calls, {status}, {reason:?} instead of {expected:?}"
        ));
    }
    Ok(())
}

/// Checks of every refusal: nothing of the token comes back, and no challenge.
fn refusal(response: &Response<String>, submitted: &[String]) -> Result<(), String> {
    let headers = format!("{:?}", response.headers());
    let debug = format!("{response:?}");
    if submitted.iter().any(|token| debug.contains(token))
        || ["v1s.", "v1a.", "1m."]
            .iter()
            .any(|tag| debug.contains(tag))
    {
        return Err(format!("the refusal has a token in it: {debug}"));
    }
    if headers.contains("www-authenticate") || headers.contains("set-cookie") {
        return Err(format!(
            "the refusal has headers it should not have: {headers}"
        ));
    }
    if !response.body().is_empty() || response.headers()[header::CACHE_CONTROL] != "no-store" {
        return Err("the refusal has a body, or may be kept".to_owned());
    }
    let kind = response
        .extensions()
        .get::<Rejection>()
        .map(Rejection::kind);
    match kind {
        Some(RejectionKind::CsrfFailed | RejectionKind::ContentTooLarge) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

async fn issuance(row: &Value, fixtures: &Fixtures) -> Result<(), String> {
    let given = &row["given"];
    let moves = given["session"]
        .as_str()
        .and_then(|s| s.split_once(" then "));
    let (layer, request, app, after) = match moves {
        // The handler moves the browser from one session to another.
        Some((from, to)) => {
            let [from, to] = [from, to].map(|name| match name {
                "anonymous" | "none" => fixtures.binding(&Value::Null),
                name => fixtures.binding_of(name),
            });
            let layer = csrf::layer(keys(given, fixtures), from);
            let token = csrf::issue(&layer).await;
            let app = App::with(move |token| token.rotate_to(to).unwrap());
            (layer, csrf::post(&token, &token), app, to)
        }
        None => {
            let layer = layer(given, fixtures);
            let headers = cases::pairs(&row["when"]["headers"]).unwrap();
            let method = row["when"]["method"].as_str().unwrap().parse().unwrap();
            let after = fixtures.binding(&given["session"]);
            (layer, csrf::request(method, headers), App::new(), after)
        }
    };
    let (response, ran) = csrf::send(&layer, &app, request).await;
    let token = csrf::issued(&response);
    if !ran || token.is_some() != (row["expect"] == "issue") {
        return Err(format!("ran: {ran}, issued: {token:?}"));
    }
    let Some(token) = token else {
        return Ok(());
    };
    let line = response.headers()[header::SET_COOKIE].to_str().unwrap();
    attributes(line, &row["set_cookie"])?;
    // It is worth something where the browser is from now on, and only there.
    let elsewhere = fixtures.binding_of("somewhere else");
    for (binding, good) in [(after, true), (elsewhere, false)] {
        let layer = csrf::layer(keys(given, fixtures), binding);
        let (_, ran) = csrf::send(&layer, &App::new(), csrf::post(&token, &token)).await;
        if ran != good {
            return Err(format!("issued for another session than {binding:?}"));
        }
    }
    Ok(())
}

fn attributes(line: &str, expected: &Value) -> Result<(), String> {
    let mut parts = line.split("; ");
    let name = parts
        .next()
        .and_then(|pair| pair.split_once('='))
        .unwrap()
        .0;
    let parts: Vec<(String, Option<&str>)> = parts
        .map(|part| match part.split_once('=') {
            Some((name, value)) => (name.to_ascii_lowercase(), Some(value)),
            None => (part.to_ascii_lowercase(), None),
        })
        .collect();
    let value = |name: &str| parts.iter().find(|part| part.0 == name).map(|part| part.1);
    let same = expected["name"] == name
        && expected["secure"] == value("secure").is_some()
        && expected["http_only"] == value("httponly").is_some()
        && expected["path"].as_str() == value("path").flatten()
        && expected["domain"].as_str() == value("domain").flatten()
        && expected["same_site"].as_str() == value("samesite").flatten()
        && expected["max_age"].as_str() == value("max-age").flatten();
    if same { Ok(()) } else { Err(line.to_owned()) }
}

/// Settings that must not build. A cookie's domain and path cannot be given at all. So rows that do so are judged by
/// the one remaining way to try it: through the name.
fn configuration(row: &Value) -> Result<(), String> {
    let given = &row["given"];
    let error = if let Some(secrets) = given["keys_hex"].as_array() {
        CsrfKeys::new(secrets.iter().map(|key| hex(key.as_str().unwrap()))).err()
    } else {
        let fixtures = Fixtures::load();
        let mut builder = csrf::builder(fixtures.keys(&["K1"]), fixtures.binding(&Value::Null));
        let cookie = &given["cookie"];
        if let Some(name) = cookie["name"].as_str() {
            let mut name = name.strip_prefix("__Host-").unwrap_or(name).to_owned();
            for (attribute, value) in cookie.as_object().unwrap() {
                if attribute != "name" {
                    name += &format!("; {attribute}={}", value.as_str().unwrap());
                }
            }
            builder = builder.cookie_name(name);
        }
        builder.build().err()
    };
    let error = error.ok_or("it builds")?;
    let expected = if given["keys_hex"].is_array() {
        "CSRF keys"
    } else {
        "cookie_name"
    };
    if error.setting() == expected {
        Ok(())
    } else {
        Err(error.to_string())
    }
}

#[test]
fn the_checks_above_can_fail() {
    let line = "__Host-csrf=a; Secure; Path=/; SameSite=Lax";
    let mut expected: Value = serde_json::json!({
        "name": "__Host-csrf", "secure": true, "path": "/", "domain": null, "same_site": "Lax",
        "http_only": false, "max_age": null
    });
    assert_eq!(attributes(line, &expected), Ok(()));
    for (name, value) in [
        ("secure", Value::Bool(false)),
        ("path", "/a".into()),
        ("domain", "a".into()),
    ] {
        let before = expected[name].clone();
        expected[name] = value;
        assert!(attributes(line, &expected).is_err(), "{name}");
        expected[name] = before;
    }
    let mut response = Response::new(String::new());
    response
        .headers_mut()
        .insert(header::SET_COOKIE, "a=b".parse().unwrap());
    assert!(refusal(&response, &[]).is_err());
}
