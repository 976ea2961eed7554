//! A point in time, by two clocks.

use std::time::Duration;

use crate::clock::Timestamp;

/// It holds the date, which can be set, and a monotonic time, which stands still while the machine sleeps. A point
/// has come when either says so. So a date that is set back postpones nothing, and a machine that slept catches up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PointInTime {
    pub(super) date: Timestamp,
    /// Since the fetcher was made.
    pub(super) elapsed: Duration,
}

impl PointInTime {
    /// The point that is `by` later.
    pub(super) fn after(self, by: Duration) -> Self {
        Self {
            date: self.date + by,
            elapsed: self.elapsed.saturating_add(by),
        }
    }

    /// The point that has come when either of the two has.
    pub(super) fn or_earlier(self, other: Self) -> Self {
        Self {
            date: self.date.min(other.date),
            elapsed: self.elapsed.min(other.elapsed),
        }
    }

    /// How long it is from `now` until then, by the clock that is ahead.
    pub(super) fn left(self, now: Self) -> Duration {
        let by_date = self.date.since(now.date);
        by_date.min(self.elapsed.saturating_sub(now.elapsed))
    }
}
