//! Revocations that are not done: tried again until they are, and reported where they are given up.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, watch};

use super::{
    config::Config,
    ending::{Ending, Target},
    revoke::Mark,
    spawn,
};
use crate::{
    clock::RuntimeClock, event::Event, session::SessionId, store::StoreError,
    telemetry::in_current_span,
};

/// Revocations that may wait at one time. A dead store cannot fill the memory.
const MOST_WAITING: usize = 1024;

/// How many alarms leave their work to one that waits, and its report.
const MOST_COVERED: usize = 64;

/// The revocations of one layer that are not done.
pub(crate) struct Queue {
    open: watch::Sender<usize>,
    /// Those that wait for a further try, each once.
    waiting: Mutex<HashMap<Target, Waiting>>,
    /// Ends the pauses of those that wait.
    hurry: Notify,
    pub(crate) patience: Patience,
}

/// The state of one ending that waits.
struct Waiting {
    /// When it was asked for last.
    asked: RuntimeClock,
    /// The marks of the alarms that left their work to it. Each may have been written, and its answer lost.
    covers: Vec<Mark>,
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
    /// After which no further try is made, from when it was asked for last.
    pub(crate) whole: Duration,
}

/// An ending that has to be done. If it is dropped before that, it is lost and says so. A runtime that ends, an aborted
/// task and a panic drop it too.
pub(crate) struct Pending {
    config: Arc<Config>,
    ending: Ending,
    asked: RuntimeClock,
    /// Its place in the queue, where it has one.
    waits: Option<Target>,
    done: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            open: watch::Sender::new(0),
            waiting: Mutex::default(),
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
    /// Waits until nothing is open, at most for `timeout`, and returns how many are left. Those that wait are tried at
    /// once, and go on being tried with the shortest pauses.
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

    /// Takes a place, or leaves the work to the one that waits for the same already.
    fn join(&self, target: &Target, asked: RuntimeClock, mark: Option<Mark>) -> Joined {
        let mut waiting = self.waiting();
        if let Some(first) = waiting.get_mut(target) {
            first.asked = asked.max(first.asked);
            let room = MOST_COVERED.saturating_sub(first.covers.len());
            first.covers.extend(mark.into_iter().take(room));
            return Joined::Covered;
        }
        if waiting.len() >= MOST_WAITING {
            return Joined::Full;
        }
        let covers = Vec::new();
        waiting.insert(target.clone(), Waiting { asked, covers });
        Joined::Waits
    }

    /// When what waits was asked for last.
    fn asked(&self, target: &Target) -> Option<RuntimeClock> {
        self.waiting().get(target).map(|waiting| waiting.asked)
    }

    /// The marks of the alarms that leave their work to it.
    fn covers(&self, target: &Target) -> Vec<Mark> {
        let waiting = self.waiting();
        waiting
            .get(target)
            .map_or_else(Vec::new, |waiting| waiting.covers.clone())
    }

    /// Gives the place up, unless the same was asked for again after `asked`.
    fn leave(&self, target: &Target, asked: RuntimeClock) -> bool {
        let mut waiting = self.waiting();
        let is_done = waiting.get(target).is_none_or(|last| last.asked <= asked);
        if is_done {
            waiting.remove(target);
        }
        is_done
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Target, Waiting>> {
        // Each change is one step: a panic leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer to an ending that would wait.
enum Joined {
    Waits,
    Covered,
    Full,
}

impl Pending {
    pub(crate) fn new(config: &Arc<Config>, ending: Ending) -> Self {
        config.queue.open.send_modify(|open| *open += 1);
        Self {
            config: config.clone(),
            ending,
            asked: RuntimeClock::start(),
            waits: None,
            done: false,
        }
    }

    /// Tries once, and returns the sessions that it ended. A try that fails is made again in the background.
    pub(crate) async fn at_once(mut self) -> Result<Vec<SessionId>, StoreError> {
        let outcome = self.attempt(None).await;
        self.done = outcome.is_ok();
        if outcome.is_err() {
            self.later();
        }
        outcome
    }

    async fn attempt(&mut self, asked: Option<RuntimeClock>) -> Result<Vec<SessionId>, StoreError> {
        let Self { config, ending, .. } = &mut *self;
        let work = spawn::survived(ending.attempt(config, asked));
        match spawn::within(Some(config.queue.patience.attempt), work).await {
            Some(Some(outcome)) => outcome,
            Some(None) => Err(StoreError::unavailable("the revocation panicked")),
            None => Err(StoreError::unavailable("the revocation took too long")),
        }
    }

    /// Keeps trying until the store is back, within bounds. Without a tokio runtime there is no background.
    fn later(mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let target = self.ending.target();
        match self
            .config
            .queue
            .join(&target, self.asked, self.ending.mark())
        {
            Joined::Full => return,
            Joined::Covered => {
                self.done = true;
                return;
            }
            Joined::Waits => self.waits = Some(target.clone()),
        }
        let Self { config, ending, .. } = &self;
        let (session, subject) = (ending.session(), ending.subject(config));
        let queued = Event::RevocationQueued { session, subject };
        config.events.emit(&queued);
        runtime.spawn(in_current_span(self.again(target)));
    }

    async fn again(mut self, target: Target) {
        let Patience {
            mut pause,
            longest,
            whole,
            ..
        } = self.config.queue.patience;
        while let Some(asked) = self.config.queue.asked(&target)
            && asked.elapsed() < whole
        {
            self.config.queue.pause(pause).await;
            pause = (2 * pause).min(longest);
            // Asked for again during the pause, it ends what began until then.
            let asked = self.config.queue.asked(&target).unwrap_or(asked);
            self.ending.cover(self.config.queue.covers(&target));
            if self.attempt(Some(asked)).await.is_ok() && self.config.queue.leave(&target, asked) {
                self.done = true;
                return;
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Self {
            config,
            ending,
            waits,
            done,
            ..
        } = self;
        if !*done {
            if let Some(target) = waits {
                config.queue.waiting().remove(target);
            }
            let (session, subject) = (ending.session(), ending.subject(config));
            let lost = Event::RevocationLost { session, subject };
            config.events.emit(&lost);
        }
        config.queue.open.send_modify(|open| *open -= 1);
    }
}

#[cfg(feature = "memory")]
#[cfg(test)]
mod tests;
