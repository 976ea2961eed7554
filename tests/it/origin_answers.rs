//! The answer to a client that the origin guard refuses, in HTTP and in gRPC-Web. Which requests are gRPC is
//! in `grpc`, for all layers.

use http::{Request, Response, StatusCode};
use tower::{Layer, ServiceExt};
use tower_bearer::{
    GrpcLayer, OriginGuardLayer,
    rejection::{OriginReason, Rejection, RejectionKind},
};

use crate::support::echo::Echo;

fn guard() -> OriginGuardLayer {
    OriginGuardLayer::new(["https://app.example".parse().unwrap()]).unwrap()
}

fn call(origin: &str, content_type: &str) -> Request<String> {
    Request::post("/shop.Orders/Place")
        .header("origin", origin)
        .header("content-type", content_type)
        .body("a message".to_owned())
        .unwrap()
}

/// Returns the answer to a refused call with this content type, after checking the parts that every answer has.
async fn refusal(content_type: &str) -> Response<String> {
    let echo = Echo::default();
    let service = guard().layer(echo.clone());
    let response = service
        .oneshot(call("https://evil.example", content_type))
        .await
        .unwrap();
    assert_eq!(echo.calls(), 0, "{content_type}");
    assert_eq!(response.body(), "", "{content_type}");
    assert_eq!(response.headers()["vary"], "Origin, Sec-Fetch-Site");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(!response.headers().contains_key("www-authenticate"));
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.kind(), RejectionKind::ForeignOrigin);
    assert_eq!(
        rejection.origin_reason(),
        Some(OriginReason::UnlistedOrigin)
    );
    response
}

#[tokio::test]
async fn every_content_type_gets_403() {
    for sent in [
        "",
        "application/grpc",
        "application/grpc-web+proto",
        "application/json",
        "application/x-www-form-urlencoded",
    ] {
        let response = refusal(sent).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{sent}");
        assert!(!response.headers().contains_key("grpc-status"), "{sent}");
        assert!(!response.headers().contains_key("content-type"), "{sent}");
    }
}

/// gRPC over HTTP/2, "Responses": trailers-only is one block of headers with the status in it.
#[tokio::test]
async fn behind_the_grpc_layer_it_is_a_trailers_only_response() {
    let echo = Echo::default();
    let service = GrpcLayer::new().layer(guard().layer(echo.clone()));
    let grpc_web = "application/grpc-web+proto";
    let response = service
        .clone()
        .oneshot(call("https://evil.example", grpc_web))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.body(), "");
    assert_eq!(echo.calls(), 0);
    for (name, value) in [
        // Scripts read no header of a cross-origin answer that is not exposed, and a refused origin
        // is a cross one.
        ("access-control-expose-headers", "grpc-status, grpc-message"),
        ("cache-control", "no-store"),
        ("content-type", grpc_web),
        ("grpc-message", "foreign origin"),
        ("grpc-status", "7"),
        ("vary", "Origin, Sec-Fetch-Site"),
    ] {
        assert_eq!(response.headers()[name], value);
    }
    assert_eq!(response.headers().len(), 6);
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.kind(), RejectionKind::ForeignOrigin);

    let own = call("https://app.example", grpc_web);
    let response = service.oneshot(own).await.unwrap();
    assert_eq!((response.body().as_str(), echo.calls()), ("inner", 1));
}

/// Whatever the application answers with, a refusal stays one that no cache gives to others.
#[tokio::test]
async fn an_answer_of_the_applications_own_is_completed() {
    let layer = guard().rejection_response(|rejection: &Rejection| {
        let mut response = Response::new(format!("{rejection}"));
        response
            .headers_mut()
            .insert("vary", "Accept-Language".parse().unwrap());
        response
    });
    let echo = Echo::default();
    let service = layer.layer(echo.clone());
    let response = service
        .oneshot(call("https://evil.example", "text/plain"))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        response.body(),
        "the request does not come from a listed origin (see .origins, or OriginGuardLayer::new)"
    );
    let vary: Vec<_> = response.headers().get_all("vary").iter().collect();
    assert_eq!(vary, ["Accept-Language", "Origin, Sec-Fetch-Site"]);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(response.extensions().get::<Rejection>().is_some());
    assert_eq!(echo.calls(), 0);
}
