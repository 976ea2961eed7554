//! Over SQLite: the store, and a bare loop over rusqlite with the store's own statements and settings.
//!
//! The loop is fair: one library, one file, WAL and `synchronous = FULL` on both sides. Statements are prepared once,
//! and each rotation has a commit. It has no threads to wait for, which no service can do. A service's requests would
//! wait for the disk one after the other. It is the bar for 8 clients too. Eight threads with a connection each are
//! measured beside it. SQLite has one writer at a time. So where a commit waits for the disk they are slower than one.
//! The store is ahead of both there, since swaps that wait share a commit.
//!
//! With one client there is nothing to share. It pays for two messages to a thread and back, one for each statement.
//! Loads alone, by the store and by the loop, show the price of one.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension as _, params};
use tower_bearer::store::{RefreshStore, SessionRecord};
use tower_bearer_sqlx::SqliteStore;

use crate::{
    Length,
    report::{Rates, Report},
    work::{CLIENTS, pair, rotate, runtime},
};

const LOAD: &str =
    "SELECT record FROM tower_bearer_sessions WHERE subject_tag = ? AND session_id = ?";
const SWAP: &str = "UPDATE tower_bearer_sessions SET record = ?, expires_at = ?, rotated_at = ?, live = ? \
                    WHERE subject_tag = ? AND session_id = ? AND record = ?";
/// Those of the store are private, and this is where they stand.
const STATEMENTS: &str = include_str!("../../../stores/sqlx/src/sqlite/statements.rs");

/// A folder on the disk, and one in memory where the system has one. In memory, only the work remains. Most of it hands
/// statements to a thread and answers back, since calls of SQLite block.
const FOLDERS: [(&str, Option<&str>, Option<f64>); 2] = [
    ("each commit waits for the disk", None, Some(0.7)),
    ("a disk in memory", Some("/dev/shm"), None),
];

pub fn run(length: Length, report: &mut Report) {
    for statement in [LOAD, SWAP] {
        let is_the_stores = words(STATEMENTS).contains(&words(statement));
        assert!(
            is_the_stores,
            "the store has other statements by now: {statement}"
        );
    }
    for (name, folder, aim) in FOLDERS {
        let folder = match folder.map(Path::new) {
            Some(folder) if !folder.exists() => continue,
            Some(folder) => tempfile::tempdir_in(folder),
            None => tempfile::tempdir(),
        };
        over(name, folder.unwrap().path(), aim, length, report);
    }
}

fn over(name: &str, folder: &Path, aim: Option<f64>, length: Length, report: &mut Report) {
    let runtime = runtime();
    let file = folder.join("sessions.db");
    let ours = runtime.block_on(SqliteStore::open(&file)).unwrap();
    for client in 0..CLIENTS {
        let [first, _] = pair(client);
        runtime.block_on(ours.insert(&first, 9)).unwrap();
    }
    let bare = open(&file);

    let rates = |name| Rates {
        name,
        per_second: Vec::new(),
    };
    let mut floor = rates("a bare loop over rusqlite, the same statements");
    let mut threads = rates("the same in 8 threads, a connection each");
    let mut store = rates("SqliteStore, 8 clients");
    let mut alone = rates("SqliteStore, one client");
    let mut bare_loads = rates("loads alone: the bare loop");
    let mut loads = rates("loads alone: SqliteStore, one client");
    for _ in 0..length.rounds {
        floor.per_second.push(rate(&bare, 0, length.turn));
        threads.per_second.push(in_threads(&file, length.turn));
        let short = length.turn / 4;
        bare_loads.per_second.push(bare_loading(&bare, short));
        let loading = loading(&ours, short);
        loads.per_second.push(runtime.block_on(loading));
        for (clients, rates) in [(CLIENTS, &mut store), (1, &mut alone)] {
            let rotating = rotate(&ours, clients, length.turn);
            rates.per_second.push(runtime.block_on(rotating));
        }
    }
    runtime.block_on(ours.close());
    let all = [&floor, &threads, &store, &alone, &bare_loads, &loads];
    report.rates(&format!("SQLite, {name}"), &all);
    let mut ratio = |clients: &str, rates, aim| {
        let name = format!("sqlite/rusqlite, {clients}, {name}");
        report.ratio(&name, rates, &floor, aim);
    };
    ratio("8 clients", &store, aim);
    ratio("one client", &alone, None);
}

/// As the store opens it: WAL, and a commit has reached the disk.
fn open(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    connection
        .pragma_update(None, "synchronous", "FULL")
        .unwrap();
    let mode: String = connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    connection
}

/// As many clients as the store has, each by itself.
fn in_threads(file: &Path, turn: Duration) -> f64 {
    let clients = (0..CLIENTS).map(|client| {
        let connection = open(file);
        thread::spawn(move || rate(&connection, client, turn))
    });
    let clients: Vec<_> = clients.collect();
    clients.into_iter().map(|rate| rate.join().unwrap()).sum()
}

async fn loading(store: &SqliteStore, turn: Duration) -> f64 {
    let key = pair(0)[0].key();
    let (begin, mut count) = (Instant::now(), 0_u64);
    while begin.elapsed() < turn {
        assert!(store.load(&key).await.unwrap().record().is_some());
        count += 1;
    }
    count as f64 / begin.elapsed().as_secs_f64()
}

fn bare_loading(connection: &Connection, turn: Duration) -> f64 {
    let [record, _] = pair(0);
    let (begin, mut count) = (Instant::now(), 0_u64);
    while begin.elapsed() < turn {
        // The store reads the record too, and does not hand out bytes.
        let bytes = load(connection, &record);
        assert!(SessionRecord::decode(&bytes).is_ok());
        count += 1;
    }
    count as f64 / begin.elapsed().as_secs_f64()
}

fn rate(connection: &Connection, client: u64, turn: Duration) -> f64 {
    let [mut current, mut next] = pair(client);
    if load(connection, &current) == next.encode() {
        std::mem::swap(&mut current, &mut next);
    }
    let (begin, mut count) = (Instant::now(), 0_u64);
    while begin.elapsed() < turn {
        let stored = load(connection, &current);
        assert_eq!(stored, current.encode());
        swap(connection, &current, &next);
        std::mem::swap(&mut current, &mut next);
        count += 1;
    }
    count as f64 / begin.elapsed().as_secs_f64()
}

fn load(connection: &Connection, record: &SessionRecord) -> Vec<u8> {
    let key = record.key();
    let mut statement = connection.prepare_cached(LOAD).unwrap();
    let key = params![key.subject().as_bytes(), key.id().as_bytes()];
    let record = statement.query_row(key, |row| row.get(0)).optional();
    record.unwrap().expect("it is there")
}

fn swap(connection: &Connection, current: &SessionRecord, next: &SessionRecord) {
    let millis = |time: tower_bearer::Timestamp| i64::try_from(time.as_millis()).unwrap();
    let key = next.key();
    let mut statement = connection.prepare_cached(SWAP).unwrap();
    let changed = statement.execute(params![
        next.encode(),
        millis(next.expires_at()),
        millis(next.last_rotated_at()),
        next.is_live(),
        key.subject().as_bytes(),
        key.id().as_bytes(),
        current.encode(),
    ]);
    assert_eq!(changed.unwrap(), 1);
}

/// Apart from where the lines break.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
