//! A store of any type behind one pointer.

use std::{fmt, sync::Arc};

use super::RefreshStore;

/// Any [`RefreshStore`] behind one cheap pointer. It is a [`RefreshStore`] itself.
#[derive(Clone)]
pub struct SharedStore(Arc<dyn fmt::Debug + Send + Sync>);

impl SharedStore {
    /// Shares `store`.
    pub fn new(store: impl RefreshStore) -> Self {
        Self(Arc::new(store))
    }
}

impl fmt::Debug for SharedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
