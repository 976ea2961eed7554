//! A database that does not do what it is asked. Each failure is an honest 503, with the cookie kept and a cure named.

use std::time::Duration;

use sqlx::{
    Connection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tokio::{task::JoinSet, time::sleep};
use tower_bearer::{
    RevokeReason,
    store::{RefreshStore, SessionRecord, StoreErrorKind, Swap},
};
use tower_bearer_sqlx::SqliteStore;

use crate::{
    place::{Place, after, cure, path_of_the_other, service, tell},
    support::world::{Reply, World},
};

#[track_caller]
fn is_unavailable(reply: &Reply) {
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (503, "unavailable"),
        "{reply:?}"
    );
    assert_eq!(reply.set_cookie(), None, "the cookie is kept");
}

/// Signs users in until the store has no room.
async fn fill(world: &World) -> Reply {
    for user in 0..10_000 {
        let reply = world.browser().login(world, &format!("user-{user}")).await;
        if reply.status != 200 {
            return reply;
        }
    }
    panic!("it never was full");
}

/// The application begins a transaction of its own, on the connection that the store used last.
async fn begins(pool: &SqlitePool) {
    let begun = pool.begin_with("BEGIN IMMEDIATE").await;
    begun.unwrap().rollback().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_newcomers_and_keeps_the_others() {
    let place = Place::new();
    place.open().await.close().await;
    let options = place.options().pragma("max_page_count", "40");
    // One connection: whatever is refused, it has to serve the next call too.
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_with(options).await.unwrap();
    let (world, store) = service(async |store| store.share(pool.clone()).unwrap()).await;
    let mut browser = world.signed_in("ada").await;
    let ada = world.store.last_key();

    is_unavailable(&fill(&world).await);
    begins(&pool).await;
    let full = world.events.lock().unwrap().last().cloned().unwrap();
    assert!(
        full.contains("Refused") && full.contains("there is no room"),
        "{full}"
    );
    let health = store.health().await.unwrap();
    assert!(!health.is_writable());
    assert!(
        health.warnings()[0].contains("there is no room"),
        "{:?}",
        health.warnings()
    );
    begins(&pool).await;

    // Sessions that are there can be used, and ended.
    world.secs(120);
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(world.store.peek(&ada).await.unwrap().generation(), 1);
    assert_eq!(browser.logout(&world).await.status, 204);
    assert!(!world.store.peek(&ada).await.unwrap().is_live());
    // Room comes back where something is deleted.
    let deleted = sqlx::query("DELETE FROM tower_bearer_sessions WHERE subject_tag <> ?")
        .bind(&ada.subject().as_bytes()[..])
        .execute(&mut place.connection().await)
        .await
        .unwrap();
    assert!(deleted.rows_affected() > 10);
    let reply = world.browser().login(&world, "ada").await;
    let told = world.events.lock().unwrap().last().cloned();
    assert_eq!(reply.status, 200, "{told:?}");
}

/// The data of a database in memory goes with its connection.
#[tokio::test]
async fn a_full_database_in_memory_keeps_its_connection_and_its_sessions() {
    let options = SqliteConnectOptions::new().pragma("max_page_count", "40");
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_with(options).await.unwrap();
    let (world, store) = service(async |store| store.share(pool.clone()).unwrap()).await;
    store.migrate().await.unwrap();
    let mut browser = world.signed_in("ada").await;

    is_unavailable(&fill(&world).await);
    begins(&pool).await;
    assert!(!store.health().await.unwrap().is_writable());
    begins(&pool).await;
    world.secs(120);
    assert_eq!(browser.refresh(&world).await.status, 200);
}

/// SQLite has ended the application's transaction by itself, and the driver goes on counting it.
#[tokio::test]
async fn a_connection_that_comes_out_of_order_from_the_application_serves_all_the_same() {
    let place = Place::new();
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_with(place.options()).await.unwrap();
    let (world, store) = service(async |store| store.share(pool.clone()).unwrap()).await;
    store.migrate().await.unwrap();
    let mut browser = world.signed_in("ada").await;
    let mut tx = pool.begin().await.unwrap();
    sqlx::raw_sql("ROLLBACK").execute(&mut *tx).await.unwrap();
    drop(tx);
    assert!(pool.begin_with("BEGIN IMMEDIATE").await.is_err());
    world.secs(120);
    assert_eq!(browser.refresh(&world).await.status, 200);
    begins(&pool).await;
}

#[tokio::test]
async fn a_database_that_may_only_be_read_refuses_with_its_cure() {
    let place = Place::new();
    let (writable, _) = place.service().await;
    let mut browser = writable.signed_in("ada").await;
    let record = writable.store.last().await;

    let pool = SqlitePool::connect_with(place.options().read_only(true))
        .await
        .unwrap();
    let (world, store) = service(async |store| store.share(pool).unwrap()).await;
    let loaded = store.load(&record.key()).await.unwrap();
    assert_eq!(loaded.record(), Some(&record));
    let next = record.revoked(RevokeReason::SignedOut);
    let error = store.swap(&record, &next).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert!(cure(&error).contains("the right to write"), "{error:?}");
    let health = store.health().await.unwrap();
    assert!(!health.is_writable());
    assert!(
        health.warnings()[0].contains("takes no writes"),
        "{:?}",
        health.warnings()
    );

    world.secs(120);
    is_unavailable(&browser.refresh(&world).await);
    is_unavailable(&world.browser().login(&world, "ada").await);
}

#[tokio::test]
async fn a_missing_table_is_named_with_the_call_that_makes_it() {
    let place = Place::new();
    let (other, _) = place.service().await;
    other.signed_in("ada").await;
    let record = other.store.last().await;

    let empty = Place::new();
    let store = SqliteStore::from(empty.pool().await);
    let error = store.load(&record.key()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert!(
        cure(&error).contains("call SqliteStore::migrate"),
        "{error:?}"
    );
    let health = store.health().await.unwrap();
    assert_eq!(health.schema_version(), None);
    assert!(
        health.warnings()[0].contains("SqliteStore::migrate"),
        "{:?}",
        health.warnings()
    );
    store.migrate().await.unwrap();
    store.insert(&record, 5).await.unwrap();
}

/// Takes the lock for writing, and holds it until it is killed.
#[tokio::test]
async fn the_process_that_holds_the_lock() {
    let Some(path) = path_of_the_other() else {
        return;
    };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    let _held = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
    tell("locked");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_lock_that_another_process_holds_is_waited_for_no_longer_than_said() {
    let place = Place::new();
    let (world, store) = service(async |store| {
        let store = store.timeout(Duration::from_millis(400));
        store.open(place.path()).await.unwrap()
    })
    .await;
    let mut browser = world.signed_in("ada").await;
    let record = world.store.last().await;
    world.secs(120);

    let mut other = place.other("faults::the_process_that_holds_the_lock");
    assert_eq!(other.told(), "locked");
    is_unavailable(&browser.refresh(&world).await);
    // A refused call may happen all the same, as soon as the lock is free: something that may.
    let error = store.insert(&record, 5).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(cure(&error).contains("the lock for writing"), "{error:?}");
    // Readers do not wait for it.
    let loaded = store.load(&record.key()).await.unwrap();
    assert_eq!(loaded.record(), Some(&record));
    // Those in line are answered too.
    let mut line = JoinSet::new();
    for _ in 0..20 {
        let (store, record) = (store.clone(), record.clone());
        line.spawn(async move { store.insert(&record, 5).await });
    }
    while let Some(answer) = line.join_next().await {
        let error = answer.unwrap().unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }
    // The system takes its lock from a process that dies.
    other.kill();
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(world.store.last().await.generation(), 1);
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_waits_leaves_the_next_one_alone() {
    let place = Place::new();
    let (world, store) = place.service().await;
    world.signed_in("ada").await;
    let record = world.store.last().await;
    let next = record.revoked(RevokeReason::SignedOut);
    let mut connection = place.connection().await;
    let held = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
    for _ in 0..3 {
        let waits = tokio::time::timeout(Duration::from_millis(50), store.swap(&record, &next));
        assert!(waits.await.is_err(), "it did not wait");
    }
    held.rollback().await.unwrap();
    // One of those may have come through; a swap that is applied twice is applied.
    let swapped = store.swap(&record, &next).await.unwrap();
    assert!(matches!(swapped, Swap::Applied), "{swapped:?}");
    assert_eq!(world.store.last().await, next);
}

/// Whether all connections of a pool of three see the same. None of them is in a transaction.
async fn agree(pool: &SqlitePool) -> bool {
    let mut connections = Vec::new();
    let mut counts = Vec::new();
    for _ in 0..3 {
        let mut connection = pool.acquire().await.unwrap();
        let count = sqlx::query_scalar("SELECT count(*) FROM tower_bearer_sessions WHERE live");
        let count: i64 = count.fetch_one(&mut *connection).await.unwrap();
        counts.push(count);
        connections.push(connection);
    }
    for mut connection in connections {
        let begun = sqlx::raw_sql("BEGIN; ROLLBACK").execute(&mut *connection);
        begun.await.expect("it is in no transaction");
    }
    counts.iter().all(|count| *count == counts[0])
}

/// Each connection of a pool that others use too has to be as it was. It is in no transaction, and sees everything that
/// is committed.
#[tokio::test]
async fn calls_that_are_dropped_leave_a_clean_pool() {
    let place = Place::new();
    let pool = SqlitePoolOptions::new().max_connections(3);
    let pool = pool.connect_with(place.options()).await.unwrap();
    let (world, store) = service(async |store| store.share(pool.clone()).unwrap()).await;
    store.migrate().await.unwrap();
    world.signed_in("ada").await;
    let first = world.store.last().await;
    let subject = *first.key().subject();
    let mut dropped = 0;
    for round in 0..120 {
        world.signed_in("ada").await;
        let record = world.store.last().await;
        let next = record.revoked(RevokeReason::SignedOut);
        let wakes = round % 3;
        let was_dropped = match round % 4 {
            0 => after(wakes, store.swap(&record, &next)).await.is_none(),
            1 => after(wakes, store.revoke_all(&subject, Some(&first.id())))
                .await
                .is_none(),
            2 => after(wakes, store.insert(&first, 32)).await.is_none(),
            _ => after(wakes, store.purge()).await.is_none(),
        };
        dropped += usize::from(was_dropped);
        assert!(store.health().await.unwrap().is_writable());
        // A dropped call may still come through, once.
        let mut looks = 0;
        while !agree(&pool).await {
            looks += 1;
            assert!(looks < 10_000, "round {round}: a connection lags behind");
            sleep(Duration::from_millis(1)).await;
        }
    }
    assert!(dropped > 10, "they were dropped {dropped} times");
}

#[tokio::test]
async fn a_pool_that_is_exhausted_is_unavailable() {
    let place = Place::new();
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_with(place.options()).await.unwrap();
    let (world, store) = service(async |store| {
        let store = store.timeout(Duration::from_millis(300));
        store.share(pool.clone()).unwrap()
    })
    .await;
    store.migrate().await.unwrap();
    let mut browser = world.signed_in("ada").await;
    let key = world.store.last_key();
    let held = pool.acquire().await.unwrap();
    let error = store.load(&key).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(
        cure(&error).contains("every connection is in use"),
        "{error:?}"
    );
    is_unavailable(&browser.refresh(&world).await);
    drop(held);
    assert_eq!(browser.refresh(&world).await.status, 200);
}

/// A pool of one connection. A handler of the application has begun a transaction on it by hand and returned early.
async fn left_open(place: &Place, statements: &'static str) -> (SqliteStore, SessionRecord) {
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_with(place.options()).await.unwrap();
    let (world, store) = service(async |store| store.share(pool.clone()).unwrap()).await;
    store.migrate().await.unwrap();
    world.signed_in("ada").await;
    let record = world.store.last().await;
    let mut connection = pool.acquire().await.unwrap();
    sqlx::raw_sql(statements)
        .execute(&mut *connection)
        .await
        .unwrap();
    (store, record)
}

#[tokio::test]
async fn an_applied_swap_is_written_where_the_application_left_a_transaction_open() {
    let place = Place::new();
    let (store, record) = left_open(&place, "BEGIN").await;
    let next = record.revoked(RevokeReason::SignedOut);
    let swapped = store.swap(&record, &next).await.unwrap();
    assert!(matches!(swapped, Swap::Applied), "{swapped:?}");
    let other = place.open().await;
    let stored = other.load(&record.key()).await.unwrap();
    assert_eq!(stored.record(), Some(&next));
}

#[tokio::test]
async fn a_revoked_session_is_not_live_where_the_application_left_a_transaction_open() {
    let place = Place::new();
    let reading = "BEGIN; SELECT count(*) FROM tower_bearer_sessions";
    let (store, record) = left_open(&place, reading).await;
    let other = place.open().await;
    let subject = *record.key().subject();
    other.revoke_all(&subject, None).await.unwrap();
    let loaded = store.load(&record.key()).await.unwrap();
    assert!(!loaded.record().unwrap().is_live());
}
