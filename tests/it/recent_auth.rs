//! `RequireRecentAuth`.

use std::time::Duration;

use http::{Request, Response, StatusCode, Version, header};
use serde_json::{Map, Value, json};
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, Claims, GrpcLayer, KeyRing, ManualClock, NoClaims, RequireRecentAuth,
    TokenCodec, TokenContext,
    rejection::{ProblemJson, Rejection, RejectionKind},
};

use crate::support::{
    echo::Echo,
    tokens::{NOW, codec, with_token},
};

const MAX_AGE: Duration = Duration::from_secs(300);
const ERROR: &str = "error=\"insufficient_user_authentication\", \
                     error_description=\"the user has to authenticate again\", max_age=\"300\"";

fn recent() -> RequireRecentAuth {
    RequireRecentAuth::max_age(MAX_AGE)
}

/// A token as an issuer elsewhere writes it.
fn token(members: Value) -> String {
    let members: Map<String, Value> = serde_json::from_value(members).unwrap();
    codec().mint("alice", &members).unwrap().as_str().to_owned()
}

/// Sends a request with this token through `bearer` and `recent`; what came, and whether it got inside.
async fn send(
    bearer: BearerAuthLayer,
    recent: RequireRecentAuth,
    request: Request<String>,
) -> (Response<String>, bool) {
    let echo = Echo::default();
    let service = ServiceBuilder::new().layer(bearer).layer(recent);
    let response = service.service(echo.clone()).oneshot(request);
    (response.await.unwrap(), echo.calls() == 1)
}

fn bearer() -> BearerAuthLayer {
    BearerAuthLayer::new(codec())
}

fn challenge(response: &Response<String>) -> &str {
    let lines = response.headers().get_all(header::WWW_AUTHENTICATE);
    assert_eq!(lines.iter().count(), 1);
    response.headers()[header::WWW_AUTHENTICATE]
        .to_str()
        .unwrap()
}

fn rejection(response: &Response<String>) -> &Rejection {
    response.extensions().get().unwrap()
}

#[tokio::test]
async fn a_recent_authentication_passes_and_an_older_one_is_challenged() {
    for (auth_time, passes) in [
        (json!(NOW.as_secs()), true),
        (json!(NOW.as_secs() - 300), true),
        (json!(NOW.as_secs() - 301), false),
        (json!(NOW.as_secs() as f64 - 299.5), true),
        (json!(NOW.as_secs() as f64 - 300.5), false),
    ] {
        let token = token(json!({ "auth_time": auth_time }));
        let (response, passed) = send(bearer(), recent(), with_token(&token)).await;
        assert_eq!(passed, passes, "{auth_time}");
        if passes {
            assert_eq!(response.status(), StatusCode::OK);
            continue;
        }
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let expected = format!("Bearer realm=\"api\", {ERROR}");
        assert_eq!(challenge(&response), expected);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let rejection = rejection(&response);
        assert_eq!(
            rejection.kind(),
            RejectionKind::InsufficientUserAuthentication
        );
        assert_eq!(rejection.reason(), "insufficient_user_authentication");
        assert_eq!(rejection.max_age(), Some(MAX_AGE));
        let text = rejection.to_string();
        assert!(text.contains("Session::elevate"), "{text}");
    }
}

/// Whatever an issuer elsewhere writes there refuses no token, and each case has its own text in the log.
#[tokio::test]
async fn a_token_that_does_not_say_when_is_good_and_not_recent() {
    let now = NOW.as_secs();
    for (members, reason) in [
        (json!({}), ".authentication_in_tokens(true)"),
        (
            json!({ "nested": { "auth_time": now } }),
            ".authentication_in_tokens(true)",
        ),
        (json!({ "auth_time": now.to_string() }), "is no number"),
        (json!({ "auth_time": -1 }), "is no number"),
        (json!({ "auth_time": null }), "is no number"),
        (json!({ "auth_time": [now] }), "is no number"),
        (json!({ "auth_time": now * 1000 }), "is no number"),
        // This codec has no leeway.
        (json!({ "auth_time": now + 1 }), "lies in the future"),
    ] {
        let token = token(members.clone());
        assert!(codec::<NoClaims>().verify(&token).is_ok());
        let (response, passed) = send(bearer(), recent(), with_token(&token)).await;
        assert_eq!(
            (response.status(), passed),
            (StatusCode::UNAUTHORIZED, false)
        );
        let text = rejection(&response).to_string();
        assert!(text.contains(reason), "{members}: {text}");
    }
}

#[tokio::test]
async fn the_leeway_of_the_codec_is_for_clocks_that_are_ahead() {
    let keys = KeyRing::generate().unwrap();
    let codec = |leeway| {
        let codec = TokenCodec::<Map<String, Value>>::signed(&keys).issuer("i");
        let codec = codec.audience("a").leeway(Duration::from_secs(leeway));
        codec.clock(ManualClock::new(NOW)).build().unwrap()
    };
    let members = json!({ "auth_time": NOW.as_secs() + 60 });
    let members = members.as_object().unwrap();
    let token = codec(60).mint("alice", members).unwrap();
    for (leeway, passes) in [(60, true), (59, false)] {
        let echo = Echo::default();
        let service = ServiceBuilder::new()
            .layer(BearerAuthLayer::new(codec(leeway)))
            .layer(recent())
            .service(echo.clone());
        service.oneshot(with_token(token.as_str())).await.unwrap();
        assert_eq!(echo.calls() == 1, passes, "{leeway}");
    }
}

/// Where the client learns how to get a token it learns how to get another one.
#[tokio::test]
async fn the_challenge_goes_on_from_that_of_the_bearer_layer() {
    let bearer = bearer()
        .realm("orders".parse().unwrap())
        .scope("pay".parse().unwrap())
        .resource_metadata("https://api.example/meta".parse().unwrap());
    let (response, _) = send(bearer, recent(), with_token(&token(json!({})))).await;
    let expected = format!(
        "Bearer realm=\"orders\", scope=\"pay\", resource_metadata=\"https://api.example/meta\", {ERROR}"
    );
    assert_eq!(challenge(&response), expected);
}

#[tokio::test]
async fn a_context_class_may_be_asked_for_too() {
    let classes = ["urn:a".parse().unwrap(), "b".parse().unwrap()];
    let layer = || recent().acr_values(classes.clone());
    let now = NOW.as_secs();
    for (acr, passes) in [
        (json!("urn:a"), true),
        (json!("b"), true),
        (json!("c"), false),
        (json!("urn:a b"), false),
        (json!(["b"]), false),
        (json!(null), false),
    ] {
        let token = token(json!({ "auth_time": now, "acr": acr }));
        let (response, passed) = send(bearer(), layer(), with_token(&token)).await;
        assert_eq!(passed, passes, "{acr}");
        if !passes {
            let expected = format!("Bearer realm=\"api\", {ERROR}, acr_values=\"urn:a b\"");
            assert_eq!(challenge(&response), expected);
            let text = rejection(&response).to_string();
            assert!(text.contains("acr"), "{text}");
        }
    }
    // Sure, and too long ago.
    let token = token(json!({ "auth_time": now - 301, "acr": "b" }));
    let (response, passed) = send(bearer(), layer(), with_token(&token)).await;
    assert!(!passed);
    assert!(challenge(&response).ends_with("acr_values=\"urn:a b\""));
}

#[tokio::test]
async fn without_a_token_the_challenge_is_the_plain_one() {
    let preflight = Request::options("/").header("access-control-request-method", "GET");
    for (bearer, request) in [
        (bearer().optional(), Request::get("/")),
        (bearer().preflight(true), preflight),
    ] {
        let request = request.body(String::new()).unwrap();
        let (response, passed) = send(bearer, recent(), request).await;
        assert_eq!(
            (response.status(), passed),
            (StatusCode::UNAUTHORIZED, false)
        );
        assert_eq!(challenge(&response), "Bearer realm=\"api\"");
        assert_eq!(
            rejection(&response).kind(),
            RejectionKind::MissingCredentials
        );
    }
}

#[tokio::test]
async fn without_the_bearer_layer_nothing_passes() {
    let echo = Echo::default();
    let service = recent().layer(echo.clone());
    let token = token(json!({ "auth_time": NOW.as_secs() }));
    let response = service.oneshot(with_token(&token)).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(echo.calls(), 0);
    let text = rejection(&response).to_string();
    assert!(text.starts_with("BearerAuthLayer is missing"), "{text}");
    assert!(text.contains("RequireRecentAuth"), "{text}");
}

#[tokio::test]
async fn the_problem_says_how_recent_it_has_to_be() {
    let echo = tower::service_fn(|_: Request<String>| async {
        let body = http_body_util::Full::<bytes::Bytes>::default();
        Ok::<_, std::convert::Infallible>(Response::new(body))
    });
    let service = ServiceBuilder::new()
        .layer(bearer().problem_json())
        .layer(recent().problem_json())
        .service(echo);
    let response = service.oneshot(with_token(&token(json!({})))).await;
    let body = http_body_util::BodyExt::collect(response.unwrap().into_body()).await;
    let problem: Value = serde_json::from_slice(&body.unwrap().to_bytes()).unwrap();
    assert_eq!(
        problem,
        json!({
            "type": "about:blank",
            "title": "Authenticate again to do this",
            "status": 401,
            "code": "insufficient_user_authentication",
            "max_age": 300,
        })
    );
    let _: RequireRecentAuth<ProblemJson> = recent().problem_json();
}

#[tokio::test]
async fn an_own_answer_keeps_the_challenge() {
    let own = recent().rejection_response(|rejection| {
        let max_age = rejection.max_age().unwrap_or_default();
        Response::new(format!("{} s", max_age.as_secs()))
    });
    let service = ServiceBuilder::new().layer(bearer()).layer(own);
    let service = service.service(Echo::default());
    let response = service.oneshot(with_token(&token(json!({})))).await;
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.body(), "300 s");
    assert!(challenge(&response).contains(ERROR));
}

#[tokio::test]
async fn grpc_clients_are_answered_in_grpc() {
    let service = ServiceBuilder::new()
        .layer(GrpcLayer::new())
        .layer(bearer())
        .layer(recent())
        .service(Echo::default());
    let mut request = with_token(&token(json!({})));
    *request.method_mut() = http::Method::POST;
    *request.version_mut() = Version::HTTP_2;
    let grpc = http::HeaderValue::from_static("application/grpc");
    request.headers_mut().insert(header::CONTENT_TYPE, grpc);
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["grpc-status"], "16");
    let message = &response.headers()["grpc-message"];
    assert_eq!(message, "insufficient user authentication");
}

/// Without the layer, a handler asks the claims.
#[test]
fn handlers_ask_the_claims_by_a_time_of_their_own() {
    let claims: Claims = codec()
        .verify(&token(json!({ "auth_time": NOW.as_secs() })))
        .unwrap();
    let within = |now| claims.authenticated_within(MAX_AGE, now);
    assert!(within(NOW) && within(NOW + MAX_AGE));
    assert!(!within(NOW + MAX_AGE + Duration::from_millis(1)));
    let context: TokenContext = claims.context();
    assert!(context.authenticated_within(MAX_AGE, NOW));
    assert!(!context.authenticated_within(MAX_AGE, NOW + 2 * MAX_AGE));
}
