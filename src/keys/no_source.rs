//! Without the feature `jwks` every ring is filled by the process that has it: what is missing stays
//! missing, and nobody is asked.

use std::time::Duration;

use super::KeyRing;

/// Who fills a ring: this process.
#[derive(Clone, Default)]
pub(super) struct Source(());

impl KeyRing {
    pub(crate) fn is_remote(&self) -> bool {
        let Source(()) = self.source;
        false
    }

    pub(crate) fn may_come(&self, _generation: u64) -> bool {
        false
    }

    pub(crate) fn retry_after(&self) -> Duration {
        Duration::ZERO
    }
}
