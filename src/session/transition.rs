//! How a session begins, and how it changes hands at a change of privilege.
//!
//! Pure functions like the decision: time and random bytes are given.

use super::{
    id::{ClientFingerprint, SessionId},
    policy::SessionPolicy,
    record::{SessionRecord, SessionState},
    refresh_token::{RefreshToken, barrier_parent},
};
use crate::{
    clock::Timestamp,
    keys::{SessionKeyId, SessionKeySet, SubjectTag},
    random::{RandomError, random},
    secret::Secret,
};

/// The longest label a record keeps, in bytes.
pub(crate) const LABEL_LIMIT: usize = 200;

/// The random bytes that a session, or a new privilege level of one, starts from.
#[derive(Clone, Debug)]
pub(crate) struct NewSecrets {
    /// Names a new session; a change of privilege does not use it.
    pub(crate) id: SessionId,
    pub(crate) seed: Secret<[u8; 32]>,
    pub(crate) secret: Secret<[u8; 32]>,
}

/// What a session is opened with.
#[derive(Clone, Debug)]
pub(crate) struct SignIn<'a> {
    /// The subject as the application names it.
    pub(crate) subject: &'a str,
    pub(crate) client: ClientFingerprint,
    /// Cut to [`LABEL_LIMIT`] bytes at a character boundary.
    pub(crate) label: &'a str,
    /// The application's own bytes; the caller has checked their length.
    pub(crate) context: &'a [u8],
}

impl NewSecrets {
    /// New random bytes from the operating system.
    ///
    /// # Errors
    ///
    /// When it gives none.
    pub(crate) fn generate() -> Result<Self, RandomError> {
        Ok(Self {
            id: SessionId::from_bytes(random()?),
            seed: Secret::new(random()?),
            secret: Secret::new(random()?),
        })
    }
}

impl SessionRecord {
    /// A session that begins `now`, and its first token, not sealed yet. `keys` is the active
    /// key set: the whole session is derived with it.
    pub(crate) fn start(
        opening: &SignIn<'_>,
        fresh: &NewSecrets,
        now: Timestamp,
        policy: &SessionPolicy,
        keys: &SessionKeySet,
    ) -> (Self, RefreshToken) {
        Self::start_as(
            keys.id(),
            keys.subject_tag(opening.subject),
            opening,
            fresh,
            now,
            policy,
        )
    }

    /// [`start`](Self::start) with the subject's tag and the key's id already known.
    pub(super) fn start_as(
        key_id: SessionKeyId,
        subject_tag: SubjectTag,
        opening: &SignIn<'_>,
        fresh: &NewSecrets,
        now: Timestamp,
        policy: &SessionPolicy,
    ) -> (Self, RefreshToken) {
        let absolute_expires_at = now + policy.absolute;
        let token = RefreshToken::first(
            key_id,
            subject_tag,
            fresh.id,
            absolute_expires_at,
            fresh.secret.clone(),
        );
        let record = Self {
            id: fresh.id,
            subject_tag,
            subject: opening.subject.into(),
            generation: 0,
            recoveries: 0,
            current: token.hash(),
            previous: None,
            barrier: false,
            seed: *fresh.seed.expose(),
            handed_out_at: now,
            presented_at: None,
            rotated_at: now,
            created_at: now,
            absolute_expires_at,
            idle_expires_at: policy.idle_from(now, absolute_expires_at),
            client: opening.client,
            state: SessionState::Live,
            label: cut(opening.label).into(),
            context: opening.context.into(),
        };
        (record, token)
    }

    /// The same session after a change of privilege, and the token that replaces its current one.
    ///
    /// Secret and seed are drawn anew and a barrier stands before them: no earlier token leads to
    /// a later one, and none is answered any more. `client` is who asked for the change. The
    /// session keeps its end; `keys` is the active key set and derives it from here on.
    pub(crate) fn elevated(
        &self,
        fresh: &NewSecrets,
        client: ClientFingerprint,
        now: Timestamp,
        policy: &SessionPolicy,
        keys: &SessionKeySet,
    ) -> (Self, RefreshToken) {
        let token = RefreshToken {
            generation: self.generation.saturating_add(1),
            parent: barrier_parent(&self.current),
            ..RefreshToken::first(
                keys.id(),
                self.subject_tag,
                self.id,
                self.absolute_expires_at,
                fresh.secret.clone(),
            )
        };
        let record = Self {
            generation: token.generation,
            recoveries: 0,
            current: token.hash(),
            previous: Some(self.current),
            barrier: true,
            seed: *fresh.seed.expose(),
            handed_out_at: now,
            presented_at: None,
            rotated_at: now,
            idle_expires_at: policy.idle_from(now, self.absolute_expires_at),
            client,
            ..self.clone()
        };
        (record, token)
    }
}

impl SessionPolicy {
    /// When a session that was last rotated at `now` expires unused.
    pub(super) fn idle_from(&self, now: Timestamp, absolute: Timestamp) -> Timestamp {
        (now + self.idle).min(absolute)
    }
}

/// The longest prefix of `label` within the limit that ends at a character.
fn cut(label: &str) -> &str {
    label
        .get(..label.floor_char_boundary(LABEL_LIMIT))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
