//! What is seen from outside: `tracing` (feature `tracing`) and `metrics` (feature `metrics`).
//!
//! The rest of the crate says what happened and does not know whether anybody listens: without the
//! features the functions here are empty, or hand back the future that they were given. Names of
//! spans, metrics and labels stand in this folder and in `event/observed.rs`, and nowhere else; the
//! manual's chapter `observability` lists them and a test compares the two.
//!
//! Nothing secret comes here, and no subject: that may be an e-mail address.

#[cfg(feature = "metrics")]
mod metric;
#[cfg(not(feature = "metrics"))]
#[path = "no_metric.rs"]
mod metric;
#[cfg(feature = "tracing")]
mod span;
#[cfg(not(feature = "tracing"))]
#[path = "no_span.rs"]
mod span;

#[cfg(feature = "metrics")]
pub use metric::describe_metrics;
pub(crate) use metric::*;
pub(crate) use span::*;

use std::future::Future;

/// Runs one call to a store within its span, and counts how long it took and how it went.
pub(crate) async fn store_call<T, E>(
    operation: &'static str,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let watch = Stopwatch::start();
    let done = in_span(Work::Store, operation, call).await;
    watch.store_call(operation, if done.is_ok() { "ok" } else { "error" });
    done
}

/// What a span is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// A method of `Session`.
    Session,
    /// A call to a store.
    Store,
}
