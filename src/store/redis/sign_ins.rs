//! Sign-ins that may have to end other sessions, and so rest on all of the subject's.
//!
//! Each would read all of them, and write only if no other had written in between. Of many at once, one would get
//! through in each round. So those of one subject wait in a queue, and one task brings in all that wait with one write.
//! The queue exists while there is work.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    runtime::{self, Handle},
    sync::oneshot,
};

use super::{
    RedisStore,
    subject::{ATTEMPTS, between_attempts, contended},
};
use crate::{keys::SubjectTag, session::SessionRecord, store::StoreError};

/// The queues. Each runtime has its own: one that stands still must not hold up another.
#[derive(Default)]
pub(super) struct SignIns(Mutex<HashMap<Lane, Vec<SignIn>>>);

type Lane = (Option<runtime::Id>, SubjectTag);

type Answer = Result<Vec<SessionRecord>, StoreError>;

/// A session that is to be added.
pub(super) struct SignIn {
    pub(super) record: SessionRecord,
    pub(super) limit: usize,
    /// Those that go for it, as last decided.
    pub(super) drops: Vec<SessionRecord>,
    answer: oneshot::Sender<Answer>,
}

impl SignIn {
    pub(super) fn admitted(mut self) {
        let drops = std::mem::take(&mut self.drops);
        self.tell(Ok(drops));
    }

    pub(super) fn tell(self, answer: Answer) {
        // A client that has disconnected meanwhile gets no answer.
        let _ = self.answer.send(answer);
    }
}

impl SignIns {
    /// Adds a session, and ends those that are over the limit then.
    pub(super) async fn admit(
        &self,
        store: &RedisStore,
        record: &SessionRecord,
        limit: usize,
    ) -> Answer {
        let lane = (
            Handle::try_current().ok().map(|handle| handle.id()),
            record.subject_tag,
        );
        let (answer, answered) = oneshot::channel();
        let sign_in = SignIn {
            record: record.clone(),
            limit,
            drops: Vec::new(),
            answer,
        };
        let is_first = match self.lock().entry(lane) {
            Entry::Occupied(mut waiting) => {
                waiting.get_mut().push(sign_in);
                false
            }
            Entry::Vacant(lane) => {
                lane.insert(vec![sign_in]);
                true
            }
        };
        if is_first {
            // In a task of its own: a client that disconnects cancels no other sign-in.
            let worker = Worker {
                store: store.clone(),
                lane: Some(lane),
            };
            tokio::spawn(worker.work());
        }
        let cut_off = |_| Err(StoreError::unavailable("the runtime is shutting down"));
        answered.await.unwrap_or_else(cut_off)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Lane, Vec<SignIn>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Works through a queue until it is empty. Dropped before, as with its runtime, it takes the queue along.
struct Worker {
    store: RedisStore,
    /// As long as there is a queue.
    lane: Option<Lane>,
}

impl Worker {
    async fn work(mut self) {
        let mut waiting = Vec::new();
        let mut attempt = 0;
        while let Some((_, subject)) = self.take(&mut waiting) {
            between_attempts(attempt).await;
            attempt = match self.store.admit(&subject, &mut waiting).await {
                Ok(true) => 0,
                Ok(false) if attempt + 1 < ATTEMPTS => attempt + 1,
                Ok(false) => fail(&mut waiting, contended()),
                Err(error) => fail(&mut waiting, error),
            };
        }
    }

    /// Takes what has come meanwhile. Where there is nothing to do the queue is gone.
    fn take(&mut self, waiting: &mut Vec<SignIn>) -> Option<Lane> {
        // For a client that has hung up nothing is done that is not done yet.
        waiting.retain(|one| !one.answer.is_closed());
        let mut lanes = self.store.0.sign_ins.lock();
        let lane = self.lane?;
        if let Some(come) = lanes.get_mut(&lane) {
            waiting.append(come);
        }
        if waiting.is_empty() {
            lanes.remove(&lane);
            self.lane = None;
        }
        self.lane
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(lane) = self.lane {
            self.store.0.sign_ins.lock().remove(&lane);
        }
    }
}

/// Tells all that it has failed, and begins to count anew.
fn fail(waiting: &mut Vec<SignIn>, error: StoreError) -> u32 {
    let last = waiting.pop();
    let (kind, error) = (error.kind(), Arc::new(error));
    for one in waiting.drain(..) {
        one.tell(Err(StoreError::new(kind, error.clone())));
    }
    if let Some(last) = last {
        let error = Arc::try_unwrap(error).unwrap_or_else(|error| StoreError::new(kind, error));
        last.tell(Err(error));
    }
    0
}
