//! The refresh token itself: the server seals it and opens it, and it is opaque to every client.
//!
//! ```text
//! cookie = base64url( version:1 | key id:4 | salt:24 | AES-256-GCM_K( body:101 ) | tag:16 )
//! body   = derivation key id:4 | subject tag:16 | session id:16 | generation:8 | recoveries:1
//!        | expiry:8 | secret:32 | parent:16
//! ```
//! Numbers are big-endian, the expiry is in milliseconds since 1970.
//!
//! Two key ids, because they answer two questions. The outer one says which key opens the seal: always the active key
//! of the server that sealed. The inner one says which key the successors are derived with. It is the active key of the
//! server where the session began, for as long as the session lives. Suppose a successor were derived with the key that
//! sealed its predecessor. Two servers in the middle of a key change would then seal one secret under two keys. The two
//! seals would lead to two different successors. A retry that reaches the other server would then look like theft. With
//! the derivation key fixed at sign-in every retry converges, whichever server answers it. An old key can still be
//! dropped one absolute session lifetime after it was last active.

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf, hmac,
};
use zeroize::Zeroizing;

use super::{
    id::{SessionId, SessionKey},
    record::SessionRecord,
};
use crate::{
    clock::Timestamp,
    keys::{SessionKeyId, SessionKeys, SubjectTag},
    random::{RandomError, random},
    secret::{MESSAGE_WORK, Secret, derive, on_wiped_stack, sha256},
};

#[cfg(test)]
thread_local! {
    /// How many tokens this thread has tried to open.
    pub(crate) static OPENED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

pub(super) const VERSION: u8 = 1;
const LABEL: &[u8] = b"tower-bearer refresh cookie v1";
const HASH_LABEL: &[u8] = b"tower-bearer refresh hash v1";
const NEXT_LABEL: &[u8] = b"tower-bearer successor v1";
const BARRIER_LABEL: &[u8] = b"tower-bearer privilege change v1";
const ELEVATED_LABEL: &[u8] = b"tower-bearer elevated secret v1";

const SALT: usize = 24;
const HEADER: usize = 1 + 4 + SALT;
const BODY: usize = 4 + 16 + 16 + 8 + 1 + 8 + 32 + 16;
const TAG: usize = 16;
const RAW: usize = HEADER + BODY + TAG;
/// The length of every cookie value: base64url without padding.
pub(super) const TEXT: usize = (RAW * 4).div_ceil(3);

/// The content of a refresh token, once opened.
#[derive(Clone, Debug)]
pub(crate) struct RefreshToken {
    /// The key that successors are derived with, the same for the whole life of a session. It is
    /// not the key that sealed the cookie; the module says why.
    pub(crate) key_id: SessionKeyId,
    pub(crate) subject: SubjectTag,
    pub(crate) session: SessionId,
    pub(crate) generation: u64,
    pub(crate) recoveries: u8,
    /// The end of the session, whatever the store says.
    pub(crate) expires_at: Timestamp,
    pub(crate) secret: Secret<[u8; 32]>,
    /// Which token it replaced: see [`parent`]; zero at generation 0.
    pub(crate) parent: [u8; 16],
}

/// The context that a seal is bound to beside its key, so that it opens in one place only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealContext<'a> {
    /// The cookie's name, or what stands for it where the token travels in bodies.
    pub(crate) carrier: &'a str,
    pub(crate) issuer: &'a str,
}

/// The value is not a refresh token of ours. The further it got, the greater: of several, that one tells most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(crate) enum UnsealError {
    #[error(
        "it is not written as this crate writes it: made up, cut on its way, or another program's under \
         the same name"
    )]
    Malformed,
    #[error(
        "no key of this ring opens it: REFRESH_SECRET has changed or differs between instances, or it is \
         another service's; the old secret behind the new one, after a comma, lets it in again"
    )]
    UnknownKey,
    #[error(
        "its key is in this ring and its seal does not fit: made up or changed, or sealed for another \
         cookie_name, transport or issuer"
    )]
    Broken,
}

/// Seals under the active key.
///
/// # Errors
///
/// When the system gives no random bytes, or there is no active key to seal with.
pub(crate) fn seal(
    token: &RefreshToken,
    keys: &SessionKeys,
    context: SealContext<'_>,
) -> Result<String, RandomError> {
    let set = keys.active().ok_or(RandomError)?;
    let salt: [u8; SALT] = random()?;
    let mut raw = Vec::with_capacity(RAW);
    raw.push(VERSION);
    raw.extend_from_slice(&set.id());
    raw.extend_from_slice(&salt);

    let mut body = Zeroizing::new(token.body());
    // Neither step can fail: the key has the algorithm's length and the body is short.
    let tag = on_wiped_stack::<MESSAGE_WORK, _>(|| {
        message_key(set.seal(), &salt)?.seal_in_place_separate_tag(
            nonce(),
            Aad::from(aad(context)),
            body.as_mut(),
        )
    })
    .map_err(|_| RandomError)?;
    raw.extend_from_slice(body.as_ref());
    raw.extend_from_slice(tag.as_ref());
    Ok(base64_simd::URL_SAFE_NO_PAD.encode_to_string(&raw))
}

/// Opens a cookie value.
///
/// # Errors
///
/// [`UnsealError::Malformed`] before any cryptography. [`UnsealError::UnknownKey`] when the ring lacks the key that
/// sealed it, or the key that its successor is derived with. [`UnsealError::Broken`] when it was not sealed by that key
/// for this place.
pub(crate) fn unseal(
    value: &[u8],
    keys: &SessionKeys,
    context: SealContext<'_>,
) -> Result<RefreshToken, UnsealError> {
    if value.len() != TEXT {
        return Err(UnsealError::Malformed);
    }
    let mut raw = Zeroizing::new([0_u8; RAW]);
    // Strict: a second spelling of the same bytes is refused, trailing bits included.
    let decoded = base64_simd::URL_SAFE_NO_PAD
        .decode(value, base64_simd::Out::from_slice(raw.as_mut()))
        .map_err(|_| UnsealError::Malformed)?;
    let mut rest: &[u8] = decoded;
    let (Some([VERSION]), Some(key_id), Some(salt)) =
        (take(&mut rest), take(&mut rest), take::<SALT>(&mut rest))
    else {
        return Err(UnsealError::Malformed);
    };
    let set = keys.find(key_id).ok_or(UnsealError::UnknownKey)?;
    let sealed = decoded.get_mut(HEADER..).ok_or(UnsealError::Malformed)?;
    #[cfg(test)]
    OPENED.set(OPENED.get() + 1);
    let body = on_wiped_stack::<MESSAGE_WORK, _>(|| {
        message_key(set.seal(), &salt)?.open_in_place(nonce(), Aad::from(aad(context)), sealed)
    })
    .map_err(|_| UnsealError::Broken)?;
    let token = RefreshToken::from_body(body).ok_or(UnsealError::Malformed)?;
    // Refused here rather than later, so that no decision ever meets a token it cannot succeed.
    if keys.find(token.key_id).is_none() {
        return Err(UnsealError::UnknownKey);
    }
    Ok(token)
}

impl RefreshToken {
    /// Where the session lives.
    pub(crate) fn key(&self) -> SessionKey {
        SessionKey {
            subject: self.subject,
            id: self.session,
        }
    }

    /// Orders the tokens of one session: the newest is the greatest.
    pub(crate) fn age(&self) -> (u64, u8) {
        (self.generation, self.recoveries)
    }

    /// The token of a session that begins: generation 0, no predecessor.
    pub(crate) fn first(
        key_id: SessionKeyId,
        subject: SubjectTag,
        session: SessionId,
        expires_at: Timestamp,
        secret: Secret<[u8; 32]>,
    ) -> Self {
        Self {
            key_id,
            subject,
            session,
            generation: 0,
            recoveries: 0,
            expires_at,
            secret,
            parent: [0; 16],
        }
    }

    /// SHA-256(label | session id | generation | secret), which the store keeps.
    ///
    /// One unsalted round is enough for a secret of 256 random bits. No key enters it, so it does not depend on the
    /// server that sealed the token.
    pub(crate) fn hash(&self) -> [u8; 32] {
        sha256(&[
            HASH_LABEL,
            self.session.as_bytes(),
            &self.generation.to_be_bytes(),
            self.secret.expose(),
        ])
    }

    /// The token that replaces this one, at `recoveries` recoveries of the same generation.
    ///
    /// Derived, never drawn: every retry, duplicate, time-out or lost write arrives at the same
    /// one. `hash` is [its own](Self::hash), which the caller has needed to find its place.
    /// `None` when the derivation key has left the ring or the generations are used up.
    pub(crate) fn successor(
        &self,
        hash: &[u8; 32],
        record: &SessionRecord,
        recoveries: u8,
        keys: &SessionKeys,
    ) -> Option<Self> {
        debug_assert_eq!(*hash, self.hash());
        let generation = self.generation.checked_add(1)?;
        let secret = self.derive(NEXT_LABEL, &record.seed, generation, recoveries, keys)?;
        Some(Self {
            key_id: self.key_id,
            subject: self.subject,
            session: self.session,
            generation,
            recoveries,
            expires_at: record.absolute_expires_at,
            secret: Secret::new(secret),
            parent: parent(hash),
        })
    }

    /// The token that replaces this one at a change of privilege. Derived like [`successor`](Self::successor),
    /// under a label of its own: neither leads to the other.
    pub(crate) fn elevated(&self, record: &SessionRecord, keys: &SessionKeys) -> Option<Self> {
        let generation = self.generation.checked_add(1)?;
        let secret = self.derive(ELEVATED_LABEL, &record.seed, generation, 0, keys)?;
        Some(Self {
            generation,
            recoveries: 0,
            expires_at: record.absolute_expires_at,
            secret: Secret::new(secret),
            parent: barrier_parent(&self.hash()),
            ..self.clone()
        })
    }

    fn derive(
        &self,
        label: &[u8],
        seed: &[u8; 32],
        generation: u64,
        recoveries: u8,
        keys: &SessionKeys,
    ) -> Option<[u8; 32]> {
        let mut context = hmac::Context::with_key(keys.find(self.key_id)?.next());
        // Every part but the label has a fixed length, and no label is the beginning of another.
        for part in [
            label,
            seed,
            self.session.as_bytes(),
            &generation.to_be_bytes(),
            &[recoveries],
            self.secret.expose(),
        ] {
            context.update(part);
        }
        let mut secret = [0; 32];
        secret.copy_from_slice(context.sign().as_ref());
        Some(secret)
    }

    fn body(&self) -> [u8; BODY] {
        let Self {
            key_id,
            subject,
            session,
            generation,
            recoveries,
            expires_at,
            secret,
            parent,
        } = self;
        let mut body = [0; BODY];
        let mut rest: &mut [u8] = &mut body;
        put(&mut rest, key_id);
        put(&mut rest, subject.as_bytes());
        put(&mut rest, session.as_bytes());
        put(&mut rest, &generation.to_be_bytes());
        put(&mut rest, &[*recoveries]);
        put(&mut rest, &expires_at.as_millis().to_be_bytes());
        put(&mut rest, secret.expose());
        put(&mut rest, parent);
        body
    }

    fn from_body(mut rest: &[u8]) -> Option<Self> {
        let rest = &mut rest;
        let token = Self {
            key_id: take(rest)?,
            subject: SubjectTag::from_bytes(take(rest)?),
            session: SessionId::from_bytes(take(rest)?),
            generation: u64::from_be_bytes(take(rest)?),
            recoveries: u8::from_be_bytes(take(rest)?),
            expires_at: Timestamp::from_millis(u64::from_be_bytes(take(rest)?)),
            secret: Secret::new(take(rest)?),
            parent: take(rest)?,
        };
        rest.is_empty().then_some(token)
    }
}

/// How a token names the token it was derived from: the first half of that token's hash.
pub(crate) fn parent(hash: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}

/// How a token names its predecessor across a privilege change. It differs from [`parent`], so
/// that a store which lost the change still learns of it from the token.
pub(crate) fn barrier_parent(hash: &[u8; 32]) -> [u8; 16] {
    parent(&sha256(&[BARRIER_LABEL, hash]))
}

/// The key of one message.
fn message_key(
    prk: &hkdf::Prk,
    salt: &[u8; SALT],
) -> Result<LessSafeKey, ring::error::Unspecified> {
    let key = derive(prk, &[LABEL, salt])?;
    UnboundKey::new(&AES_256_GCM, key.expose()).map(LessSafeKey::new)
}

/// A fixed nonce is sound because each key seals one message. The key is derived from 192 random bits, which do not
/// repeat in the life of a service. A random 96-bit nonce under one key would.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

/// Length-prefixed, so that no carrier runs into an issuer.
fn aad(context: SealContext<'_>) -> Vec<u8> {
    let SealContext { carrier, issuer } = context;
    let parts = [LABEL, carrier.as_bytes(), issuer.as_bytes()];
    let mut aad = Vec::with_capacity(parts.iter().map(|part| 8 + part.len()).sum());
    for part in parts {
        aad.extend_from_slice(&(part.len() as u64).to_be_bytes());
        aad.extend_from_slice(part);
    }
    aad
}

/// Writes `part` at the front of `rest`. Sizes are constants; too little room writes nothing.
fn put(rest: &mut &mut [u8], part: &[u8]) {
    if let Some((head, tail)) = std::mem::take(rest).split_at_mut_checked(part.len()) {
        head.copy_from_slice(part);
        *rest = tail;
    }
}

/// Takes the first `N` bytes off `rest`.
pub(super) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests;
