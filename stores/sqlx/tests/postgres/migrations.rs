//! The tables are made once, by however many instances, and beside those of the application.

use std::fs;

use futures_util::future::join_all;
use sqlx::{PgPool, migrate::Migrator};
use tower_bearer::store::StoreErrorKind;
use tower_bearer_sqlx::PostgresStore;

use crate::{
    stage::{migrated, told},
    support::Server,
};

const TABLES: &str = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'tower\\_bearer\\_%'";
const VERSIONS: &str = "SELECT array_agg(version)::text FROM tower_bearer_schema";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn instances_that_migrate_at_once_make_one_set_of_tables() {
    let database = Server::shared().await.database().await;
    let all = (0..8).map(|_| async {
        let store = PostgresStore::connect(&database.url).await.unwrap();
        store.migrate().await
    });
    for migrated in join_all(all).await {
        migrated.unwrap();
    }
    assert_eq!(database.value::<i64>(TABLES).await, 2);
    assert_eq!(database.value::<String>(VERSIONS).await, "{1}");
}

#[tokio::test]
async fn the_applications_own_migrations_go_on_before_and_after() {
    let database = Server::shared().await.database().await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, sql: &str| fs::write(folder.path().join(name), sql).unwrap();
    let pool = PgPool::connect(&database.url).await.unwrap();
    let migrate = async || Migrator::new(folder.path()).await.unwrap().run(&pool).await;
    write("1_users.sql", "CREATE TABLE users (id TEXT PRIMARY KEY)");
    migrate().await.unwrap();
    let store = PostgresStore::from(pool.clone());
    store.migrate().await.unwrap();
    write("2_mail.sql", "ALTER TABLE users ADD COLUMN mail TEXT");
    migrate().await.unwrap();
    store.migrate().await.unwrap();
    let applied: i64 = database
        .value("SELECT count(*) FROM _sqlx_migrations")
        .await;
    assert_eq!(applied, 2, "the application's, and no other");
}

#[tokio::test]
async fn tables_that_were_made_by_hand_are_taken_as_they_are() {
    let database = Server::shared().await.database().await;
    database
        .execute(include_str!("../../schema/postgres.sql"))
        .await;
    let store = PostgresStore::connect(&database.url).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(database.value::<String>(VERSIONS).await, "{1}");
    assert_eq!(store.health().await.unwrap().schema_version(), Some(1));
}

#[tokio::test]
async fn tables_of_a_newer_release_are_refused() {
    let (database, store) = migrated().await;
    database
        .execute("INSERT INTO tower_bearer_schema VALUES (2)")
        .await;
    let error = store.migrate().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    let told = told(&error);
    assert!(
        told.contains("version 2") && told.contains("up to 1"),
        "{told}"
    );
    let warnings = store.health().await.unwrap().warnings();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("newer release")),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn a_table_of_another_owner_is_left_alone() {
    let database = Server::shared().await.database().await;
    database
        .execute("CREATE TABLE tower_bearer_sessions (mine TEXT)")
        .await;
    let store = PostgresStore::connect(&database.url).await.unwrap();
    let error = store.migrate().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert!(told(&error).contains("out of the way"), "{}", told(&error));
    assert_eq!(database.value::<i64>(TABLES).await, 1, "nothing was made");
    // And nothing of it is left on the connection.
    assert_eq!(store.health().await.unwrap().schema_version(), None);
}
