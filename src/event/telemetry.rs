//! Every event, as a count (feature `metrics`) and as a line (feature `tracing`).

use super::Event;

/// Counts the event and writes it down, whether or not the application has a sink for it.
#[cfg_attr(
    not(any(feature = "metrics", feature = "tracing")),
    expect(unused_variables, reason = "without the features nothing is observed")
)]
pub(super) fn observe(event: &Event<'_>) {
    #[cfg(feature = "metrics")]
    count(event);
    #[cfg(feature = "tracing")]
    super::tracing::trace(event);
}

#[cfg(feature = "metrics")]
fn count(event: &Event<'_>) {
    use crate::{session::RevokeReason, telemetry};

    telemetry::event(event.name());
    match event {
        Event::EverythingRevoked { sessions, .. } => {
            telemetry::sessions_ended(RevokeReason::RevokedAll.as_str(), *sessions);
        }
        Event::Rejected(rejection) => {
            telemetry::rejected(rejection.kind().as_str(), rejection.reason());
        }
        Event::Revoked { reason, .. } => telemetry::sessions_ended(reason.as_str(), 1),
        Event::Started { .. } => telemetry::session_started(),
        _ => {}
    }
}
