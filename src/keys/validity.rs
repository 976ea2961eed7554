//! Until when the keys of a snapshot are good, where an issuer elsewhere has to confirm them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Timestamp;

/// The times of one snapshot, in milliseconds since 1970. Verification compares them with its own `now`. So they hold
/// even where no task runs that could remove the keys.
///
/// The keys of this process itself are good for ever.
#[derive(Debug)]
pub(crate) struct Validity {
    /// From here on the keys are not used.
    until: AtomicU64,
    /// From here on a verification has to see whether the keys are still looked after; never later
    /// than `until`.
    ensure_running: AtomicU64,
}

impl Validity {
    /// Sets both times.
    #[cfg(feature = "jwks")]
    pub(crate) fn set(&self, until: Timestamp, ensure_running: Timestamp) {
        let (until, ensure_running) = (until.as_millis(), ensure_running.as_millis());
        self.until.store(until, Ordering::Relaxed);
        self.ensure_running
            .store(ensure_running.min(until), Ordering::Relaxed);
    }

    /// Ends the time of the keys now.
    #[cfg(feature = "jwks")]
    pub(crate) fn end(&self) {
        self.until.store(0, Ordering::Relaxed);
        self.look_now();
    }

    /// Has the next verification look.
    #[cfg(feature = "jwks")]
    pub(crate) fn look_now(&self) {
        self.ensure_running.store(0, Ordering::Relaxed);
    }

    /// Whether there is nothing to look at as of `now`.
    pub(super) fn is_settled(&self, now: Timestamp) -> bool {
        now.as_millis() < self.ensure_running.load(Ordering::Relaxed)
    }

    /// Whether the keys are good as of `now`.
    pub(crate) fn holds(&self, now: Timestamp) -> bool {
        now.as_millis() < self.until.load(Ordering::Relaxed)
    }
}

impl Default for Validity {
    fn default() -> Self {
        Self {
            until: AtomicU64::new(u64::MAX),
            ensure_running: AtomicU64::new(u64::MAX),
        }
    }
}
