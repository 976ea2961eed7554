//! Sessions in memory.

/// Sessions in this process's memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {}

/// Builds a [`MemoryStore`].
#[derive(Clone, Debug, Default)]
pub struct MemoryStoreBuilder {}
