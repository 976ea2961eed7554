//! Public keys: they verify and sign nothing.

use pkcs8::{
    SubjectPublicKeyInfoRef,
    der::{Decode, Reader, SliceReader, asn1::UintRef},
};

use super::{
    super::{SignatureAlgorithm, SigningKey},
    kind::Kind,
    problem,
};
use crate::config::ConfigError;

/// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
pub(super) fn spki(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    der: &[u8],
) -> Result<SigningKey, ConfigError> {
    let unreadable = || problem("is not a public key in DER");
    let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| unreadable())?;
    Kind::of(&info.algorithm).check(alg)?;
    // A key fills its bytes: no bit of the last one is unused.
    let key = info.subject_public_key.as_bytes().ok_or_else(unreadable)?;
    match alg {
        SignatureAlgorithm::EdDsa => SigningKey::ed25519_public(kid, key),
        SignatureAlgorithm::Es256 | SignatureAlgorithm::Es384 => {
            check_whole(key)?;
            SigningKey::ecdsa_public(alg, kid, key)
        }
        _ => pkcs1(alg, kid, key),
    }
}

/// RSAPublicKey (RFC 8017 appendix A.1.1): modulus and exponent.
pub(super) fn pkcs1(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    der: &[u8],
) -> Result<SigningKey, ConfigError> {
    Kind::Rsa.check(alg)?;
    let (n, e) = numbers(der).map_err(|_| problem("is not an RSA public key in DER"))?;
    SigningKey::rsa_public(alg, kid, n.as_bytes(), e.as_bytes())
}

fn numbers(der: &[u8]) -> pkcs8::der::Result<(UintRef<'_>, UintRef<'_>)> {
    let mut reader = SliceReader::new(der)?;
    let numbers = reader.sequence(|inner| {
        pkcs8::der::Result::Ok((UintRef::decode(inner)?, UintRef::decode(inner)?))
    })?;
    reader.finish()?;
    Ok(numbers)
}

/// Refuses a point with one of its coordinates left out (SEC 1 section 2.3.3).
pub(super) fn check_whole(point: &[u8]) -> Result<(), ConfigError> {
    match point.first() {
        Some(2 | 3) => Err(problem(
            "holds a compressed point; `openssl ec -conv_form uncompressed` (with `-pubin` for a public key) writes the whole one",
        )),
        _ => Ok(()),
    }
}
