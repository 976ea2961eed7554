//! Every row of `tests/data/cases/bearer.json` through the public layers.

mod by_hand;

use std::time::{Duration, Instant};

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::Value;
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, KeyRing, ManualClock, NoClaims, RequireScopeLayer, SignatureAlgorithm,
    Timestamp, TokenCodec, TokenErrorKind, rejection::Rejection, token::TokenType,
};

use crate::support::{cases, echo::Echo};
use crate::token_support::types_with;

#[tokio::test]
async fn every_row() {
    let table = cases::table("bearer.json");
    let fixtures = cases::table("bearer_fixtures.json");
    let rows = table.as_array().unwrap();
    let good = good_token(rows);
    let (mut as_given, mut by_hand) = (0, 0);
    let mut wrong = Vec::new();
    for row in rows {
        let name = row["name"].as_str().unwrap();
        let verdict = match by_hand::judge(name, row, &fixtures, &good).await {
            Some(verdict) => {
                by_hand += 1;
                verdict
            }
            None => {
                as_given += 1;
                judge(row, &fixtures, &good).await
            }
        };
        if let Err(problem) = verdict {
            wrong.push(format!("{name}: {problem}"));
        }
    }
    println!("bearer.json: {as_given} rows as given, {by_hand} made by hand");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(as_given + by_hand, 230);
    assert_eq!(by_hand, by_hand::COUNT);
}

/// The token for `<good>` in the rows that describe a place for a token.
fn good_token(rows: &[Value]) -> String {
    let row = rows
        .iter()
        .find(|row| row["name"] == "scheme-upper-case")
        .unwrap();
    let value = row["given"]["headers"][0][1].as_str().unwrap();
    value.strip_prefix("BEARER ").unwrap().to_owned()
}

async fn judge(row: &Value, fixtures: &Value, good: &str) -> Result<(), String> {
    let given = &row["given"];
    let codec = codec(given, fixtures)?;
    let mut layer = BearerAuthLayer::new(codec);
    let config = &given["config"];
    if let Some(realm) = config["realm"].as_str() {
        layer = layer.realm(realm.parse().map_err(|e| format!("{e}"))?);
    }
    if let Some(scope) = config["scope"].as_str() {
        layer = layer.scope(scope.parse().map_err(|e| format!("{e}"))?);
    }
    if let Some(url) = config["resource_metadata"].as_str() {
        layer = layer.resource_metadata(url.parse().map_err(|e| format!("{e}"))?);
    }
    let required: Vec<&str> = config["required_scope"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|scope| scope.as_str().unwrap())
        .collect();

    let echo = Echo::default();
    let request = request(given, good)?;
    #[allow(clippy::disallowed_methods, reason = "it measures the work itself")]
    let start = Instant::now();
    let response = if required.is_empty() {
        layer.layer(echo.clone()).oneshot(request).await.unwrap()
    } else {
        let scope = required.join(" ").parse().unwrap();
        ServiceBuilder::new()
            .layer(layer)
            .layer(RequireScopeLayer::new(scope))
            .service(echo.clone())
            .oneshot(request)
            .await
            .unwrap()
    };
    if let Some(millis) = row["max_millis"].as_u64() {
        // The bound is on the work; a busy machine gets ten times as long.
        if start.elapsed() > Duration::from_millis(millis * 10) {
            return Err(format!("took {:?}", start.elapsed()));
        }
    }
    compare(row, &response, &echo)
}

/// Compares the answer with the row: status, challenge, typed reason, whether the service ran.
pub(crate) fn compare(row: &Value, response: &Response<String>, echo: &Echo) -> Result<(), String> {
    let status = u16::try_from(row["expect_status"].as_u64().unwrap()).unwrap();
    if response.status().as_u16() != status {
        return Err(format!("{} instead of {status}", response.status()));
    }
    if echo.calls() != usize::from(response.status() == StatusCode::OK) {
        return Err(format!("the inner service ran {} times", echo.calls()));
    }
    let challenges: Vec<&str> = response
        .headers()
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .map(|v| v.to_str().unwrap())
        .collect();
    if response.status() == StatusCode::OK {
        let marked = echo
            .last()
            .headers
            .get_all(header::AUTHORIZATION)
            .iter()
            .all(HeaderValue::is_sensitive);
        return match (challenges.as_slice(), marked) {
            ([], true) => Ok(()),
            other => Err(format!("{other:?}")),
        };
    }
    if response.headers()[header::CACHE_CONTROL] != "no-store" {
        return Err("cacheable".to_owned());
    }
    check_challenge(row, &challenges)?;
    check_reason(row, response)
}

fn check_challenge(row: &Value, challenges: &[&str]) -> Result<(), String> {
    let expected = match row["expect_www_authenticate"].as_array() {
        Some(exact) => exact
            .iter()
            .map(|v| v.as_str().unwrap().to_owned())
            .collect(),
        None => {
            let mut text = "Bearer realm=\"api\"".to_owned();
            let error = row["expect_error"].as_str().unwrap();
            if error != "none" {
                text += &format!(", error=\"{error}\"");
            }
            if error == "insufficient_scope" {
                let required = row["given"]["config"]["required_scope"].as_array().unwrap();
                let required: Vec<&str> = required.iter().map(|s| s.as_str().unwrap()).collect();
                text += &format!(", scope=\"{}\"", required.join(" "));
            }
            vec![text]
        }
    };
    for (attribute, value) in row["expect_challenge"].as_object().into_iter().flatten() {
        let text = format!("{attribute}=\"{}\"", value.as_str().unwrap());
        if !challenges.iter().any(|c| c.contains(&text)) {
            return Err(format!("no {text} in {challenges:?}"));
        }
    }
    if challenges != expected {
        return Err(format!("{challenges:?} instead of {expected:?}"));
    }
    Ok(())
}

fn check_reason(row: &Value, response: &Response<String>) -> Result<(), String> {
    let rejection = response.extensions().get::<Rejection>();
    let rejection = rejection.ok_or("no rejection in the extensions")?;
    let kind = rejection.token_error().map(|e| e.kind());
    let Some(reason) = row["internal_reason"].as_str() else {
        return Ok(());
    };
    let expected = kinds(reason);
    match kind {
        Some(kind) if expected.contains(&kind) => Ok(()),
        other => Err(format!("{other:?} for {reason:?}")),
    }
}

/// The kinds that a reason of the table may be in this crate.
fn kinds(reason: &str) -> &'static [TokenErrorKind] {
    use TokenErrorKind::*;
    match reason {
        "alg" | "jwe alg" => &[Algorithm, Header],
        "aud" => &[Audience, Claims],
        "base64url" | "base64url not canonical" | "iv/tag length" | "encrypted key with dir" => {
            &[Encoding]
        }
        "b64" | "crit" | "cty" | "typ" | "zip" => &[HeaderParameter, Header],
        "depth" | "exp type or range" | "nbf type or range" | "sub" => &[Claims],
        "expired" => &[Expired],
        "iat" | "nbf" => &[NotYetValid],
        "iss" => &[Issuer, Claims],
        "json" | "not an object" | "utf-8" => &[Claims, Header],
        "key" => &[Key, Algorithm, Header],
        "kid type" => &[Header, Key],
        "mac" | "signature" => &[Signature, Encoding],
        "segments" => &[Segments],
        "sender-constrained" => &[SenderConstrained],
        "sig length" => &[Encoding, Signature],
        "tag" => &[Decryption],
        "too old" => &[TooOld],
        member if member.starts_with("duplicate member") => &[Claims, Header],
        other => panic!("an unknown reason: {other}"),
    }
}

pub(crate) fn request(given: &Value, good: &str) -> Result<Request<String>, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().replace("<good>", good);
    let mut request = Request::new(text(&given["body"]));
    if let Some(method) = given["method"].as_str() {
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
    }
    if given["target"].is_string() {
        *request.uri_mut() = text(&given["target"]).parse().unwrap();
    }
    let headers = cases::pairs(&given["headers"]).ok_or("HTTP cannot carry this header")?;
    for (name, value) in &headers {
        let value = match value.to_str() {
            Ok(text) if text.contains("<good>") => text.replace("<good>", good).parse().unwrap(),
            _ => value.clone(),
        };
        request.headers_mut().append(name, value);
    }
    Ok(request)
}

/// The codec of a row: the fixtures' defaults, changed as the row says.
pub(crate) fn codec(given: &Value, fixtures: &Value) -> Result<TokenCodec<NoClaims>, String> {
    let defaults = &fixtures["default"];
    let config = &given["config"];
    let setting = |name: &str| config.get(name).unwrap_or(&defaults[name]).clone();
    let nested = config["jwe"] == true;
    let keyring = config["keyring"].as_str().unwrap_or("default");
    let mut keys = KeyRing::builder().jwks(&fixtures["jwks"][keyring].to_string());
    if nested {
        keys = keys.jwks(&fixtures["jwks"]["jwe"].to_string());
    }
    let keys = keys.build().map_err(|e| e.to_string())?;

    let now = given["now"].as_u64().or(defaults["now"].as_u64()).unwrap();
    let mut builder = match nested {
        true => TokenCodec::nested(&keys),
        false => TokenCodec::signed(&keys),
    }
    .clock(ManualClock::new(Timestamp::from_secs(now)))
    .leeway(Duration::from_secs(setting("leeway").as_u64().unwrap()))
    .max_token_bytes(usize::try_from(setting("max_token_bytes").as_u64().unwrap()).unwrap());
    for issuer in setting("iss").as_array().unwrap() {
        builder = builder.issuer(issuer.as_str().unwrap());
    }
    builder = match setting("aud") {
        Value::Null => builder.dangerous_any_audience(),
        audiences => audiences
            .as_array()
            .unwrap()
            .iter()
            .fold(builder, |b, audience| {
                b.audience(audience.as_str().unwrap())
            }),
    };
    builder = match setting("typ") {
        Value::Null => builder.token_types(types_with(None)),
        typ => builder.token_types([TokenType::Named(typ.as_str().unwrap().to_owned().into())]),
    };
    if let Some(algorithms) = config["algs"].as_array() {
        builder = builder.algorithms(algorithms.iter().map(|a| algorithm(a.as_str().unwrap())));
    }
    if let Some(seconds) = config["max_age"].as_u64() {
        builder = builder.max_age(Duration::from_secs(seconds));
    }
    for name in config
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
    {
        let known = [
            "algs",
            "aud",
            "iss",
            "jwe",
            "keyring",
            "leeway",
            "max_age",
            "realm",
            "required_scope",
            "resource_metadata",
            "scope",
            "typ",
        ];
        assert!(known.contains(&name), "an unknown setting: {name}");
    }
    builder.build().map_err(|e| e.to_string())
}

fn algorithm(name: &str) -> SignatureAlgorithm {
    match name {
        "ES256" => SignatureAlgorithm::Es256,
        "EdDSA" => SignatureAlgorithm::EdDsa,
        "HS256" => SignatureAlgorithm::Hs256,
        "PS256" => SignatureAlgorithm::Ps256,
        "RS256" => SignatureAlgorithm::Rs256,
        other => panic!("{other}"),
    }
}
