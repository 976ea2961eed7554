//! Watching how often the access-token key has been used.

use std::sync::atomic::{AtomicBool, Ordering};

use super::KeyRing;

/// A quarter of the bound of NIST SP 800-38D section 8.3. Several instances share a key, and each counts for itself.
/// With a thousand tokens a second one instance reaches it after twelve days.
const NEAR_LIMIT: u64 = KeyRing::ENCRYPTION_LIMIT / 4;

/// Says once a key that it should be replaced.
#[derive(Debug, Default)]
pub(crate) struct KeyUsage(AtomicBool);

impl KeyUsage {
    /// True the first time that `encryptions` is seen over the line. A fresh key, whose count is
    /// low again, is watched anew.
    pub(crate) fn crossed(&self, encryptions: u64) -> bool {
        let near = encryptions >= NEAR_LIMIT;
        near != self.0.load(Ordering::Relaxed) && !self.0.swap(near, Ordering::Relaxed) && near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_reported_once_for_each_key() {
        let usage = KeyUsage::default();
        let said = [0, NEAR_LIMIT - 1, NEAR_LIMIT, NEAR_LIMIT + 1, 3, NEAR_LIMIT]
            .map(|count| usage.crossed(count));
        assert_eq!(said, [false, false, true, false, false, true]);
    }
}
