//! A ring whose keys are those of a remote issuer, which replaces them.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;

use super::{KeyRing, Keys};

/// The fetcher that fills a ring from elsewhere. It is asked on the request's path, and does no I/O there.
pub(crate) trait Remote: fmt::Debug + Send + Sync {
    /// A token needs a key that the ring does not have, or not with this signature. Asks for the set
    /// again, as often as that is allowed.
    fn request_refresh(&self);

    /// Sees to it that the keys are looked after.
    fn ensure_running(&self);

    /// The issuer whose keys they are, where the fetcher knows it.
    fn issuer(&self) -> Option<&str>;

    /// When to try again, in whole seconds.
    fn retry_after(&self) -> Duration;
}

/// The fetcher that fills a ring, if one does.
#[derive(Clone, Default)]
pub(super) struct Source(Option<Arc<dyn Remote>>);

impl KeyRing {
    /// A ring without a key, that a fetcher is going to fill.
    pub(crate) fn vacant() -> Self {
        Self::new(Keys::empty())
    }

    /// The same keys, now and later, in a ring that asks `remote` for what is missing.
    pub(crate) fn filled_by(&self, remote: Arc<dyn Remote>) -> Self {
        Self {
            keys: Arc::<ArcSwap<Keys>>::clone(&self.keys),
            source: Source(Some(remote)),
            published: self.published,
        }
    }

    /// Puts `next` in place of all keys: nothing of the old ones stays.
    pub(crate) fn replace(&self, next: Keys) {
        self.keys.store(Arc::new(next));
    }

    /// Whether an issuer elsewhere fills the ring.
    pub(crate) fn is_remote(&self) -> bool {
        self.source.0.is_some()
    }

    /// The issuer whose keys the fetcher brings, where it knows it.
    pub(crate) fn issuer(&self) -> Option<&str> {
        let Source(remote) = &self.source;
        remote.as_ref().and_then(|remote| remote.issuer())
    }

    /// Tells the fetcher, if there is one, that a key is missing.
    #[cold]
    pub(crate) fn request_refresh(&self) {
        let Source(remote) = &self.source;
        if let Some(remote) = remote {
            remote.request_refresh();
        }
    }

    /// Sees to it that the keys are looked after.
    #[cold]
    pub(super) fn ensure_running(&self) {
        let Source(remote) = &self.source;
        if let Some(remote) = remote {
            remote.ensure_running();
        }
    }

    /// When to try again for a missing key.
    pub(crate) fn retry_after(&self) -> Duration {
        let Source(remote) = &self.source;
        let shortest = Duration::from_secs(1);
        remote.as_ref().map_or(shortest, |r| r.retry_after())
    }
}
