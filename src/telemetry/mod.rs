//! The crate's outside view: `tracing` (feature `tracing`) and `metrics` (feature `metrics`).
//!
//! The rest of the crate reports each occurrence and does not know whether anything listens. Without the features the
//! functions here are empty, or return the future that they were given. Names of spans, metrics and labels stand in
//! this folder and in `event/telemetry.rs`, and nowhere else. `event/lines.md`, `metrics/metrics.md` and the manual's
//! chapter `operations` list them, and a test compares.
//!
//! Nothing secret comes here, and no subject: that may be an e-mail address.

#[cfg_attr(feature = "metrics", path = "metrics/enabled.rs")]
#[cfg_attr(not(feature = "metrics"), path = "metrics/disabled.rs")]
mod metrics;
#[cfg_attr(feature = "tracing", path = "tracing/enabled.rs")]
#[cfg_attr(not(feature = "tracing"), path = "tracing/disabled.rs")]
mod tracing;

#[cfg(feature = "metrics")]
pub use self::metrics::describe_metrics;
pub(crate) use self::{metrics::*, tracing::*};

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

/// The subject of a span.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// A method of `Session`.
    Session,
    /// A call to a store.
    Store,
}
