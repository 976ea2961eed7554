//! Counters and histograms, with the feature `metrics`.
//!
//! The recorder is asked for a metric each time it changes. So one that is installed after the layers were built sees
//! everything from then on.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, histogram};

use crate::clock;

const EVENTS: &str = "tower_bearer_events_total";
const REFRESHES: &str = "tower_bearer_refreshes_total";
const REJECTIONS: &str = "tower_bearer_rejections_total";
const SESSIONS: &str = "tower_bearer_sessions";
const SESSIONS_ENDED: &str = "tower_bearer_sessions_ended_total";
const SESSIONS_STARTED: &str = "tower_bearer_sessions_started_total";
const STORE: &str = "tower_bearer_store_duration_seconds";
const VERIFICATIONS: &str = "tower_bearer_verifications_total";

/// Tells the installed recorder the meaning and the unit of each metric of this crate.
///
/// Call it once, after the recorder is installed. Without it everything is counted all the same; an exporter then has
/// no help text to show. Needs the feature `metrics`. [The manual](crate::manual::operations#alerts) has the alerts.
///
/// ```
/// // An exporter's own `install()` comes first.
/// tower_bearer::describe_metrics();
/// ```
///
#[doc = include_str!("metrics.md")]
pub fn describe_metrics() {
    describe_counter!(EVENTS, Unit::Count, "Events, by their names");
    describe_counter!(
        REFRESHES,
        Unit::Count,
        "Refresh requests, by what was decided"
    );
    describe_counter!(
        REJECTIONS,
        Unit::Count,
        "Requests that a layer refused, by kind and reason"
    );
    describe_gauge!(
        SESSIONS,
        Unit::Count,
        "Sessions in the memory of this process, expired ones not yet swept included"
    );
    describe_counter!(
        SESSIONS_ENDED,
        Unit::Count,
        "Sessions that ended before their time, by reason"
    );
    describe_counter!(SESSIONS_STARTED, Unit::Count, "Sessions that began");
    describe_histogram!(
        STORE,
        Unit::Seconds,
        "How long a store took to answer, by operation and outcome"
    );
    describe_counter!(
        VERIFICATIONS,
        Unit::Count,
        "Requests that came to the bearer layer, by outcome"
    );
}

/// Measures one call to a store.
pub(crate) struct Stopwatch(Duration);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(clock::monotonic())
    }

    pub(super) fn store_call(self, operation: &'static str, outcome: &'static str) {
        let took = clock::monotonic().saturating_sub(self.0);
        histogram!(STORE, "operation" => operation, "outcome" => outcome).record(took);
    }
}

/// The bearer layer let a request through. The labels are literals, so nothing is allocated.
pub(crate) fn accepted() {
    counter!(VERIFICATIONS, "outcome" => "accepted").increment(1);
}

/// The bearer layer let a request through that has no token.
pub(crate) fn anonymous() {
    counter!(VERIFICATIONS, "outcome" => "anonymous").increment(1);
}

/// The bearer layer refused a request.
pub(crate) fn refused(outcome: &'static str) {
    counter!(VERIFICATIONS, "outcome" => outcome).increment(1);
}

/// A refresh was decided.
pub(crate) fn refreshed(outcome: &'static str) {
    counter!(REFRESHES, "outcome" => outcome).increment(1);
}

/// An event was sent.
pub(crate) fn event(name: &'static str) {
    counter!(EVENTS, "event" => name).increment(1);
}

/// A layer refused a request.
pub(crate) fn rejected(kind: &'static str, reason: &'static str) {
    counter!(REJECTIONS, "kind" => kind, "reason" => reason).increment(1);
}

/// A session began.
pub(crate) fn session_started() {
    counter!(SESSIONS_STARTED).increment(1);
}

/// Sessions ended before their time.
pub(crate) fn sessions_ended(reason: &'static str, sessions: u64) {
    counter!(SESSIONS_ENDED, "reason" => reason).increment(sessions);
}

/// How many sessions the memory holds now.
#[cfg(feature = "memory")]
pub(crate) fn sessions_in_memory(sessions: usize) {
    #[allow(
        clippy::cast_precision_loss,
        reason = "a gauge is a float, exact up to 2^53"
    )]
    metrics::gauge!(SESSIONS).set(sessions as f64);
}
