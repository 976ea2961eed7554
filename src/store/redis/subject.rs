//! What is about all sessions of a subject: read, decided here, written back if nothing has changed.

use super::{
    RedisStore,
    error::unexpected,
    reply,
    request::{Request, Stored},
};
use crate::{
    clock::Timestamp,
    event::Event,
    keys::SubjectTag,
    session::{RevokeReason, SessionId, SessionKey, SessionRecord, SessionState},
    store::{StoreError, StoreErrorKind, subject},
};

/// How often what was read may have changed before it is written back. Each time somebody else has got
/// through, so this is more than sign-ins and refreshes of one person ever collide.
const ATTEMPTS: usize = 64;

/// All sessions of a subject, at one moment.
pub(super) struct All {
    subject: SubjectTag,
    /// As the server has them.
    stored: Vec<Stored>,
    /// As they are: a revocation that the server has forgotten holds here.
    pub(super) sessions: Vec<SessionRecord>,
    /// Those that the server has forgotten the revocation of.
    forgotten: Vec<SessionId>,
    pub(super) now: Timestamp,
}

impl RedisStore {
    pub(super) async fn read_all(&self, subject: &SubjectTag) -> Result<All, StoreError> {
        let key = self.key(subject);
        let request = Request::ReadAll { key: &key };
        let replies = self.0.client.ask(&request).await?;
        let (stored, now) = reply::with_time(replies, reply::pairs)?;
        let mut forgotten = Vec::new();
        let sessions = stored.iter().map(|(name, bytes)| {
            let name = std::str::from_utf8(name)
                .ok()
                .and_then(|name| name.parse().ok());
            let id = name.ok_or(StoreErrorKind::Corrupt)?;
            let subject = *subject;
            let record = self.decode(bytes, &SessionKey { subject, id })?;
            let Some(revoked) = self.0.revocations.correct(&record) else {
                return Ok(record);
            };
            forgotten.push(id);
            Ok(revoked)
        });
        let sessions = sessions.collect::<Result<_, StoreError>>()?;
        Ok(All {
            subject: *subject,
            stored,
            sessions,
            forgotten,
            now,
        })
    }

    pub(super) async fn admit(
        &self,
        record: &SessionRecord,
        limit: usize,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut planned = Vec::new();
        for _ in 0..ATTEMPTS {
            let all = self.read_all(&record.subject_tag).await?;
            let (mut after, dropped) = (all.sessions.clone(), planned);
            if all.sessions.contains(record) {
                // By a try before this one, whose reply was lost, or by an earlier call.
                self.ended(&dropped, &after).await;
                return Ok(dropped);
            }
            let dropped = subject::admit(&mut after, record, limit, all.now)?;
            if self.write_all(&all, &after, false).await? {
                self.ended(&dropped, &after).await;
                return Ok(dropped);
            }
            planned = dropped;
        }
        Err(contended())
    }

    pub(super) async fn end_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut planned: Vec<SessionId> = Vec::new();
        for _ in 0..ATTEMPTS {
            let all = self.read_all(subject).await?;
            let mut after = all.sessions.clone();
            let mut revoked = subject::revoke_all(&mut after, keep, all.now);
            // What a try before this one has done, though its reply was lost.
            planned.retain(|id| {
                let is = |session: &SessionRecord| session.id == *id && is_ended(session);
                all.sessions.iter().any(is)
            });
            revoked.extend(planned);
            if self.write_all(&all, &after, true).await? {
                self.ended(&revoked, &after).await;
                return Ok(revoked);
            }
            planned = revoked;
        }
        Err(contended())
    }

    /// Writes what has changed between `all` and `after`; false when the server holds something else
    /// than `all` by now.
    async fn write_all(
        &self,
        all: &All,
        after: &[SessionRecord],
        revokes: bool,
    ) -> Result<bool, StoreError> {
        let changes = changes(&all.stored, after);
        if changes.is_empty() {
            return Ok(true);
        }
        let lives_until = after.iter().map(SessionRecord::expires_at).max();
        let request = Request::Replace {
            key: &self.key(&all.subject),
            read: &all.stored,
            changes: &changes,
            lives_until: lives_until.unwrap_or_default(),
            revokes,
        };
        let replies = self.0.client.ask(&request).await?;
        match replies.first().and_then(reply::number) {
            Some(1) => {}
            Some(0) => return Ok(false),
            _ => return Err(unexpected()),
        }
        for session in all.forgotten.iter().copied() {
            self.0.events.emit(&Event::RevocationRestored { session });
        }
        Ok(true)
    }

    /// Remembers that `sessions` were ended, which stand among `all`, and has it confirmed.
    async fn ended(&self, sessions: &[SessionId], all: &[SessionRecord]) {
        let mut last = None;
        for session in all.iter().filter(|session| sessions.contains(&session.id)) {
            self.0.revocations.note(session);
            last = Some(session);
        }
        if let Some(last) = last {
            self.confirm(sessions, last).await;
        }
    }
}

/// What has to be written so that `after` is stored where `stored` was.
fn changes(stored: &[Stored], after: &[SessionRecord]) -> Vec<Stored> {
    let after: Vec<Stored> = after
        .iter()
        .map(|session| (session.id.to_string().into_bytes(), session.encode()))
        .collect();
    let is_gone = |name: &Vec<u8>| !after.iter().any(|(other, _)| other == name);
    let removed = stored
        .iter()
        .map(|(name, _)| name)
        .filter(|name| is_gone(name));
    let mut changes: Vec<Stored> = removed.map(|name| (name.clone(), Vec::new())).collect();
    changes.extend(
        after
            .into_iter()
            .filter(|session| !stored.contains(session)),
    );
    changes
}

fn is_ended(session: &SessionRecord) -> bool {
    session.state == SessionState::Revoked(RevokeReason::RevokedAll)
}

fn contended() -> StoreError {
    StoreError::unavailable("other requests kept changing the subject's sessions")
}
