//! Sessions that end on a server whose codec remembers.

use http::Method;
use tower_bearer::ReusePolicy;

use super::recalled;
use crate::support::world::{Browser, Reply, World};

/// The access token of `reply`, which is remembered then.
fn remembered(world: &World, reply: &Reply) -> String {
    let token = reply.body["access_token"].as_str().unwrap();
    remember(world, token);
    token.to_owned()
}

fn remember(world: &World, token: &str) {
    assert!(is_forgotten(world, token) && !is_forgotten(world, token));
}

/// Whether the token has to be verified anew. It passes all the same, and is remembered again.
fn is_forgotten(world: &World, token: &str) -> bool {
    !recalled(&world.codec, token, world.codec.clock().now())
}

async fn login(world: &World, user: &str) -> (Browser, String) {
    let mut browser = world.browser();
    let reply = browser.login(world, user).await;
    (browser, remembered(world, &reply))
}

#[tokio::test]
async fn signing_out() {
    let world = World::new();
    let (mut browser, token) = login(&world, "ada").await;
    let (_, other) = login(&world, "ada").await;
    assert_eq!(browser.logout(&world).await.status, 204);
    assert!(is_forgotten(&world, &token) && !is_forgotten(&world, &other));
}

#[tokio::test]
async fn signing_out_everywhere_and_from_outside() {
    let world = World::new();
    let (mut browser, token) = login(&world, "ada").await;
    let (_, second) = login(&world, "ada").await;
    let (_, eve) = login(&world, "eve").await;
    let reply = browser.call(&world, Method::POST, "/logout-all").await;
    assert_eq!(reply.status, 204);
    assert!(is_forgotten(&world, &token) && is_forgotten(&world, &second));
    assert!(!is_forgotten(&world, &eve));
    world.layer.end_all_of("eve").await.unwrap();
    assert!(is_forgotten(&world, &eve));
}

#[tokio::test]
async fn ending_one_of_the_list() {
    let world = World::new();
    let (mut browser, token) = login(&world, "ada").await;
    let (_, other) = login(&world, "ada").await;
    let claims = world.codec.verify(&other).unwrap();
    let path = format!("/sessions/{}", claims.session().unwrap());
    let reply = browser.call(&world, Method::DELETE, &path).await;
    assert_eq!(reply.status, 204);
    assert!(is_forgotten(&world, &other) && !is_forgotten(&world, &token));
}

#[tokio::test]
async fn a_thief() {
    let world = World::with(|builder| builder.reuse(ReusePolicy::Subject));
    let (mut browser, token) = login(&world, "ada").await;
    let (_, other) = login(&world, "ada").await;
    let mut thief = browser.thief();
    for _ in 0..3 {
        world.secs(400);
        assert_eq!(browser.refresh(&world).await.status, 200);
    }
    // The clock of the codec has gone on as well: these are younger.
    let newest = remembered(&world, &browser.refresh(&world).await);
    assert_eq!(thief.refresh(&world).await.status, 401);
    assert_eq!(world.count("ReuseDetected"), 1);
    assert!(is_forgotten(&world, &newest));
    world.app_clock.set(crate::support::world::START);
    for old in [&token, &other] {
        assert!(is_forgotten(&world, old));
    }
}

#[tokio::test]
async fn a_subject_that_is_refused() {
    let world = World::new();
    let (mut browser, token) = login(&world, "ada").await;
    world
        .denied
        .store(true, std::sync::atomic::Ordering::SeqCst);
    world.secs(400);
    assert_eq!(browser.refresh(&world).await.status, 401);
    assert!(is_forgotten(&world, &token));
}

#[tokio::test]
async fn a_new_sign_in_and_one_too_many() {
    let world = World::with(|builder| builder.session_limit(1));
    let (mut browser, token) = login(&world, "ada").await;
    let second = browser.login(&world, "ada").await;
    let second = remembered(&world, &second);
    assert!(is_forgotten(&world, &token), "replaced");
    let (_, third) = login(&world, "ada").await;
    assert!(is_forgotten(&world, &second), "dropped");
    assert!(!is_forgotten(&world, &third));
}

/// Two servers with a cache each: the one that a session ends on knows, the other one finds out when it
/// is asked to end it again, or is told by the application.
#[tokio::test]
async fn on_another_instance() {
    let one = World::new();
    let two = one.server_with_keys(one.keys.clone());
    let (mut browser, token) = login(&one, "ada").await;
    remember(&two, &token);
    let before = browser.clone();
    assert_eq!(browser.logout(&one).await.status, 204);
    assert!(is_forgotten(&one, &token) && !is_forgotten(&two, &token));
    assert_eq!(before.clone().logout(&two).await.status, 204);
    assert!(is_forgotten(&two, &token));

    let claims = two.codec.verify(&token).unwrap();
    two.codec.forget_session(claims.session().unwrap());
    assert!(is_forgotten(&two, &token));
}

/// A store that fails half-way does not say which sessions it has ended: all are verified anew.
#[tokio::test]
async fn when_the_store_fails_in_between() {
    let world = World::new();
    let (mut browser, token) = login(&world, "ada").await;
    let (_, eve) = login(&world, "eve").await;
    world.store.fail_revoke_all_after(0);
    let reply = browser.call(&world, Method::POST, "/logout-all").await;
    assert_eq!(reply.status, 503);
    assert!(is_forgotten(&world, &token) && is_forgotten(&world, &eve));
}
