//! Private keys in PEM and DER, with josekit: it brings the older forms into PKCS#8, which
//! `ring` reads and checks.

use josekit::jwk::{
    KeyPair,
    alg::{
        ec::{EcCurve, EcKeyPair},
        ed::EdKeyPair,
        rsa::RsaKeyPair,
    },
};

use super::{SignatureAlgorithm, SigningKey};
use crate::{config::ConfigError, secret::Secret};

pub(super) fn read_pem(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    pem: &str,
) -> Result<SigningKey, ConfigError> {
    // josekit takes no text around the armour and one line break at most behind it.
    let pem = pem.trim();
    let pkcs8 = match curve(alg)? {
        Kind::Ed => EdKeyPair::from_pem(pem).map(|pair| pair.to_der_private_key()),
        Kind::Ec(curve) => EcKeyPair::from_pem(pem, Some(curve)).map(|p| p.to_der_private_key()),
        Kind::Rsa => RsaKeyPair::from_pem(pem).map(|pair| pair.to_der_private_key()),
    };
    load(alg, kid, Secret::new(pkcs8.map_err(|_| unreadable("PEM"))?))
}

pub(super) fn read_der(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    der: &[u8],
) -> Result<SigningKey, ConfigError> {
    let pkcs8 = match curve(alg)? {
        Kind::Ed => EdKeyPair::from_der(der).map(|pair| pair.to_der_private_key()),
        Kind::Ec(curve) => EcKeyPair::from_der(der, Some(curve)).map(|p| p.to_der_private_key()),
        Kind::Rsa => RsaKeyPair::from_der(der).map(|pair| pair.to_der_private_key()),
    };
    load(alg, kid, Secret::new(pkcs8.map_err(|_| unreadable("DER"))?))
}

enum Kind {
    Ed,
    Ec(EcCurve),
    Rsa,
}

fn curve(alg: SignatureAlgorithm) -> Result<Kind, ConfigError> {
    match alg {
        SignatureAlgorithm::EdDsa => Ok(Kind::Ed),
        SignatureAlgorithm::Es256 => Ok(Kind::Ec(EcCurve::P256)),
        SignatureAlgorithm::Es384 => Ok(Kind::Ec(EcCurve::P384)),
        alg if alg.is_rsa() => Ok(Kind::Rsa),
        _ => Err(ConfigError::new(
            "signing key",
            "shared secrets have no PEM or DER form",
        )),
    }
}

fn load(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    pkcs8: Secret<Vec<u8>>,
) -> Result<SigningKey, ConfigError> {
    match alg {
        SignatureAlgorithm::EdDsa => SigningKey::ed25519_pkcs8(kid, pkcs8.expose()),
        SignatureAlgorithm::Es256 | SignatureAlgorithm::Es384 => {
            SigningKey::ecdsa_pkcs8(alg, kid, pkcs8.expose())
        }
        _ => SigningKey::rsa_der(alg, kid, pkcs8.expose()),
    }
}

fn unreadable(form: &'static str) -> ConfigError {
    ConfigError::new(
        "signing key",
        format!("is not an unencrypted private key of its algorithm in {form}"),
    )
}
