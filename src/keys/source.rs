//! A ring whose keys are somebody else's, and come and go as they say.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;

use super::{KeyRing, Keys};

/// Whoever fills a ring from elsewhere. It is asked on the request's path, and does no I/O there.
pub(crate) trait Remote: fmt::Debug + Send + Sync {
    /// A token needs a key that the snapshot of this generation does not have. Whether it may be
    /// there soon, in which case nobody can say yet that the token is bad.
    fn may_come(&self, generation: u64) -> bool;

    /// When it is worth coming back, in whole seconds.
    fn retry_after(&self) -> Duration;
}

/// Who fills a ring: this process, or somebody else.
#[derive(Clone, Default)]
pub(super) struct Source(Option<Arc<dyn Remote>>);

impl KeyRing {
    /// A ring without a key, that is filled by whoever has it.
    pub(crate) fn vacant() -> Self {
        Self::new(Keys::new(Vec::new(), Vec::new(), None))
    }

    /// The same keys, now and later, in a ring that asks `remote` for what is missing.
    pub(crate) fn filled_by(&self, remote: Arc<dyn Remote>) -> Self {
        Self {
            keys: Arc::<ArcSwap<Keys>>::clone(&self.keys),
            source: Source(Some(remote)),
        }
    }

    /// Puts the keys of `next` in place of all others: nothing of the old ones stays.
    pub(crate) fn replace(&self, next: &Self) {
        self.keys.store(next.keys.load_full());
    }

    /// Whether somebody else fills the ring.
    pub(crate) fn is_remote(&self) -> bool {
        self.source.0.is_some()
    }

    /// Whether a key that the snapshot of this generation lacks may be there soon.
    #[cold]
    pub(crate) fn may_come(&self, generation: u64) -> bool {
        let Source(remote) = &self.source;
        remote.as_ref().is_some_and(|r| r.may_come(generation))
    }

    /// When it is worth coming back for it.
    pub(crate) fn retry_after(&self) -> Duration {
        let Source(remote) = &self.source;
        let shortest = Duration::from_secs(1);
        remote.as_ref().map_or(shortest, |r| r.retry_after())
    }
}
