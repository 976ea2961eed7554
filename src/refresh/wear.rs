//! Watching how often the access-token key has been used.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::keys::KeyRing;

/// A quarter of the bound of NIST SP 800-38D section 8.3. Several instances share a key and each
/// counts for itself; with a thousand tokens a second one instance comes here after twelve days.
const WORN: u64 = KeyRing::ENCRYPTION_LIMIT / 4;

/// Says once a key that it should be replaced.
#[derive(Debug, Default)]
pub(crate) struct KeyWear(AtomicBool);

impl KeyWear {
    /// True the first time that `encryptions` is seen over the line. A fresh key, whose count is
    /// low again, is watched anew.
    pub(crate) fn crossed(&self, encryptions: u64) -> bool {
        let worn = encryptions >= WORN;
        worn != self.0.load(Ordering::Relaxed) && !self.0.swap(worn, Ordering::Relaxed) && worn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_a_key() {
        let wear = KeyWear::default();
        let said = [0, WORN - 1, WORN, WORN + 1, 3, WORN].map(|count| wear.crossed(count));
        assert_eq!(said, [false, false, true, false, false, true]);
    }
}
