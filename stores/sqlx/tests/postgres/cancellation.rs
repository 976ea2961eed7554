//! Futures that are dropped in the middle: all or nothing, and the connection is fit for the next call.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use sqlx::{Connection as _, postgres::PgPoolOptions};
use tower_bearer::{
    RevokeReason,
    store::{RefreshStore as _, SessionRecord, StoreError},
};
use tower_bearer_sqlx::{PostgresStore, RevokeIn as _};

use crate::{
    stage::{impatient, instance, migrated, unborn},
    support::{Database, Proxy, until},
};

/// Drops `call` after its `steps`-th wait; whether it was over before.
async fn cut<T>(steps: usize, call: impl Future<Output = Result<T, StoreError>>) -> bool {
    let mut call = pin!(call);
    let mut left = steps;
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(answer) => {
            assert!(answer.is_ok(), "{:?}", answer.err());
            Poll::Ready(true)
        }
        Poll::Pending if left == 0 => Poll::Ready(false),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

const OPEN: &str = "SELECT count(*) FROM pg_stat_activity \
                    WHERE datname = current_database() AND state LIKE 'idle in transaction%'";

/// Whatever was cut, the next call on the only connection is answered and nothing is left open.
async fn calls_are_cut(database: &Database, store: &PostgresStore) {
    let world = instance(store.clone());
    for kind in 0..4 {
        for steps in 0.. {
            world.signed_in("ada").await;
            let key = world.store.last_key();
            let record = store.load(&key).await.unwrap().into_record().unwrap();
            let next = record.revoked(RevokeReason::SignedOut);
            let over = match kind {
                0 => cut(steps, store.load(&key)).await,
                1 => cut(steps, store.swap(&record, &next)).await,
                2 => cut(steps, store.revoke_all(key.subject(), None)).await,
                _ => {
                    let other = unborn(database, &world, "ada").await;
                    cut(steps, store.insert(&other, 5)).await
                }
            };
            // The write of one who has not been told is there for all: it was committed or it never was.
            let stored = store.load(&key).await.unwrap().into_record().unwrap();
            let mut connection = database.connection().await;
            let others: Vec<u8> = sqlx::query_scalar(
                "SELECT record FROM tower_bearer_sessions WHERE session_id = $1",
            )
            .bind(*key.id().as_bytes())
            .fetch_one(&mut connection)
            .await
            .unwrap();
            assert_eq!(
                SessionRecord::decode(&others).unwrap(),
                stored,
                "{kind} after {steps}"
            );
            store.revoke_all(key.subject(), None).await.unwrap();
            if over {
                break;
            }
        }
    }
    until("no transaction is open", Duration::from_secs(5), || async {
        let open: i64 = database.value(OPEN).await;
        (open == 0).then_some(()).ok_or_else(|| open.to_string())
    })
    .await;
}

#[tokio::test]
async fn the_stores_own_connection_goes_on() {
    let (database, _) = migrated().await;
    for prepared in [true, false] {
        let proxy = Proxy::to(database.port()).await;
        let store = impatient().connections(1).prepared_statements(prepared);
        let store = store.connect(&database.by(proxy.port())).await.unwrap();
        calls_are_cut(&database, &store).await;
        let opened = proxy.connections();
        assert_eq!(opened, 1, "it is tidied up, and not thrown away");
    }
}

#[tokio::test]
async fn a_connection_of_the_applications_pool_goes_on() {
    let (database, _) = migrated().await;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect(&database.url)
        .await
        .unwrap();
    calls_are_cut(&database, &impatient().share(pool)).await;
}

/// The call that it belongs to has gone.
#[tokio::test]
async fn an_error_that_comes_too_late_is_none_of_the_next_call() {
    let (database, _) = migrated().await;
    let store = impatient().timeout(Duration::from_secs(4)).connections(1);
    let store = store.connect(&database.url).await.unwrap();
    let world = instance(store.clone());
    world.signed_in("ada").await;
    let record = world.store.last().await;
    let mut other = database.connection().await;
    let mut transaction = other.begin().await.unwrap();
    let lock = "SELECT FROM tower_bearer_sessions FOR UPDATE";
    sqlx::query(lock).execute(&mut *transaction).await.unwrap();
    let next = record.revoked(RevokeReason::SignedOut);
    let swap = tokio::time::timeout(Duration::from_millis(300), store.swap(&record, &next));
    assert!(swap.await.is_err(), "it waits");
    // The server gives the lock up after three seconds, and says so to who is there.
    store.load(&record.key()).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(
        store.load(&record.key()).await.unwrap().record(),
        Some(&record)
    );
}

/// A commit that says that it is done has kept the application's change, wherever the call beside it was dropped.
#[tokio::test]
async fn a_commit_after_a_dropped_revoke_in_is_a_commit() {
    let (database, store) = migrated().await;
    database.execute("CREATE TABLE changes (id BIGINT)").await;
    let world = instance(store);
    let mut connection = database.connection().await;
    for steps in 0.. {
        world.signed_in("ada").await;
        let mut tx = connection.begin().await.unwrap();
        let change = sqlx::query("INSERT INTO changes VALUES (1)");
        change.execute(&mut *tx).await.unwrap();
        let admin = world.layer.admin();
        let over = cut(steps, admin.revoke_in(&mut tx, "ada", None)).await;
        tx.commit().await.unwrap();
        let changes: i64 = database.value("SELECT count(*) FROM changes").await;
        assert_eq!(changes, steps as i64 + 1, "after {steps} steps");
        if over {
            assert!(steps > 0, "it was never cut");
            return;
        }
    }
}
