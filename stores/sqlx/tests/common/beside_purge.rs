//! How long refreshes take while a purge goes through a million rows: the same question for each database.

use std::time::Duration;

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};
use tower_bearer::store::{RefreshStore, SessionRecord, StoreError, Swap};

/// How many rows a test puts into the table. Every other one has expired, each at a time of its own.
pub const ROWS: i64 = 1_000_000;
/// How many sessions are refreshed.
pub const CLIENTS: usize = 4;
/// Each client refreshes so often, and no oftener: a service that is in use and not at its limit.
const PACE: Duration = Duration::from_millis(20);
/// How long refreshes are watched without a purge.
const IDLE: Duration = Duration::from_secs(20);

/// Asserts that the slowest refreshes take at most twice as long beside `purge` as without it.
pub async fn delays_no_refresh_to_twice_its_time<S: RefreshStore + Clone>(
    store: &S,
    records: &[SessionRecord],
    purge: impl Future<Output = Result<u64, StoreError>>,
) {
    let idle = refreshes(store, records, sleep(IDLE)).await;
    let begin = Instant::now();
    let busy = refreshes(store, records, async {
        assert_eq!(purge.await.unwrap(), ROWS.cast_unsigned() / 2);
    })
    .await;
    let took = begin.elapsed();
    let (counts, idle, busy) = ((idle.len(), busy.len()), p99(idle), p99(busy));
    println!(
        "p99 of a refresh: {idle:?} idle, {busy:?} while purging ({counts:?} of them); the purge took {took:?}"
    );
    assert!(busy <= idle * 2, "{busy:?} is more than twice {idle:?}");
}

/// How long each refresh takes beside this.
async fn refreshes<S: RefreshStore + Clone>(
    store: &S,
    records: &[SessionRecord],
    beside: impl Future<Output = ()>,
) -> Vec<Duration> {
    let (stop, stopped) = watch::channel(false);
    let mut clients = JoinSet::new();
    for record in records {
        let current = store.load(&record.key()).await.unwrap();
        let current = current.into_record().unwrap();
        clients.spawn(refresh(store.clone(), current, stopped.clone()));
    }
    beside.await;
    stop.send_replace(true);
    clients.join_all().await.concat()
}

/// Loads and swaps as a refresh does, and returns how long each took.
async fn refresh<S: RefreshStore>(
    store: S,
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
