//! The decision tables of the origin guard: what a row configures, sends and expects.

use std::{collections::HashSet, fs, path::Path};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use serde_json::Value;
use tower_bearer::{
    OriginGuardLayer,
    origin::{MissingOrigin, Origin},
    rejection::OriginReason,
};

use super::cases;

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) allowed: bool,
    json: Value,
}

/// The committed tables, and those in the folder that `TOWER_BEARER_CASES` names, if it is set.
pub(crate) fn all() -> Vec<Row> {
    let mut rows = committed();
    if let Some(text) = cases::outside("TOWER_BEARER_CASES", "origin.json") {
        rows.extend(parse(serde_json::from_str(&text).unwrap()));
    }
    rows
}

/// The committed tables.
pub(crate) fn committed() -> Vec<Row> {
    let mut rows = parse(cases::table("origin.json"));
    rows.extend(parse(cases::table("origin_more.json")));
    let names: HashSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "every row has its own name");
    rows
}

fn parse(table: Value) -> Vec<Row> {
    let rows = match table {
        Value::Array(rows) => rows,
        other => panic!("not a table: {other}"),
    };
    rows.into_iter()
        .map(|json| Row {
            name: json["name"].as_str().unwrap().to_owned(),
            allowed: match json["expect"].as_str().unwrap() {
                "allow" => true,
                "deny" => false,
                other => panic!("{other}"),
            },
            json,
        })
        .collect()
}

impl Row {
    pub(crate) fn method(&self) -> Method {
        Method::from_bytes(self.json["method"].as_str().unwrap().as_bytes()).unwrap()
    }

    /// The value of `Host`, unless the request has none.
    pub(crate) fn host(&self) -> Option<String> {
        self.json["host"].as_str().map(str::to_owned)
    }

    /// The target where it is not a mere path.
    pub(crate) fn uri(&self) -> Option<Uri> {
        self.json["uri"].as_str().map(|uri| uri.parse().unwrap())
    }

    /// The scheme that the request was sent by.
    pub(crate) fn scheme(&self) -> &str {
        self.json["scheme"].as_str().unwrap()
    }

    /// Every header line of the row but `Host`, as bytes.
    pub(crate) fn lines(&self) -> Vec<(String, Vec<u8>)> {
        let mut lines = Vec::new();
        for (name, value) in self.json["headers"].as_object().unwrap() {
            let values = match value {
                Value::Array(values) => values.clone(),
                value => vec![value.clone()],
            };
            for value in values {
                let text = cases::text(&value);
                let bytes = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap());
                lines.push((name.clone(), bytes.collect()));
            }
        }
        lines
    }

    /// Every header line of the row with `Host` in front; `None` when HTTP itself cannot carry one.
    pub(crate) fn headers(&self) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        if let Some(host) = self.host() {
            headers.append(header::HOST, cases::header_value(&host)?);
        }
        for (name, value) in self.lines() {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(&value).ok()?);
        }
        Some(headers)
    }

    /// The whole request; `None` when HTTP itself cannot carry it.
    pub(crate) fn request(&self) -> Option<Request<String>> {
        let mut request = Request::new(String::new());
        *request.method_mut() = self.method();
        *request.headers_mut() = self.headers()?;
        if let Some(uri) = self.uri() {
            *request.uri_mut() = uri;
        }
        Some(request)
    }

    /// The list as it is written.
    pub(crate) fn entries(&self) -> Vec<String> {
        let entries = self.json["allowed_origins"].as_array().unwrap();
        entries.iter().map(cases::text).collect()
    }

    pub(crate) fn is_same_origin(&self) -> bool {
        self.json["options"]["self_origin"] == "from_host"
    }

    /// The layer that the row asks for. An option that the test does not read fails it.
    pub(crate) fn layer(&self) -> OriginGuardLayer {
        let options = &self.json["options"];
        let custom = options["allow_custom_schemes"] == true;
        let mut layer = if self.is_same_origin() {
            OriginGuardLayer::same_origin()
        } else {
            let parse = |entry: &String| -> Origin {
                if custom {
                    Origin::custom_scheme(entry).unwrap()
                } else {
                    entry.parse().unwrap()
                }
            };
            OriginGuardLayer::new(self.entries().iter().map(parse)).unwrap()
        };
        for (option, value) in options.as_object().into_iter().flatten() {
            layer = match (option.as_str(), value) {
                // A client certificate shows in no header, so a server that takes one refuses all.
                ("ambient_credentials", Value::Bool(true)) => {
                    layer.missing_origin(MissingOrigin::Refuse)
                }
                ("method_override_layer", Value::Bool(true)) => layer.method_override(),
                ("missing", value) if value == "allow" => {
                    layer.missing_origin(MissingOrigin::DangerousAllow)
                }
                ("missing", value) if value == "deny" => {
                    layer.missing_origin(MissingOrigin::Refuse)
                }
                // Read above, or a property of the request that the guard needs not know.
                ("allow_custom_schemes" | "self_origin" | "protocol_pseudo_header", _) => layer,
                other => panic!("an unknown option: {other:?}"),
            };
        }
        layer
    }

    /// Why the request is refused if it is: which rule applies follows from which headers are there.
    pub(crate) fn evident_reason(&self) -> OriginReason {
        let lines = self.lines();
        let values = |name: &str| -> Vec<&[u8]> {
            let of_name = lines.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
            of_name.map(|(_, value)| value.trim_ascii()).collect()
        };
        let origin = values("Origin");
        let site = values("Sec-Fetch-Site");
        let referer = values("Referer");
        if [&origin, &site, &referer].iter().any(|v| v.len() > 1) {
            return OriginReason::Repeated;
        }
        match (origin.first(), site.first(), referer.first()) {
            (Some(&b"null"), ..) => OriginReason::Null,
            (Some(_), Some(&(b"same-site" | b"cross-site")), _) if self.is_same_origin() => {
                OriginReason::CrossSite
            }
            (Some(_), ..) => OriginReason::UnlistedOrigin,
            (None, Some(&(b"same-site" | b"cross-site")), _) => OriginReason::CrossSite,
            (None, None, None) => OriginReason::Missing,
            (None, ..) => OriginReason::UnlistedReferer,
        }
    }
}

/// The rows of the tables of configuration: `origin_config.json` and the like.
pub(crate) fn configurations() -> Vec<Value> {
    let own = ["origin_config.json", "origin_config_more.json"];
    let mut tables: Vec<Value> = own.iter().map(|name| cases::table(name)).collect();
    if let Some(text) = cases::outside("TOWER_BEARER_CASES", "origin_config.json") {
        tables.push(serde_json::from_str(&text).unwrap());
    }
    let rows = tables
        .into_iter()
        .flat_map(|t| t.as_array().unwrap().clone());
    rows.collect()
}

/// The committed tables are all read by a test.
pub(crate) fn files() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases");
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|n| n.into_string().unwrap()).collect();
    names.retain(|name| name.starts_with("origin"));
    names.sort();
    names
}
