//! Sessions in Redis or Valkey.
//!
//! One hash holds all sessions of a subject, one field each. So every operation is about one key: atomic on the server,
//! and never split between the nodes of a cluster. A script of ten lines replaces a session by comparing and swapping
//! its bytes. Another script adds a session while there are fewer than the limit. For all sessions of a subject
//! together, the store reads them and decides here. It uses the same functions as every store. It writes the result
//! back if nothing that matters has changed in between. No policy is in a script.

mod breaker;
mod builder;
mod client;
mod config;
mod connection;
mod connector;
mod durability;
mod error;
mod everything;
mod health;
mod limits;
mod reply;
mod request;
mod revocations;
mod script;
mod sign_ins;
mod subject;
mod tcp;
mod topology;

use std::{fmt, sync::Arc};

pub use builder::RedisStoreBuilder;
pub use health::RedisHealth;

use self::{
    client::Client,
    durability::Durability,
    error::unexpected,
    request::{Expiry, Request},
    revocations::{Moment, Revocations},
    sign_ins::SignIns,
};
use super::{Inserted, Loaded, RefreshStore, StoreError, StoreErrorKind, Swap, subject as rules};
use crate::{
    clock::{Timestamp, monotonic},
    config::ConfigError,
    event::{Event, EventSink},
    keys::SubjectTag,
    session::{SessionId, SessionKey, SessionRecord},
};

/// Sessions in Redis or Valkey: one server, Sentinel or Cluster, shared by all instances of a service.
///
/// Nothing is connected to before the first request; call [`health`](Self::health) when the service starts. Clones
/// share the connection.
///
/// Every request is bounded in time. A server that does not answer costs one time-out. Until it is back, requests then
/// fail at once, and are answered 503 with the cookie unchanged.
///
/// ```no_run
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_bearer::RedisStore;
///
/// let store = RedisStore::builder("rediss://app:secret@redis.internal:6380/")
///     .prefix("shop:")
///     .build()?;
/// match store.health().await {
///     Ok(health) => health.warnings().iter().for_each(|warning| eprintln!("WARNING: {warning}")),
///     // It may come later; until then requests that need it are answered 503.
///     Err(error) => eprintln!("WARNING: {error}: {:?}", std::error::Error::source(&error)),
/// }
/// # Ok(())
/// # }
/// ```
///
#[doc = include_str!("redis/reference.md")]
#[derive(Clone)]
pub struct RedisStore(Arc<Shared>);

struct Shared {
    prefix: String,
    client: Client,
    durability: Option<Durability>,
    revocations: Revocations,
    sign_ins: SignIns,
    events: EventSink,
}

impl RedisStore {
    /// Makes a store for the server at `url`, with every default.
    ///
    /// # Errors
    ///
    /// When the URL is not one of Redis: see [`builder`](Self::builder). The error names the setting `url` and never
    /// repeats its value. Where the value came from a variable of your own, say so together with
    /// [`ConfigError::problem`].
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url).build()
    }

    /// Asks the server for its state. Asks also whether it lets this account read all of a subject's sessions and run
    /// each of the scripts. Where the account may not end every session of every subject, there is a warning.
    ///
    /// Call it when the service starts. A server that does not answer yet is no reason not to start:
    /// requests are answered 503 until it does.
    ///
    /// In a cluster one of the nodes answers.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](StoreErrorKind::Unavailable) when the server does not answer.
    /// [`Refused`](StoreErrorKind::Refused) when it does and the login or the account is not as it must be. Waiting
    /// does not cure that.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn health(&self) -> Result<RedisHealth, StoreError> {
        let begun = monotonic();
        let pattern = self.pattern();
        let info = Request::Info {
            pattern: &pattern,
            nodes: self.0.client.has_nodes(),
        };
        let replies = self.0.client.ask(&info).await?;
        let mut health = RedisHealth::read(replies, monotonic().saturating_sub(begun))?;
        // None of them changes anything where there is no session.
        let key = &format!("{}health", self.0.prefix);
        for probe in health::probes(key) {
            self.0.client.ask(&probe).await?;
        }
        health.takes_flags(!self.0.client.is_plain());
        if let Some(policy) = health.evicts() {
            self.0.events.emit(&Event::StoreEvicts { policy });
        }
        Ok(health)
    }

    /// The key that holds the sessions of `subject`.
    fn key(&self, subject: &SubjectTag) -> String {
        format!("{}s:{subject}", self.0.prefix)
    }

    /// The pattern, in the words of `SCAN`, that matches the names of all such keys.
    fn pattern(&self) -> String {
        let mut pattern = String::new();
        for character in self.0.prefix.chars() {
            if "*?[]\\".contains(character) {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern + "s:*"
    }

    /// The bytes that the server has.
    async fn read_bytes(
        &self,
        at: &SessionKey,
    ) -> Result<(Option<Vec<u8>>, Timestamp), StoreError> {
        let (key, session) = (self.key(&at.subject), at.id.to_string());
        let request = Request::Read {
            key: &key,
            session: &session,
        };
        let replies = self.0.client.ask(&request).await?;
        reply::with_time(replies, reply::bytes)
    }

    /// The record as the server has it.
    async fn read(&self, at: &SessionKey) -> Result<Loaded, StoreError> {
        let (stored, now) = self.read_bytes(at).await?;
        let record = stored.map(|bytes| self.decode(&bytes, at)).transpose()?;
        Ok(Loaded { record, now })
    }

    /// Compares and swaps; both are at one address.
    async fn write(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let at = next.key();
        let (key, session) = (self.key(&at.subject), at.id.to_string());
        let longer = next.expires_at() > current.expires_at();
        let (mut expected, successor) = (current.encode(), next.encode());
        loop {
            let request = Request::Swap {
                key: &key,
                session: &session,
                current: &expected,
                next: &successor,
                extends_to: longer.then(|| Expiry::of(next)),
                revokes: !next.is_live(),
            };
            let mut replies = self.0.client.ask(&request).await?.into_iter();
            let answer = replies.next().ok_or_else(unexpected)?;
            let (stored, now) = match (reply::number(&answer), answer) {
                (Some(1), _) => {
                    self.0.revocations.note(next);
                    return Ok(Swap::Applied);
                }
                (_, redis::Value::Array(found)) => reply::with_time(found, reply::bytes)?,
                // The plain wording has no time.
                (Some(0), _) => self.read_bytes(&at).await?,
                _ => return Err(unexpected()),
            };
            let record = match &stored {
                Some(bytes) => Some(self.decode(bytes, &at)?),
                None => None,
            };
            match stored {
                // The same record in an older layout, which was read and is not written any more.
                Some(bytes) if record.as_ref() == Some(current) && bytes != expected => {
                    expected = bytes;
                }
                // It was read apart, and another instance has written the very same meanwhile.
                Some(bytes) if bytes == successor => {}
                _ => return Ok(Swap::Conflict(Loaded { record, now })),
            }
        }
    }

    /// The record that lies at `at`. Bytes that say something else were written by another program.
    fn decode(&self, bytes: &[u8], at: &SessionKey) -> Result<SessionRecord, StoreError> {
        let decoded = match SessionRecord::decode(bytes) {
            Ok(record) if record.key() == *at => Ok(record),
            Ok(_) => Err(StoreErrorKind::Corrupt.into()),
            Err(error) => Err(StoreError::from(error)),
        };
        decoded.inspect_err(|error| self.0.events.emit(&Event::StoreFailed(error)))
    }

    /// A session that was revoked here by the time that the store was asked is revoked, whatever the store says. It is
    /// revoked there again.
    async fn corrected(&self, loaded: Loaded, at: Moment) -> Loaded {
        let Loaded { record, now } = loaded;
        let Some(found) = record else {
            return Loaded { record: None, now };
        };
        let Some(revoked) = self.0.revocations.correct(&found, at) else {
            return Loaded {
                record: Some(found),
                now,
            };
        };
        // The answer is right without it; what fails now is done at the next look.
        if let Ok(Swap::Applied) = self.write(&found, &revoked).await {
            let session = found.id;
            self.0.events.emit(&Event::RevocationRestored { session });
        }
        Loaded {
            record: Some(revoked),
            now,
        }
    }

    /// Waits, where that was asked for, until replicas have the revocation of `sessions`, of which
    /// `record` was written last. When they do not say so in time, it stands all the same.
    async fn confirm(&self, sessions: &[SessionId], record: &SessionRecord) {
        let Some(durability) = &self.0.durability else {
            return;
        };
        let key = self.key(&record.subject_tag);
        let (acknowledged, wanted) = (
            durability.confirmed(&key, record).await,
            durability.wanted(),
        );
        if acknowledged < wanted {
            self.0.events.emit(&Event::DurabilityDegraded {
                sessions,
                acknowledged,
                wanted,
            });
        }
    }
}

/// Every operation may be sent twice, and is then carried out once. When a connection breaks, the client does not know
/// whether the first was.
impl RefreshStore for RedisStore {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        // Among fewer than the limit no live session is in the way.
        if self.add(record, limit).await? {
            let dropped = Vec::new();
            return Ok(Inserted { dropped });
        }
        let dropped = self.0.sign_ins.admit(self, record, limit).await?;
        Ok(Inserted { dropped })
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        let at = self.0.revocations.now();
        let loaded = self.read(key).await?;
        Ok(self.corrected(loaded, at).await)
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let at = self.0.revocations.now();
        // A record never changes its address, and a session that was revoked here stays revoked.
        if current.key() != next.key() || self.0.revocations.correct(next, at).is_some() {
            return self.load(&current.key()).await.map(Swap::Conflict);
        }
        match self.write(current, next).await? {
            Swap::Applied => {
                if !next.is_live() {
                    self.confirm(&[next.id], next).await;
                }
                Ok(Swap::Applied)
            }
            Swap::Conflict(found) => Ok(Swap::Conflict(self.corrected(found, at).await)),
        }
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        let roster = self.read_all(subject).await?;
        let (mut sessions, now) = (roster.sessions, roster.now);
        sessions.retain(|session| now < session.expires_at());
        Ok(sessions)
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let rule = |sessions: &mut [SessionRecord], now| rules::revoke_all(sessions, keep, now);
        let ended = self.end(subject, rule).await?;
        self.confirm_all(&ended).await;
        Ok(ended.sessions)
    }

    async fn revoke_older(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
        before: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let rule =
            |sessions: &mut [SessionRecord], now| rules::revoke_older(sessions, keep, before, now);
        let ended = self.end(subject, rule).await?;
        self.confirm_all(&ended).await;
        Ok(ended.sessions)
    }

    async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
        // Seldom called, and larger than all others: a caller need not keep room for it.
        Box::pin(self.end_everything(before)).await
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared {
            prefix,
            client,
            durability,
            revocations,
            sign_ins: _,
            events: _,
        } = &*self.0;
        f.debug_struct("RedisStore")
            .field("prefix", prefix)
            .field("client", client)
            .field("wait", durability)
            .field("revocations", revocations)
            .finish_non_exhaustive()
    }
}
