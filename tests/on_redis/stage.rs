//! The start of most of the tests: a service over a store, with settings for impatient tests.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tower_bearer::{
    Event, EventSink, KeyRing, ManualClock, RedisStore,
    refresh::RefreshCookieBuilder,
    store::{RedisStoreBuilder, RefreshStore, SubjectTag},
};

use crate::support::{
    faults::FaultStore,
    redis::{Server, ServerClock},
    world::{Browser, Reply, START, World},
};

/// Short enough for a test that waits for one, long enough for a machine that builds beside it.
pub const RESPONSE: Duration = Duration::from_millis(600);
pub const CONNECT: Duration = Duration::from_millis(900);
pub const PAUSE: Duration = Duration::from_millis(500);

/// The settings of tests that meet faults.
pub fn impatient(store: RedisStoreBuilder) -> RedisStoreBuilder {
    store
        .response_timeout(RESPONSE)
        .connect_timeout(CONNECT)
        .pause(PAUSE)
}

pub fn store(url: &str) -> RedisStore {
    impatient(RedisStore::builder(url)).build().unwrap()
}

/// A store's reports, as text.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    pub fn sink(&self) -> EventSink {
        let heard = self.0.clone();
        EventSink::new(move |event: &Event<'_>| heard.lock().unwrap().push(format!("{event:?}")))
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn count(&self, name: &str) -> usize {
        let all = self.all();
        all.iter().filter(|event| event.starts_with(name)).count()
    }
}

/// One instance of the service. All instances have the same keys.
pub fn instance(store: impl RefreshStore) -> World {
    instance_with(store, |builder| builder)
}

pub fn instance_with(
    store: impl RefreshStore,
    set: impl FnOnce(RefreshCookieBuilder) -> RefreshCookieBuilder,
) -> World {
    let keys = KeyRing::from_master(b"8mYk2vQ0zr5LxT7wBn4GdHs9Jf3KpAeC1UoXiVbE").unwrap();
    let clock = ManualClock::new(START);
    World::over(keys, clock.clone(), clock, FaultStore::new(store), set)
}

/// A server whose time is the test's, and a service over it.
pub struct Stage {
    pub server: Server,
    pub clock: ServerClock,
    pub world: World,
}

/// The key that a subject's sessions lie under.
pub fn key_of(subject: &SubjectTag) -> String {
    format!("tower-bearer:s:{subject}")
}

/// When the clocks of servers start that have one.
pub fn start() -> i64 {
    i64::try_from(START.as_millis()).unwrap()
}

impl Stage {
    pub async fn new() -> Self {
        let (server, clock) = Server::with_clock(start()).await;
        let world = instance(store(server.url()));
        Self {
            server,
            clock,
            world,
        }
    }

    /// Lets time pass, for the server and for the service.
    pub fn secs(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
        self.world.secs(secs);
    }
}

/// Refreshes until the store answers. Until then every answer is an honest 503 with the cookie kept.
pub async fn refresh_when_back(browser: &mut Browser, world: &World) -> Reply {
    let begun = tokio::time::Instant::now();
    loop {
        let reply = browser.refresh(world).await;
        if reply.status != 503 {
            return reply;
        }
        assert_unavailable(&reply);
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "the store does not come back"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// 503 with `Retry-After` and without a word about the cookie.
#[track_caller]
pub fn assert_unavailable(reply: &Reply) {
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (503, "unavailable"),
        "{reply:?}"
    );
    assert!(reply.headers.contains_key("retry-after"), "{reply:?}");
    assert_eq!(reply.set_cookie(), None, "the cookie is kept");
}

#[track_caller]
pub fn assert_ok(reply: &Reply) {
    assert_eq!(reply.status, 200, "{reply:?}");
}
