//! Keys that sign and verify, expanded once and used many times.
//!
//! This crate cannot wipe the memory inside `ring`'s own key types. Every buffer and stack on the way there is wiped.

mod import;

use std::fmt;

use ring::{hmac, rand::SystemRandom, signature};
use smallvec::SmallVec;

use super::{
    SignatureAlgorithm as Alg,
    algorithm::ED25519,
    protected_header::{ACCESS_TOKEN_TYPE, signed_header},
};

/// A key for signed tokens: signs when it has its private half, and does what its owner allows.
pub(crate) struct SigningKey {
    algorithm: Alg,
    /// The name of `alg` in the tokens it signs and where it is published.
    alg_name: &'static str,
    /// Whether the issuer left the algorithm of an RSA key open, and it is the usual one.
    assumed: bool,
    kid: Option<Box<str>>,
    material: Material,
    /// Whether its owner lets it sign (`key_ops`).
    signs: bool,
    /// Whether its owner lets it verify.
    verifies: bool,
    /// The protected header this key writes, base64url: compared as bytes before any parsing.
    header: Box<str>,
}

enum Material {
    Hmac(hmac::Key),
    Ed25519 {
        public: Box<[u8]>,
        private: Option<Box<signature::Ed25519KeyPair>>,
    },
    Ecdsa {
        public: Box<[u8]>,
        private: Option<Box<signature::EcdsaKeyPair>>,
    },
    Rsa {
        public: RsaPublic,
        private: Option<Box<signature::RsaKeyPair>>,
    },
}

/// The public half of an RSA key: big-endian bytes without leading zeros.
struct RsaPublic {
    n: Box<[u8]>,
    e: Box<[u8]>,
}

/// The public half of a key, to be published as a JWK.
pub(crate) enum PublicParts<'a> {
    /// Ed25519: the encoded point.
    Okp(&'a [u8]),
    /// ECDSA: the two coordinates.
    Ec { x: &'a [u8], y: &'a [u8] },
    /// RSA: modulus and exponent.
    Rsa { n: &'a [u8], e: &'a [u8] },
}

/// A signature or MAC. Those of RSA are long and take so long to make that an allocation more is
/// not noticed.
pub(crate) struct Signature(SmallVec<[u8; 96]>);

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignError {
    /// Only the public half is here, or `key_ops` allows no signing.
    #[error("the key has no private half or must not use it")]
    PublicOnly,
    /// The generator of random numbers or the arithmetic failed.
    #[error("the signature could not be computed")]
    Failed,
}

impl SigningKey {
    /// The same key, which signs or verifies only where that is allowed.
    ///
    /// A pair that may sign always verifies. The operations of a private key are those of its private half (RFC 7517
    /// section 4.3). Its public half is no secret. A shared secret has no such half.
    pub(super) fn allowed_to(mut self, sign: bool, verify: bool) -> Self {
        self.signs = sign;
        self.verifies = verify || !self.algorithm.is_symmetric();
        self
    }

    /// The same key under the fully-specified name of its algorithm, where that has one (RFC 9864).
    pub(super) fn fully_specified(mut self) -> Self {
        if self.algorithm == Alg::EdDsa {
            self.alg_name = ED25519;
            self.header = self.encode_header(Some(ACCESS_TOKEN_TYPE)).into();
        }
        self
    }

    /// The same key under the name that its issuer has given it, which may be longer than ours are.
    pub(super) fn named(mut self, kid: Option<&str>) -> Self {
        self.kid = kid.map(Into::into);
        self.header = self.encode_header(Some(ACCESS_TOKEN_TYPE)).into();
        self
    }

    /// The same key, whose algorithm its issuer left open.
    pub(super) fn with_assumed_algorithm(mut self) -> Self {
        self.assumed = true;
        self
    }

    /// Whether signatures may be checked with it.
    pub(crate) fn can_verify(&self) -> bool {
        self.verifies
    }

    /// The one algorithm this key is for.
    pub(crate) fn algorithm(&self) -> Alg {
        self.algorithm
    }

    /// The name of that in tokens and where the key is published.
    pub(crate) fn alg_name(&self) -> &'static str {
        self.alg_name
    }

    /// Whether its issuer left the algorithm open.
    pub(super) fn is_assumed(&self) -> bool {
        self.assumed
    }

    /// Whether this key is for `alg`, where an RSA key that names no algorithm is for `rsa`.
    pub(crate) fn is_for(&self, alg: Alg, rsa: Alg) -> bool {
        let own = if self.assumed { rsa } else { self.algorithm };
        own == alg
    }

    /// The key's name.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether the private half is here.
    pub(crate) fn can_sign(&self) -> bool {
        let has_private = match &self.material {
            Material::Hmac(_) => true,
            Material::Ed25519 { private, .. } => private.is_some(),
            Material::Ecdsa { private, .. } => private.is_some(),
            Material::Rsa { private, .. } => private.is_some(),
        };
        self.signs && has_private
    }

    /// `{"alg","typ":"at+jwt","kid"}` in base64url: the header of the signed profile and of the
    /// token inside the nested one.
    pub(crate) fn encoded_header(&self) -> &str {
        &self.header
    }

    /// The protected header under `typ`, built now: for a `typ` other than the usual one.
    pub(crate) fn encode_header(&self, typ: Option<&str>) -> String {
        signed_header(self.alg_name, self.kid(), typ)
    }

    /// The length in bytes of every signature of this key.
    pub(crate) fn signature_len(&self) -> usize {
        match self.algorithm {
            Alg::Hs256 => 32,
            Alg::Hs384 => 48,
            Alg::Hs512 | Alg::EdDsa | Alg::Es256 => 64,
            Alg::Es384 => 96,
            Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512 => {
                match &self.material {
                    Material::Rsa { public, .. } => public.n.len(),
                    // An RSA algorithm always comes with RSA material.
                    _ => 0,
                }
            }
        }
    }

    /// Whether `signature` is this key's over `message` by `alg`, which it [is for](Self::is_for).
    /// Constant time for MACs.
    pub(crate) fn verify_by(&self, alg: Alg, message: &[u8], signature: &[u8]) -> bool {
        if signature.len() != self.signature_len() {
            return false;
        }
        let verified = match &self.material {
            Material::Hmac(key) => return hmac::verify(key, message, signature).is_ok(),
            Material::Ed25519 { public, .. } => {
                signature::UnparsedPublicKey::new(&signature::ED25519, public)
                    .verify(message, signature)
            }
            Material::Ecdsa { public, .. } => {
                let parameters = match self.algorithm {
                    Alg::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
                    _ => &signature::ECDSA_P256_SHA256_FIXED,
                };
                signature::UnparsedPublicKey::new(parameters, public).verify(message, signature)
            }
            Material::Rsa { public, .. } => signature::RsaPublicKeyComponents {
                n: &public.n,
                e: &public.e,
            }
            .verify(rsa_parameters(alg), message, signature),
        };
        verified.is_ok()
    }

    /// The same by its own algorithm.
    #[cfg(test)]
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify_by(self.algorithm, message, signature)
    }

    /// Signs `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        if !self.signs {
            return Err(SignError::PublicOnly);
        }
        let rng = SystemRandom::new();
        match &self.material {
            Material::Hmac(key) => Ok(Signature::copy(hmac::sign(key, message).as_ref())),
            Material::Ed25519 { private, .. } => {
                let pair = private.as_ref().ok_or(SignError::PublicOnly)?;
                Ok(Signature::copy(pair.sign(message).as_ref()))
            }
            Material::Ecdsa { private, .. } => {
                let pair = private.as_ref().ok_or(SignError::PublicOnly)?;
                let signed = pair.sign(&rng, message).map_err(|_| SignError::Failed)?;
                Ok(Signature::copy(signed.as_ref()))
            }
            Material::Rsa { private, .. } => {
                let pair = private.as_ref().ok_or(SignError::PublicOnly)?;
                let mut out = SmallVec::from_elem(0, pair.public().modulus_len());
                pair.sign(rsa_encoding(self.algorithm), &rng, message, &mut out)
                    .map_err(|_| SignError::Failed)?;
                Ok(Signature(out))
            }
        }
    }

    /// The public half; a shared secret has none.
    pub(crate) fn public_parts(&self) -> Option<PublicParts<'_>> {
        match &self.material {
            Material::Hmac(_) => None,
            Material::Ed25519 { public, .. } => Some(PublicParts::Okp(public)),
            Material::Ecdsa { public, .. } => {
                let (_, coordinates) = public.split_first()?;
                let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
                Some(PublicParts::Ec { x, y })
            }
            Material::Rsa { public, .. } => Some(PublicParts::Rsa {
                n: &public.n,
                e: &public.e,
            }),
        }
    }
}

impl Signature {
    fn copy(from: &[u8]) -> Self {
        Self(SmallVec::from_slice(from))
    }
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = self;
        f.debug_struct("Signature")
            .field("len", &bytes.len())
            .finish()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            algorithm,
            alg_name: _,
            assumed: _,
            kid,
            material: _,
            signs: _,
            verifies: _,
            header: _,
        } = self;
        f.debug_struct("SigningKey")
            .field("algorithm", algorithm)
            .field("kid", kid)
            .field("can_sign", &self.can_sign())
            .finish_non_exhaustive()
    }
}

fn rsa_parameters(alg: Alg) -> &'static signature::RsaParameters {
    match alg {
        Alg::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Alg::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Alg::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Alg::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Alg::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => &signature::RSA_PKCS1_2048_8192_SHA256,
    }
}

fn rsa_encoding(alg: Alg) -> &'static dyn signature::RsaEncoding {
    match alg {
        Alg::Rs384 => &signature::RSA_PKCS1_SHA384,
        Alg::Rs512 => &signature::RSA_PKCS1_SHA512,
        Alg::Ps256 => &signature::RSA_PSS_SHA256,
        Alg::Ps384 => &signature::RSA_PSS_SHA384,
        Alg::Ps512 => &signature::RSA_PSS_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    }
}
