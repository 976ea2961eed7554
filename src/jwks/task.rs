//! The task that asks the issuer, when it is due and when a token lacks a key. A task that has ended is replaced.

use std::{
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    task::{AbortHandle, JoinHandle},
};

use super::{
    error::JwksError,
    fetcher::{Fetcher, Outcome},
};

/// The longest sleep without a look at the clock. The clock may have been set, or have gone on while the machine
/// slept.
const STEP: Duration = Duration::from_secs(30);

/// The task, as the handles know it.
#[derive(Default)]
pub(super) struct Task {
    /// Counts the tasks: one that is overdue and wakes up again finds that it is not the last.
    number: u64,
    running: bool,
    abort: Option<AbortHandle>,
}

/// The next thing for the task to do.
enum Due {
    /// A request.
    Round,
    /// The keys have not been confirmed for too long.
    Expiry,
}

/// Tells the handles when the task ends. It never ends by itself. Its runtime may be shut down, the last handle
/// dropped, or a clock panic.
struct End {
    fetcher: Arc<Fetcher>,
    number: u64,
}

impl Drop for End {
    fn drop(&mut self) {
        self.fetcher.stopped(self.number);
    }
}

/// Asks for ever.
async fn run(end: End) {
    let End { fetcher, number } = &end;
    while fetcher.is_current(*number) {
        match wait(fetcher).await {
            Due::Round => fetcher.round(*number).await,
            Due::Expiry => fetcher.expire(),
        }
    }
}

async fn wait(fetcher: &Fetcher) -> Due {
    loop {
        let (round, expiry) = {
            let (state, now) = (fetcher.state(), fetcher.now());
            let expiry = state.usable_for(&fetcher.limits, now);
            (state.left(&fetcher.limits, now), expiry)
        };
        if expiry.is_some_and(|left| left.is_zero()) {
            return Due::Expiry;
        }
        if round.is_zero() {
            return Due::Round;
        }
        let step = expiry.map_or(round, |left| left.min(round)).min(STEP);
        let _ = tokio::time::timeout(step, fetcher.wake.notified()).await;
    }
}

/// Has a task that is overdue replaced, for as long as a caller waits for it.
async fn watch(fetcher: Arc<Fetcher>) {
    loop {
        tokio::time::sleep(fetcher.limits.overdue()).await;
        let _ = fetcher.start();
    }
}

/// Ends with the caller.
struct Watched(JoinHandle<()>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Fetcher {
    fn task(&self) -> MutexGuard<'_, Task> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `number` is that of the last task that was started.
    pub(super) fn is_current(&self, number: u64) -> bool {
        self.task().number == number
    }

    /// Ensures that a task runs, if there is a runtime to run it. A task that has ended, or is overdue, is replaced
    /// on the runtime of the caller.
    pub(super) fn start(self: &Arc<Self>) -> Outcome {
        self.expire_old_keys();
        if self.is_looked_after() {
            return Ok(());
        }
        let runtime = Handle::try_current().map_err(|_| JwksError::no_runtime())?;
        let (number, late) = {
            let mut task = self.task();
            let (mut state, now) = (self.state(), self.now());
            // Another caller may have been faster.
            if task.running && !state.is_overdue(&self.limits, now) {
                return Ok(());
            }
            // Nor does a task that begins long after the keys were due count as late from the start.
            if state.is_overdue(&self.limits, now) {
                state.started_late(now);
            }
            task.number += 1;
            task.running = true;
            (task.number, task.abort.take())
        };
        // No lock is held: a task that is dropped here and now takes them.
        if let Some(late) = late {
            late.abort();
        }
        let fetcher = self.clone();
        let started = runtime.spawn(run(End { fetcher, number }));
        let mut task = self.task();
        if task.number == number {
            task.abort = Some(started.abort_handle());
        }
        Ok(())
    }

    fn is_looked_after(&self) -> bool {
        let running = self.task().running;
        running && !self.state().is_overdue(&self.limits, self.now())
    }

    /// Whether a task runs.
    fn is_running(&self) -> bool {
        self.task().running
    }

    /// The last handle is gone.
    pub(super) fn stop(&self) {
        // The lock is given back first: a task that is dropped here and now takes it again.
        let task = self.task().abort.take();
        if let Some(task) = task {
            task.abort();
        }
    }

    /// Task `number` has ended, for any reason. The keys stay until their time is over, and the
    /// next verification within a runtime starts another task.
    fn stopped(&self, number: u64) {
        {
            let mut task = self.task();
            if task.number != number {
                return;
            }
            task.running = false;
        }
        let mut state = self.state();
        state.ended(self.now());
        self.ring.load().validity.look_now();
        let _ = self.outcomes.send_replace(Err(JwksError::no_runtime()));
    }

    /// Waits for the outcome of the round that is under way, or of one that is started for it.
    pub(super) async fn refreshed(self: &Arc<Self>) -> Outcome {
        let mut outcomes = {
            let mut state = self.state();
            // Under the lock, so that the outcome of an earlier round is not taken for this one's.
            let outcomes = self.outcomes.subscribe();
            if !state.begin(self.now()) {
                self.wake.notify_one();
            }
            outcomes
        };
        // A task that ended before this one listened has sent it nothing.
        if !self.is_running() {
            return Err(JwksError::no_runtime());
        }
        // The task may be one that does not get on: another one takes over then. On a task of its own,
        // since this future may be polled where there are no timers.
        let runtime = Handle::try_current().ok();
        let _watched = runtime.map(|runtime| Watched(runtime.spawn(watch(self.clone()))));
        // Its sender is here, so it does not fail.
        let _ = outcomes.changed().await;
        outcomes.borrow().clone()
    }
}
