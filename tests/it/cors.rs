//! The lists for CORS, as the manual and the front door have them. A page can read the text of a refusal.

use std::collections::BTreeSet;

use http::{HeaderName, HeaderValue, Request, header};
use tower::{Layer, ServiceExt};
use tower_http::cors::CorsLayer;

use crate::support::{echo::Echo, guards};

const RECIPES: [(&str, &str); 2] = [
    ("manual", include_str!("../../src/manual/guards.rs")),
    ("front door", include_str!("../../src/auth/cors/enabled.rs")),
];

/// Scripts use these when a request is refused. They say when to try again, the missing part, and the status of
/// gRPC-Web, which is nowhere else.
const NEEDED: [&str; 4] = [
    "grpc-message",
    "grpc-status",
    "retry-after",
    "www-authenticate",
];

/// The headers that the text's one call of `expose_headers` names.
fn exposed(text: &str) -> Vec<HeaderName> {
    let mut calls = text.split(".expose_headers([").skip(1);
    let (list, _) = calls.next().unwrap().split_once("])").unwrap();
    assert_eq!(calls.next(), None, "one place");
    let names = list
        .split(',')
        .map(|item| item.trim_matches(|c: char| "/! \n".contains(c)));
    names
        .filter(|item| !item.is_empty())
        .map(|item| {
            let constant = item.strip_prefix("header::");
            let constant = constant.map(|name| name.to_ascii_lowercase().replace('_', "-"));
            let literal = item.split('"').nth(1).map(str::to_owned);
            constant.or(literal).unwrap().parse().unwrap()
        })
        .collect()
}

#[tokio::test]
async fn a_page_reads_what_every_refusal_says() {
    for (place, text) in RECIPES {
        let cors = CorsLayer::new()
            .allow_origin(HeaderValue::from_static("https://app.example"))
            .expose_headers(exposed(text));
        let mut met = BTreeSet::new();
        for guard in guards::all() {
            for content_type in ["application/json", "application/grpc-web+proto"] {
                let mut request = Request::post("/").body(String::new()).unwrap();
                let headers = request.headers_mut();
                headers.insert("origin", HeaderValue::from_static("https://app.example"));
                headers.insert("content-type", content_type.parse().unwrap());
                (guard.provoke)(&mut request);
                let echo = Echo::default();
                let service = cors.clone().layer(guard.grpc_around(None, &echo));
                let response = service.oneshot(request).await.unwrap();
                assert_eq!(echo.calls(), 0, "{}", guard.name);

                // The layer writes its own list over that of the answer.
                let headers = response.headers();
                let lines = headers
                    .get_all(header::ACCESS_CONTROL_EXPOSE_HEADERS)
                    .iter();
                let lines: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
                let [line] = lines[..] else {
                    panic!("{place}, {}: {lines:?}", guard.name);
                };
                let readable: BTreeSet<_> = line.split(',').map(str::trim).collect();
                for name in NEEDED
                    .into_iter()
                    .filter(|name| headers.contains_key(*name))
                {
                    let what = format!("{place}, {}, {content_type}: {name}", guard.name);
                    assert!(readable.contains(name), "{what} is hidden by {line}");
                    met.insert(name);
                }
            }
        }
        assert_eq!(met, BTreeSet::from(NEEDED), "{place}");
    }
}
