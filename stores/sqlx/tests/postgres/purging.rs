//! A session that has expired goes, and nothing else.

use std::time::Duration;

use sqlx::{Connection as _, Executor as _};
use tower_bearer_sqlx::PostgresStore;

use crate::{
    stage::{Heard, Stage, assert_ok, impatient, migrated},
    support::{Database, Server, until},
};

const COUNT: &str = "SELECT count(*) FROM tower_bearer_sessions";

/// Rows that expire at so many milliseconds since 1970. They are never read.
async fn fill(database: &Database, count: u32, expires_at: u64) {
    let rows = format!(
        "INSERT INTO tower_bearer_sessions \
         SELECT decode(md5(i::text), 'hex'), decode(md5('{expires_at}'), 'hex'), '\\x00', {expires_at}, 0, true \
         FROM generate_series(1, {count}) AS i"
    );
    database.execute(&rows).await;
}

#[tokio::test]
async fn every_batch_of_what_has_expired_goes() {
    let (database, store) = migrated().await;
    fill(&database, 2_500, 1_000).await;
    fill(&database, 10, 9_000_000_000_000).await;
    assert_eq!(store.purge().await.unwrap(), 2_500);
    assert_eq!(database.value::<i64>(COUNT).await, 10);
    assert_eq!(store.purge().await.unwrap(), 0);
}

#[tokio::test]
async fn a_session_goes_when_it_has_expired_by_the_servers_clock() {
    let database = Server::shared().await.database().await;
    let stage = Stage::over(&database, &database.url).await;
    let store = PostgresStore::connect(&database.url).await.unwrap();
    let mut browser = stage.world.signed_in("ada").await;
    let week = 7 * 24 * 3600;
    stage.secs(week - 1).await;
    assert_eq!(store.purge().await.unwrap(), 0);
    assert_ok(&browser.refresh(&stage.world).await);
    // The layer counts the time that a sign-in takes: the end is a few milliseconds later.
    stage.secs(61).await;
    assert_eq!(store.purge().await.unwrap(), 1);
}

#[tokio::test]
async fn a_row_that_is_being_looked_at_is_left_for_the_next_time() {
    let (database, store) = migrated().await;
    fill(&database, 3, 1_000).await;
    let mut other = database.connection().await;
    let mut transaction = other.begin().await.unwrap();
    let lock = "SELECT FROM tower_bearer_sessions ORDER BY subject_tag LIMIT 1 FOR UPDATE";
    transaction.execute(lock).await.unwrap();
    assert_eq!(store.purge().await.unwrap(), 2);
    transaction.rollback().await.unwrap();
    assert_eq!(store.purge().await.unwrap(), 1);
}

#[tokio::test]
async fn it_goes_on_until_the_store_is_closed_and_tells_of_what_fails() {
    let (database, _) = migrated().await;
    let heard = Heard::default();
    let store = impatient()
        .events(heard.sink())
        .connect(&database.url)
        .await
        .unwrap();
    let purging = tokio::spawn(store.purge_every(Duration::from_secs(1)));
    let empty = || async {
        let count: i64 = database.value(COUNT).await;
        (count == 0).then_some(()).ok_or_else(|| count.to_string())
    };
    for _ in 0..2 {
        fill(&database, 5, 1_000).await;
        until("they are gone", Duration::from_secs(10), empty).await;
    }
    database
        .execute("ALTER TABLE tower_bearer_sessions RENAME TO elsewhere")
        .await;
    until("it is told", Duration::from_secs(10), || async {
        let heard = heard.all();
        let told = heard.iter().any(|event| event.starts_with("StoreFailed"));
        told.then_some(()).ok_or_else(|| format!("{heard:?}"))
    })
    .await;
    store.close().await;
    purging.await.unwrap();
    let closed = store.purge().await.unwrap_err();
    assert_eq!(
        closed.kind(),
        tower_bearer::store::StoreErrorKind::Unavailable
    );
}
