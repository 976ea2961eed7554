//! The task that asks the issuer: when it is due, and when somebody wants it.

use std::{sync::Arc, time::Duration};

use super::core::Core;

/// How long it sleeps without a look at the clock, which may have been set, or have gone on while the
/// machine slept.
const STEP: Duration = Duration::from_secs(30);

/// What the task waited for.
enum Due {
    /// A request.
    Round,
    /// The keys have not been confirmed for too long.
    Withdrawal,
}

/// Tells the others when the task ends: by itself never, but its runtime may be shut down, the last
/// handle dropped, or a sink of events panic.
pub(super) struct End(Arc<Core>);

impl End {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self(core)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.0.stopped();
    }
}

/// Asks for ever.
pub(super) async fn run(end: End) {
    let End(core) = &end;
    loop {
        match wait(core).await {
            Due::Round => core.round().await,
            Due::Withdrawal => core.withdraw(),
        }
    }
}

/// Waits until something is due. By two clocks, that of the system and that of the runtime: a date
/// that is set back does not put anything off, and a machine that slept catches up.
async fn wait(core: &Core) -> Due {
    let (next, usable_until) = {
        let state = core.state();
        (state.next, state.usable_until(&core.limits))
    };
    let (at, due) = match usable_until {
        Some(end) if end < next => (end, Due::Withdrawal),
        _ => (next, Due::Round),
    };
    let mut left = at.since(core.now());
    while !left.is_zero() {
        // Asked every time: an earlier wish may have been met by a round that was due anyway.
        if core.state().busy {
            return Due::Round;
        }
        let step = left.min(STEP);
        if tokio::time::timeout(step, core.wake.notified())
            .await
            .is_err()
        {
            left = (left - step).min(at.since(core.now()));
        }
    }
    due
}
