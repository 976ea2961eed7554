//! `RequireScopeLayer`.

use http::{Request, Response, StatusCode, header};
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, NoClaims, RequireScopeLayer,
    bearer::Scope,
    rejection::{Rejection, RejectionKind},
};

use crate::support::{
    echo::Echo,
    tokens::{Scoped, codec, token, verified},
};

async fn send(layer: RequireScopeLayer, request: Request<String>) -> (Response<String>, usize) {
    let echo = Echo::default();
    let response = layer.layer(echo.clone()).oneshot(request).await.unwrap();
    (response, echo.calls())
}

fn require(scope: &str) -> RequireScopeLayer {
    RequireScopeLayer::new(scope.parse().unwrap())
}

#[tokio::test]
async fn every_required_scope_must_be_there_as_a_whole_word() {
    for (required, granted, passes) in [
        ("admin", "admin", true),
        ("admin", "read  admin", true),
        ("admin", " admin ", true),
        ("admin write", "write read admin", true),
        ("admin write", "admin", false),
        ("admin", "administrator", false),
        ("admin", "Admin", false),
        ("admin", "read,admin", false),
        ("admin", "read\tadmin", false),
        ("admin", "", false),
    ] {
        let (response, calls) = send(require(required), verified(granted)).await;
        assert_eq!(
            response.status() == StatusCode::OK,
            passes,
            "{required} {granted}"
        );
        assert_eq!(calls, usize::from(passes), "{required} {granted}");
    }
}

#[tokio::test]
async fn the_challenge_names_all_that_is_required() {
    let layer = require("admin write").realm("orders".parse().unwrap());
    let (response, _) = send(layer, verified("admin")).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        response.headers()[header::WWW_AUTHENTICATE],
        "Bearer realm=\"orders\", error=\"insufficient_scope\", scope=\"admin write\""
    );
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn the_rejection_has_both_scopes() {
    let (response, _) = send(require("admin write"), verified("write read")).await;
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.wanted_scope(), Some("admin write"));
    assert_eq!(rejection.present_scope(), Some("write read"));

    let mut request = Request::new(String::new());
    let context = codec::<NoClaims>().verify(&token()).unwrap().context();
    request.extensions_mut().insert(context);
    let (response, _) = send(require("admin"), request).await;
    let rejection = response.extensions().get::<Rejection>().unwrap();
    let scopes = (rejection.wanted_scope(), rejection.present_scope());
    assert_eq!(scopes, (Some("admin"), None));
    // A refusal for another reason has none.
    let (response, _) = send(require("admin"), Request::new(String::new())).await;
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.wanted_scope().or(rejection.present_scope()), None);
}

#[tokio::test]
async fn without_the_bearer_layer_nothing_passes() {
    let (response, calls) = send(require("admin"), Request::new(String::new())).await;
    assert_eq!(
        (response.status(), calls),
        (StatusCode::INTERNAL_SERVER_ERROR, 0)
    );
    assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.kind(), RejectionKind::Internal);
    assert!(rejection.to_string().contains("BearerAuthLayer is missing"));
}

#[tokio::test]
async fn the_wrong_order_is_the_same_mistake() {
    let echo = Echo::default();
    let service = ServiceBuilder::new()
        .layer(require("admin"))
        .layer(BearerAuthLayer::<Scoped>::new(codec()))
        .service(echo.clone());
    let response = service.oneshot(Request::new(String::new())).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(echo.calls(), 0);
}

#[tokio::test]
async fn a_request_without_a_user_gets_401_and_no_mistake() {
    let bearer = || BearerAuthLayer::<Scoped>::new(codec());
    let preflight = Request::options("/").header("access-control-request-method", "GET");
    for (bearer, request) in [
        (bearer().optional(), Request::get("/")),
        (bearer().preflight(true), preflight),
    ] {
        let echo = Echo::default();
        let service = ServiceBuilder::new()
            .layer(bearer)
            .layer(require("admin"))
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

#[test]
fn scope_names_are_checked_where_they_are_written() {
    for bad in [
        "",
        " ",
        "a  b",
        " a",
        "a ",
        "a\"b",
        "a\\b",
        "a\tb",
        "caf\u{e9}",
        "a\r\nX: y",
    ] {
        assert_eq!(
            bad.parse::<Scope>().unwrap_err().setting(),
            "scope",
            "{bad:?}"
        );
    }
}
