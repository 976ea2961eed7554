//! How often the store asks: a refresh takes one round trip to read and one to write.

use tower_bearer::{
    RevokeReason,
    store::{RefreshStore as _, Swap},
};

use crate::{
    stage::{assert_ok, impatient, instance, migrated, unborn},
    support::Proxy,
};

#[tokio::test]
async fn usual_calls_take_as_few_round_trips_as_there_are_steps() {
    let (database, _) = migrated().await;
    let proxy = Proxy::to(database.port()).await;
    let store = impatient()
        .connections(1)
        .connect(&database.by(proxy.port()))
        .await
        .unwrap();
    let world = instance(store.clone());
    let mut browser = world.signed_in("ada").await;
    // Each statement is prepared when it is met for the first time.
    assert_ok(&browser.refresh(&world).await);
    let key = world.store.last_key();
    let first = store.load(&key).await.unwrap().into_record().unwrap();
    let second = first.revoked(RevokeReason::SignedOut);
    let connections = proxy.connections();

    let before = proxy.requests();
    store.load(&key).await.unwrap();
    assert_eq!(proxy.requests() - before, 1, "load");
    let before = proxy.requests();
    assert!(matches!(
        store.swap(&first, &second).await.unwrap(),
        Swap::Applied
    ));
    assert_eq!(proxy.requests() - before, 1, "swap");
    let before = proxy.requests();
    assert!(matches!(
        store.swap(&first, &second).await.unwrap(),
        Swap::Applied
    ));
    assert_eq!(
        proxy.requests() - before,
        2,
        "a swap that was applied before"
    );
    let new = unborn(&database, &world, "ada").await;
    let before = proxy.requests();
    store.insert(&new, 5).await.unwrap();
    // The lock and what there is; the new one; the end.
    assert_eq!(proxy.requests() - before, 3, "insert");
    store.revoke_all(key.subject(), None).await.unwrap();
    world.signed_in("ada").await;
    let before = proxy.requests();
    assert_eq!(
        store.revoke_all(key.subject(), None).await.unwrap().len(),
        1
    );
    assert_eq!(proxy.requests() - before, 4, "revoke_all");
    assert_eq!(proxy.connections(), connections, "all over one connection");
}

#[tokio::test]
async fn behind_a_pooler_a_statement_takes_four() {
    let (database, _) = migrated().await;
    let proxy = Proxy::to(database.port()).await;
    let store = impatient().prepared_statements(false).connections(1);
    let store = store.connect(&database.by(proxy.port())).await.unwrap();
    let world = instance(store.clone());
    world.signed_in("ada").await;
    let key = world.store.last_key();
    let before = proxy.requests();
    store.load(&key).await.unwrap();
    assert_eq!(proxy.requests() - before, 4);
}
