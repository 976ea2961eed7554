//! `RequireClaimsLayer`.

use http::{Request, Response, StatusCode, header};
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, Claims, NoClaims, RequireClaimsLayer,
    rejection::{Rejection, RejectionKind},
};

use crate::support::{
    echo::Echo,
    tokens::{Scoped, codec, verified},
};

fn admins() -> RequireClaimsLayer<Scoped> {
    RequireClaimsLayer::new(|claims: &Claims<Scoped>| claims.custom().scope == "admin")
}

async fn send<C: Send + Sync + 'static>(
    layer: RequireClaimsLayer<C>,
    request: Request<String>,
) -> (Response<String>, usize) {
    let echo = Echo::default();
    let response = layer.layer(echo.clone()).oneshot(request).await.unwrap();
    (response, echo.calls())
}

fn rejection(response: &Response<String>) -> &Rejection {
    response.extensions().get().unwrap()
}

#[tokio::test]
async fn the_rule_decides_and_its_no_is_a_403_without_a_challenge() {
    let (response, calls) = send(admins(), verified("admin")).await;
    assert_eq!((response.status(), calls), (StatusCode::OK, 1));

    let (response, calls) = send(admins(), verified("reader")).await;
    assert_eq!((response.status(), calls), (StatusCode::FORBIDDEN, 0));
    assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(rejection(&response).kind(), RejectionKind::Forbidden);
    assert_eq!(rejection(&response).reason(), "forbidden");
}

#[tokio::test]
async fn the_rule_sees_the_registered_claims_too() {
    let named = |name: &'static str| {
        RequireClaimsLayer::new(move |claims: &Claims<Scoped>| claims.subject() == name)
    };
    for (name, status) in [
        ("alice", StatusCode::OK),
        ("mallory", StatusCode::FORBIDDEN),
    ] {
        let (response, _) = send(named(name), verified("reader")).await;
        assert_eq!(response.status(), status, "{name}");
    }
}

#[tokio::test]
async fn without_the_bearer_layer_nothing_passes() {
    let (response, calls) = send(admins(), Request::new(String::new())).await;
    assert_eq!(
        (response.status(), calls),
        (StatusCode::INTERNAL_SERVER_ERROR, 0)
    );
    let text = rejection(&response).to_string();
    assert!(text.starts_with("BearerAuthLayer is missing"), "{text}");
}

#[tokio::test]
async fn claims_of_another_type_are_a_mistake_and_never_a_refusal_of_the_client() {
    let layer = RequireClaimsLayer::new(|_: &Claims<NoClaims>| true);
    let (response, calls) = send(layer, verified("admin")).await;
    assert_eq!(
        (response.status(), calls),
        (StatusCode::INTERNAL_SERVER_ERROR, 0)
    );
    assert_eq!(rejection(&response).kind(), RejectionKind::Internal);
    let text = rejection(&response).to_string();
    assert!(
        text.contains("Scoped") && text.contains("NoClaims"),
        "{text}"
    );
}

#[tokio::test]
async fn a_request_that_the_bearer_layer_lets_through_without_a_token_is_asked_to_sign_in() {
    let bearer = || BearerAuthLayer::<Scoped>::new(codec());
    let preflight = Request::options("/").header("access-control-request-method", "GET");
    for (bearer, request) in [
        (bearer().optional(), Request::get("/")),
        (bearer().preflight(true), preflight),
    ] {
        let echo = Echo::default();
        let service = ServiceBuilder::new()
            .layer(bearer)
            .layer(admins())
            .service(echo.clone());
        let request = request.body(String::new()).unwrap();
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(
            response.headers()[header::WWW_AUTHENTICATE],
            "Bearer realm=\"api\""
        );
        assert_eq!(echo.calls(), 0);
    }
}
