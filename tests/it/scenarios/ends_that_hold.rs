//! An end that failed is tried again, or told of.

use std::time::Duration;

use http::Method;
use tower_bearer::{KeyRing, ReusePolicy, SessionErrorKind};

use crate::support::{
    faults::Fault,
    world::{Browser, World},
};

const LONG: Duration = Duration::from_secs(20);

/// A ring with two keys for sessions, of which the first makes new ones.
pub fn ring(first: &[u8], second: &[u8]) -> KeyRing {
    let keys = KeyRing::builder()
        .access_secret(b"8mYk2vQ0zr5LxT7wBn4GdHs9Jf3KpAeC1UoXiVbE")
        .encryption_key(b"sW9eQ1zX6vB3nM8tY5gP0jLaCiOwEbNq")
        .refresh_secret(first)
        .refresh_secret(second);
    keys.build().unwrap()
}

pub const ONE: &[u8] = b"Lw5pK1rX8cV3mZ7qT2yN9bH4fJ6dS0gAuEiOxMaR";
pub const TWO: &[u8] = b"Rf2hU7kD4sW9eQ1zX6vB3nM8tY5gP0jLaCiOwEbN";

/// A victim whose token a thief holds that is two generations old.
async fn robbed(world: &World) -> Browser {
    let mut victim = world.signed_in("ada").await;
    let thief = victim.thief();
    for _ in 0..2 {
        victim.refresh(world).await;
        world.secs(61);
    }
    thief
}

/// The session is revoked, and the others are not yet. They follow, under each key, and the theft is reported once.
#[tokio::test]
async fn the_subjects_other_sessions_follow_after_a_failure() {
    for fault in [Fault::Refuse, Fault::ApplyThenLose, Fault::Panic] {
        for good in [0, 1] {
            let world = World::new();
            let server = |first, second| {
                World::over(
                    ring(first, second),
                    world.clock.clone(),
                    world.app_clock.clone(),
                    world.store.clone(),
                    |builder| builder.reuse(ReusePolicy::Subject),
                )
            };
            let (one, two) = (server(ONE, TWO), server(TWO, ONE));
            let mut elsewhere = [one.signed_in("ada").await, two.signed_in("ada").await];
            let mut thief = robbed(&one).await;
            world.store.fail_revoke_all(good, fault);
            assert_eq!(thief.refresh(&one).await.status, 503);
            assert_eq!(one.count("RevocationQueued"), 1, "{fault:?}");
            assert_eq!(one.layer.drain(LONG).await, 0);
            for browser in &mut elsewhere {
                assert_eq!(browser.refresh(&one).await.status, 401, "{fault:?} {good}");
            }
            assert_eq!(thief.refresh(&one).await.status, 401);
            assert_eq!(one.count("ReuseDetected"), 1, "{fault:?} {good}");
            assert_eq!(one.count("RevocationLost"), 0);
        }
    }
}

/// One tag that fails leaves no other out, and is tried again when the client has hung up.
#[tokio::test]
async fn a_sign_out_everywhere_that_fails_in_the_middle_is_completed() {
    for fault in [Fault::Refuse, Fault::Panic] {
        for from_outside in [true, false] {
            let world = World::new();
            let one = world.server_with_keys(ring(ONE, TWO));
            let two = world.server_with_keys(ring(TWO, ONE));
            let mut browsers = [one.signed_in("ada").await, two.signed_in("ada").await];
            world.store.fail_revoke_all(0, fault);
            // A further try is for the sessions from before the call, and this clock stands still meanwhile.
            world.secs(61);
            if from_outside {
                let error = one.layer.admin().end_all("ada", None).await.unwrap_err();
                assert_eq!(error.kind(), SessionErrorKind::Unavailable);
            } else {
                let reply = browsers[0].call(&one, Method::POST, "/logout-all").await;
                assert_eq!(reply.status, 503);
                assert!(reply.set_cookie().is_none(), "it can ask again");
            }
            assert_eq!(one.count("RevocationQueued"), 1, "{fault:?}");
            assert_eq!(one.layer.drain(LONG).await, 0);
            for browser in &mut browsers {
                assert_eq!(browser.refresh(&one).await.status, 401);
            }
        }
    }
}

/// A revocation that still waits when the runtime ends is told of.
#[test]
fn a_shutdown_drains_and_tells_of_what_is_left() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = World::new();
    runtime.block_on(async {
        for _ in 0..3 {
            let browser = world.signed_in("ada").await;
            world.store.down(true);
            assert_eq!(browser.clone().logout(&world).await.status, 503);
            world.store.down(false);
        }
        assert_eq!(world.count("RevocationQueued"), 3);
        assert_eq!(world.layer.drain(LONG).await, 0);
        let mut browser = world.signed_in("ada").await;
        world.store.down(true);
        browser.logout(&world).await;
        assert_eq!(world.layer.drain(Duration::from_millis(50)).await, 1);
    });
    assert_eq!(world.count("RevocationLost"), 0);
    drop(runtime);
    assert_eq!(world.count("RevocationLost"), 1);
}

/// A client that disconnects in the middle of a sign-out leaves a task behind. A shutdown waits for that task too.
#[tokio::test]
async fn a_revocation_that_is_under_way_is_waited_for() {
    let world = World::new();
    let browser = world.signed_in("ada").await;
    let (go, went) = tokio::sync::oneshot::channel::<()>();
    world.store.hold_swap(went);
    let mut leaving = browser.clone();
    let mut request = Box::pin(leaving.logout(&world));
    std::future::poll_fn(|cx| {
        assert!(request.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(request);
    tokio::task::yield_now().await;
    assert_eq!(world.layer.drain(Duration::from_millis(20)).await, 1);
    go.send(()).unwrap();
    assert_eq!(world.layer.drain(LONG).await, 0);
    assert!(!world.store.last().await.is_live());
}
