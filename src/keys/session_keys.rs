//! The keys of the refresh cookie (sealing, successor derivation, subject tags). Those of the jar cookie and the CSRF
//! token are here too.

use std::fmt;

use ring::{error::Unspecified, hkdf, hmac};

use super::SubjectTag;
use crate::secret::{derive, extract, sha256};

/// Names a session key inside a cookie: the first bytes of a hash, public.
pub(crate) type SessionKeyId = [u8; 4];

/// The keys derived from one refresh secret.
pub(crate) struct SessionKeySet {
    id: SessionKeyId,
    seal: hkdf::Prk,
    next: hmac::Key,
    tag: hmac::Key,
    csrf: hmac::Key,
    jar: hmac::Key,
}

/// All refresh secrets a service accepts; the first one is used for new cookies.
pub(crate) struct SessionKeys(Vec<SessionKeySet>);

impl SessionKeySet {
    fn new(secret: &[u8]) -> Result<Self, Unspecified> {
        let prk = extract(b"tower-bearer session keys v1", secret);
        let key = |label: &[u8]| {
            let key = derive(&prk, &[label]);
            key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
        };
        let digest = sha256(&[b"id", derive(&prk, &[b"cookie key id"])?.expose()]);
        let seal = derive(&prk, &[b"cookie sealing"])?;
        Ok(Self {
            id: [digest[0], digest[1], digest[2], digest[3]],
            seal: hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, seal.expose()),
            next: key(b"successor derivation")?,
            tag: key(b"subject tag")?,
            csrf: key(b"csrf token")?,
            jar: key(b"jar cookie")?,
        })
    }

    pub(crate) fn id(&self) -> SessionKeyId {
        self.id
    }

    /// The HKDF pseudo-random key that per-message sealing keys are expanded from.
    pub(crate) fn seal(&self) -> &hkdf::Prk {
        &self.seal
    }

    /// The key that successors are derived with.
    pub(crate) fn next(&self) -> &hmac::Key {
        &self.next
    }

    /// The key that CSRF tokens are authenticated with.
    pub(crate) fn csrf(&self) -> &hmac::Key {
        &self.csrf
    }

    /// The key that jar cookies are authenticated with.
    pub(crate) fn jar(&self) -> &hmac::Key {
        &self.jar
    }

    /// The subject's name in stores and cookies: truncated HMAC-SHA-256.
    pub(crate) fn subject_tag(&self, subject: &str) -> SubjectTag {
        let mut tag = [0; 16];
        tag.copy_from_slice(&hmac::sign(&self.tag, subject.as_bytes()).as_ref()[..16]);
        SubjectTag::from_bytes(tag)
    }
}

impl SessionKeys {
    /// One key set a secret; the first is the active one.
    pub(crate) fn new<'a>(
        secrets: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, Unspecified> {
        let sets = secrets.into_iter().map(SessionKeySet::new);
        sets.collect::<Result<_, _>>().map(Self)
    }

    /// The key set that seals new cookies.
    pub(crate) fn active(&self) -> Option<&SessionKeySet> {
        self.0.first()
    }

    /// The key set of this id.
    pub(crate) fn find(&self, id: SessionKeyId) -> Option<&SessionKeySet> {
        self.0.iter().find(|set| set.id == id)
    }

    /// All key sets: a subject's sessions may lie under the tag of any of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &SessionKeySet> {
        self.0.iter()
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKeys")
            .field("count", &self.0.len())
            .finish_non_exhaustive()
    }
}
