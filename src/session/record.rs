//! The record of a session, as a store keeps it.

use std::{fmt, time::Duration};

use super::{
    authentication::{Authentication, Methods},
    fields::Fields,
    fingerprints::Fingerprints,
    id::{ClientFingerprint, SessionId, SessionKey},
    presenter::Presenter,
    refresh_token::RefreshToken,
};
use crate::{clock::Timestamp, keys::SubjectTag};

/// The longest subject, in bytes: it travels in every access token.
pub(crate) const LONGEST_SUBJECT: usize = 256;
/// The longest label a record keeps, in bytes.
pub(crate) const LABEL_LIMIT: usize = 200;
/// The most an application may attach to a session, in bytes.
pub(crate) const LONGEST_CONTEXT: usize = 1024;

/// Everything a store keeps of one session. Bounded: the same size after 10 000 rotations.
///
/// A store treats it as one value, and compares and replaces it whole. It reads only [`key`](Self::key),
/// [`is_live`](Self::is_live), [`expires_at`](Self::expires_at) and [`last_rotated_at`](Self::last_rotated_at). No
/// field opens a session. Refresh tokens are kept as hashes, and the seed is useless without the server's key.
///
/// ```
/// use tower_bearer::store::{SessionRecord, StoreError};
///
/// /// To a column of bytes and back.
/// fn round_trip(record: &SessionRecord) -> Result<bool, StoreError> {
///     let bytes = record.encode();
///     Ok(SessionRecord::decode(&bytes)? == *record)
/// }
/// # assert!(SessionRecord::decode(b"something else").is_err());
/// # let _ = round_trip;
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SessionRecord {
    pub(crate) id: SessionId,
    pub(crate) subject_tag: SubjectTag,
    /// The subject as the application names it: the `sub` of every access token.
    pub(crate) subject: Box<str>,
    /// Number of rotations, 0 at sign-in.
    pub(crate) generation: u64,
    /// How often the current token was derived anew after a lost response.
    pub(crate) recoveries: u8,
    pub(crate) current: [u8; 32],
    /// Hash of the token that `current` replaced; none at generation 0.
    pub(crate) previous: Option<[u8; 32]>,
    /// The previous token stands on the other side of a privilege change: it is never replayed.
    pub(crate) barrier: bool,
    /// A request has shown the session's jar cookie: from then on every one has to.
    pub(crate) bound: bool,
    pub(crate) seed: [u8; 32],
    /// When the current token was last given to the browser.
    pub(crate) handed_out_at: Timestamp,
    /// When the current token was first seen back.
    pub(crate) presented_at: Option<Timestamp>,
    /// When `current` became current: orders sessions for the cap on their number.
    pub(crate) rotated_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) absolute_expires_at: Timestamp,
    pub(crate) idle_expires_at: Timestamp,
    pub(crate) fingerprints: Fingerprints,
    pub(crate) state: SessionState,
    /// When a client of the session ended it.
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) fields: Fields,
    /// `User-Agent` or another name of the client for its owner, at most 200 bytes.
    pub(crate) label: Box<str>,
    /// The application's own bytes, bounded by the session policy.
    pub(crate) context: Box<[u8]>,
}

/// Whether a session may still be refreshed.
///
/// ```
/// use tower_bearer::{
///     RevokeReason,
///     store::{SessionRecord, SessionState},
/// };
///
/// fn was_stolen(record: &SessionRecord) -> bool {
///     record.state() == SessionState::Revoked(RevokeReason::Reuse)
/// }
/// # let _ = was_stolen;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// It may.
    Live,
    /// It may not. The record stays until it expires, so that a later use is recognised.
    Revoked(RevokeReason),
}

/// Why a session was ended before its time.
///
/// ```
/// use tower_bearer::{Event, RevokeReason};
///
/// fn ended_by_the_user(event: &Event<'_>) -> bool {
///     use RevokeReason::{RevokedAll, RevokedByOwner, SignedOut};
///     matches!(event, Event::Revoked { reason: RevokedAll | RevokedByOwner | SignedOut, .. })
/// }
/// # let _ = ended_by_the_user;
/// ```
///
/// An event tells the reason of the call. A record keeps it too, but for
/// [`RevokedByOperator`](Self::RevokedByOperator).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokeReason {
    /// The application refused the subject: disabled, password changed.
    Denied,
    /// More sessions than the policy allows; this one was the least recently rotated.
    Limit,
    /// Every session of the subject was ended.
    RevokedAll,
    /// An operator ended it, by [`SessionAdmin::end`](crate::SessionAdmin::end). The record keeps
    /// [`RevokedByOwner`](Self::RevokedByOwner) for it, since instances of an earlier release could not read another
    /// reason. The user could not sign in there while they run beside newer ones, or again after a rollback.
    RevokedByOperator,
    /// Its owner ended it from the list of sessions. Of a record: its owner or an operator did.
    RevokedByOwner,
    /// A replaced token came back: theft, as far as the server can tell.
    Reuse,
    /// A new sign-in in the same browser took its place.
    Replaced,
    /// Its owner signed out.
    SignedOut,
}

impl RevokeReason {
    /// Returns the name in `snake_case`, for logs and labels of metrics. It does not change.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Limit => "limit",
            Self::RevokedAll => "revoked_all",
            Self::RevokedByOperator => "revoked_by_operator",
            Self::RevokedByOwner => "revoked_by_owner",
            Self::Reuse => "reuse",
            Self::Replaced => "replaced",
            Self::SignedOut => "signed_out",
        }
    }
}

impl SessionRecord {
    /// Returns the key that the session is stored under.
    pub fn key(&self) -> SessionKey {
        SessionKey {
            subject: self.subject_tag,
            id: self.id,
        }
    }

    /// Returns the session's id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Returns the subject as the application names it.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns how often the session has rotated, 0 at sign-in.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the name by which the owner recognises the client: `User-Agent` or the application's choice, at most 200
    /// bytes. The client wrote it, so escape it before you show it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the bytes that the application gave the session when it began.
    pub fn context(&self) -> &[u8] {
        &self.context
    }

    /// Returns the note that the application gave the session when it began
    /// ([`NewSession::note`](crate::NewSession::note)). Events and the operator's lists show it. Empty where there is
    /// none.
    pub fn note(&self) -> &str {
        self.fields.note()
    }

    /// Returns when the user last authenticated: at the sign-in, or at the last change of privilege
    /// ([`Session::elevate`](crate::Session::elevate)). It is the claim `auth_time` of tokens (OpenID Connect Core 1.0
    /// section 2).
    pub fn authenticated_at(&self) -> Timestamp {
        self.fields.auth_time().unwrap_or(self.created_at)
    }

    /// Returns the methods by which the user authenticated, as the application named them: `amr` of RFC 8176.
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.fields.methods().into_iter().flat_map(Methods::amr)
    }

    /// Returns the authentication context class, where the application named one: `acr` (OpenID Connect Core 1.0
    /// section 2).
    pub fn acr(&self) -> Option<&str> {
        self.fields.methods()?.acr()
    }

    /// Returns the fingerprint of the client that the current token was handed to.
    pub fn client(&self) -> ClientFingerprint {
        self.fingerprints.holder()
    }

    /// Returns whether the session may still be refreshed, and why not. Expiry is judged separately.
    pub fn state(&self) -> SessionState {
        self.state
    }

    /// Returns when the session began.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Returns when its client was last seen: at the last rotation, hand-out or first use of a token.
    pub fn last_seen(&self) -> Timestamp {
        let presented = self.presented_at.unwrap_or_default();
        self.rotated_at.max(self.handed_out_at).max(presented)
    }

    /// Returns whether the session is not revoked. Expiry is judged separately, with the store's time.
    pub fn is_live(&self) -> bool {
        matches!(self.state, SessionState::Live)
    }

    /// Whether the session is neither revoked nor expired.
    pub(crate) fn lives_at(&self, now: Timestamp) -> bool {
        self.is_live() && now < self.expires_at()
    }

    /// Whether the session is neither revoked nor past its absolute end. One that was idle for too long is among them.
    /// A refresh that was decided before its idle end may still be written, and sets a new one.
    pub(crate) fn may_live_on(&self, now: Timestamp) -> bool {
        self.is_live() && now < self.absolute_expires_at
    }

    /// Whether `token` is the one the session expects.
    pub(crate) fn is_current(&self, token: &RefreshToken) -> bool {
        self.generation == token.generation && self.current == token.hash()
    }

    /// Returns when the record becomes useless, whatever its state.
    pub fn expires_at(&self) -> Timestamp {
        self.absolute_expires_at.min(self.idle_expires_at)
    }

    /// Returns when the current token became current. A full subject loses sessions in this order.
    pub fn last_rotated_at(&self) -> Timestamp {
        self.rotated_at
    }

    /// Returns the same session, revoked for `reason`. An earlier reason stays. One by an operator is kept as [one by
    /// the owner](RevokeReason::RevokedByOperator).
    #[must_use]
    pub fn revoked(&self, reason: RevokeReason) -> Self {
        let mut next = self.clone();
        if next.is_live() {
            next.state = SessionState::Revoked(match reason {
                RevokeReason::RevokedByOperator => RevokeReason::RevokedByOwner,
                kept => kept,
            });
        }
        next
    }
}

impl SessionRecord {
    /// [`revoked`](Self::revoked) at `now` by one of its own clients, if `by` names it. An old token that comes
    /// later from another client is an alarm all the same.
    pub(crate) fn ended(
        &self,
        reason: RevokeReason,
        by: Option<&Presenter>,
        now: Timestamp,
    ) -> Self {
        let mut next = self.revoked(reason);
        if let Some(by) = by.filter(|_| self.is_live()) {
            next.fingerprints = self.fingerprints_for(by).with_end_by(by.fingerprint);
            next.fields.fingerprint_version = by.version;
            next.ended_at = Some(now);
        }
        next
    }

    /// When and how the user authenticated.
    pub(crate) fn authentication(&self) -> Authentication {
        Authentication {
            at: self.authenticated_at(),
            methods: self.fields.methods().cloned().unwrap_or_default(),
        }
    }

    /// The same record with an alarm as the reason of its end, live or not.
    pub(crate) fn alarmed(&self) -> Self {
        Self {
            state: SessionState::Revoked(RevokeReason::Reuse),
            ..self.clone()
        }
    }

    /// The fingerprints as `presenter` sees them. Those of another function do not compare: its client is taken
    /// for the same one, once.
    pub(crate) fn fingerprints_for(&self, presenter: &Presenter) -> Fingerprints {
        if self.fields.fingerprint_version == presenter.version {
            self.fingerprints
        } else {
            Fingerprints::one(presenter.fingerprint)
        }
    }

    /// Returns whether the current token was handed out, or first seen back, within the grace. Its predecessor may
    /// still be on the way.
    pub(crate) fn window_is_open(&self, now: Timestamp, grace: Duration) -> bool {
        let within = |at| within(now.since(at), grace);
        within(self.handed_out_at) || self.presented_at.is_some_and(within)
    }
}

/// Whether `elapsed` lies within `window`. A window of zero is no window: the strict policy
/// forgives nothing, not even in the same millisecond.
pub(super) fn within(elapsed: Duration, window: Duration) -> bool {
    !window.is_zero() && elapsed <= window
}

impl fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Destructured whole, so that a new field forces a decision.
        let Self {
            id,
            subject_tag,
            subject: _,
            generation,
            recoveries,
            current: _,
            previous: _,
            barrier,
            bound,
            seed: _,
            handed_out_at,
            presented_at,
            rotated_at,
            created_at,
            absolute_expires_at,
            idle_expires_at,
            fingerprints,
            state,
            ended_at,
            fields,
            label,
            context: _,
        } = self;
        f.debug_struct("SessionRecord")
            .field("id", id)
            .field("subject_tag", subject_tag)
            .field("generation", generation)
            .field("recoveries", recoveries)
            .field("barrier", barrier)
            .field("bound", bound)
            .field("handed_out_at", handed_out_at)
            .field("presented_at", presented_at)
            .field("rotated_at", rotated_at)
            .field("created_at", created_at)
            .field("absolute_expires_at", absolute_expires_at)
            .field("idle_expires_at", idle_expires_at)
            .field("fingerprints", fingerprints)
            .field("state", state)
            .field("ended_at", ended_at)
            .field("fields", fields)
            .field("label", label)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
