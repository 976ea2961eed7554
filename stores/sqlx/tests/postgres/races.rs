//! Two writers of one session. The second comes at the worst moment: the first has written and not committed.

use std::time::Duration;

use sqlx::{
    Connection as _, Executor as _, PgConnection, PgPool, Postgres, Transaction,
    postgres::PgConnectOptions,
};
use tower_bearer::{
    Clock as _, RevokeReason, SystemClock,
    store::{RefreshStore as _, SessionRecord, StoreErrorKind, Swap},
};
use tower_bearer_sqlx::PostgresStore;

use crate::{
    stage::{impatient, instance, migrated, told},
    support::{Database, until},
};

/// The same session after a step of another instance: with another token hash.
fn moved(record: &SessionRecord) -> SessionRecord {
    let mut bytes = record.encode();
    bytes[43] ^= 1;
    SessionRecord::decode(&bytes).unwrap()
}

/// Another instance writes `next` in place of what there is, and has still to commit.
async fn begin<'a>(
    connection: &'a mut PgConnection,
    next: &SessionRecord,
) -> Transaction<'a, Postgres> {
    let mut transaction = connection.begin().await.unwrap();
    let update = sqlx::query("UPDATE tower_bearer_sessions SET record = $1 WHERE session_id = $2");
    let update = update.bind(next.encode()).bind(*next.id().as_bytes());
    let updated = update.execute(&mut *transaction).await.unwrap();
    assert_eq!(updated.rows_affected(), 1);
    transaction
}

async fn waits(database: &Database) {
    so_many_wait(database, 1).await;
}

async fn so_many_wait(database: &Database, many: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                   AND datname = current_database()";
    until("the others wait", Duration::from_secs(5), || async {
        let count: i64 = database.value(waiting).await;
        (count >= many)
            .then_some(())
            .ok_or_else(|| count.to_string())
    })
    .await;
}

struct Stage {
    database: Database,
    store: PostgresStore,
    record: SessionRecord,
}

impl Stage {
    async fn new() -> Self {
        let (database, _) = migrated().await;
        let store = impatient().timeout(Duration::from_secs(5));
        let store = store.connect(&database.url).await.unwrap();
        let world = instance(store.clone());
        for user in ["ada", "bob", "eve"] {
            world.signed_in(user).await;
        }
        let record = world.store.last().await;
        Self {
            database,
            store,
            record,
        }
    }

    /// The same store over a pool whose transactions are strict, unless they say otherwise.
    async fn strict(&self) -> PostgresStore {
        let options: PgConnectOptions = self.database.url.parse().unwrap();
        let options = options.options([("default_transaction_isolation", "serializable")]);
        let pool = PgPool::connect_with(options).await.unwrap();
        impatient().timeout(Duration::from_secs(5)).share(pool)
    }

    async fn stored(&self) -> SessionRecord {
        self.store
            .load(&self.record.key())
            .await
            .unwrap()
            .into_record()
            .unwrap()
    }
}

#[tokio::test]
async fn revoke_all_takes_the_session_as_the_first_one_left_it() {
    let stage = Stage::new().await;
    let (key, next) = (stage.record.key(), moved(&stage.record));
    let mut connection = stage.database.connection().await;
    let first = begin(&mut connection, &next).await;
    let (revoked, ()) = tokio::join!(stage.store.revoke_all(key.subject(), None), async {
        waits(&stage.database).await;
        first.commit().await.unwrap();
    });
    let expected = next.revoked(RevokeReason::RevokedAll);
    assert_eq!(revoked.unwrap(), std::slice::from_ref(&expected));
    assert_eq!(stage.stored().await, expected);
}

#[tokio::test]
async fn revoke_everything_takes_the_session_as_the_first_one_left_it() {
    let stage = Stage::new().await;
    let next = moved(&stage.record);
    let before = SystemClock.now() + Duration::from_secs(60);
    let mut connection = stage.database.connection().await;
    let first = begin(&mut connection, &next).await;
    let (count, ()) = tokio::join!(stage.store.revoke_everything(before), async {
        waits(&stage.database).await;
        first.commit().await.unwrap();
    });
    assert_eq!(count.unwrap(), 3, "each once");
    assert_eq!(stage.stored().await, next.revoked(RevokeReason::RevokedAll));
}

/// Swaps in `store` while a transaction that came first holds the row. The answer is the first one's record.
async fn second_swap_conflicts(stage: &Stage, store: &PostgresStore) {
    let next = moved(&stage.record);
    let mine = stage.record.revoked(RevokeReason::SignedOut);
    let mut connection = stage.database.connection().await;
    let first = begin(&mut connection, &next).await;
    let (swap, ()) = tokio::join!(store.swap(&stage.record, &mine), async {
        waits(&stage.database).await;
        first.commit().await.unwrap();
    });
    let swap = swap.unwrap();
    assert!(
        matches!(&swap, Swap::Conflict(found) if found.record() == Some(&next)),
        "{swap:?}"
    );
}

#[tokio::test]
async fn a_swap_that_came_second_is_a_conflict_with_the_first_one() {
    let stage = Stage::new().await;
    second_swap_conflicts(&stage, &stage.store).await;
}

/// A strict transaction that waited for a row is given up (40001). The store asks again, and sees what there is.
#[tokio::test]
async fn a_serialisation_failure_is_not_noticed() {
    let stage = Stage::new().await;
    let store = stage.strict().await;
    second_swap_conflicts(&stage, &store).await;
}

/// At each attempt another writer is first. The fifth would succeed, and the user has waited long enough.
#[tokio::test]
async fn a_serialisation_failure_that_persists_is_answered_after_four_attempts() {
    let stage = Stage::new().await;
    let store = stage.strict().await;
    let mine = stage.record.revoked(RevokeReason::SignedOut);
    let write = "UPDATE tower_bearer_sessions SET rotated_at = rotated_at";
    let mut writer = stage.database.connection().await;
    writer.execute("BEGIN").await.unwrap();
    writer.execute(write).await.unwrap();
    let record = stage.record.clone();
    let swap = tokio::spawn(async move { store.swap(&record, &mine).await });
    so_many_wait(&stage.database, 1).await;
    for _ in 0..3 {
        let mut next = stage.database.connection().await;
        next.execute("BEGIN").await.unwrap();
        // It stands in line behind the swap.
        let (written, ()) = tokio::join!(next.execute(write), async {
            so_many_wait(&stage.database, 2).await;
            writer.execute("COMMIT").await.unwrap();
        });
        written.unwrap();
        so_many_wait(&stage.database, 1).await;
        writer = next;
    }
    writer.execute("COMMIT").await.unwrap();
    let error = swap.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let told = told(&error);
    assert!(
        told.contains("other transactions") && told.contains("40001"),
        "{told}"
    );
    assert_eq!(stage.stored().await, stage.record);
}

/// The server gives up one of two that wait for each other, and the store does it again.
#[tokio::test]
async fn a_deadlock_is_not_noticed() {
    let stage = Stage::new().await;
    let next = moved(&stage.record);
    let before = SystemClock.now() + Duration::from_secs(60);
    let mut connection = stage.database.connection().await;
    let mut first = begin(&mut connection, &next).await;
    let (count, ()) = tokio::join!(stage.store.revoke_everything(before), async {
        waits(&stage.database).await;
        // The page holds the rows before this one, and waits for it. Asked last, it is the store that is given up.
        sqlx::query("SET LOCAL deadlock_timeout = '1min'")
            .execute(&mut *first)
            .await
            .unwrap();
        let all = "SELECT FROM tower_bearer_sessions FOR UPDATE";
        sqlx::query(all).execute(&mut *first).await.unwrap();
        first.commit().await.unwrap();
    });
    assert_eq!(count.unwrap(), 3);
    assert_eq!(stage.stored().await, next.revoked(RevokeReason::RevokedAll));
}
