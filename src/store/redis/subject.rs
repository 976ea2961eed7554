//! Operations on all sessions of a subject: read, decided here, written back if nothing has changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::task::yield_now;

use super::{
    RedisStore,
    error::unexpected,
    reply,
    request::{Expiry, PAGE, Request, Stored},
    sign_ins::SignIn,
};
use crate::{
    clock::Timestamp,
    event::Event,
    keys::SubjectTag,
    random::random,
    session::{RevokeReason, SessionId, SessionKey, SessionRecord, SessionState},
    store::{StoreError, StoreErrorKind, subject},
};

/// How often the record may have changed since it was read, before it is written back. Each time another request has
/// got through. So this is more often than sign-ins and refreshes of one user ever collide.
pub(super) const ATTEMPTS: u32 = 64;

/// How many sessions one write removes: further ones that are over go with the next writes.
const REMOVED: usize = 2 * PAGE;

/// How many sessions one write revokes of more than [`PAGE`].
const PART: usize = 128;

/// How many sign-ins one write brings in. Also how many sessions are gone through for them before other work of this
/// thread gets its turn.
const TURNS: usize = 256;
const GONE_THROUGH: usize = 32 * 1024;

/// All sessions of a subject.
pub(super) struct All {
    subject: SubjectTag,
    /// As the server has them.
    stored: BTreeMap<SessionId, Vec<u8>>,
    /// As they are: a revocation that the server has forgotten holds here.
    pub(super) sessions: Vec<SessionRecord>,
    /// Those that the server has forgotten the revocation of.
    forgotten: BTreeSet<SessionId>,
    pub(super) now: Timestamp,
}

/// Sessions that were ended.
#[derive(Default)]
pub(super) struct Ended {
    pub(super) sessions: Vec<SessionRecord>,
    /// The last of those that the server still has: the write that replicas are asked for.
    pub(super) standing: Option<SessionRecord>,
}

impl Ended {
    /// Takes those of another subject along.
    pub(super) fn extend(&mut self, other: Self) {
        self.sessions.extend(other.sessions);
        self.standing = other.standing.or(self.standing.take());
    }
}

impl RedisStore {
    /// Up to [`PAGE`] sessions are read as they are at one moment. With more, each is read as it is at some moment,
    /// page by page. So no other request waits for all of them.
    pub(super) async fn read_all(&self, subject: &SubjectTag) -> Result<All, StoreError> {
        let (key, subject, at) = (self.key(subject), *subject, self.0.revocations.now());
        let mut found = BTreeMap::new();
        let mut cursor = b"0".to_vec();
        let now = loop {
            let request = Request::ReadPage {
                key: &key,
                cursor: &cursor,
            };
            let replies = self.0.client.ask(&request).await?;
            let ((next, page), now) = reply::with_time(replies, reply::page)?;
            for (name, bytes) in page {
                let name = std::str::from_utf8(&name).ok();
                let id = name.and_then(|name| name.parse().ok());
                let id = id.ok_or(StoreErrorKind::Corrupt)?;
                let record = self.decode(&bytes, &SessionKey { subject, id })?;
                // The server may say the same twice, and the later word counts.
                found.insert(id, (bytes, record));
            }
            if next == b"0" {
                break now;
            }
            cursor = next;
        };
        if found.len() > PAGE {
            // All that follows is a matter of milliseconds, and others have waited for the last page.
            yield_now().await;
        }
        let (mut stored, mut forgotten) = (BTreeMap::new(), BTreeSet::new());
        let mut sessions = Vec::with_capacity(found.len());
        for (id, (bytes, record)) in found {
            stored.insert(id, bytes);
            sessions.push(match self.0.revocations.correct(&record, at) {
                Some(revoked) => {
                    forgotten.insert(id);
                    revoked
                }
                None => record,
            });
        }
        Ok(All {
            subject,
            stored,
            sessions,
            forgotten,
            now,
        })
    }

    /// Adds a session where it is certain that no other one has to go for it. False where it is not.
    pub(super) async fn add(
        &self,
        record: &SessionRecord,
        limit: usize,
    ) -> Result<bool, StoreError> {
        let request = Request::Insert {
            key: &self.key(&record.subject_tag),
            session: &record.id.to_string(),
            record: &record.encode(),
            limit,
            expiry: Expiry::of(record),
        };
        let replies = self.0.client.ask(&request).await?;
        let count = replies.first().and_then(reply::number);
        let count = usize::try_from(count.ok_or_else(unexpected)?).map_err(|_| unexpected())?;
        if count > 0 && count.is_multiple_of(PAGE) {
            // A limit that is never reached would let what is over pile up.
            let (store, subject) = (self.clone(), record.subject_tag);
            tokio::spawn(async move { store.prune(&subject).await });
        }
        Ok(count > 0)
    }

    /// Removes expired sessions, and the ended ones that are too many. A failure waits for a later sign-in.
    async fn prune(&self, subject: &SubjectTag) -> Result<bool, StoreError> {
        let mut all = self.read_all(subject).await?;
        let mut after = std::mem::take(&mut all.sessions);
        subject::prune(&mut after, usize::MAX, all.now);
        self.write_all(&all, &after, &BTreeSet::new(), false).await
    }

    /// Adds as many of `waiting` as one write can, in their order, and answers them. They then leave `waiting`. False
    /// when the server's record differs by now from the record that was read.
    pub(super) async fn admit(
        &self,
        subject: &SubjectTag,
        waiting: &mut Vec<SignIn>,
    ) -> Result<bool, StoreError> {
        let mut all = self.read_all(subject).await?;
        let mut after = std::mem::take(&mut all.sessions);
        // By a try before this one, whose reply was lost, or by an earlier call.
        let is_in =
            |one: &&SignIn| all.stored.contains_key(&one.record.id) && after.contains(&one.record);
        let known: BTreeSet<_> = waiting
            .iter()
            .filter(is_in)
            .map(|one| one.record.id)
            .collect();
        let turns = (GONE_THROUGH / after.len().max(1)).clamp(1, TURNS);
        let rest = waiting.split_off(turns.min(waiting.len()));
        let mut changed = BTreeSet::new();
        let mut admitted = Vec::with_capacity(waiting.len());
        for mut sign_in in std::mem::take(waiting) {
            let SignIn { record, limit, .. } = &sign_in;
            if !known.contains(&record.id) {
                match subject::admit(&mut after, record, *limit, all.now) {
                    Ok(drops) => {
                        changed.insert(record.id);
                        changed.extend(drops.iter().map(|one| one.id));
                        sign_in.drops = drops;
                    }
                    Err(error) => {
                        sign_in.tell(Err(error));
                        continue;
                    }
                }
            }
            admitted.push(sign_in);
        }
        if after.len() > PAGE {
            yield_now().await;
        }
        let written = if changed.is_empty() {
            Ok(true)
        } else {
            self.write_all(&all, &after, &changed, false).await
        };
        if let Ok(true) = written {
            let drops = admitted.iter().flat_map(|one| &one.drops);
            let ended = self.noted(drops.cloned().collect(), &after);
            self.confirm_all(&ended).await;
            admitted.drain(..).for_each(SignIn::admitted);
        }
        *waiting = admitted;
        waiting.extend(rest);
        written
    }

    /// Ends those of the subject's sessions that `rule` ends. Whether replicas have it is left to the caller.
    ///
    /// Up to [`PAGE`] sessions are revoked by one write. More are revoked in parts, and all are read again until none
    /// is left. Sessions that were there when the last read began are revoked by then. Sessions that came since may
    /// live.
    pub(super) async fn end(
        &self,
        subject: &SubjectTag,
        rule: impl Fn(&mut [SessionRecord], Timestamp) -> Vec<SessionRecord>,
    ) -> Result<Ended, StoreError> {
        let (mut planned, mut revoked) = (BTreeSet::new(), Vec::new());
        for attempt in 0..ATTEMPTS {
            between_attempts(attempt).await;
            let mut all = self.read_all(subject).await?;
            let mut after = std::mem::take(&mut all.sessions);
            // The work of an earlier try, though its reply was lost.
            let is_done = |one: &&SessionRecord| planned.contains(&one.id) && is_ended(one);
            revoked.extend(after.iter().filter(is_done).cloned());
            let ended = rule(&mut after, all.now);
            planned = ended.iter().map(|one| one.id).collect();
            let none_is_left = if all.stored.len() <= PAGE {
                let written = self.write_all(&all, &after, &planned, true).await?;
                if written {
                    revoked.extend(ended);
                    planned.clear();
                }
                written
            } else {
                self.end_in_parts(&all, &after, &mut planned, &mut revoked)
                    .await?
            };
            if none_is_left {
                return Ok(self.noted(revoked, &after));
            }
        }
        Err(contended())
    }

    /// Writes those of `after` that are `planned` to end, each if it is unchanged since the read. Moves them to
    /// `revoked`. True when there was none to write. One write of all would fail with every refresh of one of them.
    async fn end_in_parts(
        &self,
        all: &All,
        after: &[SessionRecord],
        planned: &mut BTreeSet<SessionId>,
        revoked: &mut Vec<SessionRecord>,
    ) -> Result<bool, StoreError> {
        let is_written =
            |one: &&SessionRecord| planned.contains(&one.id) || all.forgotten.contains(&one.id);
        let written: Vec<&SessionRecord> = after.iter().filter(is_written).collect();
        let expiry = Expiry::of_all(after, all.now);
        for part in written.chunks(PART) {
            let read = part
                .iter()
                .filter_map(|one| all.stored.get_key_value(&one.id));
            let read: Vec<Stored> = read.map(as_read).collect();
            let changes = part.iter().map(|one| (one.id.to_string(), one.encode()));
            let changes: Vec<Stored> = changes.collect();
            let request = Request::Replace {
                key: &self.key(&all.subject),
                count: None,
                read: &read,
                changes: &changes,
                expiry,
                revokes: true,
            };
            if !self.replace(&request).await? {
                continue;
            }
            for one in part {
                self.0.revocations.note(one);
                if planned.remove(&one.id) {
                    revoked.push((*one).clone());
                } else {
                    self.0
                        .events
                        .emit(&Event::RevocationRestored { session: one.id });
                }
            }
        }
        Ok(written.is_empty())
    }

    /// Writes the changes between `all` and `after`, where those are `changed` that are in both or new. False when the
    /// server holds something else than `all` by now.
    async fn write_all(
        &self,
        all: &All,
        after: &[SessionRecord],
        changed: &BTreeSet<SessionId>,
        revokes: bool,
    ) -> Result<bool, StoreError> {
        let kept: BTreeSet<_> = after.iter().map(|session| session.id).collect();
        let removed = all.stored.keys().filter(|id| !kept.contains(id));
        let removed: Vec<SessionId> = removed.take(REMOVED).copied().collect();
        let gone = removed.iter().map(|id| (id.to_string(), Vec::new()));
        let mut changes: Vec<Stored> = gone.collect();
        let is_changed = |session: &&SessionRecord| {
            changed.contains(&session.id) || all.forgotten.contains(&session.id)
        };
        let written = after.iter().filter(is_changed);
        changes.extend(written.map(|session| (session.id.to_string(), session.encode())));
        if changes.is_empty() {
            return Ok(true);
        }
        let read: Vec<Stored> = if revokes || all.stored.len() <= PAGE {
            all.stored.iter().map(as_read).collect()
        } else {
            // To compare ten thousand takes a server forty milliseconds. A sign-in rests on this. The sessions that go
            // are unchanged, and no call has revoked all. Such a call would have changed one of any two live ones.
            let live = after.iter().filter(|one| one.is_live() && !is_changed(one));
            let next = live.min_by_key(|one| one.last_rotated_at());
            let named = removed.iter().chain(changed).chain(&all.forgotten);
            let named: BTreeSet<_> = named.copied().chain(next.map(|one| one.id)).collect();
            let stored = named.iter().filter_map(|id| all.stored.get_key_value(id));
            stored.map(as_read).collect()
        };
        let request = Request::Replace {
            key: &self.key(&all.subject),
            count: Some(all.stored.len()),
            read: &read,
            changes: &changes,
            expiry: Expiry::of_all(after, all.now),
            revokes,
        };
        if !self.replace(&request).await? {
            return Ok(false);
        }
        for session in all.forgotten.iter().copied() {
            self.0.events.emit(&Event::RevocationRestored { session });
        }
        Ok(true)
    }

    /// Whether the changes were made.
    async fn replace(&self, request: &Request<'_>) -> Result<bool, StoreError> {
        let replies = self.0.client.ask(request).await?;
        match replies.first().and_then(reply::number) {
            Some(1) => Ok(true),
            Some(0) => Ok(false),
            _ => Err(unexpected()),
        }
    }

    /// Remembers that `sessions` were ended, where the server has `all` by now.
    fn noted(&self, sessions: Vec<SessionRecord>, all: &[SessionRecord]) -> Ended {
        for session in &sessions {
            self.0.revocations.note(session);
        }
        let named: BTreeSet<SessionId> = sessions.iter().map(|session| session.id).collect();
        let last = all.iter().rev().find(|session| named.contains(&session.id));
        let standing = last.cloned();
        Ended { sessions, standing }
    }

    /// Waits, where that was asked for, until replicas have the ended sessions.
    pub(super) async fn confirm_all(&self, ended: &Ended) {
        if let Some(standing) = &ended.standing {
            let ids: Vec<SessionId> = ended.sessions.iter().map(|session| session.id).collect();
            self.confirm(&ids, standing).await;
        }
    }
}

/// Lets others finish what they are at, for a time that differs from theirs. Two that take turns with equal steps would
/// meet for ever.
pub(super) async fn between_attempts(attempt: u32) {
    if attempt > 0 {
        let at_most = 4_000 << attempt.min(5);
        let chance = random().map_or(u64::from(attempt), u64::from_le_bytes);
        tokio::time::sleep(Duration::from_micros(chance % at_most)).await;
    }
}

fn as_read((id, bytes): (&SessionId, &Vec<u8>)) -> Stored {
    (id.to_string(), bytes.clone())
}

fn is_ended(session: &SessionRecord) -> bool {
    session.state == SessionState::Revoked(RevokeReason::RevokedAll)
}

pub(super) fn contended() -> StoreError {
    StoreError::unavailable("other requests kept changing the subject's sessions")
}
