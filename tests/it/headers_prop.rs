//! No bytes that HTTP can carry bring a layer down or get past it.

use http::{HeaderName, HeaderValue, Request, Response, header};
use proptest::prelude::*;
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_bearer::{BearerAuthLayer, NoClaims, OriginGuardLayer, RequireScopeLayer};

use crate::support::{
    echo::Echo,
    tokens::{codec, token},
};

const HEADERS: [HeaderName; 8] = [
    header::AUTHORIZATION,
    header::ORIGIN,
    header::COOKIE,
    header::CONTENT_TYPE,
    header::HOST,
    header::REFERER,
    header::UPGRADE,
    HeaderName::from_static("sec-fetch-site"),
];

/// Bytes, or something close to what the parsers look for.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        "(?i:bearer)[ \t,:=]{0,3}[!-~]{0,60}".prop_map(String::into_bytes),
        "[a-z]{0,6}:?/{0,3}[\\[\\]:@.*a-zA-Z0-9%-]{0,40}".prop_map(String::into_bytes),
        "application/grpc[-+;a-z= ]{0,20}".prop_map(String::into_bytes),
        Just(b"null".to_vec()),
        Just(b"same-origin".to_vec()),
        Just(b"websocket".to_vec()),
    ]
}

fn request(method: &str, headers: &[(usize, Vec<u8>)]) -> Request<String> {
    let mut request = Request::new(String::new());
    *request.method_mut() = method.parse().unwrap();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            request.headers_mut().append(&HEADERS[*name], value);
        }
    }
    request
}

fn block_on(future: impl Future<Output = Response<String>>) -> Response<String> {
    futures_util::FutureExt::now_or_never(future).expect("guards do not wait")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn the_bearer_layer_stands(
        method in "GET|POST|OPTIONS",
        headers in proptest::collection::vec((0..HEADERS.len(), value()), 0..6),
    ) {
        let echo = Echo::default();
        let service = BearerAuthLayer::<NoClaims>::new(codec()).layer(echo.clone());
        let response = block_on(async { service.oneshot(request(&method, &headers)).await.unwrap() });
        prop_assert!([400, 401].contains(&response.status().as_u16()));
        prop_assert!(!response.headers().contains_key("grpc-status"));
        prop_assert_eq!(echo.calls(), 0);
    }

    #[test]
    fn the_origin_guard_stands(
        method in "GET|POST|[A-Za-z]{1,8}",
        headers in proptest::collection::vec((0..HEADERS.len(), value()), 0..6),
        same_origin: bool,
    ) {
        let layer = if same_origin {
            OriginGuardLayer::same_origin()
        } else {
            OriginGuardLayer::new(["https://*.app.example".parse().unwrap()]).unwrap()
        };
        let echo = Echo::default();
        let service = layer.layer(echo.clone());
        let response = block_on(async { service.oneshot(request(&method, &headers)).await.unwrap() });
        prop_assert_eq!(echo.calls() == 0, response.status() == 403);
    }

    #[test]
    fn any_changed_character_of_a_token_is_refused(at: prop::sample::Index, to in "[A-Za-z0-9._=~-]") {
        let token = token();
        let at = at.index(token.len());
        prop_assume!(token[at..=at] != to);
        let mut changed = token;
        changed.replace_range(at..=at, &to);
        let echo = Echo::default();
        let service = ServiceBuilder::new()
            .layer(BearerAuthLayer::<NoClaims>::new(codec()))
            .layer(RequireScopeLayer::new("any".parse().unwrap()))
            .service(echo.clone());
        let value = format!("Bearer {changed}").into_bytes();
        let response = block_on(async { service.oneshot(request("GET", &[(0, value)])).await.unwrap() });
        prop_assert!([400, 401].contains(&response.status().as_u16()));
        prop_assert_eq!(echo.calls(), 0);
    }

    #[test]
    fn parsing_settings_never_panics(text in "\\PC{0,60}") {
        let _ = text.parse::<tower_bearer::origin::Origin>();
        let _ = tower_bearer::origin::Origin::custom_scheme(&text);
        let _ = text.parse::<tower_bearer::bearer::Realm>();
        let _ = text.parse::<tower_bearer::bearer::Scope>();
        let _ = text.parse::<tower_bearer::resource::MetadataUrl>();
    }
}
