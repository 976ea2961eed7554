//! How long the application may think about its claims.

use std::time::Duration;

use http::Method;

use crate::support::world::{START, World};

/// The next claims come after `secs`.
fn slow(world: &World, secs: f64) {
    let pause = Duration::from_secs_f64(secs);
    *world.between.lock().unwrap() = Some(Box::pin(tokio::time::sleep(pause)));
}

#[tokio::test(start_paused = true)]
async fn claims_slower_than_a_quarter_of_the_grace_are_503_and_nothing_changes() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    for (path, secs) in [("/refresh", 7.6), ("/elevate", 100.0), ("/end-others", 8.0)] {
        world.secs(900);
        let before = world.store.last().await;
        world.events.lock().unwrap().clear();
        slow(&world, secs);
        let reply = browser.call(&world, Method::POST, path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (503, "unavailable"),
            "{path}"
        );
        assert_eq!(reply.headers["retry-after"], "1");
        assert!(reply.set_cookie().is_none());
        assert!(world.store.last().await == before);
        let events = world.events.lock().unwrap().clone();
        let [one] = &events[..] else {
            panic!("{events:?}")
        };
        assert!(
            one.starts_with("SessionRefused") && one.contains("claims_timeout, 7.5s"),
            "{one}"
        );
    }
    // The same cookie works, and a little less is in time.
    slow(&world, 7.4);
    let reply = browser.refresh(&world).await;
    assert_eq!(reply.status, 200);
    assert!(reply.set_cookie().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_may_take_its_time_and_everything_is_dated_after_it() {
    let world = World::new();
    slow(&world, 20.0);
    let mut browser = world.browser();
    let reply = browser.login(&world, "ada").await;
    assert_eq!(reply.status, 200);
    let signed_in = START + Duration::from_secs(20);
    assert_eq!(world.store.last().await.created_at(), signed_in);
    assert_eq!(world.store.last().await.last_seen(), signed_in);
    world.secs(20);
    let issued = world.verify(&reply).issued_at().unwrap();
    assert_eq!(issued, signed_in);

    // A refresh, too: the window counts from when the client can have the answer.
    world.secs(900);
    slow(&world, 7.0);
    let late = browser.clone();
    let reply = browser.refresh(&world).await;
    let answered = START + Duration::from_secs(927);
    assert_eq!(world.store.last().await.last_rotated_at(), answered);
    assert_eq!(world.store.last().await.last_seen(), answered);
    world.clock.set(answered + Duration::from_secs(29));
    assert_eq!(world.verify(&reply).issued_at().unwrap(), answered);
    assert_eq!(
        late.refresh_lost(&world).await.set_cookie().map(|_| ()),
        Some(())
    );
    assert_eq!(world.outcomes("replayed"), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_grace_there_is_no_limit_but_a_chosen_one() {
    let strict = tower_bearer::RotationPolicy::strict;
    for (limit, status) in [(None, 200), (Some(Duration::from_secs(50)), 503)] {
        let world = World::with(|builder| {
            let builder = builder.rotation(strict());
            match limit {
                Some(limit) => builder.claims_timeout(limit),
                None => builder,
            }
        });
        let mut browser = world.signed_in("ada").await;
        slow(&world, 60.0);
        assert_eq!(browser.refresh(&world).await.status, status);
    }
}
