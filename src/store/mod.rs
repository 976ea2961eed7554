//! The store behind the sessions: one small trait in atomic verbs.

#[cfg(feature = "store-tests")]
pub mod conformance;
mod erased;
pub(crate) mod error;
mod measured;
#[cfg(feature = "memory")]
pub(crate) mod memory;
#[cfg(feature = "redis")]
pub(crate) mod redis;
mod subject;

use std::{fmt, future::Future};

#[cfg(feature = "redis")]
pub use self::redis::{RedisHealth, RedisStoreBuilder};
pub use erased::SharedStore;
pub use error::{StoreError, StoreErrorKind};
pub(crate) use measured::MeasuredStore;
#[cfg(feature = "memory")]
pub use memory::MemoryStoreBuilder;
pub use subject::{admit, revoke_all, revoke_before, revoke_older};

pub use crate::{
    keys::subject_tag::SubjectTag,
    session::{DecodeError, SessionKey, SessionRecord, SessionState},
};

use crate::{clock::Timestamp, session::SessionId};

/// Where sessions live.
///
/// All policy is in the caller; a store compares, replaces and counts. Implementors write plain `async fn` and treat a
/// [`SessionRecord`] as one value, which is compared whole. They run the suite of the feature `store-tests` over the
/// result.
///
/// Compare records, and not the bytes of [`SessionRecord::encode`] alone. An earlier release may have written an equal
/// record in another layout. [The manual](crate::manual::stores#comparing) has the steps for SQL.
///
/// # The cost of a wrong answer
///
/// * A `swap` that is not atomic, or replaces another record than `current`: two tokens of one generation exist. The
///   protocol then takes an honest user for a thief.
/// * A `swap` that does not recognise its own second application: a resent command looks like a conflict with another
///   client.
/// * A read from a replica that lags behind: a token that was just replaced looks current.
/// * An `insert` that is not atomic with `revoke_all`: a session that survives a password reset.
/// * A `revoke_everything` that passes a session over: a session of a leaked key that lives on.
/// * A record that is lost is safe: its tokens are refused, and the user signs in again.
///
/// # Errors
///
/// An operation that fails may have happened: the caller does it again, and applying it twice is
/// applying it once. Every error is answered 503 and leaves the cookie alone.
///
/// # Cancel safety
///
/// The caller may drop a future at any point. The operation has then happened as a whole or not at
/// all.
///
/// # Example
///
/// A store in front of another one:
///
/// ```
/// use tower_bearer::{
///     SessionId, Timestamp,
///     store::{Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, StoreError, SubjectTag, Swap},
/// };
///
/// /// Counts nothing yet, but could.
/// #[derive(Debug)]
/// struct Metered<S>(S);
///
/// impl<S: RefreshStore> RefreshStore for Metered<S> {
///     async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
///         self.0.insert(record, limit).await
///     }
///     async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
///         self.0.load(key).await
///     }
///     async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
///         self.0.swap(current, next).await
///     }
///     async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
///         self.0.list(subject).await
///     }
///     async fn revoke_all(
///         &self,
///         subject: &SubjectTag,
///         keep: Option<&SessionId>,
///     ) -> Result<Vec<SessionRecord>, StoreError> {
///         self.0.revoke_all(subject, keep).await
///     }
///     async fn revoke_older(
///         &self,
///         subject: &SubjectTag,
///         keep: Option<&SessionId>,
///         before: Timestamp,
///     ) -> Result<Vec<SessionRecord>, StoreError> {
///         self.0.revoke_older(subject, keep, before).await
///     }
///     async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
///         self.0.revoke_everything(before).await
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not keep refresh sessions",
    label = "not a `RefreshStore`",
    note = "`tower_bearer::MemoryStore` (feature `memory`) and `tower_bearer::RedisStore` (feature `redis`) do; for a \
            database of your own implement `tower_bearer::store::RefreshStore`",
    note = "give the store itself, not a reference, an `Arc` or a `Result`: a `build()` wants `?`, and \
            `tower_bearer::store::SharedStore` is a store that clones share"
)]
pub trait RefreshStore: fmt::Debug + Send + Sync + 'static {
    /// Adds a session. When the subject already has `limit` live ones (at least 1), the least recently rotated are
    /// dropped. They are returned. The new one is then within the limit.
    ///
    /// [`admit`] is the rule. It is for a store that reads all of a subject's sessions and writes them back in one
    /// step. Dropped means forgotten or revoked, as the store likes. Sessions that are revoked or have expired do not
    /// count. A record that is there already is left as it is. When it equals `record`, that is a success without
    /// drops. Otherwise nothing is overwritten and the answer is an error.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Full`] when the store has no room; no other subject's session is ended for it.
    fn insert(
        &self,
        record: &SessionRecord,
        limit: usize,
    ) -> impl Future<Output = Result<Inserted, StoreError>> + Send;

    /// Returns the record, if any, and the store's time. An expired record may be absent or present.
    ///
    /// # Errors
    ///
    /// When the store does not answer, or holds something that is no record.
    fn load(&self, key: &SessionKey) -> impl Future<Output = Result<Loaded, StoreError>> + Send;

    /// Replaces `current` by `next` in one atomic step if the stored record equals `current`, in whichever
    /// layout its bytes are. Applying the same swap twice reports [`Swap::Applied`] twice.
    ///
    /// Both records have one key. A swap to another key is refused: a conflict or an error, and nothing is written
    /// at either address.
    ///
    /// # A conflict may hide a swap that was applied
    ///
    /// A client library, or the caller, sends a swap again when its answer is lost. Between the two another writer
    /// may have swapped `next` for a third record. The second answer is then [`Swap::Conflict`] with the third
    /// record, though `next` had been stored. No store can tell this from a lost race, and none has to.
    ///
    /// The caller must not conclude that `next` never was the session. It takes the record in the conflict as the
    /// session and judges by that, as if it were just loaded. The layers of this crate do so. A successor is derived
    /// and not drawn, so a writer that follows `next` has issued the same token. A caller that does something else once
    /// for each applied swap, such as counting, may do it once too few.
    ///
    /// # Errors
    ///
    /// When the store does not answer. A lost race is no error: see [`Swap::Conflict`].
    fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> impl Future<Output = Result<Swap, StoreError>> + Send;

    /// Returns every session of the subject that has not expired, revoked ones too, each once, in any order.
    ///
    /// # Errors
    ///
    /// When the store does not answer, or holds something that is no record.
    fn list(
        &self,
        subject: &SubjectTag,
    ) -> impl Future<Output = Result<Vec<SessionRecord>, StoreError>> + Send;

    /// Revokes every live session of the subject but `keep`, atomically with respect to `insert` and `swap`. Returns
    /// those it revoked, as it holds them now.
    ///
    /// [`revoke_all`] is the rule. A session that was idle for too long is revoked too, as long as the store holds it.
    /// A swap that was decided before its idle end must find a conflict.
    ///
    /// # Errors
    ///
    /// When the store does not answer; some or all may then be revoked.
    fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> impl Future<Output = Result<Vec<SessionRecord>, StoreError>> + Send;

    /// Revokes every live session of the subject but `keep` that began at `before` or earlier. Returns those it
    /// revoked, as it holds them now. Sessions that begin later are not meant.
    ///
    /// The layer calls it after a [`revoke_all`](Self::revoke_all) that failed. It is one atomic step, as that one is.
    /// [`revoke_older`] is the rule, and also revokes sessions that were idle for too long.
    ///
    /// A store may leave it out. The answer is then [`Unsupported`](StoreErrorKind::Unsupported), and nothing is
    /// revoked. The layer then ends the sessions of [`list`](Self::list), one by one. That is weaker: the list leaves
    /// out sessions that were idle for too long. A swap that was decided before the idle end may then prolong a
    /// session.
    ///
    /// # Errors
    ///
    /// When the store does not offer it or does not answer; some or all may then be revoked.
    fn revoke_older(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
        before: Timestamp,
    ) -> impl Future<Output = Result<Vec<SessionRecord>, StoreError>> + Send {
        let _ = (subject, keep, before);
        std::future::ready(Err(StoreErrorKind::Unsupported.into()))
    }

    /// Revokes every live session of every subject that began at `before` or earlier, and returns how many. It is the
    /// operator's answer to leaked keys. Sessions that begin later are not meant.
    ///
    /// It need not be one step. Each session ends as by [`swap`](Self::swap), by the rule of [`revoke_before`]. Another
    /// call completes one that failed half way. A store that cannot go through all sessions leaves it out; the answer
    /// is then [`Unsupported`](StoreErrorKind::Unsupported), and nothing is revoked.
    ///
    /// # Errors
    ///
    /// When the store does not offer it or does not answer; some may then be revoked.
    fn revoke_everything(
        &self,
        before: Timestamp,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send {
        let _ = before;
        std::future::ready(Err(StoreErrorKind::Unsupported.into()))
    }
}

/// The result of [`RefreshStore::load`].
///
/// ```
/// use tower_bearer::{Timestamp, store::Loaded};
///
/// let nothing = Loaded::new(None, Timestamp::from_secs(1_800_000_000));
/// assert_eq!(nothing.record(), None);
/// ```
#[derive(Clone, Debug)]
pub struct Loaded {
    pub(crate) record: Option<SessionRecord>,
    pub(crate) now: Timestamp,
}

impl Loaded {
    /// Answers with the record, if the store has one, and with the store's time. Sessions are judged by that time only.
    pub const fn new(record: Option<SessionRecord>, now: Timestamp) -> Self {
        Self { record, now }
    }

    /// Returns the record itself, if the store has one.
    pub fn into_record(self) -> Option<SessionRecord> {
        self.record
    }

    /// Returns the store's time.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns the record, if the store has one.
    pub const fn record(&self) -> Option<&SessionRecord> {
        self.record.as_ref()
    }
}

/// The result of [`RefreshStore::insert`].
///
/// ```
/// use tower_bearer::store::Inserted;
///
/// // The subject was below its limit.
/// let inserted = Inserted::new(Vec::new());
/// assert!(inserted.dropped().is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Inserted {
    pub(crate) dropped: Vec<SessionRecord>,
}

impl Inserted {
    /// Answers that the session is stored, and that `dropped` were dropped to stay within the limit. Each is as the
    /// store holds it now, revoked.
    pub const fn new(dropped: Vec<SessionRecord>) -> Self {
        Self { dropped }
    }

    /// Returns the sessions that had to go.
    pub fn dropped(&self) -> &[SessionRecord] {
        &self.dropped
    }
}

/// The result of [`RefreshStore::swap`].
///
/// ```
/// use tower_bearer::{
///     Timestamp,
///     store::{Loaded, SessionRecord, Swap},
/// };
///
/// /// The answer of a store that held `stored`, and puts `next` in its place where it was `current`.
/// fn judge(stored: Option<SessionRecord>, current: &SessionRecord, next: &SessionRecord, now: Timestamp) -> Swap {
///     match stored {
///         Some(stored) if stored == *current || stored == *next => Swap::Applied,
///         record => Swap::Conflict(Loaded::new(record, now)),
///     }
/// }
/// # let _ = judge;
/// ```
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "an answer that is matched at once, never kept"
)]
pub enum Swap {
    /// The store now holds `next`.
    Applied,
    /// The store held neither `current` nor `next`; this is the record that it holds, and its time. It may have held
    /// `next` before: [a conflict may hide a swap that was applied](RefreshStore::swap).
    Conflict(Loaded),
}
