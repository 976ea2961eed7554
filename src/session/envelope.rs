//! The refresh token itself: sealed by us, opened by us, opaque to everybody else.

use super::id::{SessionId, SubjectTag};
use crate::{clock::Timestamp, keys::SessionKeys, secret::Secret};

/// What a refresh token says, once opened.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    /// The key that sealed it, and that its successor is derived with.
    pub(crate) key_id: [u8; 4],
    pub(crate) subject: SubjectTag,
    pub(crate) session: SessionId,
    pub(crate) generation: u64,
    pub(crate) recoveries: u8,
    pub(crate) expires_at: Timestamp,
    pub(crate) secret: Secret<[u8; 32]>,
    /// The first half of the predecessor's hash; zero at generation 0.
    pub(crate) parent: [u8; 16],
}

/// What a seal is bound to beside its key, so that it opens in one place only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealContext<'a> {
    pub(crate) cookie: &'a str,
    pub(crate) issuer: &'a str,
}

/// The value is not a refresh token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnsealError {
    #[error("not a sealed refresh token")]
    Malformed,
    #[error("sealed with an unknown key")]
    UnknownKey,
    #[error("the seal is broken")]
    Broken,
}

/// Seals under the active key.
pub(crate) fn seal(
    _e: &Envelope,
    _keys: &SessionKeys,
    _context: SealContext<'_>,
) -> Result<String, crate::secret::RandomError> {
    todo!()
}

/// Opens a cookie value.
pub(crate) fn unseal(
    _value: &[u8],
    _keys: &SessionKeys,
    _context: SealContext<'_>,
) -> Result<Envelope, UnsealError> {
    todo!()
}

impl Envelope {
    /// SHA-256(label | session id | generation | secret): what the store keeps.
    pub(crate) fn hash(&self) -> [u8; 32] {
        todo!()
    }
}
