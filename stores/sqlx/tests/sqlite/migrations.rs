//! The tables of this crate in a database that has others.

use std::{fs, path::Path};

use sqlx::{SqlitePool, migrate::Migrator};
use tower_bearer::store::StoreErrorKind;
use tower_bearer_sqlx::SqliteStore;

use crate::place::{Place, cure, path_of_the_other, service, tell};

const SCHEMA: &str = include_str!("../../schema/sqlite.sql");

async fn applied(pool: &SqlitePool) -> Vec<i64> {
    let versions = sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version");
    versions.fetch_all(pool).await.unwrap()
}

async fn run(folder: &Path, pool: &SqlitePool) {
    let migrator = Migrator::new(folder).await.unwrap();
    migrator.run(pool).await.unwrap();
}

#[tokio::test]
async fn migrations_of_the_application_live_beside_ours() {
    let (place, folder) = (Place::new(), tempfile::tempdir().unwrap());
    let pool = place.pool().await;
    let (world, store) = service(async |store| store.share(pool.clone()).unwrap()).await;
    let write = |name: &str, sql: &str| fs::write(folder.path().join(name), sql).unwrap();
    // A table of theirs may have any name but ours.
    write(
        "1_users.sql",
        "CREATE TABLE users (id TEXT); CREATE TABLE schema (version INTEGER);",
    );
    run(folder.path(), &pool).await;
    store.migrate().await.unwrap();
    // Theirs are checked against what they have run before, and find nothing of ours.
    run(folder.path(), &pool).await;
    write("2_names.sql", "ALTER TABLE users ADD COLUMN name TEXT;");
    run(folder.path(), &pool).await;
    store.migrate().await.unwrap();
    assert_eq!(applied(&pool).await, [1, 2]);
    assert!(store.health().await.unwrap().schema_version() == Some(1));
    world.signed_in("ada").await;
}

#[tokio::test]
async fn the_schema_may_be_a_migration_of_the_application() {
    let (place, folder) = (Place::new(), tempfile::tempdir().unwrap());
    let pool = place.pool().await;
    fs::write(folder.path().join("7_sessions.sql"), SCHEMA).unwrap();
    run(folder.path(), &pool).await;
    let (world, store) = service(async |store| store.share(pool.clone()).unwrap()).await;
    store.migrate().await.unwrap();
    assert_eq!(applied(&pool).await, [7]);
    world.signed_in("ada").await;
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_refused() {
    let place = Place::new();
    let store = place.open().await;
    sqlx::query("INSERT INTO tower_bearer_schema (version) VALUES (2)")
        .execute(store.pool())
        .await
        .unwrap();
    for error in [
        store.migrate().await.unwrap_err(),
        SqliteStore::open(place.path()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Refused);
        let cure = cure(&error);
        assert!(
            cure.contains("version 2") && cure.contains("up to 1"),
            "{cure}"
        );
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let place = Place::new();
    let pool = place.pool().await;
    // Not ours: it has no version beside it.
    sqlx::raw_sql("CREATE TABLE tower_bearer_sessions (x)")
        .execute(&pool)
        .await
        .unwrap();
    let store = SqliteStore::from(pool.clone());
    let error = store.migrate().await.unwrap_err();
    let why = std::error::Error::source(std::error::Error::source(&error).unwrap()).unwrap();
    assert!(
        why.to_string()
            .contains("tower_bearer_sessions already exists"),
        "{why}"
    );
    assert_eq!(store.health().await.unwrap().schema_version(), None);
    sqlx::raw_sql("DROP TABLE tower_bearer_sessions")
        .execute(&pool)
        .await
        .unwrap();
    store.migrate().await.unwrap();
}

/// Opens the database as soon as it is told to, or at once.
#[tokio::test]
async fn a_process_that_opens_a_new_file() {
    let Some(path) = path_of_the_other() else {
        return;
    };
    let (world, _) = service(async |store| store.open(path).await.unwrap()).await;
    world.signed_in("ada").await;
    tell("opened");
}

#[tokio::test]
async fn processes_that_migrate_at_once_do_not_meet() {
    for _ in 0..3 {
        let place = Place::new();
        let test = "migrations::a_process_that_opens_a_new_file";
        let mut others: Vec<_> = (0..5).map(|_| place.other(test)).collect();
        for other in &mut others {
            assert_eq!(other.told(), "opened");
        }
        for other in others {
            other.ends();
        }
        let sessions: i64 = sqlx::query_scalar("SELECT count(*) FROM tower_bearer_sessions")
            .fetch_one(place.open().await.pool())
            .await
            .unwrap();
        assert_eq!(sessions, 5);
    }
}
