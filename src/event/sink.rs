//! Where events go.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{Event, telemetry};

/// Where events go: a function, shared by every layer it is given to.
///
/// It runs on the request's path, so it hands long work to another task. A panic in it is caught: the panic hook
/// reports it, and the request continues.
///
/// ```
/// use tower_bearer::{Event, EventSink};
///
/// let sink = EventSink::new(|event: &Event<'_>| {
///     if let Event::ReuseDetected { subject, .. } = event {
///         eprintln!("tell {subject} that their session was stolen");
///     }
/// });
/// # let _ = sink;
/// ```
#[derive(Clone)]
pub struct EventSink(Option<Arc<Sink>>);

type Sink = dyn Fn(&Event<'_>) + Send + Sync;

impl EventSink {
    /// Sends every event to `f`.
    pub fn new(f: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(f)))
    }

    /// Counts the event (feature `metrics`), logs it (feature `tracing`) and passes it to the function.
    ///
    /// The layers do so by themselves. Call it from a store or a task of your own that reports an event.
    ///
    /// ```
    /// use tower_bearer::{Event, EventSink, store::StoreError};
    ///
    /// /// The way of a task in the background with an error that answers no request.
    /// fn tell(events: &EventSink, error: &StoreError) {
    ///     events.emit(&Event::StoreFailed(error));
    /// }
    /// # tell(&EventSink::default(), &StoreError::unavailable("the disk is away"));
    /// ```
    pub fn emit(&self, event: &Event<'_>) {
        survive(|| telemetry::observe(event));
        self.deliver(event);
    }

    /// Whether the application has given one.
    pub(crate) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Hands the application an event that has been counted and written down already.
    pub(crate) fn deliver(&self, event: &Event<'_>) {
        if let Some(f) = &self.0 {
            survive(|| f(event));
        }
    }
}

/// Runs code of the application's: its sink, its recorder of metrics, its subscriber. An event reports a completed
/// action. So a panic there undoes nothing, and above all no revocation.
fn survive(tell: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(tell));
}

impl Default for EventSink {
    /// Drops every event.
    fn default() -> Self {
        Self(None)
    }
}

impl fmt::Debug for EventSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "EventSink(<fn>)"
        } else {
            "EventSink(none)"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_that_panics_fails_no_request() {
        let sink = EventSink::new(|_: &Event<'_>| panic!("the sink panics for the test"));
        sink.emit(&Event::StoreRecovered);
        sink.deliver(&Event::StoreRecovered);
    }
}
