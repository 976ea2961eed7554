//! A look at the session.

use http::Method;
use serde_json::json;
use tower_bearer::refresh::RefreshTransport;

use crate::support::world::{START, World};

#[tokio::test]
async fn a_look_tells_the_subject_and_rotates_nothing() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    world.secs(900);
    let (before, calls) = (world.store.last().await, world.store.calls());
    for method in [Method::GET, Method::HEAD] {
        let reply = browser.call(&world, method, "/session").await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert!(reply.set_cookie().is_none());
        let week = 7 * 24 * 60 * 60;
        let id = world.store.last_key().id().to_string();
        let start = START.as_secs();
        let expected = json!({
            "id": id, "subject": "ada", "created_at": start, "expires_at": start + week,
        });
        assert_eq!(reply.body, expected);
    }
    assert_eq!(world.store.calls(), calls + 2, "one load each");
    assert!(world.store.last().await == before);
    assert_eq!(world.count("Refreshed"), 0);
}

#[tokio::test]
async fn a_look_is_refused_as_a_refresh_is() {
    let world = World::new();
    let mut stranger = world.browser();
    let reply = stranger.call(&world, Method::GET, "/session").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (401, "no_session"));
    let reply = stranger.call(&world, Method::POST, "/session").await;
    assert_eq!(
        (reply.status.as_u16(), &reply.headers["allow"]),
        (405, &"GET, HEAD".parse().unwrap())
    );
    let mut browser = world.signed_in("ada").await;
    let left = browser.clone();
    let reply = browser.thief().call(&world, Method::GET, "/session").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (409, "refresh_first")
    );
    world.store.down(true);
    let reply = browser.call(&world, Method::GET, "/session").await;
    assert_eq!(reply.status, 503);
    world.store.down(false);
    browser.logout(&world).await;
    let reply = left.clone().call(&world, Method::GET, "/session").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    let bodies = World::with(|builder| builder.transport(RefreshTransport::Body));
    let reply = bodies
        .browser()
        .call(&bodies, Method::GET, "/session")
        .await;
    assert_eq!(reply.status, 405, "the token comes in the body of a POST");
}
