//! A session that ends while the application thinks about the claims of its next access token.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_bearer::{Session, SessionErrorKind};

use crate::support::{
    faults::Fault,
    world::{Browser, World},
};

/// A browser whose next refresh writes nothing.
async fn unwritten(world: &World, row: &str) -> Browser {
    let mut browser = world.signed_in("ada").await;
    browser.refresh(world).await;
    world.secs(100);
    let late = browser.clone();
    browser.refresh(world).await;
    match row {
        "replayed" => late,
        "replayed, seen" => {
            browser.refresh(world).await;
            late
        }
        _ => {
            browser.refresh(world).await;
            browser
        }
    }
}

/// Ends the session one way or another.
async fn end(world: World, mut client: Browser, how: &'static str) {
    match how {
        "sign-out" => assert_eq!(client.logout(&world).await.status, 204),
        "sign-in" => assert_eq!(client.login(&world, "ada").await.status, 200),
        _ => assert_eq!(
            world
                .layer
                .admin()
                .end_all("ada", None)
                .await
                .unwrap()
                .len(),
            1
        ),
    }
}

#[tokio::test]
async fn a_refresh_whose_claims_were_under_way_at_an_end_gives_no_token() {
    for row in ["coalesced", "replayed", "replayed, seen"] {
        for how in ["sign-out", "sign-in", "all"] {
            let world = World::new();
            let mut browser = unwritten(&world, row).await;
            let before = world.store.calls();
            assert_eq!(browser.refresh_lost(&world).await.status, 200);
            assert_eq!(world.store.calls(), before + 2, "{row}: nothing is written");

            let ended = end(world.clone(), browser.clone(), how);
            *world.between.lock().unwrap() = Some(Box::pin(ended));
            let reply = browser.refresh(&world).await;
            let status = if how == "sign-in" { 409 } else { 401 };
            assert_eq!(reply.status, status, "{row}, {how}: {reply:?}");
            assert_eq!(reply.body["access_token"], serde_json::Value::Null);
            assert_eq!(reply.cleared(), how != "sign-in", "{row}, {how}");
        }
    }
}

/// The second refresh of one request writes nothing: its token has not been shown yet.
#[tokio::test]
async fn a_repeat_in_the_same_request_gives_no_token_after_an_end() {
    let world = World::new();
    let browser = world.signed_in("ada").await;
    let service = world
        .layer
        .layer(service_fn(|request: Request<Full<Bytes>>| {
            let world = world.clone();
            async move {
                let session = Session::from_extensions(request.extensions()).unwrap();
                session.refresh().await.unwrap();
                session.refresh().await.unwrap();
                let ended = world.clone();
                *world.between.lock().unwrap() = Some(Box::pin(async move {
                    ended.layer.admin().end_all("ada", None).await.unwrap();
                }));
                let error = session.refresh().await.unwrap_err();
                assert_eq!(error.kind(), SessionErrorKind::Revoked);
                Ok::<_, Infallible>(Response::new(()))
            }
        }));
    let request = browser
        .request(Method::POST, "/refresh")
        .body(Full::default());
    service.oneshot(request.unwrap()).await.unwrap();
}

/// A record that has changed without an end is decided anew, and its claims are not asked for again.
#[tokio::test]
async fn a_refresh_that_was_overtaken_by_a_rotation_gets_its_successor() {
    let world = World::new();
    let mut browser = unwritten(&world, "coalesced").await;
    let (other, inner) = (browser.clone(), world.clone());
    *world.between.lock().unwrap() = Some(Box::pin(async move {
        inner.secs(100);
        assert_eq!(other.refresh_lost(&inner).await.status, 200);
        // Asked again, they would not come.
        *inner.between.lock().unwrap() = Some(Box::pin(std::future::pending()));
    }));
    let reply = browser.refresh(&world).await;
    assert_eq!(reply.status, 200);
    assert!(reply.set_cookie().is_some());
    assert_eq!(world.outcomes("replayed"), 1);
}

#[tokio::test]
async fn a_change_of_privilege_during_whose_claims_the_session_ended_gives_no_token() {
    for path in ["/elevate", "/end-others"] {
        for how in ["sign-out", "all"] {
            let world = World::new();
            let mut browser = unwritten(&world, "coalesced").await;
            let ended = end(world.clone(), browser.clone(), how);
            *world.between.lock().unwrap() = Some(Box::pin(ended));
            let reply = browser.call(&world, Method::POST, path).await;
            assert!(reply.status.is_client_error(), "{path}, {how}");
            assert_eq!(reply.body["access_token"], serde_json::Value::Null);
        }
    }
}

/// A refresh or a change of privilege under way does not revive a session that was idle for too long. It makes no
/// difference whether an end of all sessions came in between.
#[tokio::test(start_paused = true)]
async fn a_session_whose_idle_end_came_during_its_claims_is_over() {
    let idle = Duration::from_secs(3600);
    let seconds = Duration::from_secs(4);
    let paths = ["/refresh", "/elevate", "/end-others"];
    for (path, ends) in paths.iter().flat_map(|path| [(path, true), (path, false)]) {
        let world = World::with(|builder| builder.idle_lifetime(idle));
        let mut browser = world.signed_in("ada").await;
        world.advance(idle - seconds / 2);
        let inside = world.clone();
        *world.between.lock().unwrap() = Some(Box::pin(async move {
            inside.advance(seconds);
            tokio::time::advance(seconds).await;
            if ends {
                let ended = inside.layer.admin().end_all("ada", None).await.unwrap();
                assert_eq!(ended.len(), 1);
            }
        }));
        let reply = browser.call(&world, Method::POST, path).await;
        assert_eq!(reply.status, 401, "{path}: {reply:?}");
        assert_eq!(
            reply.body["access_token"],
            serde_json::Value::Null,
            "{path}"
        );
        assert_eq!(browser.refresh(&world).await.status, 401, "{path}");
    }
}

/// A step-up that the store keeps waiting, past the idle end of its session.
#[tokio::test(start_paused = true)]
async fn an_end_of_all_that_is_tried_again_holds_against_a_late_step_up() {
    let idle = Duration::from_secs(3600);
    let world = World::with(|builder| builder.idle_lifetime(idle));
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    world.advance(idle - Duration::from_millis(100));
    let (go, gone) = tokio::sync::oneshot::channel();
    world.store.hold_swap(gone);
    let step_up = tokio::spawn({
        let (world, mut browser) = (world.clone(), browser.clone());
        async move {
            let reply = browser.call(&world, Method::POST, "/elevate").await;
            (reply, browser)
        }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    world.store.fail_revoke_all(0, Fault::Refuse);
    assert!(world.layer.admin().end_all("ada", None).await.is_err());
    world.advance(Duration::from_millis(300));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.layer.drain(Duration::from_secs(1)).await, 0);
    go.send(()).unwrap();
    let (reply, mut browser) = step_up.await.unwrap();
    assert_eq!(reply.status, 409);
    assert_eq!(world.count("RevocationLost"), 0);
    world.secs(60);
    assert_eq!(browser.refresh(&world).await.status, 401);
}

/// The first write fails, and the idle end comes before the second.
#[tokio::test]
async fn a_step_up_is_not_written_again_after_the_idle_end() {
    let idle = Duration::from_secs(3600);
    let world = World::with(|builder| builder.idle_lifetime(idle));
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    let before = world.store.last().await;
    world.advance(idle - Duration::from_millis(900));
    world.store.fail_swap(Fault::Refuse);
    let reply = browser.call(&world, Method::POST, "/elevate").await;
    assert_eq!(reply.status, 503);
    assert_eq!(world.store.last().await, before);
}
