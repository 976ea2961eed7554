//! Private keys of the older and the newer forms.

use pkcs8::PrivateKeyInfoRef;
use sec1::{EcParameters, EcPrivateKey};

use super::{
    super::{SignatureAlgorithm, SigningKey},
    kind::Kind,
    problem,
    public::check_whole,
};
use crate::config::ConfigError;

/// OneAsymmetricKey (RFC 5958 section 2), which says what it has inside.
pub(super) fn pkcs8(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    der: &[u8],
) -> Result<SigningKey, ConfigError> {
    let info = PrivateKeyInfoRef::try_from(der)
        .map_err(|_| problem("is not a private key in the form of PKCS#8"))?;
    Kind::of(&info.algorithm).check(alg)?;
    let key = info.private_key.as_bytes();
    match alg {
        SignatureAlgorithm::EdDsa => SigningKey::ed25519_pkcs8(kid, der),
        SignatureAlgorithm::Es256 | SignatureAlgorithm::Es384 => sec1(alg, kid, key),
        _ => pkcs1(alg, kid, key),
    }
}

/// RSAPrivateKey (RFC 8017 appendix A.1.2).
pub(super) fn pkcs1(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    der: &[u8],
) -> Result<SigningKey, ConfigError> {
    Kind::Rsa.check(alg)?;
    SigningKey::rsa_pkcs1(alg, kid, der)
}

/// ECPrivateKey (RFC 5915 section 3), whose curve and public half may be left out.
pub(super) fn sec1(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    der: &[u8],
) -> Result<SigningKey, ConfigError> {
    let key = EcPrivateKey::try_from(der)
        .map_err(|_| problem("is not an EC private key in the form of SEC 1"))?;
    if let Some(curve) = key.parameters.and_then(EcParameters::named_curve) {
        Kind::of_curve(curve).check(alg)?;
    }
    // `ring` computes no public half from a private one, and checks that the two belong together.
    let point = key
        .public_key
        .ok_or_else(|| problem("holds no public half; `openssl ec` adds it"))?;
    check_whole(point)?;
    SigningKey::ecdsa_private(alg, kid, key.private_key, point)
}
