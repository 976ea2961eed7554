//! Spans, with the feature `tracing`.

use std::future::Future;

use tracing::{Instrument, debug_span};

use super::Work;

/// Makes the span of an operation, such as `session.refresh`. Tools for traces group by the name alone. The name of a
/// span is a constant, so each operation has its own.
macro_rules! named {
    ($kind:literal, $operation:ident, [$($name:literal),*]) => {
        match $operation {
            $($name => debug_span!(target: "tower_bearer", concat!($kind, ".", $name), $operation),)*
            _ => debug_span!(target: "tower_bearer", $kind, $operation),
        }
    };
}

/// Runs `work` within a span of its own, at the level `DEBUG`. A service chooses what it logs of every request, and it
/// has a span for the request already.
pub(crate) fn in_span<T>(
    work: Work,
    operation: &'static str,
    future: impl Future<Output = T>,
) -> impl Future<Output = T> {
    let span = match work {
        Work::Session => named!(
            "session",
            operation,
            [
                "admin_end",
                "admin_end_all",
                "admin_end_everything",
                "admin_list",
                "csrf",
                "elevate",
                "end",
                "end_all",
                "end_others",
                "end_session",
                "list",
                "peek",
                "refresh",
                "start"
            ]
        ),
        Work::Store => named!(
            "store",
            operation,
            [
                "insert",
                "list",
                "load",
                "revoke_all",
                "revoke_everything",
                "revoke_older",
                "swap"
            ]
        ),
    };
    future.instrument(span)
}

/// Work in a task of its own belongs to the span that began it.
pub(crate) fn in_current_span<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    future.in_current_span()
}
