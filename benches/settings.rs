//! How long criterion measures.

use std::time::Duration;

use criterion::Criterion;

/// Short, because there are many cases and each of them takes microseconds at most.
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200))
}
