//! What a client gets that the origin guard refuses: in HTTP, in gRPC and in gRPC-Web.

use http::{Request, Response, StatusCode};
use tower::{Layer, ServiceExt};
use tower_bearer::{OriginGuardLayer, OriginReason, Rejection, RejectionKind};

use crate::support::echo::Echo;

fn guard() -> OriginGuardLayer {
    OriginGuardLayer::new(["https://app.example".parse().unwrap()])
}

fn call(origin: &str, content_type: &str) -> Request<String> {
    Request::post("/shop.Orders/Place")
        .header("origin", origin)
        .header("content-type", content_type)
        .body("a message".to_owned())
        .unwrap()
}

/// What a refused call with this content type is answered, after checking what every answer has.
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

/// What the client sends, and what it is answered in.
const GRPC: &[(&str, &str)] = &[
    ("application/grpc", "application/grpc"),
    ("application/grpc+proto", "application/grpc+proto"),
    ("application/grpc+json", "application/grpc+json"),
    ("Application/gRPC+Proto", "application/grpc+proto"),
    ("application/grpc; charset=utf-8", "application/grpc"),
    ("application/grpc+thrift", "application/grpc"),
];

const GRPC_WEB: &[(&str, &str)] = &[
    ("application/grpc-web", "application/grpc-web"),
    ("application/grpc-web+proto", "application/grpc-web+proto"),
    ("application/grpc-web+json", "application/grpc-web+json"),
    ("application/grpc-web-text", "application/grpc-web-text"),
    (
        "application/grpc-web-text+proto",
        "application/grpc-web-text+proto",
    ),
    ("APPLICATION/GRPC-WEB", "application/grpc-web"),
    ("application/grpc-web+thrift", "application/grpc-web"),
];

/// gRPC over HTTP/2, "Responses": trailers-only is one block of headers with the status in it.
#[tokio::test]
async fn grpc_gets_a_trailers_only_response() {
    for (sent, answered) in GRPC.iter().chain(GRPC_WEB) {
        let response = refusal(sent).await;
        assert_eq!(response.status(), StatusCode::OK, "{sent}");
        assert_eq!(response.headers()["content-type"], answered, "{sent}");
        assert_eq!(response.headers()["grpc-status"], "7", "{sent}");
        assert_eq!(
            response.headers()["grpc-message"],
            "foreign origin",
            "{sent}"
        );
    }
}

/// Scripts read no header of a cross-origin answer that is not exposed, and a refused origin is a
/// cross one.
#[tokio::test]
async fn grpc_web_exposes_its_status() {
    const EXPOSE: &str = "access-control-expose-headers";
    for (sent, _) in GRPC_WEB {
        let response = refusal(sent).await;
        assert_eq!(response.headers()[EXPOSE], "grpc-status, grpc-message");
    }
    for (sent, _) in GRPC {
        assert!(
            !refusal(sent).await.headers().contains_key(EXPOSE),
            "{sent}"
        );
    }
}

#[tokio::test]
async fn everything_else_gets_403() {
    for sent in [
        "",
        "application/json",
        "application/x-www-form-urlencoded",
        "application/grp",
        "text/plain; a=application/grpc",
    ] {
        let response = refusal(sent).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{sent}");
        assert!(!response.headers().contains_key("grpc-status"), "{sent}");
        assert!(!response.headers().contains_key("content-type"), "{sent}");
    }
}

#[tokio::test]
async fn grpc_from_a_listed_origin_is_let_through() {
    for (sent, _) in GRPC.iter().chain(GRPC_WEB) {
        let echo = Echo::default();
        let service = guard().layer(echo.clone());
        let response = service
            .oneshot(call("https://app.example", sent))
            .await
            .unwrap();
        assert_eq!(response.body(), "inner", "{sent}");
        assert_eq!(echo.calls(), 1, "{sent}");
    }
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
        .clone()
        .oneshot(call("https://evil.example", "text/plain"))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        response.body(),
        "the request does not come from a listed origin"
    );
    let vary: Vec<_> = response.headers().get_all("vary").iter().collect();
    assert_eq!(vary, ["Accept-Language", "Origin, Sec-Fetch-Site"]);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(response.extensions().get::<Rejection>().is_some());

    // gRPC has no body to customise.
    let response = service
        .oneshot(call("https://evil.example", "application/grpc"))
        .await
        .unwrap();
    assert_eq!(response.headers()["grpc-status"], "7");
    assert_eq!(response.body(), "");
    assert_eq!(echo.calls(), 0);
}
