//! A second tab is late: never a reason to say "signed out".

use http::Method;
use tower_bearer::RotationPolicy;

use crate::support::world::World;

#[tokio::test]
async fn late_across_a_privilege_change_is_asked_to_try_again_and_succeeds_with_the_newer_cookie() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let late = browser.clone();
    browser.call(&world, Method::POST, "/elevate").await;
    world.secs(30);
    let reply = late.refresh_lost(&world).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "superseded"));
    assert_eq!(reply.headers["cache-control"], "no-store");
    assert!(!reply.headers.contains_key("www-authenticate"));
    // The retry carries what the jar holds by now.
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn a_browser_that_never_got_the_answer_to_a_privilege_change_is_told_to_sign_in() {
    let world = World::new();
    let browser = world.signed_in("ada").await;
    browser.clone().call(&world, Method::POST, "/elevate").await;
    world.secs(31);
    let reply = browser.refresh_lost(&world).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    assert!(reply.set_cookie().is_none());
    assert!(world.store.last().await.is_live(), "nothing is revoked");
}

#[tokio::test]
async fn late_across_a_new_sign_in_is_asked_to_try_again_for_the_grace_and_no_longer() {
    for wait in [0, 30, 31] {
        let world = World::new();
        let mut browser = world.signed_in("ada").await;
        let late = browser.clone();
        world.secs(1000);
        browser.login(&world, "bob").await;
        world.secs(wait);
        let reply = late.refresh_lost(&world).await;
        let expected = if wait <= 30 {
            (409, "superseded")
        } else {
            (401, "invalid_session")
        };
        assert_eq!((reply.status.as_u16(), reply.code()), expected);
        assert!(reply.set_cookie().is_none());
        assert_eq!(late.thief().refresh_lost(&world).await.status, 401);
        assert_eq!(browser.refresh(&world).await.status, 200);
    }
}

#[tokio::test]
async fn the_strict_policy_asks_no_client_to_try_again() {
    let world = World::with(|b| b.rotation(RotationPolicy::strict()));
    let mut browser = world.signed_in("ada").await;
    let late = browser.clone();
    browser.login(&world, "ada").await;
    assert_eq!(late.refresh_lost(&world).await.status, 401);
}

#[tokio::test]
async fn a_step_up_and_a_password_change_behind_a_refresh_are_tried_again() {
    for path in ["/elevate", "/end-others"] {
        let world = World::new();
        let mut browser = world.signed_in("ada").await;
        let mut late = browser.clone();
        browser.refresh(&world).await;
        let reply = late.call(&world, Method::POST, path).await;
        assert_eq!(reply.status, 409, "{path}");
        assert!(reply.set_cookie().is_none());
        assert_eq!(browser.call(&world, Method::POST, path).await.status, 200);
        assert_eq!(world.count("ReuseDetected"), 0);
    }
}

/// The claims closure runs between the load and the swap: there the other tab is quicker.
#[tokio::test]
async fn a_refresh_that_overtakes_a_step_up_signs_no_user_out() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let (inner, mut quicker) = (world.clone(), browser.clone());
    *world.between.lock().unwrap() = Some(Box::pin(async move {
        assert_eq!(quicker.refresh(&inner).await.status, 200);
    }));
    let reply = browser.call(&world, Method::POST, "/elevate").await;
    assert_eq!(reply.status, 409);
    assert_eq!(browser.refresh(&world).await.status, 200);
    let reply = browser.call(&world, Method::POST, "/elevate").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_step_up_that_overtakes_a_refresh_signs_no_user_out() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let (inner, mut quicker) = (world.clone(), browser.clone());
    *world.between.lock().unwrap() = Some(Box::pin(async move {
        let reply = quicker.call(&inner, Method::POST, "/elevate").await;
        assert_eq!(reply.status, 200);
    }));
    let reply = browser.refresh(&world).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "superseded"));
    assert!(reply.set_cookie().is_none());
    assert_eq!(world.count("ReuseDetected"), 0);
}
