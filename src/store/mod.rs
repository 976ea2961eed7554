//! The store behind the sessions: one small trait in atomic verbs.

#[cfg(feature = "store-tests")]
pub mod conformance;
mod erased;
mod error;
#[cfg(feature = "memory")]
mod memory;

use std::{fmt, future::Future};

pub use erased::SharedStore;
pub use error::{StoreError, StoreErrorKind};
#[cfg(feature = "memory")]
pub use memory::{MemoryStore, MemoryStoreBuilder};

use crate::{
    clock::Timestamp,
    session::{SessionId, SessionKey, SessionRecord, SubjectTag},
};

/// Where sessions live.
///
/// All policy is in the caller; a store compares, replaces and counts. Implementors write plain
/// `async fn`.
pub trait RefreshStore: fmt::Debug + Send + Sync + 'static {
    /// Adds a session. When the subject already has `limit` live ones, the least recently rotated
    /// are dropped and returned.
    fn insert(
        &self,
        record: &SessionRecord,
        limit: usize,
    ) -> impl Future<Output = Result<Inserted, StoreError>> + Send;

    /// The record, if any, and the store's time. An expired record may be absent or present.
    fn load(&self, key: &SessionKey) -> impl Future<Output = Result<Loaded, StoreError>> + Send;

    /// Replaces `current` by `next` in one atomic step if the stored record equals `current`.
    /// Applying the same swap twice reports [`Swap::Applied`] twice.
    fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> impl Future<Output = Result<Swap, StoreError>> + Send;

    /// Every session of the subject that has not expired, revoked ones too.
    fn list(
        &self,
        subject: &SubjectTag,
    ) -> impl Future<Output = Result<Vec<SessionRecord>, StoreError>> + Send;

    /// Revokes every live session of the subject but `keep`, atomically with respect to `insert`
    /// and `swap`, and returns those it revoked.
    fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> impl Future<Output = Result<Vec<SessionId>, StoreError>> + Send;
}

/// What [`RefreshStore::load`] found.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The record, if the store has one.
    pub record: Option<SessionRecord>,
    /// The store's time: the only one that sessions are judged by.
    pub now: Timestamp,
}

/// What [`RefreshStore::insert`] did.
#[derive(Clone, Debug)]
pub struct Inserted {
    /// The sessions that had to go to stay within the limit.
    pub dropped: Vec<SessionId>,
}

/// What [`RefreshStore::swap`] did.
#[derive(Clone, Debug)]
pub enum Swap {
    /// The store now holds `next`.
    Applied,
    /// The store held neither `current` nor `next`; this is what it holds, and its time.
    Conflict(Loaded),
}
