//! A master that dies, and a replica that takes its place without the last write.

use std::time::Duration;

use tower_bearer::{RedisStore, store::RefreshStore};

use crate::{
    stage::{Heard, assert_ok, impatient, instance, refresh_when_back, start},
    support::{
        redis::{Replicated, ServerClock, until},
        world::{Browser, World},
    },
};

/// A service over replicated servers whose time is the test's.
struct Stage {
    servers: Replicated,
    clocks: [ServerClock; 2],
    heard: Heard,
    world: World,
}

impl Stage {
    async fn new() -> Self {
        let (servers, clocks) = Replicated::with_clocks(start()).await;
        let heard = Heard::default();
        let world = instance(sentinel_store(&servers, &heard));
        Self {
            servers,
            clocks,
            heard,
            world,
        }
    }

    /// Lets time pass, once. A server looks at its clock ten times a second. One that loses its master before that
    /// believes to have lost it long ago. Sentinels do not promote such a replica.
    async fn secs(&self, secs: u64) {
        for clock in &self.clocks {
            clock.advance(Duration::from_secs(secs));
        }
        self.world.secs(secs);
        for server in [self.servers.master(), self.servers.replica()] {
            until(
                "the server has seen the time",
                Duration::from_secs(10),
                || async {
                    let uptime = server.try_info("uptime_in_seconds").await?;
                    let has_seen = uptime.parse::<u64>().is_ok_and(|uptime| uptime >= secs);
                    has_seen.then_some(()).ok_or(uptime)
                },
            )
            .await;
        }
    }

    /// A browser that has rotated once, and whose next refresh rotates again.
    async fn due(&self) -> Browser {
        self.robbed().await.0
    }

    /// The same, and a thief who has its first cookies.
    async fn robbed(&self) -> (Browser, Browser) {
        let mut browser = self.world.signed_in("ada").await;
        let thief = browser.thief();
        assert_ok(&browser.refresh(&self.world).await);
        self.secs(120).await;
        self.servers.wait_for_replica().await;
        (browser, thief)
    }
}

fn sentinel_store(servers: &Replicated, heard: &Heard) -> RedisStore {
    impatient(RedisStore::sentinel(
        Replicated::NAME,
        servers.sentinel_urls(),
    ))
    .events(heard.sink())
    .build()
    .unwrap()
}

#[tokio::test]
async fn a_failover_that_loses_nothing_is_503_for_a_moment_and_then_200() {
    let stage = Stage::new().await;
    let mut browser = stage.due().await;
    let (promoted, reply) = tokio::join!(stage.servers.fail_over(), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        refresh_when_back(&mut browser, &stage.world).await
    });
    let () = promoted;
    assert_ok(&reply);
    assert_eq!(stage.world.store.last().await.generation(), 2);
    assert_eq!(stage.world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn replica_promoted_without_the_last_rotation_newest_token_first() {
    let stage = Stage::new().await;
    let mut browser = stage.due().await;
    let mut late = browser.clone();
    stage.servers.cut_replication().await;
    assert_ok(&browser.refresh(&stage.world).await);
    assert_eq!(stage.world.outcomes("rotated"), 2);
    stage.servers.fail_over().await;

    assert_ok(&refresh_when_back(&mut browser, &stage.world).await);
    assert_eq!(stage.world.count("WriteRestored"), 1);
    assert_ok(&late.refresh(&stage.world).await);
    assert_eq!(stage.world.outcomes("replayed"), 1);
    assert_eq!(
        stage.world.count("ReuseDetected") + stage.world.count("Revoked"),
        0
    );
    assert_eq!(stage.world.store.last().await.generation(), 2);
}

#[tokio::test]
async fn replica_promoted_without_the_last_rotation_predecessor_first() {
    let stage = Stage::new().await;
    let mut browser = stage.due().await;
    let mut late = browser.clone();
    stage.servers.cut_replication().await;
    assert_ok(&browser.refresh(&stage.world).await);
    stage.servers.fail_over().await;

    assert_ok(&refresh_when_back(&mut late, &stage.world).await);
    assert_eq!(stage.world.outcomes("rotated"), 3, "derived once more");
    assert_ok(&browser.refresh(&stage.world).await);
    assert_eq!(
        stage.world.outcomes("coalesced"),
        1,
        "and it is the same token"
    );
    let world = &stage.world;
    assert_eq!(
        world.count("WriteRestored") + world.count("ReuseDetected") + world.count("Revoked"),
        0
    );
}

#[tokio::test]
async fn revocation_lost_in_a_failover_is_refused_and_reapplied_where_it_was_made() {
    let stage = Stage::new().await;
    let (mut browser, mut thief) = stage.robbed().await;
    assert_ok(&browser.refresh(&stage.world).await);
    stage.servers.wait_for_replica().await;
    stage.servers.cut_replication().await;
    assert_eq!(thief.refresh(&stage.world).await.status, 401);
    assert_eq!(stage.world.count("ReuseDetected"), 1);
    stage.servers.fail_over().await;

    // The promoted server's answer, to an instance that knows nothing of it.
    let other = instance(sentinel_store(&stage.servers, &Heard::default()));
    let key = stage.world.store.last_key();
    assert!(
        other.store.peek(&key).await.unwrap().is_live(),
        "the revocation was lost"
    );
    // The instance that made it refuses the newest token all the same, and makes it again.
    let reply = refresh_when_back(&mut browser, &stage.world).await;
    assert_eq!(reply.status, 401);
    assert!(reply.cleared());
    assert_eq!(stage.heard.count("RevocationRestored"), 1);
    assert!(
        !other.store.peek(&key).await.unwrap().is_live(),
        "at every instance"
    );
    assert_eq!(stage.world.count("ReuseDetected"), 1, "no second alarm");
}

#[tokio::test]
async fn sign_out_everywhere_lost_in_a_failover_is_reapplied_as_well() {
    let stage = Stage::new().await;
    let browser = stage.due().await;
    let elsewhere = stage.world.signed_in("ada").await;
    let subject = *stage.world.store.last_key().subject();
    stage.servers.wait_for_replica().await;
    stage.servers.cut_replication().await;
    assert_eq!(
        stage
            .world
            .store
            .revoke_all(&subject, None)
            .await
            .unwrap()
            .len(),
        2
    );
    stage.servers.fail_over().await;

    for mut browser in [browser, elsewhere] {
        assert_eq!(
            refresh_when_back(&mut browser, &stage.world).await.status,
            401
        );
    }
    assert_eq!(stage.heard.count("RevocationRestored"), 2);
    let listed = stage.world.store.list(&subject).await.unwrap();
    assert!(
        listed.iter().all(|session| !session.is_live()),
        "{listed:?}"
    );
}

/// There are more sessions than the instance remembers the revocations of.
#[tokio::test]
async fn the_end_of_everything_lost_in_a_failover_holds_where_it_was_made_and_for_no_later_session()
{
    const SESSIONS: usize = 12;
    let (servers, heard) = (Replicated::start().await, Heard::default());
    let build = |remembered, heard: &Heard| {
        let store = RedisStore::sentinel(Replicated::NAME, servers.sentinel_urls());
        let store = impatient(store).remembered_revocations(remembered);
        store.events(heard.sink()).build().unwrap()
    };
    let world = instance(build(4, &heard));
    let (mut old, mut keys) = (Vec::new(), Vec::new());
    for n in 0..SESSIONS {
        old.push(world.signed_in(&format!("user {n}")).await);
        keys.push(world.store.last_key());
    }
    servers.wait_for_replica().await;
    servers.cut_replication().await;
    let ended = world.layer.admin().end_everything().await.unwrap();
    assert_eq!(ended, SESSIONS as u64);
    servers.fail_over().await;

    // The promoted server's answer, to an instance that knows nothing of it.
    let other = instance(build(4, &Heard::default()));
    let mut new = other.browser();
    until(
        "the new master takes sign-ins",
        Duration::from_secs(20),
        || async {
            let mut browser = other.browser();
            let status = browser.login(&other, "bob").await.status;
            (status == 200).then_some(()).ok_or(status.to_string())
        },
    )
    .await;
    assert_eq!(new.login(&other, "user 0").await.status, 200);
    for key in &keys {
        let stored = other.store.peek(key).await.unwrap();
        assert!(stored.is_live(), "the revocation was lost");
    }
    for browser in &mut old {
        let reply = refresh_when_back(browser, &world).await;
        assert_eq!(reply.status, 401);
    }
    assert_eq!(heard.count("RevocationRestored"), SESSIONS);
    for key in &keys {
        let stored = other.store.peek(key).await.unwrap();
        assert!(!stored.is_live(), "restored for every instance");
    }
    assert_ok(&new.refresh(&world).await);
}

/// The old master is back as a replica: connections to it say READONLY or are gone.
#[tokio::test]
async fn a_master_that_was_demoted_is_left_for_the_new_one() {
    let stage = Stage::new().await;
    let mut browser = stage.due().await;
    stage.servers.hand_over().await;
    assert_ok(&refresh_when_back(&mut browser, &stage.world).await);
    assert!(stage.servers.master().is_running());
    assert_eq!(stage.world.store.last().await.generation(), 2);
}

#[tokio::test]
async fn one_sentinel_that_answers_is_enough() {
    let servers = Replicated::start().await;
    let [first, second, _] = servers.sentinels() else {
        panic!("three sentinels");
    };
    first.kill();
    second.pause();
    let world = instance(sentinel_store(&servers, &Heard::default()));
    let mut browser = world.signed_in("ada").await;
    assert_ok(&browser.refresh(&world).await);
}
