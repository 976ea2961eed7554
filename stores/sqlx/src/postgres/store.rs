//! The operations of a store, each as it is called.

use tower_bearer::{
    SessionId, Timestamp,
    store::{
        self, Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, StoreError, SubjectTag,
        Swap,
    },
};

use super::{
    PostgresStore,
    load::{List, Load},
    subject::{Insert, Revoke},
    swap::Replace,
};

impl RefreshStore for PostgresStore {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        let planned = Vec::new();
        self.call(Insert {
            record,
            limit,
            planned,
        })
        .await
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        self.call(Load(key)).await
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        self.call(Replace { current, next }).await
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        self.call(List(subject)).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let planned = Vec::new();
        self.call(Revoke {
            subject,
            rule: |sessions: &mut [_], now| store::revoke_all(sessions, keep, now),
            planned,
        })
        .await
    }

    async fn revoke_older(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
        before: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let planned = Vec::new();
        self.call(Revoke {
            subject,
            rule: |sessions: &mut [_], now| store::revoke_older(sessions, keep, before, now),
            planned,
        })
        .await
    }

    async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.revoke_all_of_all(before).await
    }
}
