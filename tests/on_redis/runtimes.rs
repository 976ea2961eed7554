//! One store, and a runtime that has opened its connection and does nothing more for it.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tower_bearer::{RedisStore, store::RefreshStore};

use crate::{
    stage::{PAUSE, impatient, instance},
    support::redis::{Replicated, Server},
};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Uses the store in every way, with a runtime of its own that stands still afterwards.
fn use_it(store: &RedisStore, subject: &str) -> Runtime {
    let runtime = runtime();
    runtime.block_on(async {
        let world = instance(store.clone());
        let mut browser = world.signed_in(subject).await;
        assert_eq!(browser.refresh(&world).await.status, 200);
        let key = world.store.last_key();
        assert!(store.load(&key).await.unwrap().record().is_some());
        let record = world.store.last().await;
        // At the limit, so that it goes by the queue.
        let other = world.signed_in(subject).await;
        drop(other);
        let other = world.store.last().await;
        assert!(store.insert(&other, 1).await.unwrap().dropped().is_empty());
        assert_eq!(store.list(key.subject()).await.unwrap().len(), 2);
        let revoked = store.revoke_all(key.subject(), None).await.unwrap();
        assert_eq!(revoked.len(), 2);
        assert!(
            !store
                .load(&record.key())
                .await
                .unwrap()
                .record()
                .unwrap()
                .is_live()
        );
        assert_eq!(world.count("StoreUnavailable"), 0);
    });
    runtime
}

#[test]
fn a_second_runtime_is_served_while_the_first_stands_still() {
    let servers = runtime();
    let server = servers.block_on(Server::start());
    let store = impatient(RedisStore::builder(server.url()))
        .wait_for_replicas(1, Duration::from_millis(50))
        .build()
        .unwrap();
    let first = use_it(&store, "ada");
    let second = use_it(&store, "bob");
    // And both again, and one whose runtime is gone.
    first.block_on(async { store.health().await.unwrap() });
    second.block_on(async { store.health().await.unwrap() });
    drop(first);
    use_it(&store, "cid");
    second.block_on(async { store.health().await.unwrap() });
}

#[test]
fn runtimes_come_and_go_and_none_meets_an_error() {
    let servers = runtime();
    let server = servers.block_on(Server::start());
    let store = impatient(RedisStore::builder(server.url()))
        .build()
        .unwrap();
    for n in 0..40 {
        drop(use_it(&store, &format!("user-{n}")));
    }
}

#[test]
fn a_second_runtime_finds_the_master_by_the_sentinels() {
    let servers = runtime();
    let pair = servers.block_on(Replicated::start());
    let store = RedisStore::sentinel(Replicated::NAME, pair.sentinel_urls());
    let store = impatient(store).build().unwrap();
    let _first = use_it(&store, "ada");
    let _second = use_it(&store, "bob");
}

/// The first request after a silence goes alone. Where its runtime stands still it is never answered, and that is no
/// matter of the others.
#[test]
fn a_probe_on_a_runtime_that_stands_still_keeps_the_store_shut_for_no_other() {
    let servers = runtime();
    let server = servers.block_on(Server::start());
    let store = impatient(RedisStore::builder(server.url()))
        .concurrency(1)
        .build()
        .unwrap();
    let (first, second) = (runtime(), runtime());
    let key = first.block_on(async {
        let world = instance(store.clone());
        world.signed_in("ada").await;
        world.store.last_key()
    });
    second.block_on(store.load(&key)).unwrap();
    server.pause();
    for runtime in [&first, &second] {
        runtime.block_on(store.load(&key)).unwrap_err();
    }
    std::thread::sleep(PAUSE + Duration::from_millis(50));
    first.block_on(async {
        let store = store.clone();
        tokio::spawn(async move { store.load(&key).await });
        tokio::time::sleep(Duration::from_millis(20)).await;
    });
    server.resume();
    second.block_on(async {
        let begun = tokio::time::Instant::now();
        while let Err(error) = store.load(&key).await {
            assert!(begun.elapsed() < Duration::from_secs(3), "{error:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}
