//! Gets a call done, within its time.

use std::{future::Future, time::Duration};

use tokio::time::{sleep, timeout};
use tower_bearer::{Event, store::StoreError};

use super::{
    PostgresStore, Shared,
    connections::Progress,
    failure::{Class, Failure, away},
    lease::Lease,
};
use crate::fault::{Fault, tell};

/// The pauses before each attempt after the first. A longer outage is reported to the client, which comes back by itself.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(200),
];

/// Something that a store does, which may be done twice.
pub(super) trait Operation: Send {
    type Answer: Send;

    /// Does it on this connection. `self` may note something for the next attempt, should the answer get lost.
    fn attempt(
        &mut self,
        lease: &mut Lease,
    ) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

impl PostgresStore {
    pub(super) async fn call<O: Operation>(&self, operation: O) -> Result<O::Answer, StoreError> {
        self.call_within(self.0.limits.call, operation).await
    }

    pub(super) async fn call_within<O: Operation>(
        &self,
        limit: Duration,
        mut operation: O,
    ) -> Result<O::Answer, StoreError> {
        let shared = &*self.0;
        let answers = shared.contact.answers();
        let progress = Progress::default();
        // On the heap, or the future of each request would be larger by all that a connection takes to open.
        let attempts = Box::pin(attempts(shared, &mut operation, &progress));
        let outcome = timeout(limit, attempts).await;
        let outcome = outcome.unwrap_or_else(|_| {
            let failure = late(&progress, limit);
            shared.connections.distrust(failure.class);
            Err(failure)
        });
        shared.tell(&outcome, answers);
        outcome.map_err(|failure| failure.error)
    }
}

async fn attempts<O: Operation>(
    shared: &Shared,
    operation: &mut O,
    progress: &Progress,
) -> Result<O::Answer, Failure> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let failure = match attempt(shared, operation, progress).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        shared.connections.distrust(failure.class);
        match (failure.class, pauses.next()) {
            (Class::Contended | Class::Gone | Class::Lost, Some(pause)) => sleep(pause).await,
            _ => return Err(failure),
        }
    }
}

async fn attempt<O: Operation>(
    shared: &Shared,
    operation: &mut O,
    progress: &Progress,
) -> Result<O::Answer, Failure> {
    let mut lease = shared.connections.lease(&shared.limits, progress).await?;
    let outcome = operation.attempt(&mut lease).await;
    if outcome
        .as_ref()
        .is_err_and(|failure| failure.class.ends_the_connection())
    {
        lease.lose();
    }
    outcome
}

/// Nothing has answered in time.
fn late(progress: &Progress, limit: Duration) -> Failure {
    if progress.is_waiting() {
        return Failure::unasked(format!(
            "every connection was in use for {limit:?}: allow more, or find out what holds them"
        ));
    }
    if progress.is_connecting() {
        return away();
    }
    let why = format!("no answer within {limit:?}: the server is away, or overloaded");
    Failure::lost(Fault::new(why).unavailable())
}

impl Shared {
    /// Reports a server that is away or back, and its refusals. There were so many `answers` when the call began.
    fn tell<T>(&self, outcome: &Result<T, Failure>, answers: u64) {
        let class = outcome.as_ref().err().map(|failure| failure.class);
        let news = match class {
            None | Some(Class::Contended | Class::Final) => {
                self.contact.answered().then_some(Event::StoreRecovered)
            }
            Some(Class::Gone | Class::Lost) => {
                let is_away = self.contact.missed(answers);
                is_away.then_some(Event::StoreUnreachable)
            }
            Some(Class::Unasked) => None,
        };
        if let Some(news) = news {
            self.events.emit(&news);
        }
        if let Err(Failure { error, .. }) = outcome {
            tell(&self.events, error);
        }
    }
}
