//! Making keys: every check that can be done once is done here.

use ring::{
    agreement, hmac,
    rand::SystemRandom,
    signature::{self, KeyPair},
};

use super::{
    super::{
        protected_header::{ACCESS_TOKEN_TYPE, check_kid, signed_header},
        strength,
    },
    Alg, Material, RsaPublic, SigningKey,
};
use crate::config::ConfigError;

impl SigningKey {
    /// A shared secret, at least as long as the hash (RFC 7518 section 3.2).
    pub(crate) fn hmac(alg: Alg, kid: Option<&str>, secret: &[u8]) -> Result<Self, ConfigError> {
        let (algorithm, min) = match alg {
            Alg::Hs256 => (hmac::HMAC_SHA256, 32),
            Alg::Hs384 => (hmac::HMAC_SHA384, 48),
            Alg::Hs512 => (hmac::HMAC_SHA512, 64),
            _ => return Err(wrong_algorithm(alg, "HS256, HS384 or HS512")),
        };
        strength::check_len(secret, min).map_err(|p| ConfigError::new("signing secret", p))?;
        Self::new(alg, kid, Material::Hmac(hmac::Key::new(algorithm, secret)))
    }

    /// The public half of an Ed25519 key: 32 bytes.
    pub(crate) fn ed25519_public(kid: Option<&str>, public: &[u8]) -> Result<Self, ConfigError> {
        if public.len() != 32 {
            return Err(bad_key("an Ed25519 public key has 32 bytes"));
        }
        if has_small_order(public) {
            return Err(bad_key(
                "is a point of small order, for which an attacker can forge signatures",
            ));
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

    /// An Ed25519 key from PKCS#8; where the public half is inside (version 2), it has to belong to it.
    pub(crate) fn ed25519_pkcs8(kid: Option<&str>, der: &[u8]) -> Result<Self, ConfigError> {
        let pair = signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
            .map_err(|_| bad_key("is not a consistent Ed25519 private key"))?;
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

    /// The same from an RSAPrivateKey (RFC 8017 appendix A.1.2) in DER.
    pub(crate) fn rsa_pkcs1(alg: Alg, kid: Option<&str>, der: &[u8]) -> Result<Self, ConfigError> {
        let pair =
            signature::RsaKeyPair::from_der(der).map_err(|_| bad_key(RSA_PRIVATE_REFUSED))?;
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
        let alg_name = algorithm.as_str();
        Ok(Self {
            algorithm,
            alg_name,
            assumed: false,
            kid: kid.map(Into::into),
            material,
            signs: true,
            verifies: true,
            header: signed_header(alg_name, kid, Some(ACCESS_TOKEN_TYPE)).into(),
        })
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
        let fits = exponent.is_some_and(|e| (3..1 << 33).contains(&e) && e & 1 == 1);
        if !fits || e.first() == Some(&0) {
            return Err(bad_key("an RSA exponent is odd and from 3 to 2^33 - 1"));
        }
        Ok(Self {
            n: n.into(),
            e: e.into(),
        })
    }
}

/// The points whose order divides eight, by their encoded y-coordinate, the non-canonical ones
/// included. `ring` verifies without the cofactor and does not look for them.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    near_prime(0xec),
    near_prime(0xed),
    near_prime(0xee),
];

/// 2^255 - 19 with another lowest byte, little-endian.
const fn near_prime(lowest: u8) -> [u8; 32] {
    let mut out = [0xff; 32];
    out[0] = lowest;
    out[31] = 0x7f;
    out
}

/// Whether an encoded Ed25519 point has small order, whatever its sign bit says.
fn has_small_order(public: &[u8]) -> bool {
    SMALL_ORDER.iter().any(|point| {
        let same = |(i, (a, b)): (usize, (&u8, &u8))| a == &(if i == 31 { b & 0x7f } else { *b });
        point.len() == public.len() && point.iter().zip(public).enumerate().all(same)
    })
}

/// `ring` checks a point when it agrees on a secret with it. So a throw-away agreement finds at start-up the fault
/// that would otherwise fail each request.
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

fn bad_key(problem: &'static str) -> ConfigError {
    ConfigError::new("signing key", problem)
}

fn wrong_algorithm(alg: Alg, accepted: &str) -> ConfigError {
    ConfigError::new(
        "signing key",
        format!("is of a kind that {alg} is not for; {accepted} would be accepted"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_small_order_are_rejected() {
        // The identity as R and zero as S satisfy the equation whenever the point vanishes.
        let mut forged = [0; 64];
        forged[0] = 1;
        for point in SMALL_ORDER {
            let mut forgeable = false;
            for sign in [0, 0x80] {
                let mut point = point;
                point[31] |= sign;
                assert!(SigningKey::ed25519_public(None, &point).is_err());
                let key = signature::UnparsedPublicKey::new(&signature::ED25519, point);
                forgeable |= (0..=255_u8).any(|n| key.verify(&[n], &forged).is_ok());
            }
            assert!(forgeable, "{point:?}");
        }
    }
}
