//! The bearer layer through its public interface. Its decision table is in `bearer_cases`.

mod axum;
mod connection;
mod grpc;
mod vectors;

use std::sync::{Arc, Mutex};

use http::{Method, Request, Response, StatusCode, header};
use tower::{Layer, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, Claims, ConfigError, Event, EventSink, NoClaims, Timestamp, TokenContext,
    TokenErrorKind,
    bearer::CheckError,
    rejection::{Rejection, RejectionKind},
};

use crate::support::{
    echo::Echo,
    tokens::{NOW, at, codec, token, with_token},
};

fn layer() -> BearerAuthLayer {
    BearerAuthLayer::new(codec())
}

fn bare() -> Request<String> {
    Request::new(String::new())
}

/// Sends `request` and says how it was answered and whether the inner service ran.
async fn send(layer: BearerAuthLayer, request: Request<String>) -> (Response<String>, Echo) {
    let echo = Echo::default();
    let response = layer.layer(echo.clone()).oneshot(request).await.unwrap();
    (response, echo)
}

fn kind(response: &Response<String>) -> Option<RejectionKind> {
    response.extensions().get().map(Rejection::kind)
}

fn challenge(response: &Response<String>) -> &str {
    match response.headers().get(header::WWW_AUTHENTICATE) {
        Some(value) => value.to_str().unwrap(),
        None => "",
    }
}

#[tokio::test]
async fn a_good_token_leaves_its_claims_and_no_loggable_header() {
    let (response, echo) = send(layer(), with_token(&token())).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.body(), "inner");
    let head = echo.last();
    let claims = Claims::<NoClaims>::from_extensions(&head.extensions).unwrap();
    assert_eq!(claims.subject(), "alice");
    let context = head.extensions.get::<TokenContext>().unwrap();
    assert_eq!(context.subject(), "alice");
    assert!(head.headers[header::AUTHORIZATION].is_sensitive());
    assert!(!format!("{head:?}").contains(&token()));
}

#[tokio::test]
async fn the_time_is_the_codecs() {
    let expired = at(Timestamp::from_secs(NOW.as_secs() + 900));
    let (response, echo) = send(BearerAuthLayer::new(expired), with_token(&token())).await;
    assert_eq!(echo.calls(), 0);
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(
        rejection.token_error().unwrap().kind(),
        TokenErrorKind::Expired
    );
    assert_eq!(
        challenge(&response),
        "Bearer realm=\"api\", error=\"invalid_token\""
    );
}

#[tokio::test]
async fn an_oversized_token_is_refused_before_its_characters_are_looked_at() {
    let (response, _) = send(layer(), with_token(&"\"".repeat(100_000))).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(
        rejection.token_error().unwrap().kind(),
        TokenErrorKind::TooLarge
    );
}

#[tokio::test]
async fn optional_lets_no_bad_token_through() {
    let (response, echo) = send(layer().optional(), bare()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let head = echo.last();
    assert!(head.extensions.get::<TokenContext>().is_none());
    let anonymous = Claims::<NoClaims>::from_extensions(&head.extensions).unwrap_err();
    assert_eq!(anonymous.kind(), RejectionKind::MissingCredentials);
    assert_eq!(anonymous.challenge().unwrap(), "Bearer realm=\"api\"");

    for (request, expected) in [
        (with_token("junk"), RejectionKind::InvalidToken),
        (with_token(""), RejectionKind::InvalidRequest),
    ] {
        let (response, echo) = send(layer().optional(), request).await;
        assert_eq!(kind(&response), Some(expected));
        assert_eq!(echo.calls(), 0);
    }

    let mut basic = bare();
    basic
        .headers_mut()
        .insert(header::AUTHORIZATION, "Basic YTpi".parse().unwrap());
    let (response, echo) = send(layer().optional(), basic).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(echo.last().headers[header::AUTHORIZATION].is_sensitive());
}

#[tokio::test]
async fn preflight_passes_only_when_asked_for() {
    let preflight = || {
        let mut request = bare();
        *request.method_mut() = Method::OPTIONS;
        let asked = "POST".parse().unwrap();
        request
            .headers_mut()
            .insert(header::ACCESS_CONTROL_REQUEST_METHOD, asked);
        request
    };
    let (response, _) = send(layer(), preflight()).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let (response, echo) = send(layer().preflight(true), preflight()).await;
    assert_eq!((response.status(), echo.calls()), (StatusCode::OK, 1));

    let mut other_method = preflight();
    *other_method.method_mut() = Method::POST;
    let mut plain_options = preflight();
    plain_options
        .headers_mut()
        .remove(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut bad_token = preflight();
    bad_token
        .headers_mut()
        .insert(header::AUTHORIZATION, "Bearer junk".parse().unwrap());
    for request in [other_method, plain_options, bad_token] {
        let (response, echo) = send(layer().preflight(true), request).await;
        assert_eq!(
            (response.status(), echo.calls()),
            (StatusCode::UNAUTHORIZED, 0)
        );
    }
}

#[tokio::test]
async fn the_check_decides_last() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let subjects = seen.clone();
    let passing = layer().check(move |token| {
        subjects.lock().unwrap().push(token.subject().to_owned());
        Ok(())
    });
    let (response, echo) = send(passing.clone(), with_token(&token())).await;
    assert_eq!((response.status(), echo.calls()), (StatusCode::OK, 1));
    let (response, _) = send(passing, with_token("junk")).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(*seen.lock().unwrap(), ["alice"]);

    for (error, status, expected, retry) in [
        (
            CheckError::Revoked,
            401,
            "Bearer realm=\"api\", error=\"invalid_token\"",
            false,
        ),
        (CheckError::Unavailable, 503, "", true),
        (CheckError::Internal, 500, "", false),
    ] {
        let layer = layer().check(move |_| Err(error));
        let (response, echo) = send(layer, with_token(&token())).await;
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(echo.calls(), 0);
        assert_eq!(challenge(&response), expected);
        assert_eq!(response.headers().contains_key(header::RETRY_AFTER), retry);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert!(rejection.token_error().is_none());
        // A failure while the service runs is not shown to clients.
        assert!(!response.headers().contains_key("tower-bearer-mistake"));
    }
}

#[tokio::test]
async fn a_challenge_says_what_it_was_told_to_say() -> Result<(), ConfigError> {
    let layer = layer()
        .realm("orders".parse()?)
        .scope("read write".parse()?)
        .resource_metadata("https://api.example/.well-known/oauth-protected-resource".parse()?);
    let (response, _) = send(layer, with_token("junk")).await;
    assert_eq!(
        challenge(&response),
        "Bearer realm=\"orders\", error=\"invalid_token\", \
         scope=\"read write\", \
         resource_metadata=\"https://api.example/.well-known/oauth-protected-resource\""
    );
    Ok(())
}

#[tokio::test]
async fn a_custom_answer_keeps_the_contract() {
    let custom = layer().rejection_response(|rejection| {
        Response::builder()
            .status(StatusCode::IM_A_TEAPOT)
            .header("x-kind", format!("{:?}", rejection.kind()))
            .body(format!("{{\"error\":\"{}\"}}", rejection.status().as_u16()))
            .unwrap()
    });
    let response = custom.layer(Echo::default()).oneshot(bare()).await.unwrap();
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(response.body(), "{\"error\":\"401\"}");
    assert_eq!(response.headers()["x-kind"], "MissingCredentials");
    assert_eq!(challenge(&response), "Bearer realm=\"api\"");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(kind(&response), Some(RejectionKind::MissingCredentials));

    // A forgotten status does not turn a refusal into a success, and what is there stays.
    let forgotten = layer().rejection_response(|_| {
        let mut response = Response::new("please sign in".to_owned());
        let own = "Bearer realm=\"mine\"".parse().unwrap();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, own);
        response
    });
    let response = forgotten
        .layer(Echo::default())
        .oneshot(bare())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(challenge(&response), "Bearer realm=\"mine\"");
}

#[tokio::test]
async fn refusals_are_reported_once() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let layer = layer().events(EventSink::new(move |event| {
        if let Event::Rejected(rejection) = event {
            sink.lock().unwrap().push(rejection.kind());
        }
    }));
    send(layer.clone(), bare()).await;
    send(layer.clone(), with_token("junk")).await;
    send(layer, with_token(&token())).await;
    let expected = [
        RejectionKind::MissingCredentials,
        RejectionKind::InvalidToken,
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_claims_type_without_clone_and_a_body_that_is_neither_will_do() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Role {
        role: String,
    }
    struct Body(std::rc::Rc<()>);

    let role = Role {
        role: "admin".to_owned(),
    };
    let token = codec().mint("alice", &role).unwrap();
    let service = BearerAuthLayer::new(codec::<Role>()).layer(Echo::default());
    let request = Request::get("/")
        .header(header::AUTHORIZATION, format!("Bearer {}", token.as_str()))
        .body(Body(std::rc::Rc::new(())))
        .unwrap();
    assert_eq!(std::rc::Rc::strong_count(&request.body().0), 1);
    let response = service.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_inner_service_need_neither_be_cloned_nor_sent() {
    struct Local(std::rc::Rc<std::cell::Cell<usize>>);

    impl tower::Service<Request<String>> for Local {
        type Response = Response<String>;
        type Error = std::convert::Infallible;
        type Future =
            std::pin::Pin<Box<dyn Future<Output = Result<Response<String>, Self::Error>>>>;

        fn poll_ready(
            &mut self,
            _cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Self::Error>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _request: Request<String>) -> Self::Future {
            let calls = self.0.clone();
            Box::pin(async move {
                calls.set(calls.get() + 1);
                Ok(Response::new("local".to_owned()))
            })
        }
    }

    let calls = std::rc::Rc::new(std::cell::Cell::new(0));
    let service = layer().layer(Local(calls.clone()));
    let response = service.oneshot(with_token(&token())).await.unwrap();
    assert_eq!((response.body().as_str(), calls.get()), ("local", 1));
}
