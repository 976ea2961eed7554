//! Stores that do not answer, and one that takes its time.

use std::{
    future::pending,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::time::sleep;
use tower_bearer::{
    SessionId,
    store::{Inserted, Loaded, SessionKey, SessionRecord, StoreError, SubjectTag, Swap},
};

use super::{
    advances, clock, passes, refused, shared,
    table::{Backend, Broken, mistake},
};

mistake! {
    HangsAtOnce {
        async fn load(&self, _: &SessionKey) -> Result<Loaded, StoreError> {
            pending().await
        }
    }
}

mistake! {
    /// Waits for the other one to finish, which has.
    HangsWhenItLost {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            match self.0.swap(current, next).await? {
                Swap::Applied => Ok(Swap::Applied),
                Swap::Conflict(_) => pending().await,
            }
        }
    }
}

mistake! {
    HangsWithNothingToRevoke {
        async fn revoke_all(&self, subject: &SubjectTag, keep: Option<&SessionId>) -> Result<Vec<SessionRecord>, StoreError> {
            match self.0.revoke_all(subject, keep).await? {
                revoked if revoked.is_empty() => pending().await,
                revoked => Ok(revoked),
            }
        }
    }
}

mistake! {
    Panics {
        async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
            assert!(limit > 0, "a limit of none");
            self.0.insert(record, limit).await
        }
    }
}

/// Has a pool of connections that are not given back when two callers meet.
#[derive(Debug)]
struct HangsInARace(Backend, AtomicUsize);

impl Broken for HangsInARace {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        if self.1.fetch_add(1, Ordering::SeqCst) > 3 {
            return pending().await;
        }
        tokio::task::yield_now().await;
        let swap = self.0.swap(current, next).await;
        self.1.fetch_sub(1, Ordering::SeqCst);
        swap
    }
}

/// Each call takes longer than the suite gives a call alone.
#[derive(Debug)]
struct Slow(Backend);

impl Broken for Slow {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        sleep(Duration::from_millis(40)).await;
        self.0.load(key).await
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        sleep(Duration::from_millis(40)).await;
        let swap = self.0.swap(current, next).await;
        sleep(Duration::from_millis(40)).await;
        swap
    }
}

async fn silent<S: Broken>(rule: &str, make: fn(Backend) -> S) {
    refused(rule, &|backend| shared(make(backend)), &advances).await;
}

// The time limit is waited for, on a clock that need not be.

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs() {
    silent("loaded unchanged", HangsAtOnce).await;
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_hangs() {
    silent("changes nothing and returns it", HangsWhenItLost).await;
}

#[tokio::test(start_paused = true)]
async fn a_revoke_all_that_hangs() {
    silent(
        "every live session but the kept one",
        HangsWithNothingToRevoke,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_race_that_hangs() {
    silent("of several concurrent swaps", |backend| {
        HangsInARace(backend, AtomicUsize::new(0))
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics() {
    silent("a limit of any size", Panics).await;
}

/// The call is limited and not the case, however many calls that has and however long time takes to pass.
#[tokio::test(start_paused = true)]
async fn a_slow_store_conforms() {
    passes(&|clock| shared(Slow(Backend::new(clock)))).await;
}

#[tokio::test(start_paused = true)]
async fn time_may_take_long_to_pass() {
    let clock = clock();
    let store = shared(Backend::new(clock.clone()));
    let advance = async |by| {
        sleep(Duration::from_secs(3600)).await;
        clock.advance(by);
    };
    let verdict = tower_bearer::store::conformance::run(async || store.clone(), advance).await;
    assert!(verdict.is_ok(), "{verdict:?}");
}
