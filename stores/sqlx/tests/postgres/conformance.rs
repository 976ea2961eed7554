//! The suite that any store must pass, over every way to reach a server.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tower_bearer::store::conformance;
use tower_bearer_sqlx::{PostgresStore, PostgresStoreBuilder};

use crate::support::{Database, Pooler, Server};

/// The suite is in a hurry and the machine is small: what counts here is what is answered.
fn patient() -> PostgresStoreBuilder {
    PostgresStore::builder().timeout(Duration::from_secs(8))
}

/// Each instance has connections of its own. The server's clock is a real one: time passes by waiting.
async fn conforms(database: &Database, make: impl AsyncFn() -> PostgresStore) {
    let direct = PostgresStore::connect(&database.url).await.unwrap();
    direct.migrate().await.unwrap();
    let verdict = conformance::run(make, tokio::time::sleep).await;
    assert!(verdict.is_ok(), "{verdict:?}");
    let open = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' \
                AND datname = current_database()";
    assert_eq!(
        database.value::<i64>(open).await,
        0,
        "a transaction was left open"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_of_its_own_conform() {
    let database = Server::shared().await.database().await;
    let connect = async || {
        let store = patient().asynchronous_notes(true);
        store.connect(&database.url).await.unwrap()
    };
    conforms(&database, connect).await;
}

/// An account without any right but to its own schema, at the strictest isolation.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_of_the_applications_conforms() {
    let database = Server::shared().await.database().await;
    let name = &database.name;
    database
        .execute(&format!(
            "CREATE ROLE {name} LOGIN; CREATE SCHEMA sessions AUTHORIZATION {name}; \
             ALTER ROLE {name} SET search_path = sessions; \
             ALTER ROLE {name} SET default_transaction_isolation = 'serializable'"
        ))
        .await;
    let own = Database {
        url: database.url_of(name),
        name: name.clone(),
    };
    let share = async || {
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .test_before_acquire(false)
            .connect(&own.url)
            .await
            .unwrap();
        patient().share(pool)
    };
    conforms(&own, share).await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'sessions'";
    assert_eq!(database.value::<i64>(tables).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pgbouncer_in_transaction_mode_conforms() {
    let server = Server::shared().await;
    let (database, pooler) = (server.database().await, Pooler::to(server).await);
    let url = pooler.url(&database);
    let is_first = std::sync::atomic::AtomicBool::new(true);
    let connect = async || {
        let store = patient().prepared_statements(false);
        // The other ones share a pool.
        if is_first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            return store.connect(&url).await.unwrap();
        }
        let options: PgConnectOptions = url.parse().unwrap();
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .test_before_acquire(false);
        let pool = pool
            .connect_with(options.extra_float_digits(None))
            .await
            .unwrap();
        store.share(pool)
    };
    conforms(&database, connect).await;
}
