//! A table of a million sessions, half of which have expired, while these are deleted.

use std::time::Duration;

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};
use tower_bearer::{
    Clock as _, SystemClock,
    store::{RefreshStore as _, SessionRecord, Swap},
};
use tower_bearer_sqlx::PostgresStore;

use crate::{
    stage::{instance, migrated_on},
    support::Server,
};

const ROWS: i64 = 1_000_000;
const CLIENTS: usize = 4;
/// Each client refreshes so often, and no oftener: a service that is in use and not at its limit.
const PACE: Duration = Duration::from_millis(20);

/// Loads and swaps as a refresh does, and returns how long each took.
async fn refresh(
    store: PostgresStore,
    mut record: SessionRecord,
    stop: watch::Receiver<bool>,
) -> Vec<Duration> {
    let mut taken = Vec::new();
    let other = record.clone();
    let mut other = swapped(&other);
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

#[ignore = "a million rows: scripts/test --long"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_of_half_a_million_sessions_delays_no_refresh_to_twice_its_time() {
    let server = Server::with(&["fsync=on", "shared_buffers=256MB", "max_wal_size=4GB"]).await;
    let (database, store) = migrated_on(&server, PostgresStore::builder()).await;
    let world = instance(store.clone());
    let mut records = Vec::new();
    for n in 0..CLIENTS {
        world.signed_in(&format!("user-{n}")).await;
        records.push(world.store.last().await);
    }
    let now = i64::try_from(SystemClock.now().as_millis()).unwrap();
    let size = records[0].encode().len();
    // Every other row has expired, each at a time of its own.
    database
        .execute(&format!(
            "INSERT INTO tower_bearer_sessions SELECT decode(md5(i::text), 'hex'), decode(md5((-i)::text), 'hex'), \
             decode(rpad(md5(i::text), 2 * {size}, md5(i::text)), 'hex'), \
             {now} + CASE i % 2 WHEN 0 THEN -1000 * i ELSE 3600000 + 1000 * i END, {now}, true \
             FROM generate_series(1, {ROWS}) AS i"
        ))
        .await;
    for tidy in ["VACUUM (ANALYZE) tower_bearer_sessions", "CHECKPOINT"] {
        database.execute(tidy).await;
    }
    let run = async |beside: &mut (dyn Future<Output = ()> + Send + Unpin)| {
        let (stop, stopped) = watch::channel(false);
        let mut clients = JoinSet::new();
        for record in &records {
            let current = store
                .load(&record.key())
                .await
                .unwrap()
                .into_record()
                .unwrap();
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
