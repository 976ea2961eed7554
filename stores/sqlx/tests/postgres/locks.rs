//! Other sessions that hold what a call needs: it ends in time, and says why.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::try_join_all;
use sqlx::{Connection as _, Executor as _, PgPool, postgres::PgPoolOptions};
use tower_bearer::store::{RefreshStore as _, StoreErrorKind};
use tower_bearer_sqlx::{PostgresStore, PostgresStoreBuilder};

use crate::{
    stage::{LIMIT, assert_ok, assert_unavailable, impatient, instance, migrated, told},
    support::{Proxy, Server, until},
};

/// Enough between what the server is given and the whole for a machine that builds beside it.
fn patient() -> PostgresStoreBuilder {
    PostgresStore::builder()
        .timeout(Duration::from_secs(3))
        .connections(1)
}

/// A refresh meets a lock of another session, and the connection is the same one afterwards.
async fn a_lock_is_met(store: impl AsyncFn(&str) -> PostgresStore) {
    let (database, _) = migrated().await;
    let proxy = Proxy::to(database.port()).await;
    let world = instance(store(&database.by(proxy.port())).await);
    let mut browser = world.signed_in("ada").await;
    let mut other = database.connection().await;
    let mut transaction = other.begin().await.unwrap();
    transaction
        .execute("SELECT FROM tower_bearer_sessions FOR UPDATE")
        .await
        .unwrap();
    assert_unavailable(&browser.refresh(&world).await);
    transaction.rollback().await.unwrap();
    assert_ok(&browser.refresh(&world).await);
    assert_eq!(world.outcomes("rotated"), 1);
    assert_eq!(
        proxy.connections(),
        1,
        "the server said so, and the connection is fit"
    );
}

#[tokio::test]
async fn a_row_that_a_transaction_holds_is_503_and_then_200() {
    a_lock_is_met(async |url| patient().connect(url).await.unwrap()).await;
}

#[tokio::test]
async fn the_same_without_prepared_statements() {
    let store = patient().prepared_statements(false);
    a_lock_is_met(async |url| store.clone().connect(url).await.unwrap()).await;
}

#[tokio::test]
async fn the_same_over_a_pool_of_the_applications() {
    let pool = PgPoolOptions::new().max_connections(1);
    a_lock_is_met(async |url| patient().share(pool.clone().connect(url).await.unwrap())).await;
}

#[tokio::test]
async fn a_table_that_is_locked_is_an_error_that_says_so() {
    let (database, store) = migrated().await;
    let world = instance(store);
    world.signed_in("ada").await;
    let key = world.store.last_key();
    let mut other = database.connection().await;
    let mut transaction = other.begin().await.unwrap();
    transaction
        .execute("LOCK TABLE tower_bearer_sessions")
        .await
        .unwrap();
    for prepared in [true, false] {
        let store = impatient()
            .prepared_statements(prepared)
            .connect(&database.url)
            .await
            .unwrap();
        for error in [
            store.load(&key).await.unwrap_err(),
            store.revoke_all(key.subject(), None).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable);
            assert!(
                told(&error).contains("another session holds a lock"),
                "{}",
                told(&error)
            );
        }
    }
    drop(transaction);
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                   AND datname = current_database()";
    assert_eq!(
        database.value::<i64>(waiting).await,
        0,
        "a statement still waits"
    );
}

#[tokio::test]
async fn a_pool_without_a_free_connection_is_503_and_then_200() {
    let (database, _) = migrated().await;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect(&database.url)
        .await
        .unwrap();
    let world = instance(impatient().share(pool.clone()));
    let mut browser = world.signed_in("ada").await;
    let taken = pool.acquire().await.unwrap();
    assert_unavailable(&browser.refresh(&world).await);
    let error = world.store.load(&world.store.last_key()).await.unwrap_err();
    assert!(
        told(&error).contains("every connection was in use"),
        "{}",
        told(&error)
    );
    drop(taken);
    assert_ok(&browser.refresh(&world).await);
}

/// The server is there and busy. A store that threw them away would send the whole application to connect anew.
#[tokio::test]
async fn a_late_call_leaves_the_idle_connections_of_the_applications_pool_alone() {
    let (database, store) = migrated().await;
    let world = instance(store);
    world.signed_in("ada").await;
    let pool = PgPoolOptions::new().max_connections(5);
    let pool = pool.connect(&database.url).await.unwrap();
    let before = backends(&pool, 5).await;
    until("all are idle", Duration::from_secs(5), || async {
        let idle = pool.num_idle();
        (idle == 5).then_some(()).ok_or_else(|| idle.to_string())
    })
    .await;
    let store = impatient().share(pool.clone());
    let mut other = database.connection().await;
    let mut transaction = other.begin().await.unwrap();
    transaction
        .execute("LOCK TABLE tower_bearer_sessions")
        .await
        .unwrap();
    let error = store.load(&world.store.last_key()).await.unwrap_err();
    assert!(
        told(&error).contains("no answer within"),
        "{}",
        told(&error)
    );
    assert_eq!(pool.num_idle(), 4, "all but the one of the call");
    let after = backends(&pool, 4).await;
    assert!(after.is_subset(&before), "{after:?} of {before:?}");
}

/// The processes of the server behind so many connections of the pool.
async fn backends(pool: &PgPool, count: usize) -> BTreeSet<i32> {
    let connections = (0..count).map(|_| pool.acquire());
    let mut connections = try_join_all(connections).await.unwrap();
    let mut backends = BTreeSet::new();
    for connection in &mut connections {
        let asked = sqlx::query_scalar("SELECT pg_backend_pid()");
        backends.insert(asked.fetch_one(&mut **connection).await.unwrap());
    }
    backends
}

#[tokio::test]
async fn calls_wait_in_line_for_the_stores_own_connections() {
    let (database, _) = migrated().await;
    let store = impatient()
        .connections(1)
        .connect(&database.url)
        .await
        .unwrap();
    let world = instance(store.clone());
    world.signed_in("ada").await;
    let key = world.store.last_key();
    let record = store.load(&key).await.unwrap().into_record().unwrap();
    let mut other = database.connection().await;
    let mut transaction = other.begin().await.unwrap();
    transaction
        .execute("SELECT FROM tower_bearer_sessions FOR UPDATE")
        .await
        .unwrap();
    let swap = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .swap(&record, &record.revoked(tower_bearer::RevokeReason::Denied))
                .await
        }
    });
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    until("the swap waits", Duration::from_secs(5), || async {
        let count: i64 = database.value(waits).await;
        (count > 0).then_some(()).ok_or_else(|| count.to_string())
    })
    .await;
    // Its turn does not come, and it says so and nothing of the server.
    let quick = PostgresStore::clone(&store);
    let error = tokio::time::timeout(LIMIT * 2, quick.load(&key)).await;
    // Either the lock is given up first, and the load has its turn, or the load gives up first.
    if let Err(error) = error.unwrap() {
        assert!(
            told(&error).contains("every connection was in use"),
            "{}",
            told(&error)
        );
    }
    assert!(swap.await.unwrap().is_err());
    drop(transaction);
    store.load(&key).await.unwrap();
}

/// Servers log statements that fail. A subject or a label is none of their business, nor is a hash.
#[tokio::test]
async fn a_statement_that_fails_leaves_no_record_in_the_log() {
    let (database, _) = migrated().await;
    for prepared in [true, false] {
        let store = impatient()
            .prepared_statements(prepared)
            .connect(&database.url)
            .await
            .unwrap();
        let world = instance(store.clone());
        let mut browser = world.signed_in("cecilia").await;
        let key = world.store.last_key();
        let mut other = database.connection().await;
        let mut transaction = other.begin().await.unwrap();
        transaction
            .execute("SELECT FROM tower_bearer_sessions FOR UPDATE")
            .await
            .unwrap();
        assert_unavailable(&browser.refresh(&world).await);
        store.revoke_all(key.subject(), None).await.unwrap_err();
        transaction.rollback().await.unwrap();
    }
    let log = Server::shared().await.log();
    assert!(log.contains("UPDATE tower_bearer_sessions"), "{log}");
    let hex = b"cecilia".map(|byte| format!("{byte:02x}")).concat();
    assert!(!log.contains("cecilia") && !log.contains(&hex));
}
