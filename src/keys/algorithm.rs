//! The algorithms a key can be configured for, by their JOSE names (RFC 7518).

use std::{fmt, str::FromStr};

use crate::config::ConfigError;

/// How an access token is signed (RFC 7518 section 3.1, RFC 8037 section 3.1).
///
/// There is no `none`. A key of this crate always has an algorithm of this list, and a token's header has to equal
/// it.
///
/// ```
/// use tower_bearer::SignatureAlgorithm;
///
/// let alg: SignatureAlgorithm = "ES256".parse()?;
/// assert_eq!(alg.as_str(), "ES256");
/// assert!("none".parse::<SignatureAlgorithm>().is_err());
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// Ed25519, under either of its names: `EdDSA` (RFC 8037 section 3.1) and `Ed25519` (RFC 9864
    /// section 2.2).
    EdDsa,
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// ECDSA over P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
}

/// How the content of an encrypted token is encrypted (RFC 7518 section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ContentEncryption {
    /// AES-128 in Galois/counter mode.
    A128Gcm,
    /// AES-256 in Galois/counter mode.
    A256Gcm,
}

/// How the content key of an encrypted token is agreed on (RFC 7518 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum KeyManagement {
    /// The shared key is the content key (`dir`).
    Direct,
    /// AES key wrap with a 256-bit key. Keys for it need the `josekit` feature.
    A256Kw,
    /// RSAES-OAEP with SHA-256. Keys for it need the `josekit` feature.
    RsaOaep256,
    /// Ephemeral-static ECDH around AES-256 key wrap. Keys for it need the `josekit` feature.
    EcdhEsA256Kw,
}

/// The fully-specified name of Ed25519 (RFC 9864 section 2.2).
pub(super) const ED25519: &str = "Ed25519";

impl SignatureAlgorithm {
    const ALL: [Self; 12] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::EdDsa,
        Self::Es256,
        Self::Es384,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
    ];

    /// Returns the name in a JOSE header. Of the two names of Ed25519 it is the older, `EdDSA`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
        }
    }

    /// Tells whether one shared secret both signs and verifies.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    pub(crate) const fn is_rsa(self) -> bool {
        matches!(
            self,
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512
        )
    }
}

impl ContentEncryption {
    const ALL: [Self; 2] = [Self::A128Gcm, Self::A256Gcm];

    /// The name in a JOSE header.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// The length of a content key in bytes.
    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm => 32,
        }
    }
}

impl KeyManagement {
    const ALL: [Self; 4] = [
        Self::Direct,
        Self::A256Kw,
        Self::RsaOaep256,
        Self::EcdhEsA256Kw,
    ];

    /// The name in a JOSE header.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "dir",
            Self::A256Kw => "A256KW",
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
        }
    }
}

impl FromStr for SignatureAlgorithm {
    type Err = ConfigError;

    /// # Errors
    ///
    /// When it is none of the names that [`as_str`](Self::as_str) gives, nor `Ed25519`, letter for
    /// letter.
    fn from_str(name: &str) -> Result<Self, ConfigError> {
        if name == ED25519 {
            return Ok(Self::EdDsa);
        }
        let mut all = Self::ALL.into_iter();
        all.find(|a| a.as_str() == name).ok_or_else(|| {
            ConfigError::new(
                "alg",
                "must be HS256, HS384, HS512, EdDSA, Ed25519, ES256, ES384, RS256, RS384, RS512, PS256, PS384 or PS512",
            )
        })
    }
}

impl FromStr for ContentEncryption {
    type Err = ConfigError;

    /// # Errors
    ///
    /// When it is none of the names that [`as_str`](Self::as_str) gives, letter for letter.
    fn from_str(name: &str) -> Result<Self, ConfigError> {
        let mut all = Self::ALL.into_iter();
        all.find(|a| a.as_str() == name)
            .ok_or_else(|| ConfigError::new("enc", "must be A128GCM or A256GCM"))
    }
}

impl FromStr for KeyManagement {
    type Err = ConfigError;

    /// # Errors
    ///
    /// When it is none of the names that [`as_str`](Self::as_str) gives, letter for letter.
    fn from_str(name: &str) -> Result<Self, ConfigError> {
        let mut all = Self::ALL.into_iter();
        all.find(|a| a.as_str() == name).ok_or_else(|| {
            ConfigError::new("alg", "must be dir, A256KW, RSA-OAEP-256 or ECDH-ES+A256KW")
        })
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ContentEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for KeyManagement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
