//! The response headers through their public layer.

use std::{convert::Infallible, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use proptest::prelude::*;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_bearer::{
    BearerAuthLayer, GrpcLayer, NoClaims, OriginGuardLayer, RequireHttpsLayer,
    SecurityHeadersLayer,
    headers::{ConnectionScheme, ContentSecurityPolicy, ReferrerPolicy, StrictTransportSecurity},
};
use tower_http::cors::CorsLayer;

use crate::support::{
    echo::Echo,
    tokens::{codec, token},
};

const HSTS: &str = "strict-transport-security";
const CSP: &str = "content-security-policy";
const NOSNIFF: &str = "x-content-type-options";
const REFERRER: &str = "referrer-policy";

const DEFAULTS: [(&str, &str); 4] = [
    (HSTS, "max-age=31536000"),
    (
        CSP,
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
         object-src 'none'",
    ),
    (NOSNIFF, "nosniff"),
    (REFERRER, "same-origin"),
];

/// An inner service that answers with this status and these headers.
fn answering(
    status: u16,
    headers: &[(&str, &str)],
) -> impl Service<Request<String>, Response = Response<String>, Error = Infallible, Future: Send> + Clone
{
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        map.append(name, value.parse().unwrap());
    }
    service_fn(move |_| {
        let mut response = Response::new("inner".to_owned());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        *response.headers_mut() = map.clone();
        async { Ok(response) }
    })
}

async fn send(layer: SecurityHeadersLayer, status: u16, own: &[(&str, &str)]) -> HeaderMap {
    let service = layer.layer(answering(status, own));
    let response = service.oneshot(Request::default()).await.unwrap();
    assert_eq!(response.status(), status);
    assert_eq!(response.body(), "inner");
    response.headers().clone()
}

/// Every value of the four headers, in the order of [`DEFAULTS`].
fn values(headers: &HeaderMap) -> [Vec<&str>; 4] {
    DEFAULTS.map(|(name, _)| {
        let lines = headers.get_all(name).iter();
        lines.map(|line| line.to_str().unwrap()).collect()
    })
}

#[tokio::test]
async fn every_response_gets_the_four_headers_and_no_other() {
    let expected = DEFAULTS.map(|(_, value)| vec![value]);
    for status in [101, 200, 204, 301, 308, 400, 401, 403, 404, 500, 503] {
        let headers = send(SecurityHeadersLayer::new(), status, &[]).await;
        assert_eq!(values(&headers), expected, "{status}");
        assert_eq!(headers.len(), 4, "{status}");
    }
    let headers = send(SecurityHeadersLayer::default(), 200, &[]).await;
    assert_eq!(values(&headers), expected);
}

#[tokio::test]
async fn headers_of_the_inner_service_stay_and_the_rest_are_added() {
    let own = [
        (HSTS, "max-age=60"),
        (CSP, "script-src 'nonce-Zm9v'"),
        (NOSNIFF, "other"),
        (REFERRER, "no-referrer"),
    ];
    for (at, one) in own.iter().enumerate() {
        let headers = send(SecurityHeadersLayer::new(), 200, &[*one]).await;
        let mut expected = DEFAULTS.map(|(_, value)| vec![value]);
        expected[at] = vec![one.1];
        assert_eq!(values(&headers), expected);
    }
    // Two policies of the handler's own are both kept: browsers apply both.
    let two = [(CSP, "default-src 'self'"), (CSP, "script-src 'none'")];
    let headers = send(SecurityHeadersLayer::new(), 200, &two).await;
    assert_eq!(
        values(&headers)[1],
        ["default-src 'self'", "script-src 'none'"]
    );
    // So is everything that is none of the layer's business.
    let others = [("content-type", "text/html"), ("x-frame-options", "DENY")];
    let headers = send(SecurityHeadersLayer::new(), 200, &others).await;
    assert_eq!(headers["content-type"], "text/html");
    assert_eq!(headers["x-frame-options"], "DENY");
}

#[tokio::test]
async fn not_modified_leaves_the_policies_of_the_stored_page_alone() {
    let headers = send(SecurityHeadersLayer::new(), 304, &[]).await;
    assert_eq!(
        values(&headers),
        [vec!["max-age=31536000"], vec![], vec!["nosniff"], vec![]]
    );
    let own = [(CSP, "script-src 'nonce-Zm9v'")];
    let headers = send(SecurityHeadersLayer::new(), 304, &own).await;
    assert_eq!(values(&headers)[1], ["script-src 'nonce-Zm9v'"]);
}

#[tokio::test]
async fn each_header_can_be_set() {
    let csp: ContentSecurityPolicy = "default-src 'none'".parse().unwrap();
    let hsts = StrictTransportSecurity::new(Duration::from_secs(300)).unwrap();
    let hsts = hsts.include_subdomains();
    let layer = SecurityHeadersLayer::new()
        .content_security_policy(csp)
        .unwrap()
        .referrer_policy(ReferrerPolicy::StrictOrigin)
        .strict_transport_security(hsts);
    assert_eq!(
        values(&send(layer.clone(), 200, &[]).await),
        [
            vec!["max-age=300; includeSubDomains"],
            vec!["default-src 'none'"],
            vec!["nosniff"],
            vec!["strict-origin"],
        ]
    );
    // Changing a copy does not change the original.
    let changed = layer
        .clone()
        .strict_transport_security(StrictTransportSecurity::preloaded());
    assert_eq!(
        values(&send(changed, 200, &[]).await)[0],
        ["max-age=63072000; includeSubDomains; preload"]
    );
    assert_eq!(
        values(&send(layer, 200, &[]).await)[0],
        ["max-age=300; includeSubDomains"]
    );
}

/// Through the layer, so that what a policy was refused for is what would have been sent.
#[tokio::test]
async fn a_wide_open_policy_is_sent_only_where_it_is_called_dangerous() {
    for text in [
        "default-src 'self'; script-src *",
        "script-src 'self' https:",
        "default-src 'self' 'unsafe-inline'",
        "script-src 'self' 'unsafe-eval'",
        "frame-ancestors 'none'",
    ] {
        let error = text.parse::<ContentSecurityPolicy>().unwrap_err();
        assert_eq!(error.setting(), "content_security_policy", "{text}");
        assert!(error.problem().contains("dangerous_any_script"), "{error}");
        let policy = ContentSecurityPolicy::dangerous_any_script(text).unwrap();
        let layer = SecurityHeadersLayer::new().content_security_policy(policy);
        let layer = layer.unwrap();
        assert_eq!(values(&send(layer, 200, &[]).await)[1], [text]);
    }
    // No name makes a policy of a text that is none.
    for text in ["", "default-src 'slef'", "script-src 'nonce-'", "a: b"] {
        assert!(text.parse::<ContentSecurityPolicy>().is_err(), "{text}");
        let dangerous = ContentSecurityPolicy::dangerous_any_script(text);
        assert!(dangerous.is_err(), "{text}");
    }
}

/// One nonce for all responses is known to an attacker who has seen one of them.
#[tokio::test]
async fn a_nonce_comes_from_the_handler_and_never_from_the_layer() {
    let take = |policy| SecurityHeadersLayer::new().content_security_policy(policy);
    for text in [
        "script-src 'nonce-q9Zx'",
        "default-src 'self'; script-src 'self' 'NONCE-q9Zx' 'strict-dynamic'",
        "default-src 'self'; style-src 'nonce-q9Zx'",
    ] {
        let dangerous = ContentSecurityPolicy::dangerous_any_script(text).unwrap();
        for policy in [text.parse().unwrap(), dangerous] {
            let error = take(policy).unwrap_err();
            assert_eq!(error.setting(), "content_security_policy", "{text}");
            assert!(error.problem().contains("from the handler"), "{error}");
        }
        let headers = send(SecurityHeadersLayer::new(), 200, &[(CSP, text)]).await;
        assert_eq!(values(&headers)[1], [text]);
    }
    let hash = "script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";
    assert!(take(hash.parse().unwrap()).is_ok());
    assert!(take("script-src nonce-q9Zx".parse().unwrap()).is_ok());
}

#[tokio::test]
async fn each_header_can_be_left_out_but_nosniff() {
    type Leave = fn(SecurityHeadersLayer) -> SecurityHeadersLayer;
    let cases: [(usize, Leave); 3] = [
        (
            0,
            SecurityHeadersLayer::dangerous_without_strict_transport_security,
        ),
        (
            1,
            SecurityHeadersLayer::dangerous_without_content_security_policy,
        ),
        (3, SecurityHeadersLayer::dangerous_without_referrer_policy),
    ];
    for (at, leave) in cases {
        let headers = send(leave(SecurityHeadersLayer::new()), 200, &[]).await;
        let mut expected = DEFAULTS.map(|(_, value)| vec![value]);
        expected[at] = vec![];
        assert_eq!(values(&headers), expected);
    }
}

#[tokio::test]
async fn transport_security_is_not_announced_over_plain_http() {
    let service = SecurityHeadersLayer::new().layer(Echo::default());
    for (scheme, sent) in [
        (Some(ConnectionScheme::Http), false),
        (Some(ConnectionScheme::Https), true),
        // No scheme is named: browsers ignore it if it does come over plain http.
        (None, true),
    ] {
        let mut request = Request::new(String::new());
        if let Some(scheme) = scheme {
            request.extensions_mut().insert(scheme);
        }
        let response = service.clone().oneshot(request).await.unwrap();
        let headers = response.headers();
        assert_eq!(headers.contains_key(HSTS), sent, "{scheme:?}");
        for other in [CSP, NOSNIFF, REFERRER] {
            assert!(headers.contains_key(other), "{scheme:?}: {other}");
        }
    }
}

#[tokio::test]
async fn errors_of_the_inner_service_stay_errors() {
    let failing = service_fn(|_: Request<String>| async {
        Err::<Response<String>, _>(std::io::Error::other("inner"))
    });
    let service = SecurityHeadersLayer::new().layer(failing);
    let error = service.oneshot(Request::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "inner");
}

/// The order the documentation asks for.
#[tokio::test]
async fn the_whole_stack_hardens_its_refusals_too() {
    let echo = Echo::default();
    let service = ServiceBuilder::new()
        .layer(GrpcLayer::new())
        .layer(RequireHttpsLayer::behind_proxy("x-forwarded-proto").unwrap())
        .layer(CorsLayer::new().allow_origin(HeaderValue::from_static("https://app.example")))
        .layer(SecurityHeadersLayer::new())
        .layer(OriginGuardLayer::new(["https://app.example".parse().unwrap()]).unwrap())
        .layer(BearerAuthLayer::<NoClaims>::new(codec()))
        .service(echo.clone());
    let bearer = format!("Bearer {}", token());
    let send = async |proto: &str, origin: &str, authorization: &str, content_type: &str| {
        let request = Request::post("/")
            .version(Version::HTTP_2)
            .header("x-forwarded-proto", proto)
            .header("origin", origin)
            .header("authorization", authorization)
            .header("content-type", content_type)
            .body(String::new())
            .unwrap();
        service.clone().oneshot(request).await.unwrap()
    };
    let (own, json, grpc) = (
        "https://app.example",
        "application/json",
        "application/grpc",
    );

    let expected = DEFAULTS.map(|(_, value)| vec![value]);
    for (origin, authorization, content_type, status, calls) in [
        (own, bearer.as_str(), json, 200, 1),
        ("https://evil.example", &bearer, json, 403, 0),
        (own, "Bearer junk", json, 401, 0),
        ("https://evil.example", &bearer, grpc, 200, 0),
        (own, "Bearer junk", grpc, 200, 0),
    ] {
        let before = echo.calls();
        let response = send("https", origin, authorization, content_type).await;
        assert_eq!(response.status(), status);
        assert_eq!(values(response.headers()), expected);
        assert_eq!(echo.calls() - before, calls);
    }
    let response = send("http", own, &bearer, json).await;
    assert_eq!(response.status(), 403);
    assert!(!response.headers().contains_key(HSTS));
    assert_eq!(echo.calls(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_response_keeps_its_own_headers_and_has_all_four(
        status in 100..1000_u16,
        own in proptest::collection::vec((0..6_usize, proptest::collection::vec(any::<u8>(), 0..40)), 0..6),
    ) {
        let names = [HSTS, CSP, NOSNIFF, REFERRER, "set-cookie", "x-other"];
        let mut map = HeaderMap::new();
        for (name, value) in own {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                map.append(names[name], value);
            }
        }
        let headers = map.clone();
        let inner = service_fn(move |_: Request<()>| {
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            *response.headers_mut() = headers.clone();
            std::future::ready(Ok::<_, Infallible>(response))
        });
        let future = SecurityHeadersLayer::new().layer(inner).oneshot(Request::new(()));
        let response = futures_util::FutureExt::now_or_never(future).unwrap().unwrap();
        for name in map.keys() {
            let before: Vec<_> = map.get_all(name).iter().collect();
            let after: Vec<_> = response.headers().get_all(name).iter().collect();
            prop_assert_eq!(before, after);
        }
        if status != 304 {
            for (name, value) in DEFAULTS {
                prop_assert!(map.contains_key(name) || response.headers()[name] == value);
            }
        }
    }

    #[test]
    fn parsing_settings_never_panics(text in "\\PC{0,60}", policy in "[a-z';, -]{0,60}") {
        for text in [&text, &policy] {
            if let Ok(policy) = text.parse::<ContentSecurityPolicy>() {
                // An accepted value is sent as it is read.
                prop_assert_eq!(policy.as_str(), text.trim());
                prop_assert_eq!(policy.as_str().parse(), Ok(policy.clone()));
                prop_assert_eq!(ContentSecurityPolicy::dangerous_any_script(text), Ok(policy));
            }
            if let Ok(policy) = ContentSecurityPolicy::dangerous_any_script(text) {
                prop_assert_eq!(policy.as_str(), text.trim());
            }
            let _ = text.parse::<ReferrerPolicy>();
            let _ = text.parse::<tower_bearer::headers::HttpsHost>();
            let _ = RequireHttpsLayer::behind_proxy(text.as_str());
        }
    }
}
