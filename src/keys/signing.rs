//! Keys that sign and verify, expanded once and used many times.
//!
//! What `ring` holds inside its own key types cannot be wiped by us; everything on the way
//! there lies in buffers that are.

use std::fmt;

use ring::{
    agreement, hmac,
    rand::SystemRandom,
    signature::{self, KeyPair},
};

use super::{
    SignatureAlgorithm as Alg,
    header::{ACCESS_TOKEN_TYPE, check_kid, signed_header},
    weak,
};
use crate::config::ConfigError;

/// A key for signed tokens: verifies always, signs when it has its private half.
pub(crate) struct SigningKey {
    algorithm: Alg,
    kid: Option<Box<str>>,
    material: Material,
    /// Whether its owner lets it sign (`key_ops`).
    signs: bool,
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

/// The longest signature a key makes: `ring` signs with RSA keys of at most 4096 bits.
const MAX_SIGNATURE: usize = 512;

/// A signature or MAC in a fixed buffer.
pub(crate) struct Signature {
    bytes: [u8; MAX_SIGNATURE],
    len: usize,
}

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
    /// A shared secret, at least as long as the hash (RFC 7518 section 3.2).
    pub(crate) fn hmac(alg: Alg, kid: Option<&str>, secret: &[u8]) -> Result<Self, ConfigError> {
        let (algorithm, min) = match alg {
            Alg::Hs256 => (hmac::HMAC_SHA256, 32),
            Alg::Hs384 => (hmac::HMAC_SHA384, 48),
            Alg::Hs512 => (hmac::HMAC_SHA512, 64),
            _ => return Err(wrong_algorithm(alg, "HS256, HS384 or HS512")),
        };
        weak::check(secret, min).map_err(|p| ConfigError::new("signing secret", p))?;
        Self::new(alg, kid, Material::Hmac(hmac::Key::new(algorithm, secret)))
    }

    /// The public half of an Ed25519 key: 32 bytes.
    pub(crate) fn ed25519_public(kid: Option<&str>, public: &[u8]) -> Result<Self, ConfigError> {
        if public.len() != 32 {
            return Err(bad_key("an Ed25519 public key has 32 bytes"));
        }
        let public = public.into();
        let private = None;
        Self::new(Alg::EdDsa, kid, Material::Ed25519 { public, private })
    }

    /// An Ed25519 key from its seed; the public half has to belong to it.
    pub(crate) fn ed25519_seed(
        kid: Option<&str>,
        seed: &[u8],
        public: &[u8],
    ) -> Result<Self, ConfigError> {
        let pair = signature::Ed25519KeyPair::from_seed_and_public_key(seed, public)
            .map_err(|_| bad_key("the Ed25519 seed and public key do not belong together"))?;
        Self::ed25519_pair(kid, pair)
    }

    fn ed25519_pair(
        kid: Option<&str>,
        pair: signature::Ed25519KeyPair,
    ) -> Result<Self, ConfigError> {
        let public = pair.public_key().as_ref().into();
        let private = Some(Box::new(pair));
        Self::new(Alg::EdDsa, kid, Material::Ed25519 { public, private })
    }

    /// The public half of an ECDSA key: an uncompressed point (SEC 1 section 2.3.3) on the curve.
    pub(crate) fn ecdsa_public(
        alg: Alg,
        kid: Option<&str>,
        point: &[u8],
    ) -> Result<Self, ConfigError> {
        let (curve, len) = match alg {
            Alg::Es256 => (&agreement::ECDH_P256, 65),
            Alg::Es384 => (&agreement::ECDH_P384, 97),
            _ => return Err(wrong_algorithm(alg, "ES256 or ES384")),
        };
        if point.len() != len || !on_curve(curve, point) {
            return Err(bad_key("is not a point on the curve of its algorithm"));
        }
        let public = point.into();
        let private = None;
        Self::new(alg, kid, Material::Ecdsa { public, private })
    }

    /// An ECDSA key from its private scalar and its uncompressed point, which have to belong
    /// together.
    pub(crate) fn ecdsa_private(
        alg: Alg,
        kid: Option<&str>,
        d: &[u8],
        point: &[u8],
    ) -> Result<Self, ConfigError> {
        let pair = signature::EcdsaKeyPair::from_private_key_and_public_key(
            ecdsa_signing(alg)?,
            d,
            point,
            &SystemRandom::new(),
        )
        .map_err(|_| bad_key("the ECDSA scalar and point do not belong together"))?;
        Self::ecdsa_pair(alg, kid, pair)
    }

    fn ecdsa_pair(
        alg: Alg,
        kid: Option<&str>,
        pair: signature::EcdsaKeyPair,
    ) -> Result<Self, ConfigError> {
        let public = pair.public_key().as_ref().into();
        let private = Some(Box::new(pair));
        Self::new(alg, kid, Material::Ecdsa { public, private })
    }

    /// The public half of an RSA key of 2048 to 8192 bits.
    pub(crate) fn rsa_public(
        alg: Alg,
        kid: Option<&str>,
        n: &[u8],
        e: &[u8],
    ) -> Result<Self, ConfigError> {
        let public = RsaPublic::new(n, e)?;
        let private = None;
        Self::rsa(alg, kid, Material::Rsa { public, private })
    }

    /// An RSA key of 2048 to 4096 bits from its components (RFC 7518 section 6.3.2).
    pub(crate) fn rsa_components(
        alg: Alg,
        kid: Option<&str>,
        components: &ring::rsa::KeyPairComponents<&[u8]>,
    ) -> Result<Self, ConfigError> {
        let pair = signature::RsaKeyPair::from_components(components)
            .map_err(|_| bad_key(RSA_PRIVATE_REFUSED))?;
        Self::rsa_pair(alg, kid, pair)
    }

    fn rsa_pair(
        alg: Alg,
        kid: Option<&str>,
        pair: signature::RsaKeyPair,
    ) -> Result<Self, ConfigError> {
        let parts = signature::RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
        let public = RsaPublic::new(&parts.n, &parts.e)?;
        let private = Some(Box::new(pair));
        Self::rsa(alg, kid, Material::Rsa { public, private })
    }

    fn rsa(alg: Alg, kid: Option<&str>, material: Material) -> Result<Self, ConfigError> {
        if alg.is_rsa() {
            Self::new(alg, kid, material)
        } else {
            Err(wrong_algorithm(alg, "RS256 to RS512 or PS256 to PS512"))
        }
    }

    fn new(algorithm: Alg, kid: Option<&str>, material: Material) -> Result<Self, ConfigError> {
        check_kid(kid)?;
        Ok(Self {
            algorithm,
            kid: kid.map(Into::into),
            material,
            signs: true,
            header: signed_header(algorithm, kid, ACCESS_TOKEN_TYPE).into(),
        })
    }

    /// The same key, which signs nothing any more.
    pub(super) fn verify_only(mut self) -> Self {
        self.signs = false;
        self
    }

    /// The one algorithm this key is for.
    pub(crate) fn algorithm(&self) -> Alg {
        self.algorithm
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
    pub(crate) fn encode_header(&self, typ: &str) -> String {
        signed_header(self.algorithm, self.kid(), typ)
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

    /// Whether `signature` is this key's over `message`. Constant time for MACs.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
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
            .verify(rsa_parameters(self.algorithm), message, signature),
        };
        verified.is_ok()
    }

    /// Signs `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        if !self.signs {
            return Err(SignError::PublicOnly);
        }
        let rng = SystemRandom::new();
        match &self.material {
            Material::Hmac(key) => Signature::copy(hmac::sign(key, message).as_ref()),
            Material::Ed25519 { private, .. } => {
                let pair = private.as_ref().ok_or(SignError::PublicOnly)?;
                Signature::copy(pair.sign(message).as_ref())
            }
            Material::Ecdsa { private, .. } => {
                let pair = private.as_ref().ok_or(SignError::PublicOnly)?;
                let signed = pair.sign(&rng, message).map_err(|_| SignError::Failed)?;
                Signature::copy(signed.as_ref())
            }
            Material::Rsa { private, .. } => {
                let pair = private.as_ref().ok_or(SignError::PublicOnly)?;
                let mut out = Signature::zeroed(pair.public().modulus_len())?;
                pair.sign(rsa_encoding(self.algorithm), &rng, message, out.as_mut())
                    .map_err(|_| SignError::Failed)?;
                Ok(out)
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

const RSA_PRIVATE_REFUSED: &str =
    "is not a consistent RSA private key of 2048 to 4096 bits with two primes of equal length";

impl RsaPublic {
    fn new(n: &[u8], e: &[u8]) -> Result<Self, ConfigError> {
        let bits = match n.first() {
            Some(&top) if top != 0 => n.len() * 8 - top.leading_zeros() as usize,
            _ => 0,
        };
        if !(2048..=8192).contains(&bits) || n.last().is_none_or(|b| b & 1 == 0) {
            return Err(bad_key("an RSA modulus is odd and has 2048 to 8192 bits"));
        }
        // `ring` takes exponents from 3 to 2^33 - 1; a larger one would fail at each request.
        let exponent = e.iter().try_fold(0_u64, |acc, b| {
            (acc < 1 << 33).then_some(acc << 8 | u64::from(*b))
        });
        let fits = exponent.is_some_and(|e| e >= 3 && e < 1 << 33 && e & 1 == 1);
        if !fits || e.first() == Some(&0) {
            return Err(bad_key("an RSA exponent is odd and from 3 to 2^33 - 1"));
        }
        Ok(Self {
            n: n.into(),
            e: e.into(),
        })
    }
}

impl Signature {
    fn zeroed(len: usize) -> Result<Self, SignError> {
        if len > MAX_SIGNATURE {
            return Err(SignError::Failed);
        }
        let bytes = [0; MAX_SIGNATURE];
        Ok(Self { bytes, len })
    }

    fn copy(from: &[u8]) -> Result<Self, SignError> {
        let mut out = Self::zeroed(from.len())?;
        out.as_mut().copy_from_slice(from);
        Ok(out)
    }

    fn as_mut(&mut self) -> &mut [u8] {
        let len = self.len;
        self.bytes.get_mut(..len).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes: _, len } = self;
        f.debug_struct("Signature").field("len", len).finish()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            algorithm,
            kid,
            material: _,
            signs: _,
            header: _,
        } = self;
        f.debug_struct("SigningKey")
            .field("algorithm", algorithm)
            .field("kid", kid)
            .field("can_sign", &self.can_sign())
            .finish_non_exhaustive()
    }
}

/// `ring` checks a point when it agrees on a secret with it, so a throw-away agreement tells
/// at start-up what would otherwise fail at each request.
fn on_curve(curve: &'static agreement::Algorithm, point: &[u8]) -> bool {
    let Ok(own) = agreement::EphemeralPrivateKey::generate(curve, &SystemRandom::new()) else {
        return false;
    };
    let peer = agreement::UnparsedPublicKey::new(curve, point);
    agreement::agree_ephemeral(own, &peer, |_| ()).is_ok()
}

fn ecdsa_signing(alg: Alg) -> Result<&'static signature::EcdsaSigningAlgorithm, ConfigError> {
    match alg {
        Alg::Es256 => Ok(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        Alg::Es384 => Ok(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        _ => Err(wrong_algorithm(alg, "ES256 or ES384")),
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

fn bad_key(problem: &'static str) -> ConfigError {
    ConfigError::new("signing key", problem)
}

fn wrong_algorithm(alg: Alg, accepted: &str) -> ConfigError {
    ConfigError::new(
        "signing key",
        format!("is of a kind that {alg} is not for; {accepted} would be accepted"),
    )
}
