//! Endings: of one session, of all of a subject, or of those that a sign-in leaves no room for.

use super::{
    config::Config,
    revoke::{Aim, Mark, Revocation},
    store_time::StoreTime,
};
use crate::{
    clock::{RuntimeClock, Timestamp},
    keys::SubjectTag,
    session::{RevokeReason, SessionId, SessionKey, SessionRecord},
    store::{RefreshStore, StoreError, StoreErrorKind},
};

/// Something to end. A try that failed is made again, and then ends the rest.
#[allow(
    clippy::large_enum_variant,
    reason = "one is made for each ending, and kept where it is"
)]
pub(crate) enum Ending {
    /// One session, and what follows from it.
    Session(Revocation),
    /// Every session of `subject` but `keep`, and `own` at last: while anything is left undone its client can ask
    /// again.
    Subject {
        subject: String,
        keep: Option<SessionId>,
        own: Option<Revocation>,
    },
    /// The sessions that the sign-in of `new` ends: the one that it replaces, and then those that it pushes out.
    SignIn {
        new: Box<SessionRecord>,
        time: StoreTime,
        replaced: Option<Revocation>,
        /// The store has left room for that one.
        spare: bool,
        /// Several keys are in use. The store counts the sessions under one.
        several_keys: bool,
    },
}

/// Says which endings have the same to do: while one of them waits, another adds nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Session(Aim),
    Subject {
        subject: String,
        keep: Option<SessionId>,
        own: Option<Aim>,
    },
    SignIn(SessionId),
}

impl Ending {
    /// Returns the sessions that it ended. A further try knows when the ending was requested. No session of the subject
    /// that began later is meant.
    pub(crate) async fn attempt(
        &mut self,
        config: &Config,
        asked: Option<RuntimeClock>,
    ) -> Result<Vec<SessionId>, StoreError> {
        match self {
            Self::Session(revocation) => {
                let ended = revocation.attempt(config, asked).await?;
                Ok(Vec::from_iter(ended.then_some(revocation.session())))
            }
            Self::Subject { subject, keep, own } => {
                let mut ended = all(config, subject, *keep, asked).await?;
                if let Some(own) = own
                    && own.attempt(config, asked).await?
                {
                    ended.push(own.session());
                }
                Ok(ended)
            }
            Self::SignIn {
                new,
                time,
                replaced,
                spare,
                several_keys,
            } => {
                let mut ended = Vec::new();
                if let Some(old) = replaced {
                    if old.attempt(config, asked).await? {
                        ended.push(old.session());
                        *spare = false;
                    }
                    *replaced = None;
                }
                // Where another request has ended the old one first, there was room for one too many.
                if *spare || *several_keys {
                    ended.extend(surplus(config, new, *time).await?);
                }
                Ok(ended)
            }
        }
    }

    pub(crate) fn target(&self) -> Target {
        match self {
            Self::Session(revocation) => Target::Session(revocation.aim()),
            Self::Subject { subject, keep, own } => Target::Subject {
                subject: subject.clone(),
                keep: *keep,
                own: own.as_ref().map(Revocation::aim),
            },
            Self::SignIn { new, .. } => Target::SignIn(new.id()),
        }
    }

    /// The mark of its alarm, where it is one.
    pub(crate) fn mark(&self) -> Option<Mark> {
        self.alarm().and_then(Revocation::mark)
    }

    /// Takes over what alarms with these marks may have written.
    pub(crate) fn cover(&mut self, marks: Vec<Mark>) {
        if let Self::Session(alarm)
        | Self::Subject {
            own: Some(alarm), ..
        } = self
        {
            alarm.cover(marks);
        }
    }

    fn alarm(&self) -> Option<&Revocation> {
        match self {
            Self::Session(alarm) => Some(alarm),
            Self::Subject { own, .. } => own.as_ref(),
            Self::SignIn { .. } => None,
        }
    }

    /// The session, where it is about one.
    pub(crate) fn session(&self) -> Option<SessionId> {
        match self {
            Self::Session(revocation) => Some(revocation.session()),
            Self::Subject { own, .. } => own.as_ref().map(Revocation::session),
            Self::SignIn { replaced, .. } => replaced.as_ref().map(Revocation::session),
        }
    }

    /// The subject, where it is about several of its sessions.
    pub(crate) fn subject(&self, config: &Config) -> Option<&str> {
        match self {
            Self::Session(revocation) => revocation.follow_up(config),
            Self::Subject { subject, .. } => Some(subject),
            Self::SignIn {
                new,
                replaced,
                several_keys,
                ..
            } => (*several_keys || replaced.is_none()).then(|| new.subject()),
        }
    }
}

/// Revokes every session of the subject but `keep`, under the tag of every accepted key. A further try revokes those
/// that began before it was `asked` for. One tag that fails leaves none of the others out.
pub(crate) async fn all(
    config: &Config,
    subject: &str,
    keep: Option<SessionId>,
    asked: Option<RuntimeClock>,
) -> Result<Vec<SessionId>, StoreError> {
    let mut revoked = Vec::new();
    let mut outcome = Ok(());
    for tag in tags(config, subject) {
        let done = match asked {
            None => at_once(config, &tag, keep).await,
            Some(asked) => older(config, tag, keep, asked).await,
        };
        match done {
            Ok(ended) => revoked.extend(ended),
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    outcome.map(|()| revoked)
}

async fn at_once(
    config: &Config,
    tag: &SubjectTag,
    keep: Option<SessionId>,
) -> Result<Vec<SessionId>, StoreError> {
    let ended = config.store.revoke_all(tag, keep.as_ref()).await?;
    Ok(told(config, &ended))
}

fn told(config: &Config, ended: &[SessionRecord]) -> Vec<SessionId> {
    for record in ended {
        config.revoked(record, RevokeReason::RevokedAll, None);
    }
    ended.iter().map(SessionRecord::id).collect()
}

/// Revokes sessions that began before it was `asked` for, since the user may have signed in again meanwhile.
async fn older(
    config: &Config,
    tag: SubjectTag,
    keep: Option<SessionId>,
    asked: RuntimeClock,
) -> Result<Vec<SessionId>, StoreError> {
    // Read first: a slow answer then moves the bound to a later time. So no session that is meant is left out.
    let elapsed = asked.elapsed();
    let now = store_time(config, tag).await?;
    let before = now - elapsed;
    match config.store.revoke_older(&tag, keep.as_ref(), before).await {
        Err(error) if error.kind() == StoreErrorKind::Unsupported => {
            one_by_one(config, tag, keep, before, now).await
        }
        ended => Ok(told(config, &ended?)),
    }
}

/// Revokes what the store lists, where it offers no more: what was idle for too long is left out. One that fails leaves
/// none of the others out.
async fn one_by_one(
    config: &Config,
    tag: SubjectTag,
    keep: Option<SessionId>,
    before: Timestamp,
    now: Timestamp,
) -> Result<Vec<SessionId>, StoreError> {
    let mut ended = Vec::new();
    let mut outcome = Ok(());
    for record in config.store.list(&tag).await? {
        let is_kept = Some(record.id()) == keep || record.created_at() > before;
        if is_kept || !record.is_live() {
            continue;
        }
        let mut revocation = Revocation::of(record, now, RevokeReason::RevokedAll);
        match revocation.write(config).await {
            Ok(true) => ended.push(revocation.session()),
            Ok(false) => {}
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    outcome.map(|()| ended)
}

/// The store's time, asked for where it keeps the sessions of a subject.
pub(crate) async fn store_time(config: &Config, tag: SubjectTag) -> Result<Timestamp, StoreError> {
    let any = SessionKey {
        subject: tag,
        id: SessionId::from_bytes([0; 16]),
    };
    Ok(config.store.load(&any).await?.now())
}

/// Ends the least recently rotated sessions of the subject of `new` that are too many. Of sessions that began at the
/// same time as `new`, or later, each sign-in ends the same ones.
async fn surplus(
    config: &Config,
    new: &SessionRecord,
    time: StoreTime,
) -> Result<Vec<SessionId>, StoreError> {
    let now = time.later();
    let mut live = Vec::new();
    for tag in tags(config, new.subject()) {
        let listed = config.store.list(&tag).await?.into_iter();
        live.extend(listed.filter(|record| record.lives_at(now)));
    }
    let too_many = live.len().saturating_sub(config.policy.limit);
    live.sort_by_key(|record| {
        let is_newer = record.created_at() >= new.created_at();
        (is_newer, record.last_rotated_at(), *record.id().as_bytes())
    });
    let mut ended = Vec::new();
    for record in live.into_iter().take(too_many) {
        let mut revocation = Revocation::of(record, now, RevokeReason::Limit);
        if revocation.attempt(config, None).await? {
            ended.push(revocation.session());
        }
    }
    Ok(ended)
}

/// Finds the session `id` of the subject, where it may live on, and returns it with the store's time.
pub(crate) async fn find(
    config: &Config,
    subject: &str,
    id: &SessionId,
) -> Result<Option<(SessionRecord, Timestamp)>, StoreError> {
    for tag in tags(config, subject) {
        let loaded = config.store.load(&SessionKey::new(tag, *id)).await?;
        let now = loaded.now();
        let found = loaded.into_record();
        if let Some(record) = found.filter(|record| record.may_live_on(now)) {
            return Ok(Some((record, now)));
        }
    }
    Ok(None)
}

/// The names a subject's sessions may lie under: one for each refresh secret in use.
pub(crate) fn tags(config: &Config, subject: &str) -> Vec<SubjectTag> {
    let keys = config.cookies.keys.load();
    let sets = keys.sessions.iter().flat_map(|sessions| sessions.iter());
    sets.map(|set| set.subject_tag(subject)).collect()
}
