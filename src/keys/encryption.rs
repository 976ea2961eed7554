//! Keys that encrypt the content of a token, expanded once and used many times.

use std::{
    fmt,
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
};

use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};

use super::{
    ContentEncryption, KeyManagement,
    jose::{WrapHeader, Wrapping},
    protected_header::{ACCESS_TOKEN_TYPE, Content, check_kid, encrypted_header},
};
use crate::{
    config::ConfigError,
    random::{fill, random},
    secret::Secret,
};

/// How often one AES-GCM key may be used with random 96-bit IVs: NIST SP 800-38D section 8.3.
pub(crate) const SEAL_LIMIT: u64 = 1 << 32;

/// A key for encrypted tokens.
pub(crate) struct EncryptionKey {
    management: KeyManagement,
    content: ContentEncryption,
    kid: Option<Box<str>>,
    material: Material,
    /// Whether its owner lets it encrypt (`key_ops`).
    seals: bool,
    /// Whether its owner lets it decrypt.
    opens: bool,
    nested: Box<str>,
    claims: Box<str>,
}

#[allow(
    clippy::large_enum_variant,
    reason = "every key lies in an `Arc`; a box would be one more hop on the hot path"
)]
enum Material {
    /// The shared key encrypts content itself; its uses are counted against [`SEAL_LIMIT`].
    Direct { key: ContentKey, sealed: AtomicU64 },
    /// A fresh content key goes with each token, wrapped.
    Wrapped(Wrapping),
}

/// An AES-GCM key that opens and seals content.
pub(crate) struct ContentKey(LessSafeKey);

/// The parts that sealing adds to the ciphertext.
pub(crate) struct Sealed {
    pub(crate) iv: [u8; 12],
    pub(crate) tag: [u8; 16],
}

/// A fresh content key on its way into a token.
pub(crate) struct Wrapped {
    /// The protected header, base64url: the agreement's ephemeral key is part of it.
    pub(crate) encoded_header: String,
    pub(crate) encrypted_key: Vec<u8>,
    pub(crate) key: ContentKey,
}

/// Why nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    /// The key has reached its limit; a fresh one has to take over.
    #[error("the encryption key has been used 2^32 times and has to be rotated")]
    Exhausted,
    /// The key wraps content keys, or does not.
    #[error("the key is of the other kind of key management")]
    Management,
    /// The generator of random numbers or the arithmetic failed.
    #[error("the content could not be encrypted")]
    Failed,
}

/// The token was not made with this key, or was changed. Never says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the content could not be decrypted")]
pub(crate) struct OpenError;

impl EncryptionKey {
    /// A shared key that encrypts content itself (`dir`): 16 or 32 bytes, as `content` needs.
    pub(crate) fn direct(
        content: ContentEncryption,
        kid: Option<&str>,
        key: &[u8],
    ) -> Result<Self, ConfigError> {
        let len = content.key_len();
        if key.len() != len {
            return Err(ConfigError::new(
                "encryption key",
                format!(
                    "must have exactly {len} bytes for {content} and has {}; `openssl rand -base64 {len}` makes them",
                    key.len()
                ),
            ));
        }
        let material = Material::Direct {
            key: ContentKey::new(content, key)
                .map_err(|_| ConfigError::new("encryption key", "is not usable"))?,
            sealed: AtomicU64::new(0),
        };
        Self::new(KeyManagement::Direct, content, kid, material)
    }

    /// A key that wraps a fresh content key for each token.
    pub(crate) fn wrapping(
        content: ContentEncryption,
        kid: Option<&str>,
        wrapping: Wrapping,
    ) -> Result<Self, ConfigError> {
        let management = wrapping.management();
        Self::new(management, content, kid, Material::Wrapped(wrapping))
    }

    fn new(
        management: KeyManagement,
        content: ContentEncryption,
        kid: Option<&str>,
        material: Material,
    ) -> Result<Self, ConfigError> {
        check_kid(kid)?;
        let header = |holds| encrypted_header(holds, management, content, kid, None).into();
        Ok(Self {
            management,
            content,
            kid: kid.map(Into::into),
            material,
            seals: true,
            opens: true,
            nested: header(Content::Nested),
            claims: header(Content::Claims(Some(ACCESS_TOKEN_TYPE))),
        })
    }

    /// The `alg` of this key.
    pub(crate) fn management(&self) -> KeyManagement {
        self.management
    }

    /// The `enc` of this key.
    pub(crate) fn content(&self) -> ContentEncryption {
        self.content
    }

    /// The key's name.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The same key, which encrypts or decrypts only where that is allowed.
    pub(super) fn allowed_to(mut self, seal: bool, open: bool) -> Self {
        self.seals = seal;
        self.opens = open;
        self
    }

    /// Whether tokens may be encrypted with it; every key has the half for it.
    pub(crate) fn can_seal(&self) -> bool {
        self.seals
    }

    /// Whether tokens made for this key can be opened with it.
    pub(crate) fn can_open(&self) -> bool {
        let has_private = match &self.material {
            Material::Direct { .. } => true,
            Material::Wrapped(wrapping) => wrapping.can_unwrap(),
        };
        self.opens && has_private
    }

    /// `{"alg","enc","cty":"JWT","kid"}` in base64url: around a signed token. With
    /// ECDH-ES the real header has an `epk` besides and never equals it.
    pub(crate) fn encoded_header_nested(&self) -> &str {
        &self.nested
    }

    /// `{"alg","enc","typ":"at+jwt","kid"}` in base64url: around claims.
    pub(crate) fn encoded_header_claims(&self) -> &str {
        &self.claims
    }

    /// The protected header around `holds`, built now: for a `typ` other than the usual one.
    pub(crate) fn encode_header(&self, holds: Content<'_>) -> String {
        encrypted_header(holds, self.management, self.content, self.kid(), None)
    }

    /// Opens content that was sealed with the shared key itself.
    pub(crate) fn open_in_place<'a>(
        &self,
        iv: &[u8; 12],
        aad: &[u8],
        in_out: &'a mut [u8],
        tag: &[u8; 16],
    ) -> Option<&'a mut [u8]> {
        match &self.material {
            Material::Direct { key, sealed: _ } => key.open_in_place(iv, aad, in_out, tag),
            Material::Wrapped(_) => None,
        }
    }

    /// Seals `in_out` with the shared key itself, under a random IV.
    pub(crate) fn seal_in_place(&self, aad: &[u8], in_out: &mut [u8]) -> Result<Sealed, SealError> {
        let Material::Direct { key, sealed } = &self.material else {
            return Err(SealError::Management);
        };
        // Counted before use, so that threads in a race cannot pass the limit together.
        if sealed.fetch_add(1, Ordering::Relaxed) >= SEAL_LIMIT {
            sealed.fetch_sub(1, Ordering::Relaxed);
            return Err(SealError::Exhausted);
        }
        key.seal_in_place(aad, in_out)
    }

    /// How many times this key has sealed content since it was loaded.
    pub(crate) fn sealed(&self) -> u64 {
        match &self.material {
            Material::Direct { sealed, .. } => sealed.load(Ordering::Relaxed),
            Material::Wrapped(_) => 0,
        }
    }

    /// Takes over the count of the same key in an older snapshot.
    pub(crate) fn continue_count(&self, from: u64) {
        if let Material::Direct { sealed, .. } = &self.material {
            sealed.fetch_max(from, Ordering::Relaxed);
        }
    }

    /// Unwraps the content key of a token. `header` holds what the agreement needs of the
    /// token's header; its structure is checked before any of it is used.
    pub(crate) fn unwrap(
        &self,
        header: &WrapHeader<'_>,
        encrypted_key: &[u8],
    ) -> Result<ContentKey, OpenError> {
        match &self.material {
            Material::Direct { .. } => Err(OpenError),
            Material::Wrapped(wrapping) => {
                let key = wrapping.unwrap_key(self.content, header, encrypted_key)?;
                ContentKey::new(self.content, key.expose())
            }
        }
    }

    /// Makes a content key for one token and wraps it.
    pub(crate) fn wrap(&self, holds: Content<'_>) -> Result<Wrapped, SealError> {
        let Material::Wrapped(wrapping) = &self.material else {
            return Err(SealError::Management);
        };
        let mut bytes = Secret::new([0; 32]);
        fill(bytes.expose_mut()).map_err(|_| SealError::Failed)?;
        let fresh = bytes.expose().get(..self.content.key_len());
        let fresh = fresh.ok_or(SealError::Failed)?;
        let key = ContentKey::new(self.content, fresh).map_err(|_| SealError::Failed)?;
        let (encrypted_key, epk) = wrapping.wrap_key(self.content, fresh)?;
        Ok(Wrapped {
            encoded_header: encrypted_header(
                holds,
                self.management,
                self.content,
                self.kid(),
                epk.as_ref(),
            ),
            encrypted_key,
            key,
        })
    }
}

impl ContentKey {
    fn new(content: ContentEncryption, key: &[u8]) -> Result<Self, OpenError> {
        let algorithm = match content {
            ContentEncryption::A128Gcm => &aead::AES_128_GCM,
            ContentEncryption::A256Gcm => &aead::AES_256_GCM,
        };
        let key = UnboundKey::new(algorithm, key).map_err(|_| OpenError)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Puts a key of zeros in the place of this one.
    fn wipe(&mut self) {
        let algorithm = self.0.algorithm();
        let zeros = [0; 32];
        let zeros = zeros.get(..algorithm.key_len()).unwrap_or(&zeros);
        if let Ok(key) = UnboundKey::new(algorithm, zeros) {
            self.0 = LessSafeKey::new(key);
        }
        // Looked at, as far as the compiler knows: it cannot leave out what is freed next.
        black_box(&self.0);
    }

    /// Opens `in_out` in place; what is returned is as long. On failure its content is garbage.
    pub(crate) fn open_in_place<'a>(
        &self,
        iv: &[u8; 12],
        aad: &[u8],
        in_out: &'a mut [u8],
        tag: &[u8; 16],
    ) -> Option<&'a mut [u8]> {
        let iv = Nonce::assume_unique_for_key(*iv);
        let tag = aead::Tag::from(*tag);
        self.0
            .open_in_place_separate_tag(iv, Aad::from(aad), tag, in_out, 0..)
            .ok()
    }

    /// Seals `in_out` in place under a random IV.
    pub(crate) fn seal_in_place(&self, aad: &[u8], in_out: &mut [u8]) -> Result<Sealed, SealError> {
        let iv = random::<12>().map_err(|_| SealError::Failed)?;
        let nonce = Nonce::assume_unique_for_key(iv);
        let sealed = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(aad), in_out)
            .map_err(|_| SealError::Failed)?;
        let mut tag = [0; 16];
        tag.copy_from_slice(sealed.as_ref());
        Ok(Sealed { iv, tag })
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            management,
            content,
            kid,
            material: _,
            seals: _,
            opens: _,
            nested: _,
            claims: _,
        } = self;
        f.debug_struct("EncryptionKey")
            .field("management", management)
            .field("content", content)
            .field("kid", kid)
            .field("sealed", &self.sealed())
            .finish_non_exhaustive()
    }
}

/// The expanded key begins with the key itself, and `ring` does not wipe it.
impl Drop for ContentKey {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.write_str("ContentKey(<secret>)")
    }
}
