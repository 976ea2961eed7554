//! The extractors.

use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode, header};
use tower::ServiceExt;
use tower_bearer::{BearerAuthLayer, Claims, NoClaims, Rejection, RejectionKind};

use crate::support::tokens::{Scoped, codec, token};

async fn me(claims: Claims) -> String {
    claims.subject().to_owned()
}

async fn whoever(claims: Option<Claims>) -> String {
    claims.map_or("nobody".to_owned(), |c| c.subject().to_owned())
}

fn app() -> Router {
    Router::new()
        .route("/me", get(me))
        .route("/whoever", get(whoever))
}

async fn call(
    app: Router,
    path: &str,
    token: Option<&str>,
) -> (StatusCode, String, Option<Rejection>) {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let response = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1000).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    (head.status, body, head.extensions.get().cloned())
}

#[tokio::test]
async fn a_handler_gets_its_claims() {
    let app = app().route_layer(BearerAuthLayer::<NoClaims>::new(codec()));
    let (status, body, _) = call(app.clone(), "/me", Some(&token())).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "alice"));
    let (status, _, rejection) = call(app, "/me", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(rejection.unwrap().kind(), RejectionKind::MissingCredentials);
}

#[tokio::test]
async fn an_optional_layer_leaves_the_choice_to_the_handler() {
    let app = app().route_layer(BearerAuthLayer::<NoClaims>::new(codec()).optional());
    let (status, body, _) = call(app.clone(), "/whoever", None).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "nobody"));
    let (_, body, _) = call(app.clone(), "/whoever", Some(&token())).await;
    assert_eq!(body, "alice");
    let (status, _, rejection) = call(app, "/me", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        rejection.unwrap().challenge().unwrap(),
        "Bearer realm=\"api\""
    );
}

#[tokio::test]
async fn a_missing_layer_is_named() {
    for path in ["/me", "/whoever"] {
        let (status, body, rejection) = call(app(), path, Some(&token())).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        // The client is not told which layer it is, the log is.
        assert_eq!(body, "");
        let reason = rejection.unwrap().to_string();
        assert!(reason.starts_with("BearerAuthLayer is missing"), "{reason}");
    }
}

#[tokio::test]
async fn claims_of_another_type_are_never_nobody() {
    let scope = "read".to_owned();
    let token = codec().mint("alice", &Scoped { scope }).unwrap();
    let app = app().route_layer(BearerAuthLayer::<Scoped>::new(codec()));
    for path in ["/me", "/whoever"] {
        let (status, _, rejection) = call(app.clone(), path, Some(token.as_str())).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        let reason = rejection.unwrap().to_string();
        assert!(reason.contains("another type"), "{reason}");
    }
}
