//! Keys: what they are for, where they come from, and how they are replaced while serving.

mod session;

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;

pub(crate) use session::{SessionKeyId, SessionKeySet, SessionKeys};

use crate::config::ConfigError;

/// All keys of a service, replaced as a whole while it serves. Clones share the keys.
#[derive(Clone)]
pub struct KeyRing(Arc<ArcSwap<Keys>>);

/// One snapshot of the ring.
pub(crate) struct Keys {
    pub(crate) sessions: Option<SessionKeys>,
}

impl KeyRing {
    /// Derives every symmetric key from one secret of at least 32 bytes.
    ///
    /// # Errors
    ///
    /// When the secret is too short.
    pub fn from_master(secret: &[u8]) -> Result<Self, ConfigError> {
        if secret.len() < 32 {
            return Err(ConfigError::new(
                "master secret",
                "must have at least 32 bytes",
            ));
        }
        let sessions = Some(SessionKeys::new([secret]));
        Ok(Self(Arc::new(ArcSwap::from_pointee(Keys { sessions }))))
    }

    /// The keys as they are now. No lock is taken.
    pub(crate) fn load(&self) -> arc_swap::Guard<Arc<Keys>> {
        self.0.load()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").finish_non_exhaustive()
    }
}
