//! Ending sessions: at once where the store answers, later where it does not.

use std::{future::Future, sync::Arc};

use super::{
    config::Config,
    ending::{self, Ending},
    pending::Pending,
    spawn,
};
use crate::{
    clock::{RuntimeClock, Timestamp},
    event::Event,
    keys::SubjectTag,
    random::random,
    session::{
        ClientFingerprint, JarProof, Presenter, ReusePolicy, RevokeReason, SessionId, SessionKey,
        SessionRecord, SessionState,
    },
    store::{Loaded, RefreshStore, StoreError, Swap},
    telemetry::in_current_span,
};

/// Revocation always wins in the end. A refresh rotates at most once an interval, so a handful of lost races is already
/// unusual.
const ATTEMPTS: usize = 16;

/// One session to end, and what else is to be done about it.
pub(crate) struct Revocation {
    key: SessionKey,
    /// The record and the store's time, where they are known already.
    found: Option<(SessionRecord, Timestamp)>,
    reason: RevokeReason,
    /// The client of the session that ends it. One that comes without the session's jar ends nothing.
    by: Option<Presenter>,
    theft: Option<ReuseReport>,
    /// Marks what an alarm writes as its own. Two requests that meet one theft would write the same. The store would
    /// take the second for its own work, and the theft would be reported twice. Nothing where the system gives no
    /// random bytes.
    mark: Option<Mark>,
    /// The marks of alarms that failed and left their work to this one. Where the store has one of them, or this one's
    /// own behind a conflict, the alarm was written. This one then reports the theft.
    covers: Vec<Mark>,
    /// An earlier try has revoked the session: at most the subject's other sessions are left to end.
    done: bool,
}

/// Distinguishes the writes of one alarm from those of another.
pub(crate) type Mark = [u8; 32];

/// Says which revocations of a session do the same. One by a client without the jar ends less, an alarm does more.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Aim {
    session: SessionId,
    jar: Option<JarProof>,
    is_alarm: bool,
}

/// The evidence of a theft. Reported once, where the session is revoked.
pub(crate) struct ReuseReport {
    pub(crate) presented_by: ClientFingerprint,
    pub(crate) presented_generation: u64,
    /// The right jar came along.
    pub(crate) jar: bool,
    /// The session had been ended before, for this reason.
    pub(crate) ended: Option<RevokeReason>,
}

/// Ends these sessions in a task of its own, which runs to completion even if the client disconnects. A try that fails
/// is made again in the background.
pub(crate) async fn run(
    config: &Arc<Config>,
    ending: Ending,
) -> Result<Vec<SessionId>, StoreError> {
    // Before the task is begun: a runtime that ends may drop it unbegun.
    complete(Pending::new(config, ending).at_once()).await
}

/// Revokes every session of the subject of `own`, and `own` at last.
pub(crate) async fn all_of(config: &Arc<Config>, own: Revocation) -> Result<(), StoreError> {
    let ending = match &own.found {
        Some((record, _)) => Ending::Subject {
            subject: record.subject().to_owned(),
            keep: Some(own.key.id),
            own: Some(own),
        },
        None => Ending::Session(own),
    };
    run(config, ending).await.map(drop)
}

/// Revokes every session of the subject but `keep`, under the tag of every accepted key.
pub(crate) async fn all(
    config: &Arc<Config>,
    subject: String,
    keep: Option<SessionId>,
) -> Result<Vec<SessionId>, StoreError> {
    let ending = Ending::Subject {
        subject,
        keep,
        own: None,
    };
    run(config, ending).await
}

/// Revokes every session that has begun by now, of every subject, and tells how many. It goes on, and reports, though
/// its caller goes away; one that fails is not tried again.
pub(crate) async fn everything(config: &Arc<Config>) -> Result<u64, StoreError> {
    let config = config.clone();
    complete(async move {
        let before = ending::store_time(&config, SubjectTag::from_bytes([0; 16])).await?;
        let sessions = config.store.revoke_everything(before).await?;
        let ended = Event::EverythingRevoked { sessions, before };
        config.events.emit(&ended);
        Ok(sessions)
    })
    .await
}

fn complete<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> impl Future<Output = Result<T, StoreError>> + Send {
    let done = spawn::complete(in_current_span(work));
    async move {
        let cut_off = || Err(StoreError::unavailable("revocation was cut off"));
        done.await.unwrap_or_else(cut_off)
    }
}

impl Revocation {
    /// To end the session at `key`, whatever the store holds there.
    pub(crate) fn at(key: SessionKey, reason: RevokeReason) -> Self {
        Self {
            key,
            found: None,
            reason,
            by: None,
            theft: None,
            mark: None,
            covers: Vec::new(),
            done: false,
        }
    }

    /// To end the session of `record`, which the store held at `now`.
    pub(crate) fn of(record: SessionRecord, now: Timestamp, reason: RevokeReason) -> Self {
        Self {
            found: Some((record.clone(), now)),
            ..Self::at(record.key(), reason)
        }
    }

    /// The same, by a client of the session.
    pub(crate) fn by(self, by: Presenter) -> Self {
        Self {
            by: Some(by),
            ..self
        }
    }

    /// The same, because of a theft. It is reported and followed up with the revocation.
    pub(crate) fn because_of(self, theft: ReuseReport) -> Self {
        Self {
            theft: Some(theft),
            mark: random().ok(),
            ..self
        }
    }

    /// Revokes as [`run`] does: the theft of a client that disconnects is noticed too. True when this call revoked the
    /// session, false when it was over already.
    pub(crate) async fn run(self, config: &Arc<Config>) -> Result<bool, StoreError> {
        let ended = run(config, Ending::Session(self)).await?;
        Ok(!ended.is_empty())
    }

    /// Whether its end makes room for another session under the tag `subject`. A client without the jar ends none. A
    /// session that was idle for too long counts in no store any more.
    pub(crate) fn makes_room(&self, subject: &SubjectTag) -> bool {
        let found = self.found.as_ref().zip(self.by.as_ref());
        let is_own = found
            .is_some_and(|((record, now), by)| record.lives_at(*now) && !record.is_foreign_to(by));
        is_own && self.key.subject == *subject
    }

    pub(crate) fn session(&self) -> SessionId {
        self.key.id
    }

    pub(crate) fn mark(&self) -> Option<Mark> {
        self.mark
    }

    pub(crate) fn cover(&mut self, marks: Vec<Mark>) {
        self.covers = marks;
    }

    pub(crate) fn aim(&self) -> Aim {
        Aim {
            session: self.key.id,
            jar: self.by.as_ref().map(|by| by.jar),
            is_alarm: self.theft.is_some(),
        }
    }

    /// The subject whose other sessions are to be ended after this one, where that is all that is left.
    pub(crate) fn follow_up(&self, config: &Config) -> Option<&str> {
        let follows = self.theft.is_some() && self.done;
        let record = self.found.as_ref().map(|(record, _)| record);
        let subject = record.map(SessionRecord::subject);
        subject.filter(|_| follows && config.policy.reuse == ReusePolicy::Subject)
    }

    /// Tries once. True when the session is revoked by it, or was by an earlier try. A further one knows since when it
    /// is `asked` for.
    pub(crate) async fn attempt(
        &mut self,
        config: &Config,
        asked: Option<RuntimeClock>,
    ) -> Result<bool, StoreError> {
        let was_done = self.done;
        self.done = was_done || self.write(config).await?;
        if self.done
            && let (Some(theft), Some((record, now))) = (&self.theft, &self.found)
        {
            if !was_done {
                config.events.emit(&Event::ReuseDetected {
                    session: record.id(),
                    subject: record.subject(),
                    label: record.label(),
                    note: record.note(),
                    held_by: record.client(),
                    presented_by: theft.presented_by,
                    expected_generation: record.generation(),
                    presented_generation: theft.presented_generation,
                    jar: theft.jar,
                    ended: theft.ended,
                    at: *now,
                });
            }
            if config.policy.reuse == ReusePolicy::Subject {
                ending::all(config, record.subject(), None, asked).await?;
            }
        }
        Ok(self.done)
    }

    /// Revokes the session and does nothing about a theft.
    pub(super) async fn write(&mut self, config: &Config) -> Result<bool, StoreError> {
        // A known record is tried first even when an attempt has failed. That attempt may have been applied all the
        // same, and the store then recognises it.
        let (mut record, mut now) = match &self.found {
            Some(found) => found.clone(),
            None => {
                let loaded = config.store.load(&self.key).await?;
                match loaded.record {
                    // Kept for the next attempt. If this one is applied and its answer is lost, the store recognises
                    // the same swap.
                    Some(record) => self.found.insert((record, loaded.now)).clone(),
                    None => return Ok(false),
                }
            }
        };
        // Whether its end is still to be reported.
        let was_live = record.is_live();
        for _ in 0..ATTEMPTS {
            // It is over by itself. An idle one is not: a refresh that is under way may set a new idle end. An alarm is
            // reported all the same.
            if self.theft.is_none() && now >= record.absolute_expires_at {
                return Ok(false);
            }
            let foreign = |by: &Presenter| record.is_foreign_to(by);
            if record.is_live() && self.by.as_ref().is_some_and(foreign) {
                config.foreign_jar(self.key.id, now);
                return Ok(false);
            }
            let mut next = match (record.state(), &mut self.theft) {
                (SessionState::Live, _) => record.ended(self.reason, self.by.as_ref(), now),
                // Reported once, and also where the thief's own sign-out was quicker.
                (SessionState::Revoked(reason), Some(theft)) if reason != RevokeReason::Reuse => {
                    theft.ended = Some(reason);
                    record.alarmed()
                }
                (SessionState::Revoked(RevokeReason::Reuse), Some(_))
                    if self.mark == Some(record.seed) || self.covers.contains(&record.seed) =>
                {
                    if was_live {
                        config.revoked(&record, self.reason, None);
                    }
                    return Ok(true);
                }
                _ => return Ok(false),
            };
            // An ended session derives no token any more.
            next.seed = self.mark.unwrap_or(next.seed);
            match config.store.swap(&record, &next).await? {
                Swap::Applied => {
                    // One that had ended before was reported then.
                    if record.is_live() {
                        config.revoked(&record, self.reason, self.is_known(config, &record));
                    }
                    return Ok(true);
                }
                Swap::Conflict(Loaded {
                    record: Some(newer),
                    now: later,
                }) => {
                    // The next attempt goes on from here, or it would not recognise this one's work.
                    self.found = Some((newer.clone(), later));
                    (record, now) = (newer, later);
                }
                Swap::Conflict(_) => return Ok(false),
            }
        }
        Err(StoreError::unavailable(
            "other requests kept changing the session",
        ))
    }
}

impl Revocation {
    /// Whether the client that ends the session is known to be its own; nothing where no client does.
    fn is_known(&self, config: &Config, record: &SessionRecord) -> Option<bool> {
        let by = self.by.as_ref()?;
        let met = record.fingerprints_for(by);
        Some(config.policy.knows(&met, by.fingerprint))
    }
}
