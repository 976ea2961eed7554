//! What every store owes, feature `store-tests`.

use std::path::Path;

use tokio::time::sleep;
use tower_bearer::store::conformance;

use crate::store::SqliteStore;

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    // In memory where there is a folder for that: ten thousand commits to a disk take half a minute.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        memory.into()
    } else {
        std::env::temp_dir()
    };
    let path = folder.join(format!("sessions-{}.db", std::process::id()));
    let store = SqliteStore::open(&path).await.unwrap();
    let passed = conformance::run(async || store.clone(), sleep).await;
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    passed.unwrap();
}
