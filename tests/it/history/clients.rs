//! Clients that make random calls of a store, and write down their calls and the answers.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::{task::JoinSet, time::sleep};
use tower_bearer::{
    Clock, RevokeReason, SessionId, SystemClock,
    store::{Loaded, RefreshStore, SessionKey, SessionRecord, SessionState, SubjectTag, Swap},
};

use super::checker::{Answer, Call, Checked, Did, SOME, Version, check};

/// More than all clients of one subject open.
const LIMIT: usize = 10_000;
/// How many calls each client makes.
const CALLS: usize = 40;
const SESSIONS: u32 = 3;

/// The part that all clients of one subject share.
struct Subject {
    tag: SubjectTag,
    moments: AtomicU64,
    marks: AtomicU32,
    sessions: AtomicU32,
    history: Mutex<Vec<Call>>,
    /// Every record that was to be stored, by its mark.
    written: Mutex<BTreeMap<u32, SessionRecord>>,
    remembers: bool,
}

/// Lets a client for each of `stores` act on one subject, and judges what they were answered. A store that is far
/// may send a call twice, and remembers which sessions it has ended.
pub async fn act<S: RefreshStore + Clone>(stores: &[S], seed: u64, is_far: bool) -> Checked {
    let subject = Arc::new(Subject {
        tag: SubjectTag::from_bytes(rand::random()),
        moments: AtomicU64::new(0),
        marks: AtomicU32::new(0),
        sessions: AtomicU32::new(0),
        history: Mutex::default(),
        written: Mutex::default(),
        remembers: is_far,
    });
    let mut clients = JoinSet::new();
    for (n, store) in (0..).zip(stores) {
        let client = Client {
            store: store.clone(),
            subject: subject.clone(),
            known: BTreeMap::new(),
            dice: ChaCha8Rng::seed_from_u64(seed << 8 | n),
        };
        clients.spawn(client.live());
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    let mut history = std::mem::take(&mut *subject.history.lock().unwrap());
    history.sort_by_key(|call| call.start);
    let verdict = check(&history, is_far);
    assert!(verdict.is_ok(), "seed {seed}: {verdict:?} of {history:#?}");
    verdict.unwrap()
}

struct Client<S> {
    store: S,
    subject: Arc<Subject>,
    /// The record of each session that it has seen last.
    known: BTreeMap<u32, SessionRecord>,
    dice: ChaCha8Rng,
}

impl<S: RefreshStore> Client<S> {
    async fn live(mut self) {
        for _ in 0..CALLS {
            let sessions = self.subject.sessions.load(Ordering::SeqCst);
            match self.dice.random_range(0..100) {
                _ if sessions == 0 => self.insert().await,
                0..8 if sessions < SESSIONS => self.insert().await,
                // A session ends now and then, so there is always another one to come.
                0..4 => self.insert().await,
                4..70 => self.swap().await,
                70..88 => self.load().await,
                88..96 => self.list().await,
                _ => self.revoke_all().await,
            }
        }
    }

    /// One of the last few sessions.
    fn session(&mut self) -> u32 {
        let sessions = self.subject.sessions.load(Ordering::SeqCst);
        self.dice
            .random_range(sessions.saturating_sub(SESSIONS)..sessions)
    }

    async fn insert(&mut self) {
        let session = self.subject.sessions.fetch_add(1, Ordering::SeqCst);
        let mark = self.subject.mark();
        let record = record(self.subject.tag, session, mark);
        self.subject
            .written
            .lock()
            .unwrap()
            .insert(mark, record.clone());
        let start = self.subject.moment();
        let answer = self.store.insert(&record, LIMIT).await;
        let version = self.subject.version(&record);
        let is_answered = answer.is_ok();
        self.subject.note(
            start,
            Did::Insert {
                version,
                is_answered,
            },
        );
        self.pause_if(!is_answered).await;
    }

    async fn load(&mut self) {
        let session = self.session();
        let start = self.subject.moment();
        let answer = self.store.load(&self.subject.key(session)).await;
        let is_answered = answer.is_ok();
        if let Ok(loaded) = answer {
            let found = self.learn(&loaded);
            self.subject.note(start, Did::Load { session, found });
        }
        self.pause_if(!is_answered).await;
    }

    /// From what it knows, which may be old.
    async fn swap(&mut self) {
        let session = self.session();
        let Some(current) = self.known.get(&session).cloned() else {
            return self.load().await;
        };
        if !current.is_live() {
            return self.load().await;
        }
        let mark = self.subject.mark();
        let mut next = successor(&current, mark);
        if self.dice.random_range(0..100) < 3 {
            next = next.revoked(RevokeReason::SignedOut);
        }
        self.subject
            .written
            .lock()
            .unwrap()
            .insert(mark, next.clone());
        // One that was not answered is sent again.
        for _ in 0..3 {
            let (from, to) = (self.subject.version(&current), self.subject.version(&next));
            let start = self.subject.moment();
            let answer = match self.store.swap(&current, &next).await {
                Ok(Swap::Applied) => {
                    self.known.insert(session, next.clone());
                    Answer::Applied
                }
                Ok(Swap::Conflict(loaded)) => Answer::Conflict(self.learn(&loaded)),
                Err(_) => Answer::Unknown,
            };
            self.subject.note(start, Did::Swap { from, to, answer });
            if answer != Answer::Unknown {
                return;
            }
            self.pause_if(true).await;
        }
    }

    async fn list(&mut self) {
        let start = self.subject.moment();
        let answer = self.store.list(&self.subject.tag).await;
        let is_answered = answer.is_ok();
        if let Ok(listed) = answer {
            let found = listed.iter().map(|record| self.subject.version(record));
            self.subject.note(start, Did::List(found.collect()));
        }
        self.pause_if(!is_answered).await;
    }

    async fn revoke_all(&mut self) {
        let keep = self.dice.random_bool(0.5).then(|| self.session());
        let start = self.subject.moment();
        let kept = keep.map(|session| *self.subject.key(session).id());
        let answer = self
            .store
            .revoke_all(&self.subject.tag, kept.as_ref())
            .await;
        let is_answered = answer.is_ok();
        let revoked = answer
            .ok()
            .map(|revoked| revoked.iter().map(|record| number(&record.id())).collect());
        self.subject.note(start, Did::RevokeAll { keep, revoked });
        self.pause_if(!is_answered).await;
    }

    fn learn(&mut self, loaded: &Loaded) -> Option<Version> {
        let record = loaded.record()?;
        self.known.insert(number(&record.id()), record.clone());
        Some(self.subject.version(record))
    }

    async fn pause_if(&self, failed: bool) {
        if failed {
            sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Subject {
    fn moment(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::SeqCst)
    }

    fn mark(&self) -> u32 {
        self.marks.fetch_add(1, Ordering::SeqCst)
    }

    fn note(&self, start: u64, did: Did) {
        let end = self.moment();
        self.history.lock().unwrap().push(Call { start, end, did });
    }

    fn key(&self, session: u32) -> SessionKey {
        SessionKey::new(self.tag, id(&self.tag, session))
    }

    /// Which one it is. Every byte is as it was written, but for an end.
    fn version(&self, record: &SessionRecord) -> Version {
        let bytes = record.encode();
        let mark = u32::from_be_bytes(bytes[43..47].try_into().unwrap());
        let written = self.written.lock().unwrap();
        let written = written.get(&mark).expect("a record that was written");
        let session = number(&record.id());
        if record == written {
            let is_live = record.is_live();
            return Version {
                session,
                mark,
                is_live,
            };
        }
        let SessionState::Revoked(reason) = record.state() else {
            panic!("{record:?} is not {written:?}");
        };
        assert_eq!(*record, written.revoked(reason));
        // An instance that remembers ends has them written over whatever it reads.
        let is_known = !self.remembers;
        assert!(
            !is_known || reason == RevokeReason::RevokedAll,
            "{record:?}"
        );
        Version {
            session,
            mark: if is_known { mark } else { SOME },
            is_live: false,
        }
    }
}

/// As with real ones, no other subject has it.
fn id(tag: &SubjectTag, session: u32) -> SessionId {
    let mut bytes = *tag.as_bytes();
    bytes[..4].copy_from_slice(&session.to_be_bytes());
    SessionId::from_bytes(bytes)
}

fn number(id: &SessionId) -> u32 {
    let [a, b, c, d, ..] = *id.as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// A session that begins now, as version 2 of the layout has it.
fn record(tag: SubjectTag, session: u32, mark: u32) -> SessionRecord {
    let subject = b"ada";
    let now = SystemClock.now();
    let end = now + Duration::from_secs(3600);
    let mut bytes = vec![2];
    bytes.extend(id(&tag, session).as_bytes());
    bytes.extend(tag.as_bytes());
    // Generation, recoveries, flags; the tokens and the seed.
    bytes.extend([0; 10]);
    bytes.extend([0; 3 * 32]);
    // Handed out, presented, rotated, created, and both expiries.
    for time in [
        now.as_millis(),
        0,
        now.as_millis(),
        now.as_millis(),
        end.as_millis(),
        end.as_millis(),
    ] {
        bytes.extend(time.to_be_bytes());
    }
    // One fingerprint, which is known and the holder; no end, live.
    bytes.extend([9; 8]);
    bytes.extend([0; 24]);
    bytes.extend([0x11, 0xf0]);
    bytes.extend([0; 8 + 1]);
    bytes.extend((subject.len() as u16).to_be_bytes());
    bytes.extend([0; 2 + 4 + 2]);
    bytes.extend(subject);
    bytes[43..47].copy_from_slice(&mark.to_be_bytes());
    SessionRecord::decode(&bytes).unwrap()
}

/// The next generation, with a token of its own.
fn successor(record: &SessionRecord, mark: u32) -> SessionRecord {
    let mut bytes = record.encode();
    bytes[33..41].copy_from_slice(&(record.generation() + 1).to_be_bytes());
    bytes[43..47].copy_from_slice(&mark.to_be_bytes());
    SessionRecord::decode(&bytes).unwrap()
}
