//! The state of a database.

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tower_bearer_sqlx::SqliteStore;

use crate::place::Place;

#[tokio::test]
async fn a_store_that_was_opened_needs_no_change() {
    let place = Place::new();
    let store = place.open().await;
    let health = store.health().await.unwrap();
    assert!(health.warnings().is_empty(), "{:?}", health.warnings());
    assert_eq!(health.journal_mode(), "wal");
    assert_eq!(health.schema_version(), Some(1));
    assert!(health.is_writable() && health.version().starts_with("3."));
    // It has left nothing behind.
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name LIKE '%health%'")
            .fetch_one(store.pool())
            .await
            .unwrap();
    assert_eq!(tables, 0);
}

#[tokio::test]
async fn the_settings_of_a_pool_are_judged() {
    let place = Place::new();
    place.open().await.close().await;
    let options = place
        .options()
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(std::time::Duration::ZERO);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let health = SqliteStore::from(pool).health().await.unwrap();
    let warnings = health.warnings();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].contains("journal_mode(Wal)"), "{warnings:?}");
    assert!(warnings[1].contains("synchronous(Full)"), "{warnings:?}");
    assert!(warnings[2].contains("busy_timeout"), "{warnings:?}");
}

#[tokio::test]
async fn a_pool_in_memory_is_warned_of() {
    let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let options = SqliteConnectOptions::new();
    let store = SqliteStore::from(pool.connect_with(options).await.unwrap());
    store.migrate().await.unwrap();
    let warnings = store.health().await.unwrap().warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("in memory"), "{warnings:?}");
}
