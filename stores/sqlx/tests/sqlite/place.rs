//! A folder with one database, and who comes to it.

use std::{
    env,
    error::Error,
    future::poll_fn,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    pin::pin,
    process::{Child, Command, Stdio},
    task::Poll,
};

use sqlx::{
    Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use tempfile::TempDir;
use tower_bearer::{KeyRing, ManualClock, store::StoreError};
use tower_bearer_sqlx::{SqliteStore, SqliteStoreBuilder};

use crate::support::{
    faults::FaultStore,
    world::{MASTER, START, World},
};

/// Set in a process that a test starts to run a part of that test: the path of the database.
const OTHER: &str = "TOWER_BEARER_OTHER_PROCESS";

/// In memory where there is a folder for that: these tests commit ten thousand times, and none cuts the power.
#[derive(Debug)]
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        Self(folder.unwrap())
    }

    /// On the disk, where a commit takes its time.
    pub fn on_disk() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("sessions.db")
    }

    /// A service over a store with every default.
    pub async fn service(&self) -> (World, SqliteStore) {
        service(async |store| store.open(self.path()).await.unwrap()).await
    }

    pub async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.path()).await.unwrap()
    }

    /// As an application opens its own database.
    pub fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(self.path())
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
    }

    pub async fn pool(&self) -> SqlitePool {
        let pool = SqlitePoolOptions::new().max_connections(4);
        pool.connect_with(self.options()).await.unwrap()
    }

    /// One connection past the store.
    pub async fn connection(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path());
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    /// Starts the test of this name once more, in a process of its own, over the same database.
    pub fn other(&self, test: &str) -> Other {
        self.other_with(test, OTHER, &self.path().to_string_lossy())
    }

    /// The same with one more word in its environment.
    pub fn other_with(&self, test: &str, name: &str, value: &str) -> Other {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", test])
            .env(OTHER, self.path())
            .env(name, value)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Other { child, lines }
    }
}

/// In a process that [`Place::other`] started: the path of the database.
pub fn path_of_the_other() -> Option<PathBuf> {
    env::var_os(OTHER).map(PathBuf::from)
}

/// Tells the process that started this one.
pub fn tell(word: &str) {
    println!("told: {word}");
}

/// Another process. It is killed when this is dropped, with the signal that cannot be caught.
pub struct Other {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Other {
    /// Waits until it has told something, and returns that.
    pub fn told(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.lines.read_line(&mut line).unwrap();
            assert!(read > 0, "it ended: {:?}", self.child.wait());
            // The harness prints in front of it.
            if let Some((_, word)) = line.trim_end().split_once("told: ") {
                return word.to_owned();
            }
        }
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, which is a success.
    pub fn ends(mut self) {
        // Its output must not fill the pipe.
        std::io::copy(&mut self.lines, &mut std::io::sink()).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A service over the store that `open` makes of these settings. All services have the same keys, and a clock that
/// stands still, which is the store's too.
pub async fn service(
    open: impl AsyncFnOnce(SqliteStoreBuilder) -> SqliteStore,
) -> (World, SqliteStore) {
    let keys = KeyRing::from_master(MASTER).unwrap();
    let clock = ManualClock::new(START);
    let store = open(SqliteStore::builder().clock(clock.clone())).await;
    let faults = FaultStore::new(store.clone());
    let world = World::over(keys, clock.clone(), clock, faults, |builder| builder);
    (world, store)
}

/// The words of the error's source to the operator.
#[track_caller]
pub fn cure(error: &StoreError) -> String {
    error.source().expect("every error has one").to_string()
}

/// Lets a future be woken this often, and drops it then.
pub async fn after<T>(wakes: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = wakes;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}
