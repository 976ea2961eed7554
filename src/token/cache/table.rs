//! Where the entries lie: a concurrent table of fixed size.

use std::{hash::RandomState, thread::available_parallelism};

use quick_cache::{
    OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};

use super::{digest::Digest, entry::Entry};
use crate::config::ConfigError;

/// Room in the table for one entry: the entry, its links and its share of the index.
const PLACE: usize = size_of::<(Digest, Entry)>() + 32;

/// The text of an entry is taken for no less than this, which is what a token with few claims of the
/// application's comes to. So there is an end to the places that can be needed, and all of them
/// are laid out at once: a table that grew would hold two copies of itself while it does.
const LEAST: usize = 224;

/// The smallest part that a table is divided into: far more than the claims of the longest token.
const SMALLEST_SHARD: usize = 512 * 1024;

pub(super) struct Table(Inner);

type Inner = Cache<Digest, Entry, Weigh, RandomState, DefaultLifecycle<Digest, Entry>>;

impl Table {
    /// A table without any room.
    pub(super) fn new() -> Self {
        let lifecycle = DefaultLifecycle::default();
        Self(Cache::with(0, 0, Weigh, RandomState::new(), lifecycle))
    }

    /// Lays the table out for `bytes` in all. It is empty then, and was useless before.
    pub(super) fn lay_out(&mut self, bytes: usize) -> Result<(), ConfigError> {
        let entries = bytes / (PLACE + LEAST);
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
            // An evicted token is forgotten: a memory of it takes places, too.
            .ghost_allocation(0.0);
        // Cannot fail: both sizes are given.
        let options = options
            .build()
            .map_err(|error| ConfigError::new("cache", error.to_string()))?;
        let (hasher, lifecycle) = (RandomState::new(), DefaultLifecycle::default());
        self.0 = Cache::with_options(options, Weigh, hasher, lifecycle);
        self.0.reserve(entries);
        Ok(())
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Entry> {
        self.0.get(digest)
    }

    pub(super) fn insert(&self, digest: Digest, entry: Entry) {
        self.0.insert(digest, entry);
    }

    pub(super) fn remove(&self, digest: &Digest) {
        self.0.remove(digest);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Bytes of the table and of what hangs on its entries.
    pub(super) fn bytes(&self) -> usize {
        let hanging = usize::try_from(self.0.weight()).unwrap_or(usize::MAX);
        self.0.memory_used().total().saturating_add(hanging)
    }
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Digest, Entry> for Weigh {
    fn weight(&self, _: &Digest, entry: &Entry) -> u64 {
        entry.weight().max(LEAST) as u64
    }
}
