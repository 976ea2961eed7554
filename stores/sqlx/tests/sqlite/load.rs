//! A table of a million sessions, half of which have expired, while these are deleted.

use std::time::Duration;

use sqlx::{Connection as _, SqliteConnection};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};
use tower_bearer::store::{RefreshStore as _, SessionRecord, Swap};
use tower_bearer_sqlx::SqliteStore;

use crate::{place::Place, support::world::START};

const ROWS: i64 = 1_000_000;
const CLIENTS: usize = 4;
/// Each client refreshes so often, and no oftener: a service that is in use and not at its limit.
const PACE: Duration = Duration::from_millis(20);

/// Loads and swaps as a refresh does, and returns how long each took.
async fn refresh(
    store: SqliteStore,
    mut record: SessionRecord,
    stop: watch::Receiver<bool>,
) -> Vec<Duration> {
    let mut taken = Vec::new();
    let mut other = swapped(&record);
    while !*stop.borrow() {
        let begin = Instant::now();
        let loaded = store.load(&record.key()).await.unwrap();
        assert_eq!(loaded.record(), Some(&record));
        assert!(matches!(
            store.swap(&record, &other).await.unwrap(),
            Swap::Applied
        ));
        taken.push(begin.elapsed());
        std::mem::swap(&mut record, &mut other);
        sleep(PACE.saturating_sub(begin.elapsed())).await;
    }
    taken
}

/// The same session, one rotation on: another token hash, and nothing that the store would look at.
fn swapped(record: &SessionRecord) -> SessionRecord {
    let mut bytes = record.encode();
    bytes[43] ^= 1;
    SessionRecord::decode(&bytes).unwrap()
}

fn p99(mut taken: Vec<Duration>) -> Duration {
    taken.sort_unstable();
    taken[taken.len() * 99 / 100]
}

/// Every other row has expired, each at a time of its own. No power is cut here, so this does not wait for the disk.
async fn fill(place: &Place, size: usize) {
    let mut connection = place.connection().await;
    let now = i64::try_from(START.as_millis()).unwrap();
    let fast = "PRAGMA synchronous = OFF; PRAGMA cache_size = -500000";
    sqlx::raw_sql(fast).execute(&mut connection).await.unwrap();
    let added = sqlx::query(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
         INSERT INTO tower_bearer_sessions (subject_tag, session_id, record, expires_at, rotated_at, live)
         SELECT randomblob(16), randomblob(16), randomblob(?),
             ? + CASE n % 2 WHEN 0 THEN -1000 * n ELSE 3600000 + 1000 * n END, ?, 1 FROM numbers ORDER BY 1",
    )
    .bind(ROWS)
    .bind(i64::try_from(size).unwrap())
    .bind(now)
    .bind(now)
    .execute(&mut connection)
    .await
    .unwrap();
    assert_eq!(added.rows_affected(), ROWS.cast_unsigned());
    tidy(connection).await;
}

/// Moves the file beside the database into it, and onto the disk.
async fn tidy(mut connection: SqliteConnection) {
    let tidy = "PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)";
    sqlx::raw_sql(tidy).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[ignore = "a million rows: scripts/test --long"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_of_half_a_million_sessions_delays_no_refresh_to_twice_its_time() {
    let place = Place::on_disk();
    let (world, store) = place.service().await;
    let mut records = Vec::new();
    for user in 0..CLIENTS {
        world.signed_in(&format!("user-{user}")).await;
        records.push(world.store.last().await);
    }
    fill(&place, records[0].encode().len()).await;
    let run = async |beside: &mut (dyn Future<Output = ()> + Send + Unpin)| {
        let (stop, stopped) = watch::channel(false);
        let mut clients = JoinSet::new();
        for record in &records {
            let current = store.load(&record.key()).await.unwrap();
            let current = current.into_record().unwrap();
            clients.spawn(refresh(store.clone(), current, stopped.clone()));
        }
        beside.await;
        stop.send_replace(true);
        clients.join_all().await.concat()
    };
    let idle = run(&mut Box::pin(sleep(Duration::from_secs(20)))).await;
    let begin = Instant::now();
    let mut purge = Box::pin(async {
        let deleted = store.purge().await.unwrap();
        assert_eq!(deleted, ROWS as u64 / 2);
    });
    let busy = run(&mut purge).await;
    let took = begin.elapsed();
    let (counts, idle, busy) = ((idle.len(), busy.len()), p99(idle), p99(busy));
    println!(
        "p99 of a refresh: {idle:?} idle, {busy:?} while purging ({counts:?} of them); the purge took {took:?}"
    );
    assert!(busy <= idle * 2, "{busy:?} is more than twice {idle:?}");
}
