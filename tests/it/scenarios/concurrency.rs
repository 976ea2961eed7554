//! Several tabs, one cookie jar.

use std::time::Duration;

use crate::support::world::World;

#[tokio::test]
async fn predecessor_five_seconds_later_gets_the_same_successor() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let mut late = browser.clone();
    assert_eq!(browser.refresh(&world).await.status, 200);
    world.secs(5);
    assert_eq!(late.refresh(&world).await.status, 200);
    assert_eq!(world.outcomes("replayed"), 1);
    // The same token, sealed anew: both are the current one.
    world.secs(1);
    assert_eq!(late.refresh(&world).await.status, 200);
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(world.outcomes("coalesced"), 2);
    assert_eq!(world.store.last().await.generation(), 1);
}

#[tokio::test]
async fn two_tabs_refreshed_in_grace_both_refresh_again_later_no_theft() {
    let world = World::new();
    let mut one = world.signed_in("ada").await;
    let mut two = one.clone();
    one.refresh(&world).await;
    world.secs(10);
    two.refresh(&world).await;
    world.secs(800);
    assert_eq!(one.refresh(&world).await.status, 200);
    world.secs(3);
    assert_eq!(two.refresh(&world).await.status, 200);
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn twenty_tabs_restored_over_six_seconds_no_revocation_one_rotation() {
    let world = World::new();
    let browser = world.signed_in("ada").await;
    let mut tabs = vec![browser; 20];
    for tab in &mut tabs {
        assert_eq!(tab.refresh(&world).await.status, 200);
        world.advance(Duration::from_millis(300));
    }
    assert_eq!(world.outcomes("rotated"), 1);
    assert_eq!(world.store.last().await.generation(), 1);
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn third_tab_after_the_first_already_used_the_successor_inside_grace_is_replayed() {
    let world = World::new();
    let mut first = world.signed_in("ada").await;
    let mut third = first.clone();
    first.refresh(&world).await;
    world.secs(2);
    // The successor comes back: presented.
    assert!(first.refresh(&world).await.set_cookie().is_none());
    world.secs(20);
    let reply = third.refresh(&world).await;
    assert_eq!(reply.status, 200);
    // The jar has it: handed out once more, it could arrive behind the next one.
    assert!(reply.set_cookie().is_none());
    assert_eq!(world.outcomes("replayed"), 1);
}

#[tokio::test]
async fn once_the_successor_has_been_presented_replays_no_longer_move_the_window() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let stale = browser.clone();
    browser.refresh(&world).await;
    browser.refresh(&world).await;
    world.secs(29);
    assert_eq!(stale.refresh_lost(&world).await.status, 200);
    // A second replay 29 s after the first lies outside the window that opened at 0 s. The browser may have died before
    // its cookies were on the disk. It goes on from there, and the token that it lost is burned.
    world.secs(29);
    assert_eq!(stale.refresh_lost(&world).await.status, 200);
    assert_eq!(world.outcomes("replayed"), 1);
    assert_eq!(world.outcomes("recovered"), 1);
}

#[tokio::test]
async fn current_token_before_the_interval_is_answered_without_a_cookie() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    world.secs(59);
    let reply = browser.refresh(&world).await;
    assert_eq!(reply.status, 200);
    assert!(reply.set_cookie().is_none());
    world.verify(&reply);
    world.secs(1);
    let reply = browser.refresh(&world).await;
    assert!(
        reply.set_cookie().is_some(),
        "a minute after the hand-out it rotates"
    );
}

#[tokio::test]
async fn a_late_coalesced_response_never_overwrites_a_newer_cookie() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    world.secs(30);
    let late = browser.refresh_lost(&world).await;
    world.secs(40);
    browser.refresh(&world).await;
    let newest = browser.cookie.clone();
    browser.keep(&late);
    assert_eq!(browser.cookie, newest);
    world.secs(100);
    assert_eq!(browser.refresh(&world).await.status, 200);
}

#[tokio::test]
async fn a_replay_never_carries_the_presented_value() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let late = browser.clone();
    browser.refresh(&world).await;
    let reply = late.refresh_lost(&world).await;
    assert_ne!(reply.set_cookie(), late.cookie);
    // It is the successor: presented by the same client it counts as current.
    browser.keep(&reply);
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(world.outcomes("coalesced"), 1);
}

#[tokio::test]
async fn refresh_against_logout_never_leaves_a_live_token() {
    for first in ["refresh", "logout"] {
        let world = World::new();
        let mut browser = world.signed_in("ada").await;
        let mut other = browser.clone();
        if first == "refresh" {
            other.refresh(&world).await;
            assert_eq!(browser.logout(&world).await.status, 204);
        } else {
            // The sign-out commits between the load and the swap of the refresh.
            let (inner, mut leaving) = (world.clone(), browser.clone());
            *world.between.lock().unwrap() = Some(Box::pin(async move {
                assert_eq!(leaving.logout(&inner).await.status, 204);
            }));
            assert_eq!(other.refresh(&world).await.status, 401);
        }
        for mut held in [browser, other] {
            world.secs(1);
            assert_eq!(held.refresh(&world).await.status, 401, "{first}");
        }
        assert!(!world.store.last().await.is_live());
    }
}

#[tokio::test]
async fn revoke_all_against_a_committing_login_old_dead_new_alive_none_orphaned() {
    let world = World::new();
    let mut old = world.signed_in("ada").await;
    let mut new = world.browser();
    let inner = world.clone();
    *world.between.lock().unwrap() = Some(Box::pin(async move {
        inner.layer.admin().end_all("ada", None).await.unwrap();
    }));
    assert_eq!(new.login(&world, "ada").await.status, 200);
    assert_eq!(old.refresh(&world).await.status, 401);
    assert_eq!(new.refresh(&world).await.status, 200);
    // Nothing escapes the next sweep of the subject.
    assert_eq!(
        world
            .layer
            .admin()
            .end_all("ada", None)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(new.refresh(&world).await.status, 401);
}

#[tokio::test]
async fn password_reset_between_the_steps_of_a_refresh_makes_the_swap_conflict() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let inner = world.clone();
    *world.between.lock().unwrap() = Some(Box::pin(async move {
        assert_eq!(
            inner
                .layer
                .admin()
                .end_all("ada", None)
                .await
                .unwrap()
                .len(),
            1
        );
    }));
    let reply = browser.refresh(&world).await;
    assert_eq!(reply.status, 401);
    assert!(reply.cleared());
    assert_eq!(world.outcomes("rotated"), 0);
}

#[tokio::test]
async fn two_rotations_in_one_millisecond_the_older_is_refused_by_generation() {
    let world = World::with(|b| b.rotation(tower_bearer::RotationPolicy::strict()));
    let mut browser = world.signed_in("ada").await;
    let oldest = browser.clone();
    browser.refresh(&world).await;
    browser.refresh(&world).await;
    assert_eq!(world.store.last().await.generation(), 2);
    assert_eq!(oldest.refresh_lost(&world).await.status, 401);
    assert_eq!(world.count("ReuseDetected"), 1);
}

#[tokio::test]
async fn too_many_replays_of_one_token_are_asked_to_slow_down() {
    let world = World::with(|b| b.repeat_limit(5));
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    for _ in 0..5 {
        assert_eq!(browser.refresh(&world).await.status, 200);
    }
    let reply = browser.refresh(&world).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (429, "too_many_requests")
    );
    assert_eq!(reply.headers["retry-after"], "30");
    assert!(reply.set_cookie().is_none());
    world.secs(30);
    assert_eq!(browser.refresh(&world).await.status, 200);
}
