//! How a session begins, and how it changes hands at a change of privilege.
//!
//! Pure functions like the decision: time and random bytes are given.

use std::time::Duration;

use super::{
    authentication::{Authentication, Methods},
    fields::Fields,
    fingerprints::Fingerprints,
    id::SessionId,
    jar::CookieKind,
    policy::SessionPolicy,
    presenter::{JarProof, Presenter},
    record::{LABEL_LIMIT, SessionRecord, SessionState},
    refresh_token::RefreshToken,
};
use crate::{
    clock::Timestamp,
    keys::{SessionKeyId, SessionKeySet, SessionKeys, SubjectTag},
    random::{RandomError, random},
    secret::Secret,
};

/// The random bytes that a session starts from.
#[derive(Clone, Debug)]
pub(crate) struct NewSecrets {
    pub(crate) id: SessionId,
    pub(crate) seed: Secret<[u8; 32]>,
    pub(crate) secret: Secret<[u8; 32]>,
}

/// The values that a session is opened with.
#[derive(Clone, Debug)]
pub(crate) struct SignIn<'a> {
    /// The subject as the application names it.
    pub(crate) subject: &'a str,
    pub(crate) presenter: Presenter,
    /// How long this session lasts, where it is not the policy that says so.
    pub(crate) lasts: Lasts,
    /// Cut to [`LABEL_LIMIT`] bytes at a character boundary.
    pub(crate) label: &'a str,
    /// The application's own bytes; the caller has checked their length.
    pub(crate) context: &'a [u8],
    /// When the user authenticated, where that is not now.
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) methods: Methods,
    /// The caller has checked its length.
    pub(crate) note: &'a str,
}

/// How long a session lasts, as its sign-in says it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lasts {
    /// From the sign-in to its end.
    pub(crate) absolute: Option<Duration>,
    /// From its last use to its end.
    pub(crate) idle: Option<Duration>,
    pub(crate) until_closed: bool,
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
        let absolute_expires_at = now + opening.lasts.absolute.unwrap_or(policy.absolute);
        let authentication = Authentication {
            at: opening.auth_time.unwrap_or(now),
            methods: opening.methods.clone(),
        };
        let fields = Fields::of(opening.lasts.until_closed, opening.lasts.idle)
            .with_version(opening.presenter.version)
            .with_authentication(authentication, now)
            .with_note(opening.note);
        let token = RefreshToken::first(
            key_id,
            subject_tag,
            fresh.id,
            absolute_expires_at,
            fresh.secret.clone(),
        );
        let mut record = Self {
            id: fresh.id,
            subject_tag,
            subject: opening.subject.into(),
            generation: 0,
            recoveries: 0,
            current: token.hash(),
            previous: None,
            barrier: false,
            bound: false,
            seed: *fresh.seed.expose(),
            handed_out_at: now,
            presented_at: None,
            rotated_at: now,
            created_at: now,
            absolute_expires_at,
            idle_expires_at: absolute_expires_at,
            fingerprints: Fingerprints::one(opening.presenter.fingerprint),
            state: SessionState::Live,
            ended_at: None,
            fields,
            label: cut(opening.label).into(),
            context: opening.context.into(),
        };
        record.idle_expires_at = record.idle_from(now, policy);
        (record, token)
    }

    /// The same session after a change of privilege, and the token that replaces its current one.
    ///
    /// A barrier stands before that token: tokens from before it are not refreshed any more. It is derived from the
    /// `presented` one. So a change whose answer was lost leads to the same token when a client asks again. `presenter`
    /// asks for the change. The session keeps its end. `None` when the derivation key has left the ring or the
    /// generations are used up.
    pub(crate) fn elevated(
        &self,
        presented: &RefreshToken,
        presenter: &Presenter,
        now: Timestamp,
        policy: &SessionPolicy,
        keys: &SessionKeys,
    ) -> Option<(Self, RefreshToken)> {
        let token = presented.elevated(self, keys)?;
        let record = Self {
            generation: token.generation,
            recoveries: 0,
            current: token.hash(),
            previous: Some(self.current),
            barrier: true,
            bound: self.is_bound_by(presenter, policy),
            handed_out_at: now,
            presented_at: None,
            rotated_at: now,
            idle_expires_at: self.idle_from(now, policy),
            fingerprints: self
                .fingerprints_for(presenter)
                .held_by(presenter.fingerprint),
            fields: self.fields.clone().with_version(presenter.version),
            ..self.clone()
        };
        Some((record, token))
    }

    /// Returns the current token again. It replaced the `presented` one at a change of privilege, and has not come
    /// back. Its answer may have been lost.
    pub(crate) fn elevated_again(
        &self,
        presented: &RefreshToken,
        keys: &SessionKeys,
    ) -> Option<RefreshToken> {
        let token = presented.elevated(self, keys)?;
        let again = self.barrier && self.presented_at.is_none() && self.is_current(&token);
        again.then_some(token)
    }

    /// The record, whose current token goes out once more at `now`, by a change of privilege.
    pub(crate) fn handed_out_again(&self, now: Timestamp, policy: &SessionPolicy) -> Self {
        Self {
            handed_out_at: now,
            idle_expires_at: self.idle_from(now, policy),
            ..self.clone()
        }
    }

    /// The record after an `authentication` of its user.
    pub(crate) fn authenticated(self, authentication: Authentication) -> Self {
        let fields = self
            .fields
            .with_authentication(authentication, self.created_at);
        Self { fields, ..self }
    }

    /// Whether the session is bound to its jar once `presenter` has come. A newcomer binds nothing: it may have
    /// been handed the jar cookie before the session's own browser was.
    pub(crate) fn is_bound_by(&self, presenter: &Presenter, policy: &SessionPolicy) -> bool {
        let met = self.fingerprints_for(presenter);
        let known = || policy.knows(&met, presenter.fingerprint);
        self.bound || (presenter.jar == JarProof::Shown && known())
    }

    /// Whether the session is bound to a jar that `presenter` does not show.
    pub(crate) fn is_foreign_to(&self, presenter: &Presenter) -> bool {
        self.bound && presenter.jar == JarProof::Missing
    }

    /// How long the session lasts unused.
    pub(crate) fn idle(&self, policy: &SessionPolicy) -> Duration {
        self.fields.idle.unwrap_or(policy.idle)
    }

    /// When the session, last used at `now`, expires.
    pub(crate) fn idle_from(&self, now: Timestamp, policy: &SessionPolicy) -> Timestamp {
        (now + self.idle(policy)).min(self.absolute_expires_at)
    }

    /// Whether its cookies outlive the browser.
    pub(crate) fn cookie_kind(&self) -> CookieKind {
        match self.fields.until_closed {
            true => CookieKind::UntilClosed,
            false => CookieKind::Lasting,
        }
    }
}

/// The longest prefix of `label` within the limit that ends at a character.
pub(crate) fn cut(label: &str) -> &str {
    label
        .get(..label.floor_char_boundary(LABEL_LIMIT))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
