//! No client makes the server work, wait or remember without end.

use tower_bearer::KeyRing;

use crate::support::{
    faults::Fault,
    world::{MASTER, World},
};

#[tokio::test]
async fn a_storm_of_conflicts_is_run_six_times_and_then_asked_to_come_back() {
    for (races, status) in [(5, 200), (6, 503)] {
        let world = World::new();
        let mut browser = world.signed_in("ada").await;
        for _ in 0..races {
            world.store.fail_swap(Fault::LoseRace);
        }
        let reply = browser.refresh(&world).await;
        assert_eq!(reply.status, status, "{races} lost races");
        assert_eq!(reply.headers.contains_key("retry-after"), status == 503);
        assert_eq!(reply.set_cookie().is_some(), status == 200);
        assert_eq!(browser.refresh(&world).await.status, 200);
        assert_eq!(world.store.last().await.generation(), 1);
    }
}

#[tokio::test]
async fn a_sign_out_that_loses_races_ends_the_session_all_the_same() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let mut copy = browser.clone();
    for _ in 0..10 {
        world.store.fail_swap(Fault::LoseRace);
    }
    assert_eq!(browser.logout(&world).await.status, 204);
    assert!(!world.store.last().await.is_live());
    assert_eq!(copy.refresh(&world).await.status, 401);
}

#[tokio::test]
async fn one_answer_counts_once_however_many_races_it_loses() {
    let world = World::with(|b| b.repeat_limit(1));
    let mut browser = world.signed_in("ada").await;
    let late = browser.clone();
    browser.refresh(&world).await;
    world.secs(10);
    world.store.fail_swap(Fault::LoseRace);
    assert_eq!(late.refresh_lost(&world).await.status, 200);
    assert_eq!(late.refresh_lost(&world).await.status, 429);
}

#[tokio::test]
async fn revocations_that_wait_for_the_store_are_bounded_and_the_rest_is_reported() {
    let world = World::new();
    let loud = world.signed_in("ada").await;
    let mut others = Vec::new();
    for user in 0..1030 {
        others.push(world.signed_in(&format!("user{user}")).await);
    }
    world.store.down(true);
    // One session waits once, however often its client asks.
    for _ in 0..1030 {
        let reply = loud.clone().logout(&world).await;
        assert_eq!(reply.status, 503);
        assert!(reply.cleared());
    }
    assert_eq!(world.count("RevocationQueued"), 1);
    for other in &others {
        assert_eq!(other.clone().logout(&world).await.status, 503);
    }
    assert_eq!(world.count("RevocationQueued"), 1024);
    assert_eq!(world.count("RevocationLost"), 7);
    world.store.down(false);
    assert_eq!(
        world.layer.drain(std::time::Duration::from_secs(60)).await,
        0
    );
    for (at, other) in others.iter_mut().enumerate() {
        let status = if at < 1023 { 401 } else { 200 };
        assert_eq!(other.refresh(&world).await.status, status, "{at}");
    }
    // There is room again.
    let browser = world.signed_in("ada").await;
    world.store.down(true);
    browser.clone().logout(&world).await;
    assert_eq!(world.count("RevocationQueued"), 1025);
}

/// A session has room for four names, and beyond them tells of one in a minute.
#[tokio::test]
async fn a_client_with_ever_new_names_is_told_of_a_few_times() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    for name in 0..10 {
        let mut client = browser.thief();
        client.agent = format!("bot/{name}");
        assert_eq!(client.refresh(&world).await.status, 200);
    }
    assert_eq!(world.count("NewFingerprint"), 4);
}

/// Under two keys a subject has two tags; the session that asks is the last to go.
#[tokio::test]
async fn signing_out_everywhere_that_failed_half_way_can_be_asked_again() {
    const ONE: &[u8] = b"Lw5pK1rX8cV3mZ7qT2yN9bH4fJ6dS0gAuEiOxMaR";
    const TWO: &[u8] = b"Rf2hU7kD4sW9eQ1zX6vB3nM8tY5gP0jLaCiOwEbN";
    let ring = |first, second| {
        // The first one is the active one: that of the master key comes last.
        let keys = KeyRing::builder().refresh_secret(first);
        let keys = keys.refresh_secret(second).master(MASTER);
        keys.build().unwrap()
    };
    for current in [true, false] {
        let world = World::new();
        let one = world.server_with_keys(ring(ONE, TWO));
        let two = world.server_with_keys(ring(TWO, ONE));
        let (here, there) = if current { (&one, &two) } else { (&two, &one) };
        let mut elsewhere = there.signed_in("ada").await;
        let mut browser = here.signed_in("ada").await;
        world.store.fail_revoke_all(1, Fault::Refuse);
        let reply = browser.call(&one, http::Method::POST, "/logout-all").await;
        assert_eq!(reply.status, 503);
        assert!(reply.set_cookie().is_none());
        let reply = browser.call(&one, http::Method::POST, "/logout-all").await;
        assert_eq!(reply.status, 204);
        assert_eq!(elsewhere.refresh(&one).await.status, 401);
    }
}
