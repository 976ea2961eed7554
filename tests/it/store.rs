//! The conformance suite over the stores of this crate, and over stores that must fail it.

use std::{sync::Arc, time::Duration};

use tower_bearer::{
    ConfigError, ManualClock, MemoryStore, SessionId, Timestamp,
    store::{
        Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, SharedStore, StoreError,
        SubjectTag, Swap, conformance,
    },
};

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(1_800_000_000))
}

fn memory(clock: &ManualClock) -> Result<MemoryStore, ConfigError> {
    MemoryStore::builder().clock(clock.clone()).build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_conforms() {
    let clock = clock();
    let store = memory(&clock).unwrap();
    let advance = async |by| clock.advance(by);
    let verdict = conformance::run(async || store.clone(), advance).await;
    assert!(verdict.is_ok(), "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_shared_store_conforms() {
    let clock = clock();
    let store = SharedStore::new(SharedStore::new(memory(&clock).unwrap()));
    let advance = async |by| clock.advance(by);
    let verdict = conformance::run(async || store.clone(), advance).await;
    assert!(verdict.is_ok(), "{verdict:?}");
}

/// How a store can be wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Compares first and replaces later.
    SwapIsNotAtomic,
    /// Does not recognise its own work.
    SecondApplicationConflicts,
    /// Replaces whatever is there.
    SwapNeverConflicts,
    /// Does not count.
    NoLimit,
    /// Has a clock that stands still, so that nothing expires.
    ClockStandsStill,
    /// Takes the order and does nothing.
    RevokesNothing,
    /// Loads a record without the application's bytes.
    DropsTheContext,
}

/// A store that works but for one fault.
#[derive(Clone, Debug)]
struct Faulty {
    store: Arc<MemoryStore>,
    fault: Fault,
}

impl RefreshStore for Faulty {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        match self.fault {
            Fault::NoLimit => self.store.insert(record, usize::MAX).await,
            _ => self.store.insert(record, limit).await,
        }
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        let mut loaded = self.store.load(key).await?;
        if let (Fault::DropsTheContext, Some(record)) = (self.fault, loaded.record()) {
            let mut bytes = record.encode();
            // The context comes last: its length and its bytes.
            let context = bytes.len() - record.context().len();
            bytes.truncate(context);
            if let Some(length) = bytes.last_chunk_mut::<4>() {
                *length = [0; 4];
            }
            loaded = Loaded::new(Some(SessionRecord::decode(&bytes)?), loaded.now());
        }
        Ok(loaded)
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let stored = self.store.load(&current.key()).await?;
        let Some(record) = stored.record() else {
            return Ok(Swap::Conflict(stored));
        };
        match self.fault {
            Fault::SwapIsNotAtomic if record == current => {
                tokio::task::yield_now().await;
                let latest = self.store.load(&current.key()).await?;
                match latest.record() {
                    Some(latest) => self.store.swap(latest, next).await,
                    None => Ok(Swap::Conflict(latest)),
                }
            }
            Fault::SecondApplicationConflicts if record != current => Ok(Swap::Conflict(stored)),
            Fault::SwapNeverConflicts => self.store.swap(record, next).await,
            _ => self.store.swap(current, next).await,
        }
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        self.store.list(subject).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        match self.fault {
            Fault::RevokesNothing => Ok(vec![]),
            _ => self.store.revoke_all(subject, keep).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn faulty_stores_fail_and_the_failure_names_the_rule() {
    let faults = [
        (Fault::SwapIsNotAtomic, "of several concurrent swaps"),
        (Fault::SecondApplicationConflicts, "applied twice"),
        (Fault::SwapNeverConflicts, "changes nothing and returns it"),
        (Fault::NoLimit, "the least recently rotated"),
        (Fault::ClockStandsStill, "an expired session"),
        (Fault::RevokesNothing, "revoke_all revokes every live"),
        (Fault::DropsTheContext, "loaded unchanged"),
    ];
    for (fault, rule) in faults {
        let clock = clock();
        let store = Faulty {
            store: Arc::new(memory(&clock).unwrap()),
            fault,
        };
        let advance = async |by: Duration| match fault {
            Fault::ClockStandsStill => {}
            _ => clock.advance(by),
        };
        let verdict = conformance::run(async || store.clone(), advance).await;
        let violation = verdict.expect_err("a faulty store passed");
        assert!(violation.rule().contains(rule), "{fault:?}: {violation}");
        assert!(!violation.detail().is_empty(), "{fault:?}");
    }
}
