//! Histories of concurrent clients over the store in memory: no forks, no lost updates, no survivors.
//!
//! The same clients and the same checker work over Redis, with connections that are cut: `tests/on_redis`.

mod by_hand;
mod checker;
mod clients;

use std::{env, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::time::Instant;
use tower_bearer::{
    MemoryStore, SessionId,
    store::{
        Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, StoreError, SubjectTag, Swap,
    },
};

use checker::Checked;

const CLIENTS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_forks_no_lost_updates_no_survivors_in_memory() {
    let seconds = env::var("TOWER_BEARER_STORM_SECONDS").map_or(2, |text| text.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(seconds);
    let store = MemoryStore::new();
    let stores = vec![store; CLIENTS];
    let (mut sum, mut seed) = (Checked::default(), 0);
    while Instant::now() < end {
        // In memory nothing is sent twice.
        sum += clients::act(&stores, seed, false).await;
        seed += 1;
    }
    println!("{seed} subjects in memory: {sum:?}");
    assert!(sum.applied > 1000 && sum.conflicts > 100, "{sum:?}");
    assert!(sum.revocations > 100 && sum.unknown == 0, "{sum:?}");
}

/// Compares first and replaces later.
#[derive(Clone, Debug)]
struct SelectsThenUpdates(MemoryStore);

impl RefreshStore for SelectsThenUpdates {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.0.insert(record, limit).await
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        self.0.load(key).await
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let found = self.0.load(&current.key()).await?;
        if found.record() != Some(current) {
            return Ok(Swap::Conflict(found));
        }
        tokio::task::yield_now().await;
        let found = self.0.load(&current.key()).await?;
        self.0.swap(found.record().unwrap_or(current), next).await
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        self.0.list(subject).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.0.revoke_all(subject, keep).await
    }
}

/// The clients meet often enough, and the checker tells.
#[tokio::test]
async fn a_store_that_is_not_atomic_is_found() {
    let stores = vec![SelectsThenUpdates(MemoryStore::new()); CLIENTS];
    let verdict = AssertUnwindSafe(clients::act(&stores, 1, false))
        .catch_unwind()
        .await;
    let told = verdict
        .expect_err("forks were not found")
        .downcast::<String>()
        .unwrap();
    assert!(
        told.contains("Fork") || told.contains("LostUpdate"),
        "{told}"
    );
}
