//! Public keys as SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7): what `BEGIN PUBLIC KEY` holds.

use super::{
    SignatureAlgorithm, SigningKey,
    der::{BIT_STRING, INTEGER, SEQUENCE, fields, whole},
};
use crate::config::ConfigError;

/// The contents of `AlgorithmIdentifier`, as every writer of DER spells them (RFC 3279 section
/// 2.3.1, RFC 5480 section 2.1.1, RFC 8410 section 3). What they do not equal is another kind of key.
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
const P256: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P384: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22";
const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";

/// The beginnings of those that deserve a name in an error.
const RSA_PSS: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
const EC: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";

/// A key that verifies and signs nothing.
pub(super) fn read(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    der: &[u8],
) -> Result<SigningKey, ConfigError> {
    let (found, key) = split(der).ok_or_else(|| problem("is not a public key in DER"))?;
    let (accepted, name) = match alg {
        SignatureAlgorithm::EdDsa => (ED25519, "Ed25519"),
        SignatureAlgorithm::Es256 => (P256, "EC P-256"),
        SignatureAlgorithm::Es384 => (P384, "EC P-384"),
        _ => (RSA, "RSA"),
    };
    if found != accepted {
        return Err(problem(format!(
            "is {} key; {alg} takes an {name} key",
            describe(found)
        )));
    }
    match alg {
        SignatureAlgorithm::EdDsa => SigningKey::ed25519_public(kid, key),
        SignatureAlgorithm::Es256 | SignatureAlgorithm::Es384 => {
            if matches!(key.first(), Some(2 | 3)) {
                return Err(problem(
                    "is a compressed point; `openssl ec -pubin -conv_form uncompressed` writes the whole one",
                ));
            }
            SigningKey::ecdsa_public(alg, kid, key)
        }
        _ => {
            let (n, e) = rsa(key).ok_or_else(|| problem("is not an RSA public key in DER"))?;
            SigningKey::rsa_public(alg, kid, n, e)
        }
    }
}

/// The algorithm and the key itself.
fn split(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let parts = fields(whole(der, SEQUENCE)?)?;
    let [algorithm, key] = parts.as_slice() else {
        return None;
    };
    if algorithm.tag != SEQUENCE || key.tag != BIT_STRING {
        return None;
    }
    // A key fills its bytes: no bit of the last one is unused.
    let key = key.contents.strip_prefix(&[0])?;
    Some((algorithm.contents, key))
}

/// Modulus and exponent of an RSAPublicKey (RFC 8017 appendix A.1.1).
fn rsa(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let parts = fields(whole(der, SEQUENCE)?)?;
    match parts.as_slice() {
        [n, e] if n.tag == INTEGER && e.tag == INTEGER => {
            Some((positive(n.contents)?, positive(e.contents)?))
        }
        _ => None,
    }
}

/// The bytes of a positive number, without the zero that keeps it from being a negative one.
fn positive(integer: &[u8]) -> Option<&[u8]> {
    match integer {
        [0, rest @ ..] => rest
            .first()
            .is_some_and(|top| top & 0x80 != 0)
            .then_some(rest),
        [top, ..] => (top & 0x80 == 0).then_some(integer),
        [] => None,
    }
}

fn describe(algorithm: &[u8]) -> &'static str {
    match algorithm {
        RSA => "an RSA",
        P256 => "an EC P-256",
        P384 => "an EC P-384",
        ED25519 => "an Ed25519",
        other if other.starts_with(RSA_PSS) => "an RSASSA-PSS (not a plain RSA)",
        other if other.starts_with(EC) => "an EC (of a curve that is neither P-256 nor P-384)",
        _ => "an unknown kind of",
    }
}

fn problem(problem: impl Into<std::borrow::Cow<'static, str>>) -> ConfigError {
    ConfigError::new("signing key", problem)
}
