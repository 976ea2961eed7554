//! Public expectations on where a token is found in a request.

use std::collections::BTreeMap;

use http::{Request, StatusCode};
use serde_json::Value;
use tower_bearer::rejection::RejectionKind;

use super::{kind, layer, send};
use crate::support::{cases, tokens};

/// Why a vector does not apply, or `None` when it does.
fn not_offered(row: &Value) -> Option<&'static str> {
    let (request, options) = (&row["request"], &row["options"]);
    let on = |name: &str| !options[name].is_null() && options[name] != false;
    if on("dpop") {
        return Some("DPoP");
    }
    if on("cookie") {
        return Some("a token in a cookie");
    }
    if on("header_name") || on("query_name") {
        return Some("a header or parameter of another name");
    }
    if (on("allow_query") && !request["query"].is_null())
        || (on("allow_form") && !request["form"].is_null())
    {
        return Some("a token in the query or the form");
    }
    if row["expect"]["www_authenticate"].is_string() && row["expect"]["error"] != Value::Null
        || row["id"].as_str().unwrap().starts_with("spring-www")
    {
        return Some("another wording of the challenge");
    }
    let headers = request["headers"].to_string();
    if headers.contains('<')
        && !headers.contains("<valid token>")
        && !headers.contains("<corrupted token>")
    {
        return Some("a token that is described only; see the decision table");
    }
    None
}

#[tokio::test]
async fn the_public_vectors() {
    let Some(text) = cases::outside("TOWER_BEARER_VECTORS", "bearer.jsonl") else {
        return;
    };
    let mut judged = 0;
    let mut skipped = BTreeMap::<_, usize>::new();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        if let Some(why) = not_offered(&row) {
            *skipped.entry(why).or_default() += 1;
            continue;
        }
        if let Err(problem) = judge(&row).await {
            wrong.push(format!("{}: {problem}", row["id"]));
        }
        judged += 1;
    }
    println!("bearer.jsonl: {judged} judged, not offered: {skipped:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged >= 50);
}

async fn judge(row: &Value) -> Result<(), String> {
    let (given, expect) = (&row["request"], &row["expect"]);
    let mut request = Request::new(String::new());
    *request.method_mut() = given["method"].as_str().unwrap().parse().unwrap();
    let good = tokens::token();
    let mut headers = given["headers"].clone();
    for pair in headers.as_array_mut().unwrap() {
        let text = pair[1].as_str().unwrap();
        let corrupted = format!("{good}A");
        pair[1] = text
            .replace("<valid token>", &good)
            .replace("<corrupted token>", &corrupted)
            .into();
    }
    *request.headers_mut() = cases::pairs(&headers).ok_or("HTTP cannot carry this header")?;
    if !given["query"].is_null() {
        *request.uri_mut() = format!("/?access_token={good}").parse().unwrap();
    }
    let (response, echo) = send(layer(), request).await;
    let (status, kind) = (response.status(), kind(&response));
    let passed = echo.calls() == 1;
    if passed != (status == StatusCode::OK) {
        return Err(format!("{status} and passed: {passed}"));
    }
    let got = Err(format!("{status} {kind:?} for {expect}"));
    let challenge = expect["www_authenticate"].as_str();
    if challenge.is_some_and(|c| c != super::challenge(&response))
        && row["options"]["realm"] == "api"
    {
        return got;
    }
    match (&expect["token"], &expect["status"]) {
        (Value::String(_), _) => match kind {
            // The token was found; that it is not one of ours came out afterwards.
            Some(RejectionKind::InvalidToken) => Ok(()),
            _ => got,
        },
        (_, Value::Array(any)) if any.contains(&status.as_u16().into()) => Ok(()),
        (_, Value::Array(_)) => got,
        (_, Value::Number(n)) if n.as_u64() == Some(200) => {
            if passed {
                Ok(())
            } else {
                got
            }
        }
        // Systems disagree on 400 and 401 for what is malformed; ours is in the decision table.
        (_, Value::Number(_)) if [400, 401].contains(&status.as_u16()) => Ok(()),
        (Value::Null, Value::Null) => match kind {
            Some(RejectionKind::MissingCredentials | RejectionKind::InvalidRequest) => Ok(()),
            _ => got,
        },
        _ => got,
    }
}
