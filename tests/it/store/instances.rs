//! Instances that keep something for themselves.

use std::{collections::BTreeMap, sync::Mutex};

use tower_bearer::{
    SessionId,
    store::{Inserted, Loaded, SessionKey, SessionRecord, StoreError, SubjectTag, Swap},
};

use super::{
    refuses,
    table::{Backend, Broken, address},
};

type Cached<K, V> = Mutex<BTreeMap<K, V>>;

/// Remembers records that it has read or written, those that are not there too if it is told to.
#[derive(Debug)]
struct Caches {
    backend: Backend,
    records: Cached<(SubjectTag, SessionId), Option<SessionRecord>>,
    absent_too: bool,
}

impl Caches {
    fn new(backend: Backend, absent_too: bool) -> Self {
        Self {
            backend,
            records: Mutex::default(),
            absent_too,
        }
    }

    fn forget(&self) {
        self.records.lock().unwrap().clear();
    }
}

impl Broken for Caches {
    fn backend(&self) -> &Backend {
        &self.backend
    }

    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.forget();
        self.backend.insert(record, limit).await
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        let mut records = self.records.lock().unwrap();
        let found = records.get(&address(key)).cloned();
        let found = found.unwrap_or_else(|| self.backend.get(key));
        // One kind remembers records, the other one that there is none.
        if found.is_none() == self.absent_too {
            records.insert(address(key), found.clone());
        }
        Ok(Loaded::new(found, self.backend.now()))
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        self.forget();
        self.backend.swap(current, next).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.forget();
        self.backend.revoke_all(subject, keep).await
    }
}

/// Remembers the list until it changes it itself.
#[derive(Debug)]
struct CachesTheList(Backend, Cached<SubjectTag, Vec<SessionRecord>>);

impl CachesTheList {
    fn forget(&self) {
        self.1.lock().unwrap().clear();
    }
}

impl Broken for CachesTheList {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.forget();
        self.0.insert(record, limit).await
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        self.forget();
        self.0.swap(current, next).await
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        if let Some(listed) = self.1.lock().unwrap().get(subject) {
            return Ok(listed.clone());
        }
        let listed = self.0.list(subject).await?;
        self.1.lock().unwrap().insert(*subject, listed.clone());
        Ok(listed)
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.forget();
        self.0.revoke_all(subject, keep).await
    }
}

/// Compares with what it has read last, so that the database need not be asked.
#[derive(Debug)]
struct ComparesWithItsCopy(Backend, Cached<SessionId, SessionRecord>);

impl Broken for ComparesWithItsCopy {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        let found = self.0.get(key);
        self.1
            .lock()
            .unwrap()
            .extend(found.clone().map(|found| (found.id(), found)));
        Ok(Loaded::new(found, self.0.now()))
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let mut copies = self.1.lock().unwrap();
        let found = self.0.get(&current.key());
        let copy = copies.get(&current.id()).or(found.as_ref());
        if copy == Some(current) && found.is_some() && current.key() == next.key() {
            copies.insert(next.id(), next.clone());
            self.0.put(next);
            return Ok(Swap::Applied);
        }
        if copy == Some(next) && current.key() == next.key() {
            return Ok(Swap::Applied);
        }
        Ok(self.0.conflict(copy.cloned()))
    }
}

refuses! {
    memory_of_each_instance: |backend| Backend::new(backend.clock) => "every instance over the backend reads";
    a_cache_of_each_instance: |backend| Caches::new(backend, false) => "every instance over the backend reads";
    a_cache_of_what_is_not_there: |backend| Caches::new(backend, true) => "every instance over the backend reads";
    a_cache_of_lists: |backend| CachesTheList(backend, Mutex::default()) => "every instance over the backend reads";
    a_swap_that_compares_with_a_copy:
        |backend| ComparesWithItsCopy(backend, Mutex::default()) => "every instance over the backend reads";
}
