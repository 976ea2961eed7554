//! Key changes, several cookies, and the HTTP around them.

use http::{Method, Request, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_bearer::{KeyRing, OriginGuardLayer, SessionEndpoints};

use crate::support::world::{Browser, COOKIE, FIREFOX, MASTER, World};

const OLD: &[u8] = b"Lw5pK1rX8cV3mZ7qT2yN9bH4fJ6dS0gAuEiOxMaR";
const NEW: &[u8] = b"Rf2hU7kD4sW9eQ1zX6vB3nM8tY5gP0jLaCiOwEbN";

/// The first secret is the active one. The master key has one too, so it comes last.
fn ring([active, other]: [&[u8]; 2]) -> KeyRing {
    KeyRing::builder()
        .refresh_secret(active)
        .refresh_secret(other)
        .master(MASTER)
        .build()
        .unwrap()
}

/// The beginning of a cookie: its version and the key that has sealed it.
fn sealed_under(browser: &Browser) -> String {
    browser.cookie.as_ref().unwrap()[..6].to_owned()
}

#[tokio::test]
async fn new_sealing_key_on_half_the_fleet_all_cookies_work_everywhere() {
    let world = World::new();
    let old = world.server_with_keys(ring([OLD, NEW]));
    let new = world.server_with_keys(ring([NEW, OLD]));
    let mut browser = old.signed_in("ada").await;
    let mut other = new.signed_in("ada").await;
    let keys = [sealed_under(&other), sealed_under(&browser)];
    assert_ne!(keys[0], keys[1], "each has an active key of its own");
    for round in 0..6 {
        let server = if round % 2 == 0 { &new } else { &old };
        assert_eq!(browser.refresh(server).await.status, 200, "round {round}");
        assert_eq!(sealed_under(&browser), keys[round % 2], "round {round}");
        world.secs(90);
    }
    assert_eq!(other.refresh(&old).await.status, 200);
    // The list and sign-out everywhere see the sessions under both keys.
    let list = other.call(&old, Method::GET, "/sessions").await;
    assert_eq!(list.body["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(
        other.call(&new, Method::POST, "/logout-all").await.status,
        204
    );
    assert_eq!(browser.refresh(&old).await.status, 401);
}

#[tokio::test]
async fn key_switched_between_two_retries_gives_the_same_successor() {
    let world = World::new();
    let old = world.server_with_keys(ring([OLD, NEW]));
    let new = world.server_with_keys(ring([NEW, OLD]));
    let mut browser = old.signed_in("ada").await;
    let mut retry = browser.clone();
    browser.refresh(&old).await;
    assert_eq!(retry.refresh(&new).await.status, 200);
    assert_ne!(sealed_under(&browser), sealed_under(&retry));
    // Both successors are the current token, and both lead to one and the same next one.
    world.secs(120);
    let (one, two) = (browser.clone(), retry.clone());
    assert_eq!(one.refresh_lost(&new).await.status, 200);
    let reply = two.refresh_lost(&old).await;
    assert_eq!(reply.status, 200);
    browser.keep(&reply);
    assert_eq!(browser.refresh(&old).await.status, 200);
    assert_eq!(old.count("ReuseDetected") + new.count("ReuseDetected"), 0);
    assert_eq!(old.outcomes("coalesced"), 1);
}

async fn with_cookies(world: &World, lines: &[String]) -> crate::support::world::Reply {
    let mut request = Request::post("/auth/refresh").header(header::USER_AGENT, FIREFOX);
    for line in lines {
        request = request.header(header::COOKIE, line);
    }
    world.send(request.body(Full::default()).unwrap()).await
}

fn pair(browser: &Browser) -> String {
    browser.cookies().unwrap()
}

#[tokio::test]
async fn two_cookies_of_the_name_one_stale_or_garbage_the_genuine_newest_is_used() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let stale = browser.clone();
    browser.refresh(&world).await;
    world.secs(120);
    for lines in [
        vec![format!("{}; {}", pair(&stale), pair(&browser))],
        vec![pair(&browser), pair(&stale)],
        vec![
            format!("{COOKIE}=garbage"),
            "other=1".into(),
            pair(&browser),
        ],
    ] {
        let reply = with_cookies(&world, &lines).await;
        assert_eq!(reply.status, 200, "{lines:?}");
        browser.keep(&reply);
    }
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn get_refresh_is_405_with_allow_and_the_store_untouched() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let calls = world.store.calls();
    let reply = browser.call(&world, Method::GET, "/refresh").await;
    assert_eq!(reply.status, 405);
    assert_eq!(reply.headers["allow"], "POST");
    assert!(reply.set_cookie().is_none());
    let reply = browser.call(&world, Method::POST, "/sessions").await;
    assert_eq!(reply.headers["allow"], "GET, HEAD");
    assert_eq!(
        browser.call(&world, Method::POST, "/nothing").await.status,
        404
    );
    assert_eq!(world.store.calls(), calls);
}

#[tokio::test]
async fn logout_with_current_previous_expired_or_no_cookie_is_204_cleared_and_dead() {
    let world = World::new();
    let mut visitor = world.browser();
    assert_eq!(visitor.logout(&world).await.status, 204);
    for which in ["current", "previous", "expired"] {
        let mut browser = world.signed_in("ada").await;
        let mut leaving = browser.clone();
        browser.refresh(&world).await;
        match which {
            "current" => leaving = browser.clone(),
            "expired" => world.secs(8 * 24 * 3600),
            _ => {}
        }
        let reply = leaving.logout(&world).await;
        assert_eq!(reply.status, 204, "{which}");
        assert!(reply.cleared());
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(browser.refresh(&world).await.status, 401, "{which}");
    }
    assert_eq!(world.count("ReuseDetected"), 0);
    let mut dead = world.browser();
    dead.cookie = Some("garbage".into());
    let reply = dead.logout(&world).await;
    assert_eq!(reply.status, 204);
    assert!(reply.cleared());
}

#[tokio::test]
async fn logout_all_needs_the_current_cookie_and_ends_everything() {
    let world = World::new();
    let mut elsewhere = world.signed_in("ada").await;
    let mut browser = world.signed_in("ada").await;
    let mut visitor = world.browser();
    let reply = visitor.call(&world, Method::POST, "/logout-all").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (401, "no_session"));
    let stale = browser.clone();
    browser.refresh(&world).await;
    let reply = stale
        .clone()
        .call(&world, Method::POST, "/logout-all")
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    assert!(reply.set_cookie().is_none());
    let reply = browser.call(&world, Method::POST, "/logout-all").await;
    assert_eq!(reply.status, 204);
    assert!(reply.cleared());
    assert_eq!(elsewhere.refresh(&world).await.status, 401);
}

#[tokio::test]
async fn another_users_session_id_is_404_and_ones_own_is_204() {
    let world = World::new();
    let mut ada = world.signed_in("ada").await;
    let mut phone = world.signed_in("ada").await;
    let mut bob = world.signed_in("bob").await;
    let list = phone.call(&world, Method::GET, "/sessions").await;
    let list = list.body["sessions"].as_array().unwrap().clone();
    assert_eq!(list.len(), 2);
    assert_eq!(list[0]["current"], true);
    assert_eq!(list[0]["client"], FIREFOX);
    let id = list[1]["id"].as_str().unwrap();
    let path = format!("/sessions/{id}");
    let reply = bob.call(&world, Method::DELETE, &path).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (404, "not_found"));
    for unknown in [
        "/sessions/x",
        "/sessions/AAAAAAAAAAAAAAAAAAAAAA",
        "/sessions/",
    ] {
        assert_eq!(
            phone.call(&world, Method::DELETE, unknown).await.status,
            404
        );
    }
    assert_eq!(ada.refresh(&world).await.status, 200);
    let reply = phone.call(&world, Method::DELETE, &path).await;
    assert_eq!(reply.status, 204);
    assert!(reply.set_cookie().is_none());
    assert_eq!(ada.refresh(&world).await.status, 401);
    assert_eq!(phone.refresh(&world).await.status, 200);
}

#[tokio::test]
async fn debug_and_events_hold_no_token() {
    let world = World::new();
    let mut browser = world.browser();
    let login = browser.login(&world, "ada").await;
    let cookie = browser.cookie.clone().unwrap();
    let reply = browser.refresh(&world).await;
    let text = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        world.layer,
        world.store,
        world.codec,
        world.keys,
        world.events.lock().unwrap(),
    );
    for secret in [
        cookie,
        browser.cookie.clone().unwrap(),
        browser.jar.clone().unwrap(),
        login.body["access_token"].as_str().unwrap().to_owned(),
        reply.body["access_token"].as_str().unwrap().to_owned(),
        "8mYk2vQ0zr5LxT7w".to_owned(),
    ] {
        assert!(!text.contains(&secret));
    }
    let mut set = reply.headers.get_all(header::SET_COOKIE).iter();
    assert!(
        set.all(|line| line.is_sensitive()),
        "Set-Cookie is marked for programs that log headers"
    );
}

#[tokio::test]
async fn cross_site_post_is_403_with_the_store_untouched_and_the_cookie_kept() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let calls = world.store.calls();
    let guard = OriginGuardLayer::new(["https://app.example".parse().unwrap()]).unwrap();
    let service = guard.layer(world.layer.layer(SessionEndpoints::new()));
    let send = |origin: &'static str| {
        let request = browser
            .request(Method::POST, "/refresh")
            .header("origin", origin);
        service
            .clone()
            .oneshot(request.body(Full::<bytes::Bytes>::default()).unwrap())
    };
    let reply = send("https://evil.example").await.unwrap();
    assert_eq!(reply.status(), 403);
    assert!(!reply.headers().contains_key(header::SET_COOKIE));
    assert_eq!(world.store.calls(), calls);
    assert_eq!(send("https://app.example").await.unwrap().status(), 200);
    assert_eq!(browser.refresh(&world).await.status, 200);
}
