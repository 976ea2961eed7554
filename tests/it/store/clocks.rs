//! Whose clock it is.

use std::time::Duration;

use tower_bearer::{
    Timestamp,
    store::{Loaded, SessionKey, SessionRecord, StoreError, SubjectTag},
};

use super::{
    refused, refuses, shared,
    table::{Backend, Broken},
};

/// Tells a time of its own.
#[derive(Debug)]
struct Clocked(Backend, fn(Timestamp, u64) -> Timestamp, u64);

impl Broken for Clocked {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        let now = self.1(self.0.now(), self.2);
        Ok(Loaded::new(self.0.get(key), now))
    }
}

/// The same, and lists by it, while what it loads has the right one.
#[derive(Debug)]
struct ListsBy(Clocked);

impl Broken for ListsBy {
    fn backend(&self) -> &Backend {
        &self.0.0
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        let Clocked(backend, clock, instance) = &self.0;
        let now = clock(backend.now(), *instance);
        let mut sessions = backend.all(subject);
        sessions.retain(|session| now < session.expires_at());
        Ok(sessions)
    }
}

/// Instances differ by a minute, one way or the other.
fn apart(now: Timestamp, instance: u64) -> Timestamp {
    match instance % 2 {
        0 => now,
        _ => now + Duration::from_secs(60),
    }
}

refuses! {
    a_clock_of_each_instance: |backend| {
        let number = backend.number();
        Clocked(backend, apart, number)
    } => "the same clock";
    lists_by_the_clock_of_an_instance:
        |backend| {
            let number = backend.number();
            ListsBy(Clocked(backend, apart, number))
        } => "an expired session is neither";
    a_clock_that_begins_with_the_instance:
        |backend| {
            let begun = backend.now().as_millis();
            let since = |now: Timestamp, begun| {
                Timestamp::from_secs(1_800_000_000) + now.since(Timestamp::from_millis(begun))
            };
            Clocked(backend, since, begun)
        } => "the same clock";
}

/// Nothing ever expires.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_clock_that_stands_still() {
    refused("an expired session", &shared, &|_, _| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_clock_in_seconds() {
    let slow = |backend: &Backend, by: Duration| backend.clock.advance(by / 1000);
    refused("an expired session", &shared, &slow).await;
}
