//! `TestSession`.

use std::time::Duration;

use axum::{Router, body::Body, routing::post};
use http::Request;
use tower::ServiceExt;
use tower_bearer::{
    AccessToken, NewSession, RevokeReason, Session, SessionError, SessionErrorKind,
    test_util::TestSession,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn sign_in(session: Session) -> Result<AccessToken, SessionError> {
    session.start("ann").await
}

#[tokio::test]
async fn a_handler_that_signs_in_is_seen_to() {
    let mut client = TestSession::anonymous();
    assert_eq!(client.subject().await, None);
    let token = sign_in(client.session()).await.unwrap();
    assert!(!token.as_str().is_empty());
    assert_eq!(client.started_for().as_deref(), Some("ann"));
    assert_eq!(client.subject().await.as_deref(), Some("ann"));
    assert_eq!(client.ended(), None);
    let lines = client.set_cookies();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("__Secure-refresh_token=") && lines[0].contains("HttpOnly"));
}

#[tokio::test]
async fn a_handler_that_does_nothing_is_seen_to_do_nothing() {
    let mut client = TestSession::started("ann").await;
    let session = client.session();
    assert!(session.has_cookie() && session.id().is_some());
    assert_eq!(client.started_for(), None);
    assert_eq!(client.ended(), None);
    assert!(client.set_cookies().is_empty());
    assert_eq!(client.subject().await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn a_handler_that_signs_out_is_seen_to() {
    let mut client = TestSession::started("ann").await;
    client.session().end().await.unwrap();
    assert_eq!(client.ended(), Some(RevokeReason::SignedOut));
    assert_eq!(client.subject().await, None);
    let lines = client.set_cookies();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("Max-Age=0")));
    assert!(!client.session().has_cookie(), "the browser has cleared it");
    assert_eq!(client.ended(), None, "that was a request before");
}

/// Each call is the next request of one client.
#[tokio::test]
async fn requests_follow_each_other_with_their_cookies() {
    let mut client = TestSession::started("ann").await;
    for day in 1..=6 {
        client.clock().advance(DAY);
        let token = client.session().refresh().await.unwrap();
        assert!(token.session().is_some(), "day {day}");
        let [rotated] = client.set_cookies() else {
            panic!("the jar cookie lasts: {:?}", client.set_cookies());
        };
        assert!(rotated.starts_with("__Secure-refresh_token="), "day {day}");
    }
    client.clock().advance(DAY);
    assert_eq!(client.subject().await, None);
    let error = client.session().refresh().await.unwrap_err();
    assert_eq!(error.status(), 401);
}

#[tokio::test]
async fn a_sign_in_over_a_session_ends_that_one() {
    let mut client = TestSession::started("ann").await;
    client.session().start("bob").await.unwrap();
    assert_eq!(client.started_for().as_deref(), Some("bob"));
    assert_eq!(client.ended(), Some(RevokeReason::Replaced));
    assert_eq!(client.subject().await.as_deref(), Some("bob"));
    assert!(client.admin().list("ann").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_session_begins_with_what_the_test_says() {
    let new = NewSession::new("ann").context("editor").lifetime(2 * DAY);
    let mut client = TestSession::started_with(new).await;
    assert_eq!(client.session().peek().await.unwrap().context, b"editor");
    client.clock().advance(2 * DAY);
    assert_eq!(client.subject().await, None);
}

#[tokio::test]
async fn an_operator_ends_it_from_outside() {
    let mut client = TestSession::started("ann").await;
    let _ = client.session();
    client.admin().end_all("ann", None).await.unwrap();
    assert_eq!(client.subject().await, None);
    assert!(client.ended().is_some());
}

#[tokio::test]
async fn an_extractor_finds_it_among_the_extensions() {
    let app: Router = Router::new().route("/login", post(sign_in));
    let mut client = TestSession::anonymous();
    let request = Request::post("/login").extension(client.session());
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.unwrap().status(), 200);
    assert_eq!(client.subject().await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn a_handler_without_a_session_fails_as_it_would() {
    let error = TestSession::anonymous().session().refresh().await;
    assert_eq!(error.unwrap_err().kind(), SessionErrorKind::NoSession);
}

#[tokio::test]
#[should_panic(expected = "no session of a test begins so")]
async fn a_session_of_no_subject_is_refused() {
    TestSession::started("").await;
}
