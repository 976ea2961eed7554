//! A store of any type behind one pointer.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use super::{Inserted, Loaded, RefreshStore, StoreError, Swap};
use crate::clock::Timestamp;
use crate::keys::SubjectTag;
use crate::session::{SessionId, SessionKey, SessionRecord};

/// Any [`RefreshStore`] behind one cheap pointer. It is a [`RefreshStore`] itself.
///
/// Layers and handles keep their store in one, so that its type appears in no signature of
/// theirs. Clones share the store. Each call costs one boxed future.
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use tower_bearer::{MemoryStore, store::SharedStore};
///
/// let store = SharedStore::new(MemoryStore::new());
/// # let _ = store.clone();
/// # }
/// ```
#[derive(Clone)]
pub struct SharedStore(Arc<dyn ErasedStore>);

impl SharedStore {
    /// Shares `store`.
    pub fn new(store: impl RefreshStore) -> Self {
        Self(Arc::new(store))
    }
}

impl RefreshStore for SharedStore {
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

impl fmt::Debug for SharedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The twin of [`RefreshStore`] that can be a trait object.
trait ErasedStore: fmt::Debug + Send + Sync {
    fn insert<'a>(&'a self, record: &'a SessionRecord, limit: usize) -> Answer<'a, Inserted>;
    fn load<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, Loaded>;
    fn swap<'a>(&'a self, current: &'a SessionRecord, next: &'a SessionRecord) -> Answer<'a, Swap>;
    fn list<'a>(&'a self, subject: &'a SubjectTag) -> Answer<'a, Vec<SessionRecord>>;
    fn revoke_all<'a>(
        &'a self,
        subject: &'a SubjectTag,
        keep: Option<&'a SessionId>,
    ) -> Answer<'a, Vec<SessionRecord>>;
    fn revoke_older<'a>(
        &'a self,
        subject: &'a SubjectTag,
        keep: Option<&'a SessionId>,
        before: Timestamp,
    ) -> Answer<'a, Vec<SessionRecord>>;
    fn revoke_everything(&self, before: Timestamp) -> Answer<'_, u64>;
}

impl<S: RefreshStore> ErasedStore for S {
    fn insert<'a>(&'a self, record: &'a SessionRecord, limit: usize) -> Answer<'a, Inserted> {
        Box::pin(RefreshStore::insert(self, record, limit))
    }

    fn load<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, Loaded> {
        Box::pin(RefreshStore::load(self, key))
    }

    fn swap<'a>(&'a self, current: &'a SessionRecord, next: &'a SessionRecord) -> Answer<'a, Swap> {
        Box::pin(RefreshStore::swap(self, current, next))
    }

    fn list<'a>(&'a self, subject: &'a SubjectTag) -> Answer<'a, Vec<SessionRecord>> {
        Box::pin(RefreshStore::list(self, subject))
    }

    fn revoke_all<'a>(
        &'a self,
        subject: &'a SubjectTag,
        keep: Option<&'a SessionId>,
    ) -> Answer<'a, Vec<SessionRecord>> {
        Box::pin(RefreshStore::revoke_all(self, subject, keep))
    }

    fn revoke_older<'a>(
        &'a self,
        subject: &'a SubjectTag,
        keep: Option<&'a SessionId>,
        before: Timestamp,
    ) -> Answer<'a, Vec<SessionRecord>> {
        Box::pin(RefreshStore::revoke_older(self, subject, keep, before))
    }

    fn revoke_everything(&self, before: Timestamp) -> Answer<'_, u64> {
        Box::pin(RefreshStore::revoke_everything(self, before))
    }
}
