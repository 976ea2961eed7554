//! Revocations that are not done: tried again until they are, and told of where they are given up.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::sync::{Notify, watch};

use super::{config::Config, ending::Ending, spawn};
use crate::{
    clock::RuntimeClock, event::Event, session::SessionId, store::StoreError,
    telemetry::in_current_span,
};

/// Revocations that may be open at one time. A dead store cannot fill the memory.
const MOST_OPEN: usize = 1024;

/// The revocations of one layer that are not done.
#[derive(Debug)]
pub(crate) struct Queue {
    open: watch::Sender<usize>,
    /// Ends the pauses of those that wait.
    hurry: Notify,
    pub(crate) patience: Patience,
}

/// How long revocations are tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The longest that one try may take.
    pub(crate) attempt: Duration,
    /// The pause after the first try. Each further one is twice as long.
    pub(crate) pause: Duration,
    /// The longest pause: soon after the store is back nothing waits any more.
    pub(crate) longest: Duration,
    /// After which no further try is made.
    pub(crate) whole: Duration,
}

/// An ending that has to be done. Dropped before it is, it is lost and says so: a runtime that ends, a task that is
/// aborted and a panic drop it too.
pub(crate) struct Pending {
    config: Arc<Config>,
    ending: Ending,
    done: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            open: watch::Sender::new(0),
            hurry: Notify::new(),
            patience: Patience {
                attempt: Duration::from_secs(10),
                pause: Duration::from_millis(250),
                longest: Duration::from_secs(8),
                whole: Duration::from_secs(240),
            },
        }
    }
}

impl Queue {
    /// Waits until nothing is open, at most for `timeout`, and returns how many are left. What waits is tried at
    /// once, and goes on being tried with the shortest pauses.
    pub(crate) async fn drain(&self, timeout: Duration) -> usize {
        let mut open = self.open.subscribe();
        let done = async {
            loop {
                self.hurry.notify_waiters();
                let none_is_left = async { open.wait_for(|open| *open == 0).await.is_ok() };
                let done = spawn::within(Some(self.patience.pause), none_is_left).await;
                if done.is_some() {
                    return;
                }
            }
        };
        spawn::within(Some(timeout), done).await;
        *self.open.borrow()
    }

    async fn pause(&self, by: Duration) {
        spawn::within(Some(by), self.hurry.notified()).await;
    }
}

impl Pending {
    pub(crate) fn new(config: &Arc<Config>, ending: Ending) -> Self {
        config.queue.open.send_modify(|open| *open += 1);
        Self {
            config: config.clone(),
            ending,
            done: false,
        }
    }

    /// Tries once, and returns the sessions that it ended. What fails is tried again in the background.
    pub(crate) async fn at_once(mut self) -> Result<Vec<SessionId>, StoreError> {
        let outcome = self.attempt().await;
        if outcome.is_err() {
            self.later();
        }
        outcome
    }

    async fn attempt(&mut self) -> Result<Vec<SessionId>, StoreError> {
        let Self { config, ending, .. } = &mut *self;
        let work = spawn::survived(ending.attempt(config));
        let outcome = match spawn::within(Some(config.queue.patience.attempt), work).await {
            Some(Some(outcome)) => outcome,
            Some(None) => Err(StoreError::unavailable("the revocation panicked")),
            None => Err(StoreError::unavailable("the revocation took too long")),
        };
        self.done = outcome.is_ok();
        outcome
    }

    /// Keeps trying until the store is back, within bounds. Without a tokio runtime there is no background.
    fn later(self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let Self { config, ending, .. } = &self;
        if *config.queue.open.borrow() > MOST_OPEN {
            return;
        }
        let (session, subject) = (ending.session(), ending.subject(config));
        let queued = Event::RevocationQueued { session, subject };
        config.events.emit(&queued);
        runtime.spawn(in_current_span(self.again()));
    }

    async fn again(mut self) {
        let Patience {
            mut pause,
            longest,
            whole,
            ..
        } = self.config.queue.patience;
        let began = RuntimeClock::start();
        while began.elapsed() < whole {
            self.config.queue.pause(pause).await;
            pause = (2 * pause).min(longest);
            if self.attempt().await.is_ok() {
                break;
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Self {
            config,
            ending,
            done,
        } = self;
        if !*done {
            let (session, subject) = (ending.session(), ending.subject(config));
            // A sink that panics while a panic drops this would end the process.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let lost = Event::RevocationLost { session, subject };
                config.events.emit(&lost);
            }));
        }
        config.queue.open.send_modify(|open| *open -= 1);
    }
}

#[cfg(feature = "memory")]
#[cfg(test)]
mod tests;
