//! A store that fails when told to.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::oneshot;
use tower_bearer::{
    SessionId, Timestamp,
    store::{
        Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, SharedStore, StoreError,
        SubjectTag, Swap,
    },
};

/// A fault of the store in place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens and the caller is told so.
    Refuse,
    /// The operation happens and the answer is lost.
    ApplyThenLose,
    /// The caller is told that another one was quicker.
    LoseRace,
    /// The store's own code panics.
    Panic,
}

/// A store behind a switchboard.
#[derive(Clone, Debug)]
pub struct FaultStore(Arc<State>);

#[derive(Debug)]
struct State {
    inner: Mutex<SharedStore>,
    calls: AtomicUsize,
    swaps: Mutex<Vec<Fault>>,
    /// How many more of `revoke_all` succeed before one fails, and how.
    revoke_alls: Mutex<Option<(usize, Fault)>>,
    /// The next swap, or end of everything, waits for it.
    held: Mutex<Option<oneshot::Receiver<()>>>,
    down: Mutex<bool>,
    last: Mutex<Option<SessionKey>>,
    /// Stands for the record at the next load.
    shown: Mutex<Option<SessionRecord>>,
}

impl FaultStore {
    pub fn new(inner: impl RefreshStore) -> Self {
        Self(Arc::new(State {
            inner: Mutex::new(SharedStore::new(inner)),
            calls: AtomicUsize::new(0),
            swaps: Mutex::default(),
            revoke_alls: Mutex::default(),
            held: Mutex::default(),
            down: Mutex::new(false),
            last: Mutex::default(),
            shown: Mutex::default(),
        }))
    }

    /// How many operations were asked of the store so far.
    pub fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// The next swap meets `fault`.
    pub fn fail_swap(&self, fault: Fault) {
        self.0.swaps.lock().unwrap().push(fault);
    }

    /// After `good` more of them, one `revoke_all` meets `fault`.
    pub fn fail_revoke_all(&self, good: usize, fault: Fault) {
        *self.0.revoke_alls.lock().unwrap() = Some((good, fault));
    }

    /// The next swap, or end of everything, waits until `go` comes.
    pub fn hold_swap(&self, go: oneshot::Receiver<()>) {
        *self.0.held.lock().unwrap() = Some(go);
    }

    /// Every operation fails from now on, or works again.
    pub fn down(&self, down: bool) {
        *self.0.down.lock().unwrap() = down;
    }

    /// Puts another store in its place and returns the old one: a failover to an empty replica.
    pub fn replace(&self, store: impl RefreshStore) -> SharedStore {
        let store = SharedStore::new(store);
        std::mem::replace(&mut *self.0.inner.lock().unwrap(), store)
    }

    /// The next load finds `record`: a request that was judged just before the last write.
    pub fn show_once(&self, record: &SessionRecord) {
        *self.0.shown.lock().unwrap() = Some(record.clone());
    }

    /// Where the session that was inserted last lies.
    pub fn last_key(&self) -> SessionKey {
        self.0.last.lock().unwrap().unwrap()
    }

    /// The record as it is now, without counting.
    pub async fn peek(&self, key: &SessionKey) -> Option<SessionRecord> {
        let inner = self.inner();
        inner.load(key).await.unwrap().into_record()
    }

    /// The record that was inserted last, as it is now.
    pub async fn last(&self) -> SessionRecord {
        self.peek(&self.last_key()).await.unwrap()
    }

    /// Takes back everything since `old`: a failover to a replica that lagged.
    pub async fn roll_back_to(&self, old: &SessionRecord) {
        let inner = self.inner();
        let now = inner.load(&old.key()).await.unwrap().into_record().unwrap();
        assert!(matches!(
            inner.swap(&now, old).await.unwrap(),
            Swap::Applied
        ));
    }

    fn inner(&self) -> SharedStore {
        self.0.inner.lock().unwrap().clone()
    }

    fn called(&self) -> Result<SharedStore, StoreError> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        if *self.0.down.lock().unwrap() {
            return Err(StoreError::unavailable("down for the test"));
        }
        Ok(self.inner())
    }
}

impl RefreshStore for FaultStore {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        *self.0.last.lock().unwrap() = Some(record.key());
        self.called()?.insert(record, limit).await
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        let loaded = self.called()?.load(key).await?;
        let shown = self.0.shown.lock().unwrap().take();
        Ok(match shown {
            Some(record) => Loaded::new(Some(record), loaded.now()),
            None => loaded,
        })
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let inner = self.called()?;
        let held = self.0.held.lock().unwrap().take();
        if let Some(go) = held {
            go.await.unwrap();
        }
        let fault = self.0.swaps.lock().unwrap().pop();
        match fault {
            Some(Fault::Panic) => panic!("the store panics for the test"),
            None => inner.swap(current, next).await,
            Some(Fault::LoseRace) => Ok(Swap::Conflict(inner.load(&current.key()).await?)),
            Some(Fault::Refuse) => Err(StoreError::unavailable("refused for the test")),
            Some(Fault::ApplyThenLose) => {
                inner.swap(current, next).await?;
                Err(StoreError::unavailable("answer lost for the test"))
            }
        }
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        self.called()?.list(subject).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let inner = self.called()?;
        let due = self.0.revoke_alls.lock().unwrap().take();
        match due {
            Some((0, Fault::Panic)) => panic!("the store panics for the test"),
            Some((0, Fault::ApplyThenLose)) => {
                inner.revoke_all(subject, keep).await?;
                return Err(StoreError::unavailable("answer lost for the test"));
            }
            Some((0, _)) => return Err(StoreError::unavailable("refused for the test")),
            _ => *self.0.revoke_alls.lock().unwrap() = due.map(|(good, fault)| (good - 1, fault)),
        }
        inner.revoke_all(subject, keep).await
    }

    async fn revoke_older(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
        before: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.called()?.revoke_older(subject, keep, before).await
    }

    async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
        let inner = self.called()?;
        let held = self.0.held.lock().unwrap().take();
        if let Some(go) = held {
            go.await.unwrap();
        }
        inner.revoke_everything(before).await
    }
}
