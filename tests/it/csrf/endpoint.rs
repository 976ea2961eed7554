//! `GET {base}/csrf`: a page's token, for the session of the cookies as they came.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_bearer::{
    CsrfLayer, ManualClock, MemoryStore, SessionEndpoints, csrf::CsrfSession,
    refresh::RefreshTransport,
};

use super::sessions::{Browser, Server, signed_in};
use crate::support::{
    csrf::{self, reason},
    faults::FaultStore,
    world::{self, START, World},
};

fn body(response: &Response<String>) -> Value {
    serde_json::from_str(response.body()).unwrap()
}

/// Asks for a token and puts it into the page.
async fn ask(browser: &mut Browser, server: &Server) {
    let response = browser.call(server, Method::GET, "/csrf").await;
    assert_eq!(response.status(), StatusCode::OK, "{response:?}");
    let body = body(&response);
    assert_eq!(body.as_object().unwrap().len(), 1);
    browser.submitted = Some(body["csrf_token"].as_str().unwrap().to_owned());
}

#[tokio::test]
async fn the_endpoint_gives_a_page_its_token() {
    let server = Server::new();
    let mut browser = Browser::default();
    let response = browser.call(&server, Method::GET, "/csrf").await;
    let headers = response.headers();
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    // No page of another origin can load it as a script or read it as anything else.
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
    let token = body(&response)["csrf_token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("1m."), "{token}");
    assert!(browser.csrf.as_ref().unwrap().starts_with("v1a."));
    browser.submitted = Some(token);
    assert_eq!(browser.post(&server, "/login").await, StatusCode::OK);
    assert!(browser.csrf.as_ref().unwrap().starts_with("v1s."));
    ask(&mut browser, &server).await;
    assert_eq!(browser.refused(&server).await, None);
    // The browser has it, so the next page gets a copy alone.
    let again = browser.call(&server, Method::GET, "/csrf").await;
    assert_eq!(csrf::issued(&again), None);
    let other = browser.call(&server, Method::POST, "/csrf").await;
    assert_eq!(other.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(other.headers()[header::ALLOW], "GET, HEAD");
}

#[tokio::test]
async fn without_a_choice_the_store_is_not_asked() {
    let server = Server::new();
    let alive = signed_in(&server).await;
    let dead = signed_in(&server).await;
    let mut gone = dead.clone();
    gone.post(&server, "/logout").await;
    server.world.store.down(true);
    let calls = server.world.store.calls();
    for browser in [alive, dead, Browser::default()] {
        let mut page = Browser {
            csrf: None,
            submitted: None,
            ..browser
        };
        ask(&mut page, &server).await;
        assert_eq!(
            reason(&page.call(&server, Method::POST, "/csrf").await),
            None
        );
    }
    assert_eq!(server.world.store.calls(), calls);
}

/// The browser holds a dead cookie beside the live one, from a former path or a parent domain.
async fn two_cookies(server: &Server) -> [Browser; 2] {
    let live = signed_in(server).await;
    let dead = signed_in(server).await;
    let mut gone = dead.clone();
    assert_eq!(gone.post(server, "/logout").await, StatusCode::NO_CONTENT);
    let [live, dead] = [live, dead].map(|browser| browser.refresh.unwrap());
    [[&live, &dead], [&dead, &live]].map(|[first, second]| Browser {
        refresh: Some(format!("{first}; {}={second}", world::COOKIE)),
        ..Browser::default()
    })
}

#[tokio::test]
async fn of_several_sessions_the_live_one_counts() {
    let server = Server::new();
    for live in [0, 1] {
        let mut browser = two_cookies(&server).await[live].clone();
        ask(&mut browser, &server).await;
        let token = browser.csrf.clone().unwrap();
        // It goes with the cookies as they are, whichever comes first.
        let login = Request::post("/auth/probe")
            .header(
                header::COOKIE,
                format!("{}={}", world::COOKIE, browser.refresh.as_ref().unwrap()),
            )
            .header(header::COOKIE, format!("{}={token}", csrf::COOKIE))
            .header(csrf::HEADER, browser.submitted.clone().unwrap())
            .body(Full::<Bytes>::default())
            .unwrap();
        assert_eq!(reason(&server.page(login).await), None);
        // And with the live session alone, which is what it was made for.
        let refreshes = browser.refresh.as_ref().unwrap().split("; ");
        let prefix = format!("{}=", world::COOKIE);
        let refreshes = refreshes.map(|value| value.trim_start_matches(&prefix));
        let mut answers = Vec::new();
        for refresh in refreshes {
            let mut alone = Browser {
                refresh: Some(refresh.to_owned()),
                ..browser.clone()
            };
            answers.push(alone.post(&server, "/refresh").await);
        }
        answers.sort();
        assert_eq!(answers, [StatusCode::OK, StatusCode::FORBIDDEN]);
        assert_eq!(browser.post(&server, "/login").await, StatusCode::OK);
    }
}

#[tokio::test]
async fn of_several_sessions_none_is_chosen_while_the_store_is_silent() {
    let server = Server::new();
    for mut browser in two_cookies(&server).await {
        server.world.store.down(true);
        let response = browser.call(&server, Method::GET, "/csrf").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body(&response)["code"], "unavailable");
        assert!(response.headers().contains_key(header::RETRY_AFTER));
        assert_eq!(csrf::issued(&response), None);
        server.world.store.down(false);
    }
}

/// Where the cookies of several sessions came, the cookie and the token have to be of the same one.
#[tokio::test]
async fn a_token_of_one_session_does_not_go_with_the_cookie_of_another() {
    let server = Server::new();
    let (first, second) = (signed_in(&server).await, signed_in(&server).await);
    let both = first.beside(&second);
    let mixed = Browser {
        refresh: Some(both),
        csrf: first.csrf,
        submitted: second.csrf,
        ..Browser::default()
    };
    let refused = mixed.refused(&server).await;
    assert_eq!(
        refused,
        Some(tower_bearer::rejection::CsrfReason::TokenMismatch)
    );
}

#[tokio::test]
async fn a_sign_in_works_beside_a_dead_cookie() {
    let server = Server::new();
    let mut browser = signed_in(&server).await;
    server
        .world
        .layer
        .admin()
        .end_all("alice", None)
        .await
        .unwrap();
    // Another tab, or the page after a reload: it has the cookies and no token yet.
    browser.csrf = None;
    ask(&mut browser, &server).await;
    assert_eq!(browser.post(&server, "/login").await, StatusCode::OK);
    browser.submitted = None;
    assert_eq!(browser.post(&server, "/refresh").await, StatusCode::OK);
}

/// The server comes up again with the keys it had and an empty store.
#[tokio::test]
async fn a_sign_in_works_after_a_restart_with_the_store_in_memory() {
    let before = Server::new();
    let mut browser = signed_in(&before).await;
    let clock = ManualClock::new(START);
    let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let keys = before.world.keys.clone();
    let world = World::over(keys, clock.clone(), clock, FaultStore::new(store), |b| b);
    let after = Server::of(world);
    assert_eq!(
        browser.post(&after, "/refresh").await,
        StatusCode::UNAUTHORIZED
    );
    ask(&mut browser, &after).await;
    assert_eq!(browser.post(&after, "/login").await, StatusCode::OK);
}

#[tokio::test]
async fn in_an_outage_a_sign_out_still_clears_the_cookie() {
    let server = Server::new();
    let mut browser = signed_in(&server).await;
    browser.csrf = None;
    server.world.store.down(true);
    ask(&mut browser, &server).await;
    let status = browser.post(&server, "/logout").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.refresh, None, "the cookie is cleared");
    assert!(browser.csrf.unwrap().starts_with("v1a."));
}

#[tokio::test]
async fn names_transports_and_missing_layers() {
    let world = World::new();
    let get = || {
        let request = Request::get("/auth/csrf");
        request.body(Full::<Bytes>::default()).unwrap()
    };
    let endpoints = SessionEndpoints::new().camel_case(true);
    let service = ServiceBuilder::new()
        .layer(world.layer.clone())
        .layer(CsrfLayer::new(&world.keys).unwrap())
        .service(endpoints);
    let response = service.oneshot(get()).await.unwrap();
    assert!(body(&response)["csrfToken"].is_string());

    let alone = world.layer.layer(SessionEndpoints::new());
    let response = alone.oneshot(get()).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(body(&response)["code"], "layer_missing");
    assert!(response.body().contains("CsrfLayer"), "{response:?}");

    let in_bodies = World::with(|builder| builder.transport(RefreshTransport::Body));
    let service = in_bodies.layer.layer(service_fn(world::application));
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);

    // Tokens of sessions of another kind are those of the application's function.
    let csrf = CsrfLayer::builder(&world.keys).session(|_| CsrfSession::session("row-1"));
    let csrf = csrf.build().unwrap();
    let service = ServiceBuilder::new()
        .layer(world.layer.clone())
        .layer(csrf.clone())
        .service(SessionEndpoints::new());
    let response = service.oneshot(get()).await.unwrap();
    let token = body(&response)["csrf_token"].as_str().unwrap().to_owned();
    let cookie = csrf::issued(&response).unwrap();
    let request = csrf::post(&cookie, &token);
    let session = CsrfSession::session("row-1");
    assert_eq!(csrf.verify(request.headers(), &session), Ok(()));
}
