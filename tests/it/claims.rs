//! Facts about claims from other libraries' suites, judged against the strict reading. Like the
//! other public vectors they lie in the folder that `TOWER_BEARER_VECTORS` names.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tower_bearer::{
    Claims, KeyRing, Timestamp, TokenCodec, TokenError,
    token::{TokenCodecBuilder, TokenType},
};

use crate::token_support::{base64url, public_vectors, rows, sign_hs256, text, types_with};

/// A test-only key.
const KEY: &[u8] = b"pT3xVq8LzR1mWc6YhN0sKd5uJb9aGf2E";

/// Settings of other libraries that a codec does not have, on purpose.
const NOT_OFFERED: [&str; 6] = [
    "aud_regex",
    "aud_all",
    "aud_strict_single",
    "typ_optional",
    "validate_exp",
    "validate_nbf",
];

/// Rows that are valid there and must not be here, with the rule that refuses them.
const STRICTER: [(&str, &str); 2] = [
    ("panva-38", "a b64 header without crit is refused"),
    (
        "node-41",
        "an iat of the future is refused whenever there is one",
    ),
];

type Anything = serde_json::Map<String, Value>;

#[test]
fn claims_facts_agree_with_the_strict_reading() {
    let Some(folder) = public_vectors() else {
        return;
    };
    let (mut valid, mut invalid, mut policy) = (0, 0, 0);
    let mut not_offered = BTreeMap::<String, usize>::new();
    let mut wrong = Vec::new();
    for row in rows(&folder.join("claims.jsonl")) {
        if text(&row, "strict_expect") == "policy" {
            policy += 1;
            continue;
        }
        if let Some(option) = missing_option(&row) {
            *not_offered.entry(option).or_default() += 1;
            continue;
        }
        let verdict = judge(&row);
        match text(&row, "strict_expect") {
            "valid" if verdict.is_ok() => valid += 1,
            "invalid" if verdict.is_err() => invalid += 1,
            expect => wrong.push(format!("{} is {expect}: {verdict:?}: {row}", row["id"])),
        }
    }
    println!(
        "claims.jsonl: {valid} valid, {invalid} invalid, {policy} left to policy, \
         not offered: {not_offered:?}"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((valid, invalid, policy), (107, 224, 14));
    for (id, why) in STRICTER {
        let rows = rows(&folder.join("claims.jsonl"));
        let row = rows.iter().find(|row| row["id"] == id).unwrap();
        assert!(judge(row).is_err(), "{why}");
    }
}

/// The option of the row that a codec cannot be given, if any.
fn missing_option(row: &Value) -> Option<String> {
    let options = &row["options"];
    let stricter = STRICTER.iter().find(|(id, _)| row["id"] == **id);
    if let Some((_, why)) = stricter {
        return Some((*why).to_owned());
    }
    let named = NOT_OFFERED.iter().find(|name| !options[**name].is_null());
    let long = options["leeway"].as_f64().is_some_and(|s| s > 300.0);
    let lax = options["reject_future_iat"] == json!(false);
    match named {
        Some(name) => Some((*name).to_owned()),
        None if long => Some("a leeway above 300 s".to_owned()),
        None if lax => Some("reject_future_iat: false".to_owned()),
        None => None,
    }
}

/// Signs the row's claims and verifies them under the row's options.
fn judge(row: &Value) -> Result<(), String> {
    let options = &row["options"];
    let keys = KeyRing::builder()
        .jwk(&json!({"kty": "oct", "alg": "HS256", "k": base64url(KEY)}).to_string())
        .build()
        .unwrap();
    let codec = configure(row, &keys)?.build().map_err(|e| e.to_string())?;
    let claims = match row["claims_raw"].as_str() {
        Some(raw) => raw.to_owned(),
        None => completed(&row["claims"], options).to_string(),
    };
    let token = sign_hs256(KEY, &header(row), &claims);
    let now = options["now"].as_f64().unwrap();
    let now = Timestamp::from_millis((now * 1000.0).round() as u64);
    let verified = codec
        .verify_at(&token, now)
        .map_err(|e: TokenError| format!("{e:?}"))?;
    check_rest(row, &verified)
}

fn configure(row: &Value, keys: &KeyRing) -> Result<TokenCodecBuilder<Anything>, String> {
    let options = &row["options"];
    let seconds = |name: &str| match options[name].as_f64() {
        None => Ok(None),
        Some(seconds) => Duration::try_from_secs_f64(seconds)
            .map(Some)
            .map_err(|e| e.to_string()),
    };
    let mut builder = TokenCodec::signed(keys);
    builder = match strings(&options["iss"]) {
        None => builder.dangerous_any_issuer(),
        Some(names) => names.into_iter().fold(builder, |b, name| b.issuer(name)),
    };
    builder = match strings(&options["aud"]) {
        Some(names) if options["validate_aud"] != json!(false) => {
            names.into_iter().fold(builder, |b, name| b.audience(name))
        }
        _ => builder.dangerous_any_audience(),
    };
    builder = match options["typ"].as_str() {
        None => builder.token_types(types_with(row["header"]["typ"].as_str())),
        Some(typ) => builder.token_types([TokenType::Named(typ.to_owned().into())]),
    };
    if let Some(max_age) = seconds("max_age")? {
        builder = builder.max_age(max_age);
    }
    if !demands(options, "sub") {
        builder = builder.subject_optional();
    }
    Ok(builder.leeway(seconds("leeway")?.unwrap_or_default()))
}

/// The claims with an `exp` of the far future, where the row neither has one nor asks for one. Our tokens always end.
fn completed(claims: &Value, options: &Value) -> Value {
    let mut claims = claims.clone();
    if let Some(members) = claims.as_object_mut()
        && !members.contains_key("exp")
        && !demands(options, "exp")
    {
        members.insert("exp".to_owned(), json!(253_402_300_799_u64));
    }
    claims
}

/// The row's header under the one algorithm we sign with here. An algorithm that the row does
/// not accept becomes one that we do not accept.
fn header(row: &Value) -> String {
    let mut header = match &row["header"] {
        Value::Null => json!({}),
        header => header.clone(),
    };
    let alg = header["alg"].as_str().unwrap_or("HS256").to_owned();
    let accepted = match strings(&row["options"]["algs"]) {
        None => alg != "none" && alg != "NONE",
        Some(algorithms) => algorithms.contains(&alg),
    };
    header["alg"] = match (accepted, alg.as_str()) {
        (true, _) => json!("HS256"),
        (false, "HS256") => json!("HS384"),
        (false, other) => json!(other),
    };
    header.to_string()
}

/// The parts that other libraries compare and our callers compare by themselves.
fn check_rest(row: &Value, verified: &Claims<Anything>) -> Result<(), String> {
    let (options, claims) = (&row["options"], &row["claims"]);
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    for name in strings(&options["required"]).unwrap_or_default() {
        ensure(!claims[&name].is_null(), &format!("{name} is missing"))?;
    }
    if options["profile"] == "rfc9068" {
        ensure(verified.custom()["client_id"].is_string(), "client_id")?;
    }
    if let Some(subject) = options["sub"].as_str() {
        ensure(verified.subject() == subject && !subject.is_empty(), "sub")?;
    }
    if let Some(id) = options["jti"].as_str() {
        ensure(verified.token_id() == Some(id), "jti")?;
    }
    for (name, value) in options["equals"].as_object().into_iter().flatten() {
        ensure(claims[name] == *value, name)?;
    }
    for (name, values) in options["contains_all"].as_object().into_iter().flatten() {
        let found = verified.custom().get(name).and_then(Value::as_array);
        let all = values.as_array().unwrap().iter();
        ensure(
            found.is_some_and(|f| all.clone().all(|v| f.contains(v))),
            name,
        )?;
    }
    let scopes: Vec<&str> = verified.scope().unwrap_or_default().split(' ').collect();
    if let Some(all) = strings(&options["scope_all"]) {
        ensure(all.iter().all(|s| scopes.contains(&s.as_str())), "scope")?;
    }
    if let Some(any) = strings(&options["scope_any"]) {
        ensure(any.iter().any(|s| scopes.contains(&s.as_str())), "scope")?;
    }
    Ok(())
}

/// Whether the row insists on the claim `name`.
fn demands(options: &Value, name: &str) -> bool {
    let required = strings(&options["required"]).unwrap_or_default();
    required.iter().any(|required| required == name) || !options["equals"][name].is_null()
}

/// A string, or an array of them.
fn strings(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => None,
        Value::String(one) => Some(vec![one.clone()]),
        many => serde_json::from_value(many.clone()).unwrap(),
    }
}
