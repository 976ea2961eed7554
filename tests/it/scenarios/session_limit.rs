//! The number of sessions that a subject may have.

use tower_bearer::store::{RefreshStore, SessionRecord};

use super::ends_that_hold::{ONE, TWO, ring};
use crate::support::world::{Browser, World};

fn limited(limit: usize) -> World {
    World::with(|builder| builder.session_limit(limit))
}

/// Which of these are still signed in. They are not refreshed: that would change which one is the next to go.
async fn live(world: &World, browsers: &[&Browser]) -> Vec<bool> {
    let mut live = Vec::new();
    for browser in browsers {
        let reply = (*browser)
            .clone()
            .call(world, http::Method::GET, "/sessions")
            .await;
        live.push(reply.status == 200);
    }
    live
}

/// The live sessions of the subject that a browser belongs to.
async fn count(world: &World, browser: &Browser) -> usize {
    let reply = browser
        .clone()
        .call(world, http::Method::GET, "/sessions")
        .await;
    reply.body["sessions"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_dead_cookie_raises_no_limit() {
    let world = limited(2);
    let mut browser = world.signed_in("ada").await;
    let dead = browser.clone();
    browser.logout(&world).await;
    world.secs(1);
    let first = world.signed_in("ada").await;
    world.secs(1);
    let second = world.signed_in("ada").await;
    world.secs(1);
    let mut third = dead.clone();
    third.login(&world, "ada").await;
    assert_eq!(
        live(&world, &[&first, &second, &third]).await,
        [false, true, true]
    );
    assert_eq!(world.count("Revoked"), 2, "the sign-out, and the limit");
}

#[tokio::test]
async fn a_session_that_is_replaced_pushes_no_other_out() {
    let world = limited(2);
    let mut first = world.signed_in("ada").await;
    world.secs(1);
    let second = world.signed_in("ada").await;
    for _ in 0..3 {
        world.secs(1);
        assert_eq!(first.login(&world, "ada").await.status, 200);
        assert_eq!(live(&world, &[&first, &second]).await, [true, true]);
        assert_eq!(count(&world, &first).await, 2);
    }
}

/// A refresh cookie that was copied alone ends nothing: the session goes on, and counts.
#[tokio::test]
async fn a_session_that_is_not_replaced_counts() {
    let world = limited(2);
    let first = world.signed_in("ada").await;
    world.secs(1);
    let mut second = world.signed_in("ada").await;
    // It is bound to its jar from now on.
    second.refresh(&world).await;
    world.secs(1);
    let mut copied = second.without_jar();
    assert_eq!(copied.login(&world, "ada").await.status, 200);
    assert_eq!(world.count("ForeignJar"), 1);
    assert_eq!(
        live(&world, &[&first, &second, &copied]).await,
        [false, true, true]
    );
}

/// Another request ends the old session between the look at it and the new one's insertion.
#[tokio::test]
async fn a_session_that_another_request_ends_first_leaves_no_room() {
    let world = limited(1);
    let mut browser = world.signed_in("ada").await;
    let record = world.store.last().await;
    let old = browser.clone();
    browser.logout(&world).await;
    let other = world.signed_in("ada").await;
    world.secs(1);
    let store = world.store.clone();
    *world.between.lock().unwrap() = Some(Box::pin(async move { store.show_once(&record) }));
    let mut new = old.clone();
    assert_eq!(new.login(&world, "ada").await.status, 200);
    assert_eq!(live(&world, &[&other, &new]).await, [false, true]);
}

/// While two keys are in use, a subject's sessions lie in two places.
#[tokio::test]
async fn sessions_under_two_keys_count_together() {
    let world = World::new();
    let server = |first, second| {
        World::over(
            ring(first, second),
            world.clock.clone(),
            world.app_clock.clone(),
            world.store.clone(),
            |builder| builder.session_limit(3),
        )
    };
    let (old, new) = (server(ONE, TWO), server(TWO, ONE));
    let mut browsers = Vec::new();
    for server in [&old, &old, &new] {
        browsers.push(server.signed_in("ada").await);
        world.secs(100);
    }
    // The first is rotated: the second is the least recent one now, then the third.
    browsers[0].refresh(&new).await;
    let expected = [[true, false, true], [true, false, false]];
    for (server, expected) in [(&new, expected[0]), (&old, expected[1])] {
        world.secs(100);
        let newest = server.signed_in("ada").await;
        let [a, b, c] = &browsers[..3] else { panic!() };
        assert_eq!(live(&old, &[a, b, c]).await, expected);
        assert_eq!(count(&new, &newest).await, 3);
        browsers.push(newest);
    }
    // One that is replaced, under the other key, pushes none out.
    let mut again = browsers[3].clone();
    world.secs(100);
    again.login(&old, "ada").await;
    assert_eq!(
        live(&old, &[&browsers[0], &browsers[4], &again]).await,
        [true; 3]
    );
    assert_eq!(count(&old, &again).await, 3);
}

/// The rest of ended sessions stays small, under each key, whatever the limit.
#[tokio::test]
async fn ended_sessions_do_not_pile_up() {
    let world = World::new();
    let server = |first, second| {
        World::over(
            ring(first, second),
            world.clock.clone(),
            world.app_clock.clone(),
            world.store.clone(),
            |builder| builder.session_limit(usize::MAX),
        )
    };
    let servers = [server(ONE, TWO), server(TWO, ONE)];
    let mut tags = Vec::new();
    let mut same = servers[0].browser();
    for round in 0..100 {
        let server = &servers[usize::from(round >= 50)];
        world.secs(1);
        match round % 3 {
            0 => drop(server.signed_in("ada").await.logout(server).await),
            1 => drop(same.login(server, "ada").await),
            _ => drop(server.layer.admin().end_all("ada", None).await.unwrap()),
        }
        tags.push(*world.store.last_key().subject());
    }
    tags.dedup();
    assert_eq!(tags.len(), 2);
    for tag in tags {
        let kept = world.store.list(&tag).await.unwrap();
        let ended = kept.iter().filter(|record| !SessionRecord::is_live(record));
        assert!(ended.count() <= 33);
    }
}
