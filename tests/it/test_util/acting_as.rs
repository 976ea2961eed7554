//! `Claims::for_test` and `acting_as`.

use std::time::Duration;

use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use tower::{Layer, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, Claims, KeyRing, NoClaims, RequireClaimsLayer, RequireRecentAuth,
    RequireScopeLayer, Timestamp, TokenCodec, TokenContext,
    rejection::{Rejection, RejectionKind},
    test_util::{ActingAsLayer, acting_as},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Role {
    role: String,
}

fn editor() -> Role {
    Role {
        role: "editor".into(),
    }
}

/// Routes that ask for everything that a layer of the crate can ask for, without their bearer layer.
fn api() -> Router {
    let role = |claims: Claims<Role>| async move {
        format!("{} is {}", claims.subject(), claims.custom().role)
    };
    let any = |context: axum::Extension<TokenContext>| async move { context.subject().to_owned() };
    let editors = RequireClaimsLayer::new(|claims: &Claims<Role>| claims.custom().role == "editor");
    let scoped = RequireScopeLayer::new("orders:read".parse().unwrap());
    let recent = RequireRecentAuth::max_age(Duration::from_secs(300));
    let strong = RequireRecentAuth::max_age(Duration::from_secs(300));
    let strong = strong.acr_values(["aal2".parse().unwrap()]);
    Router::new()
        .route("/role", get(role))
        .route("/any", get(any))
        .route("/editors", get(role).layer(editors))
        .route("/scoped", get(role).layer(scoped))
        .route("/recent", get(role).layer(recent))
        .route("/strong", get(role).layer(strong))
}

fn ask(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

async fn status(acting: &ActingAsLayer<Role>, path: &str) -> StatusCode {
    let response = api().layer(acting.clone()).oneshot(ask(path)).await;
    response.unwrap().status()
}

#[test]
fn claims_for_a_test_say_what_they_are_told_and_are_as_a_token_has_them() {
    let claims = Claims::for_test("ann", editor());
    assert_eq!(claims.subject(), "ann");
    assert_eq!(claims.custom(), &editor());
    assert!(claims.token_id().is_some() && claims.session().is_none());
    assert!(claims.audiences().eq(["test"]));
    let raw: serde_json::Value = serde_json::from_str(claims.raw()).unwrap();
    assert_eq!(
        (&raw["sub"], &raw["role"]),
        (&"ann".into(), &"editor".into())
    );
    assert_eq!(
        claims.context().claims::<Role>().unwrap().custom(),
        &editor()
    );
}

#[test]
fn claims_say_each_thing_that_a_test_adds() {
    let now = Timestamp::from_secs(1_800_000_000);
    let claims = acting_as("ann", editor())
        .scope("a b")
        .session("browser-7")
        .issuer("https://id.example")
        .audience("api")
        .authenticated(Duration::from_secs(60))
        .claim("amr", ["pwd", "otp"])
        .claim("role", "reader")
        .at(now)
        .claims();
    assert_eq!(claims.scope(), Some("a b"));
    assert_eq!(claims.session(), Some("browser-7"));
    assert_eq!(claims.issuer(), Some("https://id.example"));
    assert!(claims.audiences().eq(["api"]));
    assert_eq!(
        claims.auth_time(),
        Some(Timestamp::from_secs(1_799_999_940))
    );
    assert_eq!(claims.amr(), ["pwd", "otp"]);
    assert_eq!(claims.custom().role, "reader");
    assert_eq!(claims.issued_at(), Some(now));
    assert_eq!(claims.expires_at(), now + Duration::from_secs(900));
}

/// A token that leaves a test is worth nothing.
#[test]
fn no_codec_takes_the_token_of_such_claims() {
    let claims = Claims::for_test("ann", NoClaims {});
    let codec = TokenCodec::<NoClaims>::signed(&KeyRing::generate().unwrap())
        .issuer("https://issuer.test")
        .audience("test")
        .build()
        .unwrap();
    codec.verify(claims.token().as_str()).unwrap_err();
    // Nor are two drawn with one key.
    assert_ne!(
        claims.token_id(),
        Claims::for_test("ann", NoClaims {}).token_id()
    );
}

#[tokio::test]
async fn every_layer_takes_them_for_verified() {
    let plain = acting_as("ann", editor());
    let all = [
        ("/role", plain.clone(), 200),
        ("/any", plain.clone(), 200),
        ("/editors", plain.clone(), 200),
        ("/editors", plain.clone().claim("role", "reader"), 403),
        ("/scoped", plain.clone(), 403),
        ("/scoped", plain.clone().scope("orders:write"), 403),
        (
            "/scoped",
            plain.clone().scope("orders:read orders:write"),
            200,
        ),
        ("/recent", plain.clone(), 401),
        (
            "/recent",
            plain.clone().authenticated(Duration::from_secs(299)),
            200,
        ),
        (
            "/recent",
            plain.clone().authenticated(Duration::from_secs(302)),
            401,
        ),
        ("/strong", plain.clone().authenticated(Duration::ZERO), 401),
        (
            "/strong",
            plain.authenticated(Duration::ZERO).claim("acr", "aal2"),
            200,
        ),
    ];
    for (path, acting, expected) in all {
        assert_eq!(status(&acting, path).await, expected, "{path}: {acting:?}");
    }
}

#[tokio::test]
async fn one_request_has_them_as_an_extension() {
    let mut request = ask("/scoped");
    let context = acting_as("bob", editor()).scope("orders:read").context();
    request.extensions_mut().insert(context);
    let response = api().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    // Without them nothing has changed.
    let response = api().oneshot(ask("/scoped")).await.unwrap();
    assert_eq!(response.status(), 500);
}

/// Claims of an issuer elsewhere are read, and written by no program of ours.
#[test]
fn a_type_that_is_only_read_takes_its_claims_from_json() {
    #[derive(Deserialize)]
    struct Theirs {
        permissions: Vec<String>,
    }
    let json = serde_json::json!({ "permissions": ["a", "b"] });
    let claims = ActingAsLayer::<Theirs>::from_claims("auth0|7", &json).claims();
    assert_eq!(claims.custom().permissions, ["a", "b"]);
}

#[test]
#[should_panic(expected = "Give a struct, or `NoClaims {}` where there are none")]
fn claims_that_are_no_object_are_refused() {
    let _ = acting_as("ann", "editor");
}

#[test]
#[should_panic(expected = "the subject is empty")]
fn a_subject_that_is_empty_is_refused() {
    let _ = Claims::for_test("", NoClaims {});
}

#[test]
#[should_panic(expected = "no token of \"ann\" can have these claims")]
fn a_claim_that_only_the_codec_writes_is_refused() {
    let _ = acting_as("ann", NoClaims {}).claim("sub", "bob").claims();
}

#[test]
#[should_panic(expected = "a claim does not fit the application's own type")]
fn claims_that_do_not_fit_the_type_are_refused() {
    let json = serde_json::json!({ "rolle": "editor" });
    let _ = ActingAsLayer::<Role>::from_claims("ann", &json).claims();
}

fn bearer() -> BearerAuthLayer<Role> {
    let codec = TokenCodec::nested(&KeyRing::generate().unwrap());
    let codec = codec.issuer("https://id.example").audience("api");
    BearerAuthLayer::new(codec.build().unwrap())
}

#[tokio::test]
#[should_panic(expected = "a BearerAuthLayer inside of acting_as has asked for a token")]
async fn a_bearer_layer_inside_is_named() {
    let app = api().layer(bearer()).layer(acting_as("ann", editor()));
    let _ = app.oneshot(ask("/role")).await;
}

#[tokio::test]
#[should_panic(expected = "the request has claims already")]
async fn claims_that_are_there_already_are_named() {
    let app = api()
        .layer(acting_as("ann", editor()))
        .layer(acting_as("bob", editor()));
    let _ = app.oneshot(ask("/role")).await;
}

/// It goes around any service, and forwards what that says.
#[tokio::test]
async fn it_needs_no_framework() {
    let service = tower::service_fn(|request: Request<()>| async move {
        let claims = Claims::<Role>::from_extensions(request.extensions());
        claims.map(|claims| http::Response::new(claims.subject().to_owned()))
    });
    let service = acting_as("ann", editor()).layer(service);
    let response = service.clone().oneshot(Request::new(())).await.unwrap();
    assert_eq!(response.into_body(), "ann");

    // A handler that asks for another type is told so, as behind the bearer layer.
    let other = tower::service_fn(|request: Request<()>| async move {
        let claims = Claims::<NoClaims>::from_extensions(request.extensions());
        claims.map(|_| http::Response::new(()))
    });
    let other = acting_as("ann", editor()).layer(other);
    let refused: Rejection = other.oneshot(Request::new(())).await.unwrap_err();
    assert_eq!(refused.kind(), RejectionKind::Internal);
}
