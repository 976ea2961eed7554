//! The answers to a client, whatever the issuer does.

use http::{Request, StatusCode};
use tower::{Layer, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, GrpcLayer, NoClaims, TokenErrorKind, rejection::RejectionKind,
};

use super::{
    Api,
    issuer::{Issuer, Reply, eventually},
    signer,
};
use crate::support::{
    echo::Echo,
    wire::{Server, head},
};

#[tokio::test]
async fn tokens_of_the_issuer_pass() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let api = Api::ready(&issuer).await;
    assert_eq!(api.brief(&api.token(&key)).await, (200, None));
    assert_eq!(api.events.take(), ["fetched 1"]);
    assert_eq!(issuer.requests(), 1);
    let headers = issuer.last();
    assert_eq!(
        headers["accept"],
        "application/jwk-set+json, application/json"
    );
    assert!(
        headers["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("tower-bearer/")
    );
    assert!(headers.get("if-none-match").is_none());
    assert!(headers.get("authorization").is_none());
}

#[tokio::test]
async fn the_keys_come_without_a_request() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let api = Api::new(&issuer);
    eventually("ready", || api.keys.health().is_ready()).await;
    assert_eq!(api.status(&api.token(&key)).await, 200);
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test]
async fn before_the_first_set_no_token_can_be_judged() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    issuer.hold();
    let api = Api::new(&issuer);
    let told = api.ask(&api.token(&key)).await;
    assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(told.headers["retry-after"], "1");
    assert_eq!(told.headers["cache-control"], "no-store");
    assert!(
        told.headers.get("www-authenticate").is_none(),
        "the token is not at fault"
    );
    let rejection = told.rejection.unwrap();
    assert_eq!(rejection.kind(), RejectionKind::Unavailable);
    let error = rejection.token_error().unwrap();
    assert_eq!(error.kind(), TokenErrorKind::KeysUnavailable);
    assert!(!api.keys.health().is_ready());
    // The codec itself says the same to a caller that asks it directly.
    let error = api.codec.verify(&api.token(&key)).unwrap_err();
    assert_eq!(error.kind(), TokenErrorKind::KeysUnavailable);

    // A token that no set makes good is refused now. A request that needs no token passes or fails as ever.
    let good = api.token(&key);
    let (header, rest) = good.split_once('.').unwrap();
    let (claims, _) = rest.split_once('.').unwrap();
    let none = base64(r#"{"alg":"none","kid":"a","typ":"at+jwt"}"#);
    let secret = base64(r#"{"alg":"HS256","kid":"a","typ":"at+jwt"}"#);
    for (token, status) in [
        ("garbage".to_owned(), 401),
        (format!("{header}.{claims}"), 401),
        (format!("{header}.{claims}.a b"), 400),
        (format!("{header}.{claims}.\u{7f}"), 400),
        (format!("{none}.{claims}."), 401),
        (format!("{secret}.{claims}.AAAA"), 401),
        ("a".repeat(10_000), 401),
    ] {
        let request =
            Request::get("/").header("authorization", format!("Bearer {token}").as_bytes());
        let Ok(request) = request.body(()) else {
            continue;
        };
        let response = api.service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{token:.60}");
    }
    let anonymous = Request::get("/").body(()).unwrap();
    let response = api.service.clone().oneshot(anonymous).await.unwrap();
    assert_eq!(response.status(), 401);

    issuer.release();
    eventually("ready", || api.keys.health().is_ready()).await;
    assert_eq!(api.status(&good).await, 200);
    assert_eq!(issuer.requests(), 1);
}

fn base64(json: &str) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(json)
}

#[tokio::test]
async fn grpc_is_told_unavailable() {
    let issuer = Issuer::start(Reply::Close).await;
    let api = Api::new(&issuer);
    let request = Request::post("/pkg.Service/Method")
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header(
            "authorization",
            format!("Bearer {}", api.token(&signer("a", 1))),
        );
    let service = GrpcLayer::new().layer(api.service.clone());
    let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["grpc-status"], "14");
}

#[tokio::test]
async fn over_sockets_on_both_sides() {
    let (old, new) = (signer("a", 1), signer("b", 2));
    let issuer = Issuer::start(Reply::set(old.jwks())).await;
    let api = Api::new(&issuer);
    let layer = BearerAuthLayer::new(api.codec.clone());
    let server = Server::start(layer.layer(Echo::default())).await;
    let ask = async |token: &str| {
        let line = format!("Bearer {token}");
        server
            .http1(&head(
                "GET",
                "/me",
                &[("Host", "api"), ("Authorization", &line)],
            ))
            .await
    };
    api.keys.refresh().await.unwrap();
    let (old, renewed) = (api.token(&old), api.token(&new));
    assert_eq!(ask(&old).await.status, 200);

    // The issuer replaces its key: the new one is asked for, and the old one is gone.
    issuer.says(Reply::set(new.jwks()));
    api.skip_secs(10).await;
    issuer.hold();
    let answer = ask(&renewed).await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        ask(&old).await.status,
        200,
        "as long as the set is the old one"
    );
    issuer.release();
    eventually("two sets", || api.events.count() == 2).await;
    assert_eq!(ask(&renewed).await.status, 200);
    let answer = ask(&old).await;
    assert_eq!(answer.status, 401);
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("invalid_token"), "{challenge}");
    assert_eq!(issuer.requests(), 2);
}

/// The optional layer rejects a token that cannot be judged.
#[tokio::test]
async fn optional_is_not_without_a_check() {
    let issuer = Issuer::start(Reply::Close).await;
    let api = Api::new(&issuer);
    let service = BearerAuthLayer::<NoClaims>::new(api.codec.clone())
        .optional()
        .layer(Echo::default());
    let request = Request::get("/").header(
        "authorization",
        format!("Bearer {}", api.token(&signer("a", 1))),
    );
    let response = service
        .clone()
        .oneshot(request.body(()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 503);
    let response = service
        .oneshot(Request::get("/").body(()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
}
