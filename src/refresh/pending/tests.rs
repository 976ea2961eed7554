use std::{
    future::pending,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::*;
use crate::{
    ClaimsError, ClaimsRequest, EventSink, KeyRing, MemoryStore, NoClaims, RefreshCookieLayer,
    TokenCodec,
    keys::SubjectTag,
    refresh::{
        ending,
        revoke::{self, Revocation},
    },
    session::{
        Activity, ClientFingerprint, JarProof, Lasts, NewSecrets, Presenter, RevokeReason,
        SessionKey, SessionRecord, SignIn,
    },
    store::{Inserted, Loaded, RefreshStore, Swap},
};

/// What a store does instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Refuses,
    Hangs,
    Panics,
}

/// A store that writes nothing while it has a fault.
#[derive(Clone, Debug)]
struct Sick {
    inner: MemoryStore,
    fault: Arc<Mutex<Option<Fault>>>,
    tries: Arc<AtomicUsize>,
}

impl Sick {
    async fn writes(&self) -> Result<&MemoryStore, StoreError> {
        self.tries.fetch_add(1, Ordering::SeqCst);
        let fault = *self.fault.lock().unwrap();
        match fault {
            None => Ok(&self.inner),
            Some(Fault::Refuses) => Err(StoreError::unavailable("refuses for the test")),
            Some(Fault::Hangs) => pending().await,
            Some(Fault::Panics) => panic!("the store panics for the test"),
        }
    }
}

impl RefreshStore for Sick {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.inner.insert(record, limit).await
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        self.inner.load(key).await
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        self.writes().await?.swap(current, next).await
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        self.inner.list(subject).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.writes().await?.revoke_all(subject, keep).await
    }
}

struct World {
    store: Sick,
    layer: RefreshCookieLayer,
    events: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// A layer whose revocations have less patience, so that no test waits for minutes.
    fn new() -> Self {
        let keys = KeyRing::generate().unwrap();
        let codec = TokenCodec::nested(&keys).issuer("https://id.example");
        let codec = codec.audience("api").build().unwrap();
        let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
        let store = Sick {
            inner: MemoryStore::new(),
            fault: Arc::default(),
            tries: Arc::default(),
        };
        let events = Arc::new(Mutex::new(Vec::new()));
        let kept = events.clone();
        let sink = EventSink::new(move |event: &Event<'_>| {
            kept.lock().unwrap().push(format!("{event:?}"));
        });
        let builder = RefreshCookieLayer::builder(codec, store.clone(), claims);
        let mut layer = builder.events(sink).build().unwrap();
        let config = Arc::get_mut(&mut layer.config).unwrap();
        config.queue.patience = Patience {
            attempt: Duration::from_millis(50),
            pause: Duration::from_millis(5),
            longest: Duration::from_millis(20),
            whole: Duration::from_millis(200),
        };
        Self {
            store,
            layer,
            events,
        }
    }

    fn fault(&self, fault: impl Into<Option<Fault>>) {
        *self.store.fault.lock().unwrap() = fault.into();
    }

    fn count(&self, name: &str) -> usize {
        let events = self.events.lock().unwrap();
        events.iter().filter(|told| told.starts_with(name)).count()
    }

    fn config(&self) -> &Arc<Config> {
        &self.layer.config
    }

    /// A session of "ada", as the store has it.
    async fn session(&self) -> SessionRecord {
        let fresh = NewSecrets::generate().unwrap();
        let key = SessionKey {
            subject: ending::tags(self.config(), "ada")[0],
            id: fresh.id,
        };
        let now = self.store.inner.load(&key).await.unwrap().now();
        let presenter = Presenter {
            fingerprint: ClientFingerprint::of(&fresh.id, b"browser"),
            version: 0,
            jar: JarProof::Waived,
            activity: Activity::Active,
        };
        let opening = SignIn {
            subject: "ada",
            presenter,
            lasts: Lasts::default(),
            label: "browser",
            context: b"",
        };
        let keys = self.config().cookies.keys.load();
        let active = keys.sessions.as_ref().unwrap().active().unwrap();
        let policy = &self.config().policy;
        let (record, _) = SessionRecord::start(&opening, &fresh, now, policy, active);
        self.store.inner.insert(&record, 100).await.unwrap();
        record
    }

    async fn is_live(&self, record: &SessionRecord) -> bool {
        let loaded = self.store.inner.load(&record.key()).await.unwrap();
        loaded.record().unwrap().is_live()
    }

    fn ending(&self, record: &SessionRecord) -> Ending {
        let now = record.created_at();
        Ending::Session(Revocation::of(record.clone(), now, RevokeReason::SignedOut))
    }

    fn all(&self) -> Ending {
        Ending::Subject {
            subject: "ada".to_owned(),
            keep: None,
            own: None,
        }
    }
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_revocation_whose_store_fails_hangs_or_panics_is_written_when_it_is_well() {
    for fault in [Fault::Refuses, Fault::Hangs, Fault::Panics] {
        for all in [false, true] {
            let world = World::new();
            let record = world.session().await;
            world.fault(fault);
            let ending = match all {
                true => world.all(),
                false => world.ending(&record),
            };
            let failed = revoke::run(world.config(), ending).await;
            assert!(failed.is_err(), "{fault:?}");
            assert_eq!(world.count("RevocationQueued"), 1, "{fault:?}");
            world.fault(None);
            assert_eq!(world.layer.drain(LONG).await, 0);
            assert!(!world.is_live(&record).await, "{fault:?}");
            assert_eq!(world.count("Revoked"), 1);
            assert_eq!(world.count("RevocationLost"), 0);
        }
    }
}

#[tokio::test]
async fn a_revocation_that_is_given_up_is_told_once() {
    for fault in [Fault::Refuses, Fault::Hangs, Fault::Panics] {
        let world = World::new();
        let record = world.session().await;
        world.fault(fault);
        for ending in [world.ending(&record), world.all()] {
            let failed = revoke::run(world.config(), ending).await;
            assert!(failed.is_err());
        }
        let mut open = world.config().queue.open.subscribe();
        open.wait_for(|open| *open == 0).await.unwrap();
        assert_eq!(world.count("RevocationLost"), 2, "{fault:?}");
        assert!(world.store.tries.load(Ordering::SeqCst) > 4, "{fault:?}");
        let told = world.events.lock().unwrap().join("\n");
        let (own, all) = (
            format!(
                "RevocationLost {{ session: Some({:?}), subject: None }}",
                record.id()
            ),
            "RevocationLost { session: None, subject: Some(\"ada\") }",
        );
        assert!(told.contains(&own) && told.contains(all), "{told}");
    }
}

/// At a shutdown: the runtime ends while some wait, and while others are tried for the first time.
#[test]
fn a_runtime_that_ends_tells_of_every_revocation_that_it_takes_along() {
    for fault in [Fault::Refuses, Fault::Hangs] {
        let mut world = World::new();
        let config = Arc::get_mut(&mut world.layer.config).unwrap();
        config.queue.patience = Queue::default().patience;
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        runtime.block_on(async {
            let record = world.session().await;
            world.fault(fault);
            for _ in 0..3 {
                let ending = revoke::run(world.config(), world.ending(&record));
                let _ = spawn::within(Some(Duration::from_millis(5)), ending).await;
            }
            assert_eq!(world.layer.drain(Duration::from_millis(20)).await, 3);
        });
        assert_eq!(world.count("RevocationLost"), 0, "{fault:?}");
        drop(runtime);
        assert_eq!(world.count("RevocationLost"), 3, "{fault:?}");
        assert_eq!(*world.config().queue.open.borrow(), 0);
    }
}

#[tokio::test]
async fn draining_waits_out_no_pause_and_nothing_that_is_not_open() {
    let mut world = World::new();
    let config = Arc::get_mut(&mut world.layer.config).unwrap();
    config.queue.patience.pause = LONG;
    assert_eq!(world.layer.drain(LONG).await, 0);
    let record = world.session().await;
    world.fault(Fault::Refuses);
    let failed = revoke::run(world.config(), world.ending(&record)).await;
    assert!(failed.is_err());
    tokio::task::yield_now().await;
    world.fault(None);
    let drained = spawn::within(Some(LONG / 2), world.layer.drain(LONG)).await;
    assert_eq!(drained, Some(0), "tried at once");
    assert!(!world.is_live(&record).await);
}

/// Without tokio nothing goes on in the background.
#[test]
fn without_a_runtime_a_revocation_that_fails_is_told_at_once() {
    for fault in [Fault::Refuses, Fault::Hangs, Fault::Panics] {
        let world = World::new();
        futures_executor::block_on(async {
            let record = world.session().await;
            world.fault(fault);
            let failed = revoke::run(world.config(), world.ending(&record)).await;
            assert!(failed.is_err());
            assert_eq!(world.layer.drain(LONG).await, 0);
        });
        assert_eq!(world.count("RevocationLost"), 1, "{fault:?}");
    }
}

/// A sink that panics neither ends the process nor keeps the store from being written.
#[tokio::test]
async fn a_sink_that_panics_loses_no_revocation() {
    let world = World::new();
    let record = world.session().await;
    let keys = KeyRing::generate().unwrap();
    let codec = TokenCodec::nested(&keys).issuer("https://id.example");
    let codec = codec.audience("api").build().unwrap();
    let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
    let sink = EventSink::new(|_: &Event<'_>| panic!("the sink panics for the test"));
    let builder = RefreshCookieLayer::builder(codec, world.store.clone(), claims);
    let layer = builder.events(sink).build().unwrap();
    let failed = revoke::run(&layer.config, world.ending(&record)).await;
    assert!(failed.is_err());
    assert!(!world.is_live(&record).await);
    assert_eq!(layer.drain(Duration::ZERO).await, 0, "it is told, and over");
}
