//! The names of sessions and clients, as a store sees them.

use std::str::FromStr;

use super::error::{SessionError, SessionErrorKind};
use crate::{fixed_id::bytes_type, keys::SubjectTag, secret::sha256};

/// One sign-in on one client: the family of refresh tokens that replaced each other.
///
/// 16 random bytes, written as 22 characters of base64url. It is no secret. It names a session in a list, in the `sid`
/// claim and in an event, and opens nothing.
///
/// ```
/// use tower_bearer::{SessionErrorKind, SessionId};
///
/// let id = SessionId::from_bytes([7; 16]);
/// assert_eq!(id.to_string(), "BwcHBwcHBwcHBwcHBwcHBw");
/// assert_eq!("BwcHBwcHBwcHBwcHBwcHBw".parse::<SessionId>()?, id);
/// // A text that names no session is one that is not found.
/// let error = "no session".parse::<SessionId>().unwrap_err();
/// assert_eq!(error.kind(), SessionErrorKind::NotFound);
/// // In JSON, and in a path that a framework reads, it is that text.
/// assert_eq!(serde_json::from_str::<SessionId>(&serde_json::to_string(&id)?)?, id);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; 16]);

/// Which client a session was opened on: 8 bytes that are equal for requests of one client.
///
/// ```
/// use tower_bearer::{Event, refresh::ClientFingerprint};
///
/// fn is_other_client(event: &Event<'_>) -> bool {
///     match event {
///         Event::ReuseDetected { held_by, presented_by, .. } => held_by != presented_by,
///         _ => false,
///     }
/// }
/// # let _ = is_other_client;
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientFingerprint([u8; 8]);

/// The full address of a session: stores keep all of a subject's sessions together.
///
/// ```
/// use tower_bearer::store::SessionKey;
///
/// /// One hash for each subject, with one field for each session.
/// fn address(key: &SessionKey) -> (String, String) {
///     (format!("s:{{{}}}", key.subject()), key.id().to_string())
/// }
/// # let _ = address;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey {
    pub(crate) subject: SubjectTag,
    pub(crate) id: SessionId,
}

bytes_type!(SessionId, 16);
bytes_type!(ClientFingerprint, 8);

impl SessionId {
    /// Names a session by these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl SessionKey {
    /// Addresses the session `id` of `subject`.
    pub const fn new(subject: SubjectTag, id: SessionId) -> Self {
        Self { subject, id }
    }

    /// Returns which of the subject's sessions it is.
    pub const fn id(&self) -> &SessionId {
        &self.id
    }

    /// Returns whose session it is.
    pub const fn subject(&self) -> &SubjectTag {
        &self.subject
    }
}

impl ClientFingerprint {
    pub(crate) const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The binding of a client that shows `signal`, within one session.
    ///
    /// Salted with the random session id and not keyed. A keyed hash would change with the key, and every browser would
    /// then look new. The same client cannot be followed across sessions.
    pub(crate) fn of(session: &SessionId, signal: &[u8]) -> Self {
        let hash = sha256(&[b"tower-bearer client v1", session.as_bytes(), signal]);
        let [a, b, c, d, e, f, g, h, ..] = hash;
        Self([a, b, c, d, e, f, g, h])
    }
}

impl FromStr for SessionId {
    type Err = SessionError;

    /// # Errors
    ///
    /// [`SessionErrorKind::NotFound`] when the text is not 22 characters of canonical base64url: no
    /// session has such a name.
    fn from_str(text: &str) -> Result<Self, SessionError> {
        let not_found = || SessionError::new(SessionErrorKind::NotFound);
        let mut out = [0_u8; 16];
        if text.len() != 22 {
            return Err(not_found());
        }
        let bytes = base64_simd::URL_SAFE_NO_PAD
            .decode(text.as_bytes(), base64_simd::Out::from_slice(&mut out))
            .map_err(|_| not_found())?;
        bytes.try_into().map(Self).map_err(|_| not_found())
    }
}

impl<'de> serde::Deserialize<'de> for SessionId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| serde::de::Error::custom("a session id is 22 characters of base64url"))
    }
}

impl serde::Serialize for SessionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
