//! A layer's view of its store: the store itself, with a span and a timer around each call.
//!
//! A type of its own, so that a store that is made of others is measured once.

use std::fmt;

use super::{Inserted, Loaded, RefreshStore, SharedStore, StoreError, Swap};
use crate::{
    clock::Timestamp,
    keys::SubjectTag,
    session::{SessionId, SessionKey, SessionRecord},
    telemetry::store_call,
};

pub(crate) struct MeasuredStore(SharedStore);

impl MeasuredStore {
    pub(crate) fn new(store: impl RefreshStore) -> Self {
        Self(SharedStore::new(store))
    }
}

impl RefreshStore for MeasuredStore {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        store_call("insert", self.0.insert(record, limit)).await
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        store_call("load", self.0.load(key)).await
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        store_call("swap", self.0.swap(current, next)).await
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        store_call("list", self.0.list(subject)).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        store_call("revoke_all", self.0.revoke_all(subject, keep)).await
    }

    async fn revoke_older(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
        before: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        store_call("revoke_older", self.0.revoke_older(subject, keep, before)).await
    }

    async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
        store_call("revoke_everything", self.0.revoke_everything(before)).await
    }
}

/// As the store itself, whose name an error tells.
impl fmt::Debug for MeasuredStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
