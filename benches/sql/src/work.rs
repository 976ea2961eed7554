//! The sessions that are rotated, and how long that is done.

use std::{
    mem::swap,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use tower_bearer::store::{RefreshStore, SessionRecord, Swap};

use crate::sessions::session;

/// How many rotate at one time, each a session of its own.
pub const CLIENTS: u64 = 8;

/// Returns the session of a client as it is and as a rotation leaves it. Its end moves too, as that of real ones does.
pub fn pair(client: u64) -> [SessionRecord; 2] {
    let year = 365 * 24 * 3600;
    [session(client, 1, year), session(client, 2, year + 60)]
}

/// Returns one thread for all tasks, as the tools beside it have.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Counts the rotations a second of so many clients, each to and fro between two records.
pub async fn rotate(store: &(impl RefreshStore + Clone), clients: u64, turn: Duration) -> f64 {
    let client = |client| {
        let store = store.clone();
        move |end| rotating(store, client, end)
    };
    together((0..clients).map(client), turn).await
}

async fn rotating(store: impl RefreshStore, client: u64, end: Instant) -> u64 {
    let [mut current, mut next] = pair(client);
    let key = current.key();
    // The turn before may have ended with either.
    if store.load(&key).await.unwrap().record() == Some(&next) {
        swap(&mut current, &mut next);
    }
    let mut count = 0;
    while Instant::now() < end {
        let loaded = store.load(&key).await.unwrap();
        assert!(loaded.record() == Some(&current), "it is another one's");
        let done = store.swap(&current, &next).await.unwrap();
        assert!(matches!(done, Swap::Applied), "{done:?}");
        swap(&mut current, &mut next);
        count += 1;
    }
    count
}

/// Counts the work of all of these together in a second. Each says at the end how much it has done.
pub async fn together<F>(
    clients: impl Iterator<Item = impl FnOnce(Instant) -> F>,
    turn: Duration,
) -> f64
where
    F: Future<Output = u64> + Send + 'static,
{
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for client in clients {
        tasks.spawn(client(begin + turn));
    }
    let count: u64 = tasks.join_all().await.iter().sum();
    count as f64 / begin.elapsed().as_secs_f64()
}
