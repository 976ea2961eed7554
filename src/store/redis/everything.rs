//! Every session of every subject: gone through server by server, and ended subject by subject.
//!
//! A server names every key that is there from its first page to its last. A server that starts anew breaks this
//! without an error. So do a replica that takes over and a slot that moves. So each page says which run of which server
//! it is from. Each master says before and after which slots are its own. Slots that did not stay are gone through
//! again.

use tokio::task::JoinSet;

use super::{
    RedisStore,
    error::unexpected,
    reply,
    request::Request,
    subject::{Ended, between_attempts},
    topology::{self, Look, Shard, Shown},
};
use crate::{
    clock::Timestamp,
    keys::SubjectTag,
    session::{SessionId, SessionKey},
    store::{StoreError, StoreErrorKind, subject as rules},
};

/// How often all is gone through where servers and slots do not stay.
const PASSES: u32 = 16;

/// How many subjects are worked on at one time. They keep a server busy, and are few beside all the requests that may
/// be under way.
const AT_ONCE: usize = 16;

impl RedisStore {
    /// Ends every session that began at `before` or earlier, and says how many those were.
    ///
    /// Once it has gone through everything, this instance remembers the time. When a replica without the last writes
    /// takes over, no such session appears live to this instance. A time that is still to come is remembered as the
    /// present one. Sessions that begin later are not meant.
    pub(super) async fn end_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut sweep = Sweep {
            store: self,
            before,
            pattern: self.pattern(),
            count: 0,
            failure: None,
        };
        let mut seen = sweep.look().await?;
        let mut shown = Shown::new(&seen);
        for pass in 0..PASSES {
            between_attempts(pass).await;
            let mut whole = true;
            for shard in &seen.shards {
                whole &= sweep.go_through(shard).await;
            }
            let now = sweep.look().await?;
            shown.note(whole, &seen, &now);
            let is_cut_off = sweep.is_cut_off();
            if shown.is_complete() && !is_cut_off {
                // Asked now, when all servers answer: asked before, one that is away would keep the others' sessions
                // alive.
                let now = self.time().await?;
                self.0.revocations.note_everything(before.min(now));
            }
            if shown.is_complete() || is_cut_off {
                return sweep.failure.map_or(Ok(sweep.count), Err);
            }
            seen = now;
        }
        Err(StoreError::unavailable(
            "servers and slots kept moving: sessions may be left",
        ))
    }

    /// The store's time, as that of a session that is not there.
    async fn time(&self) -> Result<Timestamp, StoreError> {
        let nothing = SessionKey::new(
            SubjectTag::from_bytes([0; 16]),
            SessionId::from_bytes([0; 16]),
        );
        Ok(self.read_bytes(&nothing).await?.1)
    }

    /// The subject whose sessions lie under `key`; other keys may begin alike.
    fn subject_of(&self, key: &[u8]) -> Option<SubjectTag> {
        let name = key.strip_prefix(self.0.prefix.as_bytes())?;
        let name = std::str::from_utf8(name.strip_prefix(b"s:")?).ok()?;
        // Tags are written as the ids of sessions are.
        let tag: SessionId = name.parse().ok()?;
        Some(SubjectTag::from_bytes(*tag.as_bytes()))
    }

    async fn end_of_one(
        &self,
        subject: &SubjectTag,
        before: Timestamp,
    ) -> Result<Ended, StoreError> {
        let rule = |sessions: &mut [_], now| rules::revoke_before(sessions, before, now);
        self.end(subject, rule).await
    }
}

/// The work, as far as it is done.
struct Sweep<'a> {
    store: &'a RedisStore,
    before: Timestamp,
    pattern: String,
    count: u64,
    /// Some sessions could not be ended for this; the others are ended all the same.
    failure: Option<StoreError>,
}

impl Sweep<'_> {
    /// Asks each master for its slots. Without those that do not answer there will be slots without a place.
    async fn look(&mut self) -> Result<Look, StoreError> {
        let client = &self.store.0.client;
        let mut look = Look::new(client.has_nodes());
        if !client.has_nodes() {
            look.add(self.identify(None).await?);
            return Ok(look);
        }
        let nodes = client.ask(&Request::Nodes).await?.into_iter().next();
        let masters = nodes.and_then(topology::masters).ok_or_else(unexpected)?;
        for slot in masters {
            match self.identify(Some(slot)).await {
                Ok(shard) => look.add(shard),
                Err(error) => self.fail(error),
            }
        }
        Ok(look)
    }

    async fn identify(&self, slot: Option<u16>) -> Result<Shard, StoreError> {
        let replies = self.store.0.client.ask(&Request::Identify { slot }).await?;
        Shard::read(slot, replies)
    }

    /// Ends the sessions of a master, page by page. True when one run of it has named all of its keys.
    async fn go_through(&mut self, shard: &Shard) -> bool {
        let mut cursor = b"0".to_vec();
        loop {
            let (next, keys, run) = match self.page(shard, &cursor).await {
                Ok(page) => page,
                Err(error) => {
                    self.fail(error);
                    return false;
                }
            };
            let subjects = keys.iter().filter_map(|key| self.store.subject_of(key));
            self.end(subjects.collect()).await;
            if run != shard.run {
                return false;
            }
            if next == b"0" {
                return true;
            }
            cursor = next;
        }
    }

    /// Where it goes on, the names of keys, and the run that they are from.
    async fn page(&self, shard: &Shard, cursor: &[u8]) -> Result<Page, StoreError> {
        let request = Request::Scan {
            slot: shard.slot,
            pattern: &self.pattern,
            cursor,
        };
        let replies = self.store.0.client.ask(&request).await?;
        let [keys, info] = <[_; 2]>::try_from(replies).map_err(|_| unexpected())?;
        let (next, keys) = reply::found(keys).ok_or_else(unexpected)?;
        Ok((next, keys, topology::run(info)?))
    }

    /// Ends the sessions of these subjects, some at a time, and has all of them confirmed together.
    async fn end(&mut self, subjects: Vec<SubjectTag>) {
        let mut all = Ended::default();
        let mut subjects = subjects.into_iter();
        let mut tasks = JoinSet::new();
        loop {
            let free = AT_ONCE.saturating_sub(tasks.len());
            for subject in subjects.by_ref().take(free) {
                let (store, before) = (self.store.clone(), self.before);
                tasks.spawn(async move { store.end_of_one(&subject, before).await });
            }
            match tasks.join_next().await {
                Some(Ok(Ok(ended))) => all.extend(ended),
                Some(Ok(Err(error))) => self.fail(error),
                Some(Err(_)) => self.fail(StoreError::unavailable("the runtime is shutting down")),
                None => break,
            }
        }
        self.count += all.sessions.len() as u64;
        self.store.confirm_all(&all).await;
    }

    /// Keeps the error to answer with: rather one that another call may get past.
    fn fail(&mut self, error: StoreError) {
        if !self.is_cut_off() {
            self.failure = Some(error);
        }
    }

    /// Whether something else was in the way than a record that cannot be read.
    fn is_cut_off(&self) -> bool {
        let failure = self.failure.as_ref().map(StoreError::kind);
        failure.is_some_and(|kind| kind != StoreErrorKind::Corrupt)
    }
}

type Page = (Vec<u8>, Vec<Vec<u8>>, String);
