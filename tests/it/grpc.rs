//! The refusals that are gRPC. The tests cover content types, methods and versions of HTTP, for every layer that
//! refuses, with and without `GrpcLayer` outside.

use bytes::Bytes;
use http::{Extensions, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body_util::Full;
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_bearer::{GrpcLayer, RequireHttpsLayer, rejection::Rejection};

use crate::{
    csrf_form,
    support::{
        csrf,
        echo::Echo,
        guards::{self, Guard, Own},
        wire::{Server, head},
    },
};

const GRPC: [&str; 3] = [
    "application/grpc",
    "application/grpc+proto",
    "application/grpc+json",
];

const GRPC_WEB: [&str; 6] = [
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc-web+json",
    "application/grpc-web-text",
    "application/grpc-web-text+proto",
    "application/grpc-web-text+json",
];

/// The lines of `Content-Type` of requests that are not gRPC.
const OTHERS: &[&[&str]] = &[
    &[],
    &[""],
    &["application/json"],
    &["application/grp"],
    &["application/grpcfoo"],
    &["application/grpc-"],
    &["application/grpc+"],
    &["application/grpc+thrift"],
    &["application/grpc+protofoo"],
    &["application/grpc+\u{ff}"],
    &["application/grpc; a=b"],
    &["application/grpc;"],
    &["application/grpc "],
    &[" application/grpc"],
    &["application/grpc, application/grpc"],
    &["Application/grpc"],
    &["APPLICATION/GRPC"],
    &["application/gRPC+Proto"],
    &["application/grpc-web+thrift"],
    &["application/grpc-web-"],
    &["application/grpc-web-textual"],
    &["application/grpc-web; charset=utf-8"],
    &["APPLICATION/GRPC-WEB"],
    &["Application/Grpc-Web-Text+Json"],
    &["text/plain; a=application/grpc"],
    &["application/grpc", "application/grpc"],
    &["application/grpc", "application/json"],
    &["application/json", "application/grpc-web"],
];

const METHODS: [&str; 10] = [
    "POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "CONNECT", "post", "POSTS",
];

const VERSIONS: [Version; 5] = [
    Version::HTTP_09,
    Version::HTTP_10,
    Version::HTTP_11,
    Version::HTTP_2,
    Version::HTTP_3,
];

/// Every combination, and whether it is gRPC. The rule is written out here once more, from the
/// specification and not from the code.
fn table() -> Vec<(Request<String>, Option<&'static str>)> {
    let mut rows = Vec::new();
    let grpc = GRPC.iter().map(|known| (vec![*known], Some((*known, 2))));
    let web = GRPC_WEB
        .iter()
        .map(|known| (vec![*known], Some((*known, 0))));
    let others = OTHERS.iter().map(|lines| (lines.to_vec(), None));
    for (lines, known) in grpc.chain(web).chain(others) {
        for method in METHODS {
            for (at, version) in VERSIONS.into_iter().enumerate() {
                // From the fourth version on it is HTTP/2 or later.
                let major = if at >= 3 { 2 } else { 0 };
                let answered = known
                    .filter(|(_, least)| method == "POST" && major >= *least)
                    .map(|(known, _)| known);
                rows.push((request(method, version, &lines), answered));
            }
        }
    }
    rows
}

fn request(method: &str, version: Version, content_type: &[&str]) -> Request<String> {
    let mut request = Request::new(String::new());
    *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
    *request.version_mut() = version;
    for line in content_type {
        // U+0080 to U+00FF stand for single bytes.
        let line: Vec<u8> = line
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect();
        let line = HeaderValue::from_bytes(&line).unwrap();
        request.headers_mut().append(header::CONTENT_TYPE, line);
    }
    request
}

fn clone(request: &Request<String>) -> Request<String> {
    let mut copy = Request::new(String::new());
    *copy.method_mut() = request.method().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    copy
}

fn grpc_status(response: &Response<String>) -> Option<&str> {
    let value = response.headers().get("grpc-status")?;
    Some(value.to_str().unwrap())
}

/// Sends a copy of `request` that `guard` refuses. Returns the answer, and how often the application's own answer was
/// asked for.
async fn refused(
    guard: &Guard,
    with_layer: bool,
    own: Option<&Own>,
    request: &Request<String>,
) -> Response<String> {
    let inner = Echo::default();
    let mut request = clone(request);
    (guard.provoke)(&mut request);
    let service = match with_layer {
        true => guard.grpc_around(own, &inner),
        false => guard.around(own, &inner),
    };
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(inner.calls(), 0, "{}", guard.name);
    assert!(response.extensions().get::<Rejection>().is_some());
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    response
}

#[tokio::test]
async fn without_the_layer_no_refusal_is_grpc_and_the_application_is_always_asked() {
    let table = table();
    for guard in guards::all() {
        for (request, _) in &table {
            let what = format!("{}: {request:?}", guard.name);
            let response = refused(&guard, false, None, request).await;
            assert_eq!(response.status(), guard.status, "{what}");
            assert_eq!(grpc_status(&response), None, "{what}");

            let own = Own::new(StatusCode::IM_A_TEAPOT);
            let response = refused(&guard, false, Some(&own), request).await;
            assert_eq!(
                (response.status().as_u16(), own.asked()),
                (418, 1),
                "{what}"
            );
            assert_eq!(grpc_status(&response), None, "{what}");
        }
    }
}

#[tokio::test]
async fn with_the_layer_grpc_requests_alone_are_answered_in_grpc() {
    let table = table();
    for guard in guards::all() {
        for (request, answered) in &table {
            let what = format!("{}: {request:?}", guard.name);
            let own = Own::new(StatusCode::IM_A_TEAPOT);
            let responses = [
                (refused(&guard, true, None, request).await, guard.status, ""),
                (refused(&guard, true, Some(&own), request).await, 418, "own"),
            ];
            assert_eq!(own.asked(), usize::from(answered.is_none()), "{what}");
            for (response, plain, body) in responses {
                let Some(content_type) = answered else {
                    assert_eq!(response.status(), plain, "{what}");
                    assert_eq!(grpc_status(&response), None, "{what}");
                    assert_eq!(response.body(), body, "{what}");
                    continue;
                };
                assert_eq!(response.status(), 200, "{what}");
                assert_eq!(grpc_status(&response), Some(guard.code), "{what}");
                assert_eq!(response.headers()["content-type"], content_type, "{what}");
                assert!(response.headers().contains_key("grpc-message"), "{what}");
                assert!(!response.headers().contains_key("www-authenticate"));
                assert_eq!(response.body(), "", "{what}");
                // Scripts read no header of a cross-origin answer that is not named here.
                let exposed = response.headers().get("access-control-expose-headers");
                let web = content_type.contains("-web");
                assert_eq!(exposed.is_some(), web, "{what}");
            }
        }
    }
}

/// The extensions of a request that the layer has marked.
async fn marked(content_type: &str) -> Extensions {
    let echo = Echo::default();
    let call = request("POST", Version::HTTP_2, &[content_type]);
    let service = GrpcLayer::new().layer(echo.clone());
    service.oneshot(call).await.unwrap();
    echo.last().extensions
}

/// An application that hands the extensions of one request on to another cannot forge a mark.
#[tokio::test]
async fn a_mark_from_outside_counts_for_nothing() {
    for guard in guards::all() {
        for (request, answered) in table() {
            let inner = Echo::default();
            let mut request = clone(&request);
            *request.extensions_mut() = marked("application/grpc-web-text+json").await;
            (guard.provoke)(&mut request);
            let what = format!("{}: {request:?}", guard.name);
            let service = guard.grpc_around(None, &inner);
            let response = service.oneshot(request).await.unwrap();
            assert_eq!(inner.calls(), 0, "{what}");
            match answered {
                None => assert_eq!(response.status(), guard.status, "{what}"),
                Some(own) => assert_eq!(response.headers()["content-type"], own, "{what}"),
            }
            assert_eq!(grpc_status(&response).is_some(), answered.is_some());
        }
    }
}

/// It marks, and leaves the rest of request and response as they are.
#[tokio::test]
async fn the_layer_refuses_nothing() {
    for (request, answered) in table() {
        let echo = Echo::default();
        let service = GrpcLayer::new().layer(echo.clone());
        let response = service.oneshot(clone(&request)).await.unwrap();
        assert_eq!((response.status().as_u16(), echo.calls()), (200, 1));
        assert_eq!(response.body(), "inner");
        assert!(response.headers().is_empty());
        let seen = echo.last();
        assert_eq!(seen.headers, *request.headers());
        assert_eq!(seen.extensions.is_empty(), answered.is_none());
    }
}

/// A layer that stands inside of a guard comes too late for it.
#[tokio::test]
async fn a_layer_further_in_changes_nothing() {
    let service = ServiceBuilder::new()
        .layer(RequireHttpsLayer::connection())
        .layer(GrpcLayer::new())
        .service(Echo::default());
    let call = request("POST", Version::HTTP_2, &["application/grpc"]);
    let response = service.oneshot(call).await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(grpc_status(&response), None);
}

/// Redirected requests are `GET` or `HEAD`, and those of gRPC are `POST`: no answer is both.
#[tokio::test]
async fn redirects_are_never_grpc() {
    for (mut request, answered) in table() {
        let https = RequireHttpsLayer::behind_proxy("x-forwarded-proto").unwrap();
        let service = ServiceBuilder::new()
            .layer(GrpcLayer::new())
            .layer(https.redirect_to("app.example".parse().unwrap()))
            .service(Echo::default());
        let proto = HeaderValue::from_static("http");
        request.headers_mut().insert("x-forwarded-proto", proto);
        let expected = match (request.method().as_str(), answered) {
            ("GET" | "HEAD", _) => 308,
            (_, Some(_)) => 200,
            (_, None) => 403,
        };
        let what = format!("{request:?}");
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), expected, "{what}");
        assert_eq!(grpc_status(&response).is_some(), expected == 200, "{what}");
    }
}

/// The layer that reads forms refuses after it has read one, when the head alone has been kept.
#[tokio::test]
async fn a_form_that_is_read_first_is_refused_by_the_mark_alike() {
    let form = csrf_form::layer().form_field("t").unwrap();
    for (with_layer, status, code) in [(true, 200, Some("7")), (false, 403, None)] {
        // The mark is older than the content type, which something in between has replaced.
        let rewritten = ServiceBuilder::new()
            .map_request(|mut request: Request<String>| {
                let urlencoded = HeaderValue::from_static("application/x-www-form-urlencoded");
                request.headers_mut().insert("content-type", urlencoded);
                request
            })
            .layer(csrf::over_texts(form.clone()))
            .service(Echo::default());
        let mut call = request("POST", Version::HTTP_2, &["application/grpc"]);
        *call.body_mut() = "t=junk".to_owned();
        let cookie = csrf::issue(&csrf_form::layer()).await;
        let cookie = format!("{}={cookie}", csrf::COOKIE).parse().unwrap();
        call.headers_mut().insert(header::COOKIE, cookie);
        let response = match with_layer {
            true => GrpcLayer::new().layer(rewritten).oneshot(call).await,
            false => rewritten.oneshot(call).await,
        };
        let response = response.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(grpc_status(&response), code);
        assert!(csrf::reason(&response).is_some());
    }
}

/// Over real connections, where the version is the connection's.
#[tokio::test]
async fn over_a_socket_http_1_carries_grpc_web_alone() {
    let guards = guards::all();
    let bearer = &guards[0];
    assert_eq!(bearer.name, "bearer, missing");
    let service = bearer.grpc_around(None, &Echo::default());
    let server = Server::start(
        ServiceBuilder::new()
            .map_request(|request: Request<hyper::body::Incoming>| request.map(|_| String::new()))
            .service(service),
    )
    .await;
    for (content_type, one, two) in [
        ("application/grpc", 401, 200),
        ("application/grpc-web", 200, 200),
        ("application/grpcfoo", 401, 401),
    ] {
        let lines = [("Host", "a"), ("Content-Type", content_type)];
        for (method, expected) in [("POST", one), ("GET", 401), ("HEAD", 401)] {
            let answer = server.http1(&head(method, "/", &lines)).await;
            assert_eq!(answer.status, expected, "{method} {content_type}");
        }
        let call = Request::post("http://a/").header("content-type", content_type);
        let call = call.body(Full::<Bytes>::default()).unwrap();
        let answer = server.http2().await.send(call).await;
        assert_eq!(answer.status, two, "{content_type}");
        assert_eq!(answer.headers.contains_key("grpc-status"), two == 200);
    }
}
