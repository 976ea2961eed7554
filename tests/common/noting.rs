//! A store that notes every write through it, whether it was applied or not. No session has two successors of one age.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use tower_bearer::{
    SessionId, Timestamp,
    store::{
        Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, StoreError, SubjectTag, Swap,
    },
};

/// The tokens that were to become current, by session, generation and recoveries.
pub(crate) type Successors = Mutex<BTreeMap<(SessionId, Vec<u8>), BTreeSet<Vec<u8>>>>;

#[derive(Clone, Debug)]
pub(crate) struct Noting<S>(pub(crate) S, pub(crate) Arc<Successors>);

impl<S> Noting<S> {
    fn note(&self, next: &SessionRecord) {
        // As the layout has it: the generation and the recoveries, flags, and the hash of the token.
        let bytes = next.encode();
        let (age, hash) = (bytes[33..42].to_vec(), bytes[43..75].to_vec());
        let mut successors = self.1.lock().unwrap();
        successors.entry((next.id(), age)).or_default().insert(hash);
    }
}

impl<S: RefreshStore> RefreshStore for Noting<S> {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.note(record);
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
        self.note(next);
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
