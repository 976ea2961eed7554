//! Time, privilege, and the end of sessions.

use std::{sync::atomic::Ordering, time::Duration};

use http::Method;
use tower_bearer::{ManualClock, MemoryStore};

use crate::support::{
    faults::FaultStore,
    world::{START, World},
};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn absolute_eight_hours_with_refreshes_every_ten_minutes_dies_at_eight_hours() {
    let world = World::with(|b| b.absolute_lifetime(8 * HOUR).idle_lifetime(HOUR));
    let mut browser = world.signed_in("ada").await;
    let mut last = u64::MAX;
    for tick in 1..48 {
        world.secs(600);
        let reply = browser.refresh(&world).await;
        assert_eq!(reply.status, 200, "after {} minutes", tick * 10);
        let left = 8 * 3600 - tick * 600;
        assert_eq!(reply.max_age(), Some(left.min(3600)));
        assert!(left.min(3600) <= last);
        last = left.min(3600);
    }
    world.secs(600);
    let reply = browser.refresh(&world).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.set_cookie(), None, "it has ended by itself");
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn replays_do_not_extend_idle_and_idle_does_fire() {
    let world = World::with(|b| b.idle_lifetime(HOUR));
    let mut browser = world.signed_in("ada").await;
    let stale = browser.clone();
    browser.refresh(&world).await;
    let idle = world.store.last().await.expires_at();
    for _ in 0..10 {
        world.secs(2);
        assert_eq!(stale.refresh_lost(&world).await.status, 200);
        assert_eq!(browser.refresh(&world).await.status, 200);
        assert_eq!(world.store.last().await.expires_at(), idle);
    }
    world.clock.set(idle);
    assert_eq!(browser.refresh(&world).await.status, 401);
}

#[tokio::test]
async fn step_up_refuses_the_pre_step_up_token_inside_grace_without_ending_the_session() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let before = browser.clone();
    let reply = browser.call(&world, Method::POST, "/elevate").await;
    assert_eq!(reply.status, 200);
    assert_eq!(world.verify(&reply).custom().role, "admin");
    world.secs(5);
    let late = before.refresh_lost(&world).await;
    assert_eq!((late.status.as_u16(), late.code()), (409, "superseded"));
    assert_eq!(late.headers["retry-after"], "1");
    assert!(
        late.set_cookie().is_none(),
        "the newer cookie in the jar stays"
    );
    // The honest tab that was late has not ended its own session.
    let reply = browser.refresh(&world).await;
    assert_eq!(reply.status, 200);
    assert_eq!(world.verify(&reply).custom().role, "admin");
    // Another client gets no more with the old token, until it is too old for any honest one.
    for status in [409, 401] {
        let reply = before.thief().refresh(&world).await;
        assert_eq!(reply.status, status);
        assert!(reply.set_cookie().is_none());
        world.secs(31);
    }
    assert_eq!(world.count("ReuseDetected"), 0);
    browser.refresh(&world).await;
    assert!(before.thief().refresh(&world).await.cleared());
    assert_eq!(world.count("ReuseDetected"), 1);
}

#[tokio::test]
async fn user_disabled_is_401_cleared_and_revoked() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    world.denied.store(true, Ordering::SeqCst);
    let reply = browser.refresh(&world).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    assert!(reply.cleared());
    assert_eq!(world.count("Denied"), 1);
    assert!(!world.store.last().await.is_live());
    let mut stranger = world.browser();
    assert_eq!(stranger.login(&world, "ada").await.status, 401);
}

#[tokio::test]
async fn password_changed_keeping_the_current_session_others_dead_this_one_reseeded() {
    let world = World::new();
    let mut elsewhere = world.signed_in("ada").await;
    let mut here = world.signed_in("ada").await;
    let before = here.clone();
    assert_eq!(
        here.call(&world, Method::POST, "/end-others").await.status,
        200
    );
    assert_eq!(elsewhere.refresh(&world).await.status, 401);
    assert_eq!(here.refresh(&world).await.status, 200);
    for status in [409, 401] {
        assert_eq!(before.thief().refresh(&world).await.status, status);
        world.secs(31);
    }
}

#[tokio::test]
async fn application_clocks_five_minutes_apart_have_no_effect_on_sessions() {
    let world = World::new();
    let ahead = World::over(
        world.keys.clone(),
        world.clock.clone(),
        ManualClock::new(START + Duration::from_secs(300)),
        world.store.clone(),
        |b| b,
    );
    let behind = World::over(
        world.keys.clone(),
        world.clock.clone(),
        ManualClock::new(START - Duration::from_secs(300)),
        world.store.clone(),
        |b| b,
    );
    let mut browser = ahead.signed_in("ada").await;
    let mut late = browser.clone();
    assert_eq!(browser.refresh(&behind).await.status, 200);
    assert_eq!(late.refresh(&ahead).await.status, 200);
    world.secs(59);
    assert!(browser.refresh(&ahead).await.set_cookie().is_none());
    world.secs(1);
    assert!(browser.refresh(&behind).await.set_cookie().is_some());
    assert_eq!(
        ahead.count("ReuseDetected") + behind.count("ReuseDetected"),
        0
    );
}

#[tokio::test]
async fn clock_steps_back_an_hour_no_overflow_no_verdict() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let mut late = browser.clone();
    browser.refresh(&world).await;
    world.clock.set(START - HOUR);
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(late.refresh(&world).await.status, 200);
    assert_eq!(world.count("ReuseDetected"), 0);
    assert!(world.store.last().await.is_live());
}

#[tokio::test]
async fn sign_in_over_a_live_session_replaces_it_instead_of_piling_up() {
    let world = World::with(|b| b.session_limit(2));
    let mut elsewhere = world.signed_in("ada").await;
    let mut browser = world.signed_in("ada").await;
    for _ in 0..5 {
        let before = browser.clone();
        assert_eq!(browser.login(&world, "ada").await.status, 200);
        let late = before.refresh_lost(&world).await;
        assert_eq!((late.status.as_u16(), late.code()), (409, "superseded"));
        assert!(
            late.set_cookie().is_none(),
            "a late answer leaves the new cookie alone"
        );
        assert_eq!(before.thief().refresh_lost(&world).await.status, 401);
    }
    let list = browser.call(&world, Method::GET, "/sessions").await;
    assert_eq!(list.body["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(
        elsewhere.refresh(&world).await.status,
        200,
        "no session was pushed out"
    );
}

#[tokio::test]
async fn one_sign_in_over_the_cap_drops_the_least_recently_rotated() {
    let world = World::with(|b| b.session_limit(3));
    let mut browsers = Vec::new();
    for _ in 0..3 {
        browsers.push(world.signed_in("ada").await);
        world.secs(100);
    }
    // The oldest sign-in has been used since; the second one is now the least recently rotated.
    browsers[0].refresh(&world).await;
    world.secs(1);
    let mut new = world.signed_in("ada").await;
    let statuses: Vec<_> = {
        let mut statuses = Vec::new();
        for browser in &mut browsers {
            statuses.push(browser.refresh(&world).await.status.as_u16());
        }
        statuses
    };
    assert_eq!(statuses, [200, 401, 200]);
    assert_eq!(new.refresh(&world).await.status, 200);
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn ten_thousand_rotations_leave_the_record_the_same_size() {
    let world = World::with(|b| b.rotation(tower_bearer::RotationPolicy::strict()));
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    let (record, cookie) = (
        world.store.last().await.encode().len(),
        browser.cookie.clone(),
    );
    for _ in 0..10_000 {
        assert_eq!(browser.refresh(&world).await.status, 200);
    }
    let last = world.store.last().await;
    assert_eq!(last.generation(), 10_001);
    assert_eq!(last.encode().len(), record);
    assert_eq!(browser.cookie.unwrap().len(), cookie.unwrap().len());
}

#[tokio::test]
async fn a_full_store_refuses_sign_in_and_loses_no_session() {
    let clock = ManualClock::new(START);
    let small = MemoryStore::builder()
        .capacity(1)
        .clock(clock.clone())
        .build();
    let keys = World::new().keys;
    let world = World::over(
        keys,
        clock.clone(),
        clock,
        FaultStore::new(small.unwrap()),
        |b| b,
    );
    let mut first = world.signed_in("ada").await;
    let mut second = world.browser();
    assert_eq!(second.login(&world, "bob").await.status, 503);
    assert_eq!(first.refresh(&world).await.status, 200);
}
