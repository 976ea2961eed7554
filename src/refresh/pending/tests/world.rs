//! A store that fails as it is told to, and a layer over it.

use std::{
    future::pending,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::*;
use crate::{
    ClaimsError, ClaimsRequest, EventSink, KeyRing, MemoryStore, NoClaims, RefreshCookieLayer,
    TokenCodec,
    clock::Timestamp,
    keys::SubjectTag,
    refresh::{
        ending,
        revoke::{self, ReuseReport, Revocation},
    },
    session::{
        Activity, ClientFingerprint, JarProof, Lasts, Methods, NewSecrets, Presenter, RevokeReason,
        SessionKey, SessionRecord, SignIn,
    },
    store::{Inserted, Loaded, RefreshStore, StoreErrorKind, Swap},
};

/// The fault of a store instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Refuses,
    Hangs,
    Panics,
    /// It writes, and the answer is lost.
    Loses,
    /// It reads nothing either.
    Down,
}

/// A store that writes nothing while it has a fault.
#[derive(Clone, Debug)]
pub(super) struct Sick {
    pub(super) inner: MemoryStore,
    pub(super) fault: Arc<Mutex<Option<Fault>>>,
    pub(super) tries: Arc<AtomicUsize>,
    /// It has no `revoke_older`.
    narrow: Arc<AtomicBool>,
}

impl Sick {
    pub(super) async fn writes(&self) -> Result<&MemoryStore, StoreError> {
        self.tries.fetch_add(1, Ordering::SeqCst);
        let fault = *self.fault.lock().unwrap();
        match fault {
            None | Some(Fault::Loses) => Ok(&self.inner),
            Some(Fault::Refuses | Fault::Down) => {
                Err(StoreError::unavailable("refuses for the test"))
            }
            Some(Fault::Hangs) => pending().await,
            Some(Fault::Panics) => panic!("the store panics for the test"),
        }
    }

    /// The answer, unless there is `fault`.
    pub(super) fn unless<T>(&self, fault: Fault, answer: T) -> Result<T, StoreError> {
        match *self.fault.lock().unwrap() == Some(fault) {
            true => Err(StoreError::unavailable("lost for the test")),
            false => Ok(answer),
        }
    }
}

impl RefreshStore for Sick {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.inner.insert(record, limit).await
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        self.unless(Fault::Down, ())?;
        self.inner.load(key).await
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let answer = self.writes().await?.swap(current, next).await?;
        self.unless(Fault::Loses, answer)
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        self.inner.list(subject).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.writes().await?.revoke_all(subject, keep).await
    }

    async fn revoke_older(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
        before: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        if self.narrow.load(Ordering::SeqCst) {
            return Err(StoreErrorKind::Unsupported.into());
        }
        self.writes()
            .await?
            .revoke_older(subject, keep, before)
            .await
    }
}

pub(super) struct World {
    pub(super) store: Sick,
    pub(super) layer: RefreshCookieLayer,
    pub(super) events: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// A layer whose revocations have less patience, so that no test waits for minutes.
    pub(super) fn new() -> Self {
        let keys = KeyRing::generate().unwrap();
        let codec = TokenCodec::nested(&keys).issuer("https://id.example");
        let codec = codec.audience("api").build().unwrap();
        let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
        let store = Sick {
            inner: MemoryStore::new(),
            fault: Arc::default(),
            tries: Arc::default(),
            narrow: Arc::default(),
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
            // Panics with their traces take their time on a busy machine.
            whole: Duration::from_secs(2),
        };
        Self {
            store,
            layer,
            events,
        }
    }

    pub(super) fn fault(&self, fault: impl Into<Option<Fault>>) {
        *self.store.fault.lock().unwrap() = fault.into();
    }

    pub(super) fn count(&self, name: &str) -> usize {
        let events = self.events.lock().unwrap();
        events.iter().filter(|told| told.starts_with(name)).count()
    }

    pub(super) fn config(&self) -> &Arc<Config> {
        &self.layer.config
    }

    /// The same, with the patience of a server.
    pub(super) fn patient() -> Self {
        let mut world = Self::new();
        let config = Arc::get_mut(&mut world.layer.config).unwrap();
        config.queue.patience = Queue::default().patience;
        world
    }

    /// Two of those: one over a store that has every method, and one over a store that leaves some out.
    pub(super) fn wide_and_narrow() -> [Self; 2] {
        let narrow = Self::patient();
        narrow.store.narrow.store(true, Ordering::SeqCst);
        [Self::patient(), narrow]
    }

    pub(super) fn is_narrow(&self) -> bool {
        self.store.narrow.load(Ordering::SeqCst)
    }

    /// A session of "ada", as the store has it.
    pub(super) async fn session(&self) -> SessionRecord {
        self.session_with(|_| ()).await
    }

    pub(super) async fn session_with(
        &self,
        change: impl FnOnce(&mut SessionRecord),
    ) -> SessionRecord {
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
            auth_time: None,
            methods: Methods::default(),
            note: "",
        };
        let keys = self.config().cookies.keys.load();
        let active = keys.sessions.as_ref().unwrap().active().unwrap();
        let policy = &self.config().policy;
        let (mut record, _) = SessionRecord::start(&opening, &fresh, now, policy, active);
        change(&mut record);
        self.store.inner.insert(&record, 100).await.unwrap();
        record
    }

    pub(super) async fn is_live(&self, record: &SessionRecord) -> bool {
        let loaded = self.store.inner.load(&record.key()).await.unwrap();
        loaded.record().unwrap().is_live()
    }

    pub(super) fn ending(&self, record: &SessionRecord) -> Ending {
        let now = record.created_at();
        Ending::Session(Revocation::of(record.clone(), now, RevokeReason::SignedOut))
    }

    pub(super) fn all(&self) -> Ending {
        Ending::Subject {
            subject: "ada".to_owned(),
            keep: None,
            own: None,
        }
    }

    /// An alarm about the session, as a request raises it that has just read it.
    pub(super) fn theft(&self, record: &SessionRecord) -> Ending {
        let theft = ReuseReport {
            presented_by: ClientFingerprint::from_bytes([9; 8]),
            presented_generation: 0,
            jar: true,
            ended: None,
        };
        let now = record.created_at();
        let alarm = Revocation::of(record.clone(), now, RevokeReason::Reuse).because_of(theft);
        Ending::Session(alarm)
    }

    pub(super) async fn fails(&self, ending: Ending) {
        assert!(revoke::run(self.config(), ending).await.is_err());
    }

    pub(super) async fn recovers(&self) {
        self.fault(None);
        assert_eq!(self.layer.drain(LONG).await, 0);
        assert_eq!(self.count("RevocationLost"), 0);
    }
}
