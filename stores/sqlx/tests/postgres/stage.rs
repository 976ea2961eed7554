//! The beginning of most tests: a service over a store, with settings for impatient tests.

use std::{
    error::Error,
    sync::{Arc, Mutex},
    time::Duration,
};

use tower_bearer::{
    Event, EventSink, KeyRing, ManualClock,
    refresh::RefreshCookieBuilder,
    store::{RefreshStore, SessionRecord, StoreError},
};
use tower_bearer_sqlx::{PostgresStore, PostgresStoreBuilder};

use crate::support::{
    Database, Server, ServerClock,
    faults::FaultStore,
    world::{Browser, MASTER, Reply, START, World},
};

/// Short enough for a test that waits for one, long enough for a machine that builds beside it.
pub const LIMIT: Duration = Duration::from_millis(1500);

/// The settings of tests that meet faults.
pub fn impatient() -> PostgresStoreBuilder {
    PostgresStore::builder().timeout(LIMIT)
}

/// A store over a new database of the shared server, with its tables.
pub async fn migrated() -> (Database, PostgresStore) {
    let database = Server::shared().await.database().await;
    let store = PostgresStore::connect(&database.url).await.unwrap();
    store.migrate().await.unwrap();
    (database, store)
}

/// The same on a server of the test's own.
pub async fn migrated_on(
    server: &Server,
    settings: PostgresStoreBuilder,
) -> (Database, PostgresStore) {
    let database = server.database().await;
    let store = settings.connect(&database.url).await.unwrap();
    store.migrate().await.unwrap();
    (database, store)
}

/// A service whose time, and that of its database, is the test's.
pub struct Stage {
    pub clock: ServerClock,
    pub world: World,
}

impl Stage {
    /// `url` leads to the database: directly, or through something that fails.
    pub async fn over(database: &Database, url: &str) -> Self {
        let clock = ServerClock::of(database, START.as_millis()).await;
        let store = impatient().connect(url).await.unwrap();
        store.migrate().await.unwrap();
        let world = instance(store);
        Self { clock, world }
    }

    /// Lets time pass, for the server and for the service.
    pub async fn secs(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs)).await;
        self.world.secs(secs);
    }
}

/// The events of a store, as text.
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
}

/// One instance of the service. All instances have the same keys.
pub fn instance(store: impl RefreshStore) -> World {
    instance_with(store, |builder| builder)
}

pub fn instance_with(
    store: impl RefreshStore,
    set: impl FnOnce(RefreshCookieBuilder) -> RefreshCookieBuilder,
) -> World {
    let keys = KeyRing::from_master(MASTER).unwrap();
    let clock = ManualClock::new(START);
    World::over(keys, clock.clone(), clock, FaultStore::new(store), set)
}

/// A session of `user` as a browser would begin it, which is in no store.
pub async fn unborn(database: &Database, world: &World, user: &str) -> SessionRecord {
    world.signed_in(user).await;
    let record = world.store.last().await;
    let mut connection = database.connection().await;
    let delete = sqlx::query("DELETE FROM tower_bearer_sessions WHERE session_id = $1");
    let deleted = delete
        .bind(*record.id().as_bytes())
        .execute(&mut connection)
        .await;
    assert_eq!(deleted.unwrap().rows_affected(), 1);
    record
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
        let waited = begun.elapsed();
        assert!(
            waited < Duration::from_secs(20),
            "the store does not come back"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// 503 with `Retry-After` and without a word about the cookie.
#[track_caller]
pub fn assert_unavailable(reply: &Reply) {
    let told = (reply.status.as_u16(), reply.code());
    assert_eq!(told, (503, "unavailable"), "{reply:?}");
    assert!(reply.headers.contains_key("retry-after"), "{reply:?}");
    assert_eq!(reply.set_cookie(), None, "the cookie is kept");
}

#[track_caller]
pub fn assert_ok(reply: &Reply) {
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// An error and all that it stands on.
pub fn told(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}
