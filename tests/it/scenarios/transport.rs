//! Refresh tokens in JSON bodies, for clients without a cookie jar.

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use serde_json::json;
use tower::{Layer, ServiceExt};
use tower_bearer::{SessionEndpoints, refresh::RefreshTransport};

use crate::support::world::{COOKIE, Reply, World};

fn world() -> World {
    World::with(|b| b.transport(RefreshTransport::Body))
}

async fn post(world: &World, path: &str, agent: &str, body: &str) -> Reply {
    let request = Request::post(format!("/auth{path}"))
        .header(header::USER_AGENT, agent)
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-user", "ada");
    let body = Full::from(body.to_owned());
    let reply = world.send(request.body(body).unwrap()).await;
    assert!(reply.set_cookie().is_none(), "no cookie is ever sent");
    reply
}

fn token(reply: &Reply) -> String {
    reply.body["refresh_token"].as_str().unwrap().to_owned()
}

async fn refresh(world: &World, agent: &str, token: &str) -> Reply {
    let body = json!({ "grant_type": "refresh_token", "refresh_token": token });
    post(world, "/refresh", agent, &body.to_string()).await
}

#[tokio::test]
async fn sign_in_refresh_and_sign_out_without_a_cookie() {
    let world = world();
    let login = post(&world, "/login", "app/1", "").await;
    assert_eq!(login.status, 200);
    assert_eq!(login.headers["cache-control"], "no-store");
    let first = token(&login);

    let rotated = refresh(&world, "app/1", &first).await;
    assert_eq!(rotated.status, 200);
    world.verify(&rotated);
    let second = token(&rotated);
    assert_ne!(first, second);

    // Too soon for another rotation: a new access token, and no refresh token to replace the old.
    let coalesced = refresh(&world, "app/1", &second).await;
    assert_eq!(coalesced.status, 200);
    assert!(coalesced.body.get("refresh_token").is_none());

    // A retry of the first call gets the same successor.
    assert_eq!(refresh(&world, "app/1", &first).await.status, 200);
    assert_eq!(world.outcomes("replayed"), 1);

    let body = json!({ "refresh_token": second }).to_string();
    assert_eq!(post(&world, "/logout", "app/1", &body).await.status, 204);
    let reply = refresh(&world, "app/1", &second).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    assert_eq!(post(&world, "/logout", "app/1", "").await.status, 204);
}

#[tokio::test]
async fn a_thief_is_told_apart_in_bodies_as_well() {
    let world = world();
    let first = token(&post(&world, "/login", "app/1", "").await);
    refresh(&world, "app/1", &first).await;
    world.secs(1);
    assert_eq!(refresh(&world, "curl", &first).await.status, 409);
    world.secs(61);
    // It may be the client itself under a newer name. The token that it left behind is burned, and gives one of the two away.
    let second = token(&refresh(&world, "curl", &first).await);
    assert_eq!(world.count("NewFingerprint"), 1);
    world.secs(61);
    assert_eq!(refresh(&world, "curl", &second).await.status, 200);
    assert_eq!(refresh(&world, "app/1", &first).await.status, 401);
    assert_eq!(world.count("ReuseDetected"), 1);
}

#[tokio::test]
async fn sign_out_everywhere_by_body_ends_every_session() {
    let world = world();
    let elsewhere = token(&post(&world, "/login", "app/2", "").await);
    let here = token(&post(&world, "/login", "app/1", "").await);
    let body = json!({ "refresh_token": here }).to_string();
    let reply = post(&world, "/logout-all", "app/1", &body).await;
    assert_eq!(reply.status, 204);
    for (agent, held) in [("app/2", elsewhere), ("app/1", here)] {
        assert_eq!(refresh(&world, agent, &held).await.status, 401);
    }
}

#[tokio::test]
async fn sign_out_everywhere_else_hands_the_successor_back() {
    let world = world();
    let elsewhere = token(&post(&world, "/login", "app/2", "").await);
    let here = token(&post(&world, "/login", "app/1", "").await);
    let endpoints = SessionEndpoints::new().keep_current().camel_case(true);
    let request = Request::post("/auth/logout-all")
        .header(header::USER_AGENT, "app/1")
        .body(Full::<Bytes>::from(
            json!({ "refreshToken": here }).to_string(),
        ));
    let reply = world
        .layer
        .layer(endpoints)
        .oneshot(request.unwrap())
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let successor = body["refreshToken"].as_str().unwrap();
    assert_eq!(refresh(&world, "app/1", successor).await.status, 200);
    assert_eq!(refresh(&world, "app/2", &elsewhere).await.status, 401);
}

#[tokio::test]
async fn a_token_never_changes_its_transport() {
    let bodies = world();
    let cookies = World::over(
        bodies.keys.clone(),
        bodies.clock.clone(),
        bodies.clock.clone(),
        bodies.store.clone(),
        |b| b,
    );
    let from_body = token(&post(&bodies, "/login", "app/1", "").await);
    let mut browser = cookies.signed_in("ada").await;
    let from_cookie = browser.cookie.clone().unwrap();

    let calls = bodies.store.calls();
    browser.cookie = Some(from_body.clone());
    assert_eq!(browser.refresh(&cookies).await.status, 401);
    assert_eq!(refresh(&bodies, "app/1", &from_cookie).await.status, 401);
    // A body says nothing to a layer of cookies.
    assert_eq!(
        refresh(&cookies, "app/1", &from_body).await.code(),
        "no_session"
    );
    assert_eq!(bodies.store.calls(), calls, "the store was not asked");
}

#[tokio::test]
async fn a_cookie_beside_the_body_is_400_with_the_store_untouched() {
    let world = world();
    let held = token(&post(&world, "/login", "app/1", "").await);
    let calls = world.store.calls();
    for path in ["/refresh", "/logout", "/login"] {
        let request = Request::post(format!("/auth{path}"))
            .header(header::COOKIE, format!("{COOKIE}={held}"))
            .header("x-user", "ada")
            .body(Full::from(json!({ "refresh_token": held }).to_string()));
        let reply = world.send(request.unwrap()).await;
        assert_eq!(reply.status, 400, "{path}");
        assert!(reply.set_cookie().is_none());
    }
    assert_eq!(world.store.calls(), calls);
    assert_eq!(refresh(&world, "app/1", &held).await.status, 200);
}

#[tokio::test]
async fn bodies_that_hold_no_token_are_refused_without_a_look_at_the_store() {
    let world = world();
    let calls = world.store.calls();
    let long = json!({ "refresh_token": "A".repeat(3000) }).to_string();
    for (body, status, code) in [
        ("", 401, "no_session"),
        ("{}", 401, "no_session"),
        (r#"{"refresh_token":null}"#, 401, "no_session"),
        (r#"{"refresh_token":""}"#, 401, "no_session"),
        (r#"{"refresh_token":"garbage"}"#, 401, "invalid_session"),
        (long.as_str(), 401, "invalid_session"),
        (r#"{"refresh_token":7}"#, 400, "invalid_input"),
        ("refresh_token=x", 400, "invalid_input"),
        ("[]", 400, "invalid_input"),
    ] {
        let reply = post(&world, "/refresh", "app/1", body).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (status, code),
            "{body}"
        );
    }
    let huge = format!("{{\"refresh_token\":\"{}\"}}", "A".repeat(5000));
    let reply = post(&world, "/refresh", "app/1", &huge).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (413, "too_large"));
    assert_eq!(world.store.calls(), calls);
}

fn held(token: &str) -> String {
    json!({ "refresh_token": token }).to_string()
}

#[tokio::test]
async fn sessions_are_looked_at_listed_and_ended_by_body() {
    let world = world();
    let elsewhere = token(&post(&world, "/login", "app/2", "").await);
    let here = token(&post(&world, "/login", "app/1", "").await);
    let look = post(&world, "/session", "app/1", &held(&here)).await;
    assert_eq!(
        (look.status.as_u16(), &look.body["subject"]),
        (200, &json!("ada"))
    );
    let list = post(&world, "/sessions", "app/1", &held(&here)).await;
    assert_eq!(list.status, 200);
    let sessions = list.body["sessions"].as_array().unwrap();
    let shown = |at: usize| (&sessions[at]["client"], &sessions[at]["current"]);
    assert_eq!(shown(0), (&json!("app/1"), &json!(true)));
    assert_eq!(shown(1), (&json!("app/2"), &json!(false)));
    assert_eq!((sessions.len(), &sessions[0]["id"]), (2, &look.body["id"]));

    let end = |at: usize| format!("/sessions/{}/end", sessions[at]["id"].as_str().unwrap());
    assert_eq!(
        post(&world, &end(1), "app/1", &held(&here)).await.status,
        204
    );
    assert_eq!(refresh(&world, "app/2", &elsewhere).await.status, 401);
    let gone = post(&world, &end(1), "app/1", &held(&here)).await;
    assert_eq!((gone.status.as_u16(), gone.code()), (404, "not_found"));
    // Nothing of it rotates: the token in hand still is the newest one.
    assert_eq!(refresh(&world, "app/1", &here).await.status, 200);
    assert_eq!(world.outcomes("rotated"), 1);
}

#[tokio::test]
async fn another_clients_sessions_are_not_found_by_body_and_a_thief_refreshes_first() {
    let world = world();
    let login = post(&world, "/login", "app/1", "").await;
    let (ada, id) = (
        token(&login),
        login.body["session"].as_str().unwrap().to_owned(),
    );
    let request = Request::post("/auth/login").header("x-user", "bob");
    let bob = world.send(request.body(Full::default()).unwrap()).await;
    let end = format!("/sessions/{id}/end");
    let reply = post(&world, &end, "", &held(&token(&bob))).await;
    assert_eq!(reply.status, 404);
    for path in ["/session", "/sessions", &end] {
        let reply = post(&world, path, "curl", &held(&ada)).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (409, "refresh_first"),
            "{path}"
        );
        let reply = post(&world, path, "app/1", "").await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (401, "no_session"),
            "{path}"
        );
    }
    assert_eq!(refresh(&world, "app/1", &ada).await.status, 200);
}

#[tokio::test]
async fn each_transport_names_its_own_methods() {
    let (bodies, cookies) = (world(), World::new());
    let calls = (bodies.store.calls(), cookies.store.calls());
    for (world, method, path, status, allow) in [
        (&bodies, "GET", "/session", 405, "POST"),
        (&bodies, "GET", "/sessions", 405, "POST"),
        (&bodies, "HEAD", "/sessions", 405, "POST"),
        (&bodies, "DELETE", "/sessions", 405, "POST"),
        (&bodies, "DELETE", "/sessions/x/end", 405, "POST"),
        (&bodies, "DELETE", "/sessions/x", 404, ""),
        (&bodies, "POST", "/sessions/x", 404, ""),
        (&bodies, "GET", "/csrf", 404, ""),
        (&bodies, "POST", "/csrf", 404, ""),
        (&cookies, "POST", "/session", 405, "GET, HEAD"),
        (&cookies, "POST", "/sessions", 405, "GET, HEAD"),
        (&cookies, "POST", "/sessions/x", 405, "DELETE"),
        (&cookies, "POST", "/sessions/x/end", 405, "DELETE"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(format!("/auth{path}"));
        let reply = world.send(request.body(Full::default()).unwrap()).await;
        let named = reply
            .headers
            .get(header::ALLOW)
            .map_or("", |allow| allow.to_str().unwrap());
        assert_eq!(
            (reply.status.as_u16(), named),
            (status, allow),
            "{method} {path}"
        );
    }
    assert_eq!((bodies.store.calls(), cookies.store.calls()), calls);
}
