//! Spans, with the feature `tracing`.

use std::future::Future;

use tracing::{Instrument, debug_span};

use super::Work;

/// Runs `work` within a span of its own, at the level `DEBUG`: what a service logs of every request
/// is its own choice, and it has a span for the request already.
pub(crate) fn in_span<T>(
    work: Work,
    operation: &'static str,
    future: impl Future<Output = T>,
) -> impl Future<Output = T> {
    let span = match work {
        Work::Session => debug_span!(target: "tower_bearer", "session", operation),
        Work::Store => debug_span!(target: "tower_bearer", "store", operation),
    };
    future.instrument(span)
}

/// What goes on in a task of its own belongs to whoever began it.
pub(crate) fn in_current_span<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    future.in_current_span()
}
