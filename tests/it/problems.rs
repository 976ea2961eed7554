//! Refusals as problem documents (RFC 9457).

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_bearer::{
    BearerAuthLayer, GrpcLayer, NoClaims, OriginGuardLayer, Problem, RefusalLayer, Session,
    SessionError,
    rejection::{Rejection, RejectionKind},
};

use crate::support::{echo::Echo, guards, tokens::codec, world::World};

/// Programs go by these. The codes stay as they are, so the list is written out.
const CODES: [(RejectionKind, u16, &str); 12] = [
    (RejectionKind::ContentTooLarge, 413, "too_large"),
    (RejectionKind::CsrfFailed, 403, "csrf"),
    (RejectionKind::Forbidden, 403, "forbidden"),
    (RejectionKind::ForeignOrigin, 403, "foreign_origin"),
    (RejectionKind::InsecureTransport, 403, "https_required"),
    (RejectionKind::InsufficientScope, 403, "insufficient_scope"),
    (
        RejectionKind::InsufficientUserAuthentication,
        401,
        "insufficient_user_authentication",
    ),
    (RejectionKind::Internal, 500, "layer_missing"),
    (RejectionKind::InvalidRequest, 400, "invalid_request"),
    (RejectionKind::InvalidToken, 401, "invalid_token"),
    (RejectionKind::MissingCredentials, 401, "missing_token"),
    (RejectionKind::Unavailable, 503, "unavailable"),
];

/// Every guard's refusal has a code. A bare layer over a body of another kind keeps it to the status.
#[tokio::test]
async fn every_refusal_has_a_code() {
    for guard in guards::all() {
        let mut request = Request::post("/").body(String::new()).unwrap();
        (guard.provoke)(&mut request);
        let response = guard
            .around(None, &Echo::default())
            .oneshot(request)
            .await
            .unwrap();
        let rejection = response.extensions().get::<Rejection>().unwrap();
        let problem = rejection.problem();
        let listed = CODES.iter().find(|(kind, ..)| *kind == rejection.kind());
        let (_, status, code) = listed.unwrap_or_else(|| panic!("{}", guard.name));
        assert_eq!(
            (problem.status().as_u16(), problem.code()),
            (*status, *code)
        );
        assert_eq!(response.status(), problem.status(), "{}", guard.name);
        assert_eq!(response.body(), "", "{}", guard.name);
        assert!(!response.headers().contains_key("content-type"));
    }
}

fn full() -> impl tower::Service<
    Request<()>,
    Response = Response<Full<Bytes>>,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone {
    service_fn(|_: Request<()>| async { Ok(Response::new(Full::default())) })
}

#[tokio::test]
async fn problem_json_is_for_every_body_of_bytes() {
    let bearer = BearerAuthLayer::<NoClaims>::new(codec()).problem_json();
    let response = bearer
        .layer(full())
        .oneshot(Request::new(()))
        .await
        .unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.headers()["www-authenticate"],
        "Bearer realm=\"api\""
    );
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "type": "about:blank",
            "title": "An access token is needed",
            "status": 401,
            "code": "missing_token",
        })
    );
}

/// The answer of gRPC is its headers, whatever the format.
#[tokio::test]
async fn an_answer_in_grpc_has_no_body() {
    let format = http::HeaderValue::from_static("text/plain");
    let stack = tower::ServiceBuilder::new()
        .layer(RefusalLayer::new().format(format, |problem| problem.code().to_owned()))
        .layer(GrpcLayer::new())
        .layer(BearerAuthLayer::<NoClaims>::new(codec()).problem_json())
        .service(full());
    let call = Request::post("/shop.Orders/Place")
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc");
    let response = stack.oneshot(call.body(()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/grpc");
    assert_eq!(response.headers()["grpc-status"], "16");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "");
}

fn page(problem: &Problem) -> Response<Full<Bytes>> {
    let mut response = problem.response().map(|_: Vec<u8>| Full::from("<p>taken"));
    let html = http::HeaderValue::from_static("text/html");
    response.headers_mut().insert("content-type", html);
    response
}

fn compressed(problem: &Problem) -> Response<Full<Bytes>> {
    let mut response = problem.response().map(|_: Vec<u8>| Full::from("\u{1f}"));
    let gzip = http::HeaderValue::from_static("gzip");
    response.headers_mut().insert("content-encoding", gzip);
    response
}

/// The application's own failures have the format as well, and an application's answer that is none is
/// left alone.
#[tokio::test]
async fn the_format_is_for_problems_alone() {
    let format = http::HeaderValue::from_static("text/plain");
    let refusals = RefusalLayer::new().format(format, |problem| problem.code().to_owned());
    let own = Problem::new(StatusCode::CONFLICT, "name_taken", "The name is taken");
    for (response, content_type, text) in [
        (
            own.response::<Full<Bytes>>(),
            Some("text/plain"),
            "name_taken",
        ),
        (
            Response::builder()
                .status(404)
                .body(Full::from("gone"))
                .unwrap(),
            None,
            "gone",
        ),
        // A layer in between has made a page of it, or compressed it.
        (page(&own), Some("text/html"), "<p>taken"),
        (compressed(&own), Some("application/problem+json"), "\u{1f}"),
    ] {
        let status = response.status();
        let answer = service_fn(move |_: Request<()>| {
            std::future::ready(Ok::<_, std::convert::Infallible>(response.clone()))
        });
        let response = refusals
            .layer(answer)
            .oneshot(Request::new(()))
            .await
            .unwrap();
        assert_eq!(response.status(), status);
        let found = response.headers().get("content-type").cloned();
        assert_eq!(
            found.as_ref().map(|value| value.to_str().unwrap()),
            content_type
        );
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, text);
    }
}

/// The parts of a front door have a layer without a format of their own inside of the application's.
#[tokio::test]
async fn an_outer_format_is_for_what_an_inner_layer_left_alone() {
    let text = |name: &'static str| {
        let format = http::HeaderValue::from_static("text/plain");
        RefusalLayer::new().format(format, move |problem| format!("{name} {}", problem.code()))
    };
    let bearer = || BearerAuthLayer::<NoClaims>::new(codec());
    for (service, expected) in [
        (
            text("outer").layer(RefusalLayer::new().layer(bearer().layer(full()))),
            "outer missing_token",
        ),
        (
            text("outer").layer(text("inner").layer(bearer().layer(full()))),
            "inner missing_token",
        ),
    ] {
        let response = service.oneshot(Request::new(())).await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["content-type"], "text/plain");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, expected);
    }
    // Alone it fills what a bare layer leaves empty.
    let service = RefusalLayer::new().layer(bearer().layer(full()));
    let response = service.oneshot(Request::new(())).await.unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    assert!(response.headers().contains_key("www-authenticate"));
}

/// Error types of the application's own keep the status.
#[tokio::test]
async fn a_session_error_has_its_status_by_itself() {
    let world = World::new();
    let found = Arc::new(Mutex::new(Vec::new()));
    let keep = found.clone();
    let service = world.layer.layer(service_fn(move |request: Request<()>| {
        let session = Session::from_extensions(request.extensions()).unwrap();
        let keep = keep.clone();
        async move {
            for error in [
                session.refresh().await.unwrap_err(),
                session.start("").await.unwrap_err(),
            ] {
                let error: Box<dyn std::error::Error> = Box::new(error);
                let error = error.downcast_ref::<SessionError>().unwrap();
                assert_eq!(error.response().status(), error.status());
                assert_eq!(error.problem().status(), error.status());
                keep.lock()
                    .unwrap()
                    .push((error.status().as_u16(), error.problem().code()));
            }
            Ok::<_, std::convert::Infallible>(Response::new(()))
        }
    }));
    service.oneshot(Request::new(())).await.unwrap();
    assert_eq!(
        *found.lock().unwrap(),
        [(401, "no_session"), (400, "invalid_input")]
    );
}

/// A list that lets nothing in says so in the document, too.
#[tokio::test]
async fn a_guard_of_axum_answers_with_a_document() {
    let guard = OriginGuardLayer::new(["https://app.example".parse().unwrap()]).unwrap();
    let app = axum::Router::new()
        .route("/", axum::routing::post(|| async {}))
        .layer(guard);
    let request = Request::post("/").header("origin", "https://evil.example");
    let request = request.body(axum::body::Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    assert_eq!(response.headers()["cache-control"], "no-store");
}
