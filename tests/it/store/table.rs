//! A correct store as a table, in front of which a mistake can be put.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{OwnedMutexGuard, Semaphore};
use tower_bearer::{
    Clock, ManualClock, SessionId, Timestamp,
    store::{
        self, Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, StoreError, SubjectTag,
        Swap,
    },
};

/// The columns that are not the record itself are of use to a mistake alone.
#[derive(Clone, Debug)]
pub struct Row {
    pub record: SessionRecord,
    pub expires_at: Timestamp,
}

pub type Rows = BTreeMap<(SubjectTag, SessionId), Row>;

/// The part that all instances share: the database and its clock.
#[derive(Clone, Debug)]
pub struct Backend {
    rows: Arc<Mutex<Rows>>,
    pub clock: ManualClock,
    /// For mistakes that take two steps: they share it, and what is right has no need of it.
    pub lock: Arc<tokio::sync::Mutex<()>>,
    pub permits: Arc<Semaphore>,
    instances: Arc<AtomicU64>,
}

impl Backend {
    pub fn new(clock: ManualClock) -> Self {
        Self {
            rows: Arc::default(),
            clock,
            lock: Arc::default(),
            permits: Arc::new(Semaphore::new(1)),
            instances: Arc::default(),
        }
    }

    /// Numbers the instances over it, from none on.
    pub fn number(&self) -> u64 {
        self.instances.fetch_add(1, Ordering::Relaxed)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap()
    }

    pub fn get(&self, key: &SessionKey) -> Option<SessionRecord> {
        let rows = self.rows();
        rows.get(&address(key)).map(|row| row.record.clone())
    }

    pub fn put(&self, record: &SessionRecord) {
        put(&mut self.rows(), record);
    }

    /// Those of a subject, the expired ones too.
    pub fn all(&self, subject: &SubjectTag) -> Vec<SessionRecord> {
        all(&self.rows(), subject)
    }

    pub fn conflict(&self, found: Option<SessionRecord>) -> Swap {
        Swap::Conflict(Loaded::new(found, self.now()))
    }
}

pub fn address(key: &SessionKey) -> (SubjectTag, SessionId) {
    (*key.subject(), *key.id())
}

pub fn put(rows: &mut Rows, record: &SessionRecord) {
    let row = Row {
        record: record.clone(),
        expires_at: record.expires_at(),
    };
    rows.insert(address(&record.key()), row);
}

pub fn all(rows: &Rows, subject: &SubjectTag) -> Vec<SessionRecord> {
    let of_subject = rows.iter().filter(|((tag, _), _)| tag == subject);
    of_subject.map(|(_, row)| row.record.clone()).collect()
}

/// A store that is right but for what it overrides.
pub trait Broken: Debug + Send + Sync + 'static {
    fn backend(&self) -> &Backend;

    /// Each write waits for the lock: for mistakes that take two steps behind it.
    fn is_locked(&self) -> bool {
        false
    }

    fn guard(&self) -> impl Future<Output = Option<OwnedMutexGuard<()>>> + Send {
        async move {
            let lock = self.is_locked().then(|| self.backend().lock.clone());
            match lock {
                Some(lock) => Some(lock.lock_owned().await),
                None => None,
            }
        }
    }

    fn insert(
        &self,
        record: &SessionRecord,
        limit: usize,
    ) -> impl Future<Output = Result<Inserted, StoreError>> + Send {
        async move {
            let _guard = self.guard().await;
            let (key, backend) = (record.key(), self.backend());
            let mut rows = backend.rows();
            let mut sessions = all(&rows, key.subject());
            let dropped = store::admit(&mut sessions, record, limit, backend.now())?;
            rows.retain(|(tag, _), _| tag != key.subject());
            sessions.iter().for_each(|record| put(&mut rows, record));
            Ok(Inserted::new(dropped))
        }
    }

    fn load(&self, key: &SessionKey) -> impl Future<Output = Result<Loaded, StoreError>> + Send {
        async move { Ok(Loaded::new(self.backend().get(key), self.backend().now())) }
    }

    fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> impl Future<Output = Result<Swap, StoreError>> + Send {
        async move {
            let _guard = self.guard().await;
            let backend = self.backend();
            let mut rows = backend.rows();
            let found = rows.get(&address(&current.key()));
            let found = found.map(|row| row.record.clone());
            let stays = current.key() == next.key();
            if found.as_ref() == Some(current) && stays {
                put(&mut rows, next);
            } else if found.as_ref() != Some(next) || !stays {
                return Ok(backend.conflict(found));
            }
            Ok(Swap::Applied)
        }
    }

    fn list(
        &self,
        subject: &SubjectTag,
    ) -> impl Future<Output = Result<Vec<SessionRecord>, StoreError>> + Send {
        async move {
            let mut sessions = self.backend().all(subject);
            sessions.retain(|session| self.backend().now() < session.expires_at());
            Ok(sessions)
        }
    }

    fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> impl Future<Output = Result<Vec<SessionRecord>, StoreError>> + Send {
        async move {
            let _guard = self.guard().await;
            let backend = self.backend();
            let mut rows = backend.rows();
            let mut sessions = all(&rows, subject);
            let revoked = store::revoke_all(&mut sessions, keep, backend.now());
            sessions.iter().for_each(|record| put(&mut rows, record));
            Ok(revoked)
        }
    }

    fn revoke_older(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
        before: Timestamp,
    ) -> impl Future<Output = Result<Vec<SessionRecord>, StoreError>> + Send {
        async move {
            let _guard = self.guard().await;
            let backend = self.backend();
            let mut rows = backend.rows();
            let mut sessions = all(&rows, subject);
            let revoked = store::revoke_older(&mut sessions, keep, before, backend.now());
            revoked.iter().for_each(|record| put(&mut rows, record));
            Ok(revoked)
        }
    }

    fn revoke_everything(
        &self,
        before: Timestamp,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send {
        async move {
            let _guard = self.guard().await;
            let backend = self.backend();
            let mut rows = backend.rows();
            let mut sessions: Vec<_> = rows.values().map(|row| row.record.clone()).collect();
            let revoked = store::revoke_before(&mut sessions, before, backend.now());
            revoked.iter().for_each(|record| put(&mut rows, record));
            Ok(revoked.len() as u64)
        }
    }
}

impl Broken for Backend {
    fn backend(&self) -> &Backend {
        self
    }
}

/// A store with one mistake: what it overrides.
macro_rules! mistake {
    ($(#[$doc:meta])* $name:ident { $($method:item)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        struct $name(Backend);

        impl Broken for $name {
            fn backend(&self) -> &Backend {
                &self.0
            }
            $($method)*
        }
    };
}
pub(super) use mistake;

/// The mistaken store as the trait has it.
#[derive(Debug)]
pub struct Mistaken<B>(pub B);

impl<B: Broken> RefreshStore for Mistaken<B> {
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
        self.0.swap(current, next).await
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

    async fn revoke_older(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
        before: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.0.revoke_older(subject, keep, before).await
    }

    async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.0.revoke_everything(before).await
    }
}
