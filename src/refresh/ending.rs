//! What is to be ended: one session, all of a subject, or what a sign-in leaves no room for.

use super::{config::Config, revoke::Revocation, store_time::StoreTime};
use crate::{
    keys::SubjectTag,
    session::{RevokeReason, SessionId, SessionRecord},
    store::{RefreshStore, StoreError},
};

/// Something to end. A try that failed is made again, and then ends what is left.
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
    /// What the sign-in of `new` ends: the session that it replaces, and then those that it pushes out.
    SignIn {
        new: SessionRecord,
        time: StoreTime,
        replaced: Option<Revocation>,
        /// The store has left room for that one.
        spare: bool,
        /// Several keys are in use. The store counts the sessions under one.
        several_keys: bool,
    },
}

impl Ending {
    /// Returns the sessions that it ended.
    pub(crate) async fn attempt(&mut self, config: &Config) -> Result<Vec<SessionId>, StoreError> {
        match self {
            Self::Session(revocation) => {
                let ended = revocation.attempt(config).await?;
                Ok(Vec::from_iter(ended.then_some(revocation.session())))
            }
            Self::Subject { subject, keep, own } => {
                let mut ended = all(config, subject, *keep).await?;
                if let Some(own) = own
                    && own.attempt(config).await?
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
                    if old.attempt(config).await? {
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

/// Revokes every session of the subject but `keep`, under the tag of every accepted key. One tag that fails leaves
/// none of the others out.
pub(crate) async fn all(
    config: &Config,
    subject: &str,
    keep: Option<SessionId>,
) -> Result<Vec<SessionId>, StoreError> {
    let mut revoked = Vec::new();
    let mut outcome = Ok(());
    for tag in tags(config, subject) {
        match config.store.revoke_all(&tag, keep.as_ref()).await {
            Ok(ended) => {
                for session in &ended {
                    config.revoked(*session, RevokeReason::RevokedAll, None);
                }
                revoked.extend(ended);
            }
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    outcome.map(|()| revoked)
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
        live.extend(listed.filter(|record| record.is_live() && now < record.expires_at()));
    }
    let too_many = live.len().saturating_sub(config.policy.limit);
    live.sort_by_key(|record| {
        let is_newer = record.created_at() >= new.created_at();
        (is_newer, record.last_rotated_at(), *record.id().as_bytes())
    });
    let mut ended = Vec::new();
    for record in live.into_iter().take(too_many) {
        let mut revocation = Revocation::of(record, now, RevokeReason::Limit);
        if revocation.attempt(config).await? {
            ended.push(revocation.session());
        }
    }
    Ok(ended)
}

/// The names a subject's sessions may lie under: one for each refresh secret in use.
pub(crate) fn tags(config: &Config, subject: &str) -> Vec<SubjectTag> {
    let keys = config.cookies.keys.load();
    let sets = keys.sessions.iter().flat_map(|sessions| sessions.iter());
    sets.map(|set| set.subject_tag(subject)).collect()
}
