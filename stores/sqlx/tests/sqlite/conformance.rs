//! The duties of every store.

use tokio::time::sleep;
use tower_bearer::store::conformance;
use tower_bearer_sqlx::SqliteStore;

use crate::place::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_conforms() {
    let place = Place::new();
    // Each time connections of its own, as another process would have.
    let instance = async || place.open().await;
    let verdict = conformance::run(instance, sleep).await;
    assert!(verdict.is_ok(), "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_pool_of_an_application_conforms() {
    let place = Place::new();
    let instance = async || {
        let store = SqliteStore::from(place.pool().await);
        store.migrate().await.unwrap();
        store
    };
    let verdict = conformance::run(instance, sleep).await;
    assert!(verdict.is_ok(), "{verdict:?}");
}
