//! The suite that any store must pass, over every kind of server.

use std::time::Duration;

use tower_bearer::{
    RedisStore,
    store::{RedisStoreBuilder, conformance},
};

use crate::support::redis::{Cluster, Replicated, Server};

/// The servers' clocks are real ones: time passes by waiting. Each instance has connections of its own.
async fn conforms(builder: impl Fn() -> RedisStoreBuilder) {
    // The suite is in a hurry and the machine is small: what counts here is what is answered.
    let patient = |store: RedisStoreBuilder| store.response_timeout(Duration::from_secs(5));
    let instance = async || patient(builder()).build().unwrap();
    let verdict = conformance::run(instance, tokio::time::sleep).await;
    assert!(verdict.is_ok(), "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_server_conforms() {
    let server = Server::start().await;
    conforms(|| RedisStore::builder(server.url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_master_under_sentinel_conforms() {
    let servers = Replicated::start().await;
    conforms(|| RedisStore::sentinel(Replicated::NAME, servers.sentinel_urls())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_conforms() {
    let cluster = Cluster::start().await;
    conforms(|| RedisStore::cluster(cluster.urls())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn waiting_for_replicas_conforms() {
    let servers = Replicated::start().await;
    conforms(|| {
        let store = RedisStore::sentinel(Replicated::NAME, servers.sentinel_urls());
        store.wait_for_replicas(1, Duration::from_secs(1))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connection_of_the_applications_conforms() {
    let server = Server::start().await;
    let client = redis::Client::open(format!("{}?protocol=resp3", server.url())).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    conforms(|| RedisStore::with_connection(connection.clone())).await;
}
