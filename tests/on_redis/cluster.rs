//! Slots that move, nodes that die.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;
use tower_bearer::{RedisStore, RotationPolicy};

use crate::{
    stage::{assert_ok, impatient, instance, instance_with, key_of, refresh_when_back},
    support::{
        redis::Cluster,
        world::{Browser, World},
    },
};

fn cluster_store(cluster: &Cluster) -> RedisStore {
    impatient(RedisStore::cluster(cluster.urls()))
        .build()
        .unwrap()
}

/// The slot that the session lies in which began last.
async fn slot_of_last(cluster: &Cluster, world: &World) -> u16 {
    let key = key_of(world.store.last_key().subject());
    cluster.slot_of(&key).await
}

/// Refreshes over and over until told to stop, and returns how often.
async fn refresh_until(stop: Arc<AtomicBool>, world: World, mut browser: Browser) -> usize {
    let mut answers = 0;
    while !stop.load(Ordering::SeqCst) {
        assert_ok(&browser.refresh(&world).await);
        answers += 1;
        sleep(Duration::from_millis(5)).await;
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slot_migration_during_a_refresh_storm_is_200_throughout() {
    let cluster = Cluster::start().await;
    // By the cluster's clock, which is a real one: a second is as long as a minute is elsewhere.
    let rotation = RotationPolicy::builder()
        .grace(Duration::from_millis(500))
        .interval(Duration::from_secs(1))
        .build()
        .unwrap();
    // With time enough for every answer: the machine has other work.
    let store = RedisStore::cluster(cluster.urls()).build().unwrap();
    let world = instance_with(store, |builder| {
        builder.rotation(rotation).repeat_limit(u16::MAX)
    });
    let stop = Arc::<AtomicBool>::default();
    let mut storm = Vec::new();
    // Six sign-ins of one person: one key, six sessions. Each rotates while the slot is under way.
    for _ in 0..6 {
        let browser = world.signed_in("ada").await;
        storm.push(tokio::spawn(refresh_until(
            stop.clone(),
            world.clone(),
            browser,
        )));
    }
    let slot = slot_of_last(&cluster, &world).await;
    let home = cluster.master_of(slot).await;
    let away = (0..3).find(|index| *index != home).unwrap();
    for to in [away, home, away] {
        let migration = cluster.begin_migration(slot, to).await;
        sleep(Duration::from_millis(200)).await;
        assert!(migration.move_one().await.is_some(), "the key is moved");
        // The slot is still the old node's, and the key is not there any more: ASK.
        sleep(Duration::from_millis(200)).await;
        // A sign-in and a sign-out everywhere in the middle.
        let mut browser = world.signed_in("ada").await;
        assert_ok(&browser.refresh(&world).await);
        assert_eq!(browser.logout(&world).await.status, 204);
        migration.finish().await;
        sleep(Duration::from_millis(200)).await;
    }
    stop.store(true, Ordering::SeqCst);
    for browser in storm {
        assert!(browser.await.unwrap() > 20, "hardly a storm");
    }
    assert_eq!(world.count("ReuseDetected"), 0);
    assert!(
        world.outcomes("rotated") >= 12,
        "{} rotations",
        world.outcomes("rotated")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_is_503_for_its_sessions_until_its_replica_has_taken_over() {
    let cluster = Cluster::start().await;
    let world = instance(cluster_store(&cluster));
    let mut browser = world.signed_in("ada").await;
    let slot = slot_of_last(&cluster, &world).await;
    sleep(Duration::from_millis(200)).await;
    let dead = cluster.kill_master_of(slot).await;
    let reply = refresh_when_back(&mut browser, &world).await;
    assert_ok(&reply);
    assert_ne!(cluster.master_of(slot).await, dead);
    assert_eq!(world.count("ReuseDetected"), 0);
    // Every other client is served as well.
    for user in ["bob", "eve", "joe", "sue"] {
        let mut browser = world.signed_in(user).await;
        assert_ok(&browser.refresh(&world).await);
    }
}

/// Its connections stay open and nothing comes back on them; only the other nodes tell who has taken over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hangs_is_left_for_the_replica_that_has_taken_over() {
    let cluster = Cluster::start().await;
    let world = instance(cluster_store(&cluster));
    let mut browser = world.signed_in("ada").await;
    let slot = slot_of_last(&cluster, &world).await;
    // All the time others are served by the other nodes.
    let stop = Arc::<AtomicBool>::default();
    let mut others = Vec::new();
    for n in 0..12 {
        let other = world.signed_in(&format!("user-{n}")).await;
        if cluster
            .master_of(slot_of_last(&cluster, &world).await)
            .await
            != cluster.master_of(slot).await
        {
            others.push(other);
        }
    }
    let mut other = others.pop().expect("one is on another node");
    let serving = {
        let (world, stop) = (world.clone(), stop.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                other.refresh(&world).await;
                sleep(Duration::from_millis(150)).await;
            }
        })
    };
    let hung = &cluster.nodes()[cluster.master_of(slot).await];
    sleep(Duration::from_millis(300)).await;
    hung.pause();
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    stop.store(true, Ordering::SeqCst);
    serving.await.unwrap();
    hung.resume();
}

#[tokio::test]
async fn scripts_are_sent_again_to_nodes_that_have_forgotten_them() {
    let cluster = Cluster::start().await;
    let world = instance(cluster_store(&cluster));
    let mut browsers = Vec::new();
    for user in ["ada", "bob", "eve", "joe"] {
        browsers.push(world.signed_in(user).await);
    }
    for node in cluster.nodes() {
        node.command(&["SCRIPT", "FLUSH", "SYNC"]).await;
    }
    for mut browser in browsers {
        assert_ok(&browser.refresh(&world).await);
    }
}

#[tokio::test]
async fn the_nodes_tell_how_they_are() {
    let cluster = Cluster::start().await;
    let store = cluster_store(&cluster);
    let health = store.health().await.unwrap();
    assert!(health.version().is_some());
    // The test does not depend on the master being asked: only an answer counts.
    assert!(health.role().is_some());
}
