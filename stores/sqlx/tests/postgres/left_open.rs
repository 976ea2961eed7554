//! Transactions that the application has begun by hand on a connection of its pool, and left open. sqlx counts none of
//! them, and gives the connection to the next caller.

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
    raw_sql,
};
use tower_bearer::{
    RevokeReason,
    store::{RefreshStore as _, SessionRecord, Swap},
};
use tower_bearer_sqlx::PostgresStore;

use crate::{
    stage::{impatient, instance, migrated, unborn},
    support::{Database, Pooler, Server},
};

struct Stage {
    database: Database,
    /// With connections of its own, so it sees what is committed.
    own: PostgresStore,
    pool: PgPool,
    store: PostgresStore,
    record: SessionRecord,
}

impl Stage {
    /// Two stores with one session, of which the second shares a pool of one connection.
    async fn new(prepared: bool) -> Self {
        let (database, own) = migrated().await;
        let world = instance(own.clone());
        world.signed_in("ada").await;
        let record = world.store.last().await;
        let pool = PgPoolOptions::new().max_connections(1);
        let pool = pool.connect(&database.url).await.unwrap();
        let store = impatient()
            .prepared_statements(prepared)
            .share(pool.clone());
        Self {
            database,
            own,
            pool,
            store,
            record,
        }
    }

    fn next(&self) -> SessionRecord {
        self.record.revoked(RevokeReason::SignedOut)
    }

    async fn stored(&self) -> SessionRecord {
        let loaded = self.own.load(&self.record.key()).await.unwrap();
        loaded.into_record().unwrap()
    }

    /// How many steps of the application are committed half.
    async fn halves(&self) -> i64 {
        let made = "SELECT count(*) FROM pg_tables WHERE tablename = 'half_of_a_step'";
        self.database.value(made).await
    }
}

/// A handler that runs these statements and returns early.
async fn leave_open(pool: &PgPool, statements: &'static str) {
    let mut connection = pool.acquire().await.unwrap();
    // One of them may fail, which leaves the transaction open as well.
    let _ = raw_sql(statements).execute(&mut *connection).await;
}

const EMPTY: &str = "BEGIN";
const FAILED: &str = "BEGIN; SELECT 1 / 0";
const LOCKS: &str = "BEGIN; SELECT FROM tower_bearer_sessions FOR UPDATE";
const WRITES: &str = "BEGIN; CREATE TABLE half_of_a_step ()";
const LOOKS_BACK: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM tower_bearer_sessions";

#[tokio::test]
async fn an_applied_swap_is_committed() {
    for prepared in [true, false] {
        for statements in [EMPTY, FAILED, LOCKS, WRITES, LOOKS_BACK] {
            let stage = Stage::new(prepared).await;
            leave_open(&stage.pool, statements).await;
            let swapped = stage
                .store
                .swap(&stage.record, &stage.next())
                .await
                .unwrap();
            assert!(
                matches!(swapped, Swap::Applied),
                "{prepared} {statements} {swapped:?}"
            );
            assert_eq!(
                stage.stored().await,
                stage.next(),
                "{prepared} {statements}"
            );
        }
    }
}

#[tokio::test]
async fn a_revoked_session_is_not_seen_live() {
    for prepared in [true, false] {
        let stage = Stage::new(prepared).await;
        leave_open(&stage.pool, LOOKS_BACK).await;
        let key = stage.record.key();
        stage.own.revoke_all(key.subject(), None).await.unwrap();
        let loaded = stage.store.load(&key).await.unwrap();
        assert!(!loaded.record().unwrap().is_live(), "{prepared}");
    }
}

/// Nor is a half of the application's own step committed with it.
#[tokio::test]
async fn sign_ins_and_ends_of_all_do_not_join_it() {
    for prepared in [true, false] {
        for statements in [EMPTY, FAILED, WRITES, LOOKS_BACK] {
            let stage = Stage::new(prepared).await;
            let world = instance(stage.own.clone());
            let new = unborn(&stage.database, &world, "bob").await;
            leave_open(&stage.pool, statements).await;
            stage.store.insert(&new, 5).await.unwrap();
            let inserted = stage.own.load(&new.key()).await.unwrap();
            assert_eq!(inserted.record(), Some(&new), "{prepared} {statements}");
            leave_open(&stage.pool, statements).await;
            let subject = *stage.record.key().subject();
            stage.store.revoke_all(&subject, None).await.unwrap();
            assert!(!stage.stored().await.is_live(), "{prepared} {statements}");
            assert_eq!(stage.halves().await, 0, "{prepared} {statements}");
        }
    }
}

/// The connection that is found so is closed, and the others are not.
#[tokio::test]
async fn one_connection_is_closed_for_it_and_no_other() {
    let stage = Stage::new(true).await;
    let backend = async || {
        let asked = sqlx::query_scalar("SELECT pg_backend_pid()");
        asked.fetch_one(&stage.pool).await.unwrap()
    };
    let key = stage.record.key();
    let first: i32 = backend().await;
    stage.store.load(&key).await.unwrap();
    assert_eq!(backend().await, first, "nothing was open");
    leave_open(&stage.pool, EMPTY).await;
    stage.store.load(&key).await.unwrap();
    let second = backend().await;
    assert_ne!(second, first);
    stage.store.load(&key).await.unwrap();
    assert_eq!(backend().await, second);
}

#[tokio::test]
async fn the_same_behind_a_pooler() {
    let stage = Stage::new(true).await;
    let pooler = Pooler::to(Server::shared().await).await;
    let options: PgConnectOptions = pooler.url(&stage.database).parse().unwrap();
    let options = options.extra_float_digits(None).statement_cache_capacity(0);
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool.connect_with(options).await.unwrap();
    let store = impatient().prepared_statements(false).share(pool.clone());
    leave_open(&pool, WRITES).await;
    let swapped = store.swap(&stage.record, &stage.next()).await.unwrap();
    assert!(matches!(swapped, Swap::Applied), "{swapped:?}");
    assert_eq!(stage.stored().await, stage.next());
    assert_eq!(stage.halves().await, 0);
}
