//! Decision tables: one case an object.

use std::{env, fs, path::Path};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// The project's own table `name`.
pub(crate) fn table(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/cases")
        .join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The table `name` from the folder that the environment variable names; says so when it is unset.
pub(crate) fn outside(variable: &str, name: &str) -> Option<String> {
    let Some(folder) = env::var_os(variable) else {
        println!("{variable} is not set: {name} is not judged");
        return None;
    };
    let path = Path::new(&folder).join(name);
    Some(fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// A header's value, in which U+0080 to U+00FF stand for single bytes. `None` when HTTP itself
/// cannot carry it.
pub(crate) fn header_value(text: &str) -> Option<HeaderValue> {
    let bytes: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or_else(|_| panic!("{text:?}")))
        .collect();
    HeaderValue::from_bytes(&bytes).ok()
}

/// Text that a table gives, long values written out.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(long) => {
            let part = |name: &str| long.get(name).map_or("", |part| part.as_str().unwrap());
            let times = usize::try_from(long["times"].as_u64().unwrap()).unwrap();
            part("prefix").to_owned() + &part("repeat").repeat(times) + part("suffix")
        }
        other => panic!("not a text: {other}"),
    }
}

/// Headers given as `[name, value]` pairs.
pub(crate) fn pairs(value: &Value) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for pair in value.as_array().into_iter().flatten() {
        let name: HeaderName = pair[0].as_str().unwrap().parse().unwrap();
        headers.append(name, header_value(&text(&pair[1]))?);
    }
    Some(headers)
}
