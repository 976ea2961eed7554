//! Where the entries lie: a concurrent table of fixed size.

use std::{hash::RandomState, marker::PhantomData, thread::available_parallelism};

use quick_cache::{Lifecycle, OptionsBuilder, Weighter, sync::Cache};

use super::{digest::Digest, entry::Entry};
use crate::config::ConfigError;

/// Room in the table for one entry: the entry, its links and its share of the index.
const fn place<C>() -> usize {
    size_of::<(Digest, Entry<C>)>() + 32
}

/// What hangs on an entry is taken for no less than this, which is what a token with nothing of
/// the application's comes to. So there is an end to the places that can be needed, and all of them
/// are laid out at once: a table that grew would hold two copies of itself while it does.
const LEAST: usize = 336;

/// The smallest part that a table is divided into: far more than the claims of the longest token.
const SMALLEST_SHARD: usize = 512 * 1024;

/// Without the bounds on `C` that a shared table asks for, so that a codec asks for none.
pub(super) trait Table<C>: Send + Sync {
    /// Lays the table out for `bytes` in all. It is empty then, and was useless before.
    fn lay_out(&mut self, bytes: usize) -> Result<(), ConfigError>;
    fn get(&self, digest: &Digest) -> Option<Entry<C>>;
    fn insert(&self, digest: Digest, entry: Entry<C>);
    fn remove(&self, digest: &Digest);
    fn len(&self) -> usize;
    /// Bytes of the table and of what hangs on its entries.
    fn bytes(&self) -> usize;
}

pub(super) struct Shards<C>(Inner<C>);

type Inner<C> = Cache<Digest, Entry<C>, Weigh, RandomState, Outside<C>>;

impl<C> Shards<C> {
    /// A table without any room.
    pub(super) fn new() -> Self {
        let outside = Outside(PhantomData);
        Self(Cache::with(0, 0, Weigh, RandomState::new(), outside))
    }
}

impl<C: Send + Sync> Table<C> for Shards<C> {
    fn lay_out(&mut self, bytes: usize) -> Result<(), ConfigError> {
        let entries = bytes / (place::<C>() + LEAST);
        // Two threads seldom meet in four shards for each.
        let shards = available_parallelism().map_or(1, usize::from) * 4;
        let shards = shards.min(bytes / SMALLEST_SHARD).max(1);
        let mut options = OptionsBuilder::new();
        options
            // Down to a power of two; the table would go up.
            .shards(1 << shards.ilog2())
            .estimated_items_capacity(entries)
            .weight_capacity((entries * LEAST) as u64)
            // A tenth for newcomers that have not been asked for twice: a flood of tokens that
            // are never seen again passes through it, and those in use stay.
            .hot_allocation(0.9)
            // Whoever was evicted is forgotten: a memory of them takes places, too.
            .ghost_allocation(0.0);
        // Cannot fail: both sizes are given.
        let options = options
            .build()
            .map_err(|error| ConfigError::new("cache", error.to_string()))?;
        let (hasher, outside) = (RandomState::new(), Outside(PhantomData));
        self.0 = Cache::with_options(options, Weigh, hasher, outside);
        self.0.reserve(entries);
        Ok(())
    }

    fn get(&self, digest: &Digest) -> Option<Entry<C>> {
        self.0.get(digest)
    }

    fn insert(&self, digest: Digest, entry: Entry<C>) {
        self.0.insert(digest, entry);
    }

    fn remove(&self, digest: &Digest) {
        self.0.remove(digest);
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn bytes(&self) -> usize {
        let hanging = usize::try_from(self.0.weight()).unwrap_or(usize::MAX);
        self.0.memory_used().total().saturating_add(hanging)
    }
}

#[derive(Clone)]
struct Weigh;

impl<C> Weighter<Digest, Entry<C>> for Weigh {
    fn weight(&self, _: &Digest, entry: &Entry<C>) -> u64 {
        entry.weight().max(LEAST) as u64
    }
}

/// Drops what was evicted once the shard is unlocked: it ends with the application's own `Drop`.
struct Outside<C>(PhantomData<fn() -> C>);

impl<C> Lifecycle<Digest, Entry<C>> for Outside<C> {
    type RequestState = Vec<Entry<C>>;

    fn on_evict(&self, evicted: &mut Self::RequestState, _: Digest, entry: Entry<C>) {
        evicted.push(entry);
    }
}

impl<C> Clone for Outside<C> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}
