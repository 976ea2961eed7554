//! Private keys in PEM and DER, with josekit: it takes the several forms apart, and the numbers
//! are read and checked like those of any other JWK.

use josekit::{
    JoseError,
    jwk::{
        KeyPair,
        alg::{
            ec::{EcCurve, EcKeyPair},
            ed::EdKeyPair,
            rsa::RsaKeyPair,
        },
    },
};
use zeroize::Zeroizing;

use super::{SignatureAlgorithm, SigningKey, jwk::Jwk};
use crate::config::ConfigError;

pub(super) fn read_pem(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    pem: &str,
) -> Result<SigningKey, ConfigError> {
    // josekit takes no text around the armour and one line break at most behind it.
    let pem = pem.trim();
    match kind(alg)? {
        Kind::Ed => load(alg, kid, EdKeyPair::from_pem(pem)),
        Kind::Ec(curve) => load(alg, kid, EcKeyPair::from_pem(pem, Some(curve))),
        Kind::Rsa => load(alg, kid, RsaKeyPair::from_pem(pem)),
    }
}

pub(super) fn read_der(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    der: &[u8],
) -> Result<SigningKey, ConfigError> {
    match kind(alg)? {
        Kind::Ed => load(alg, kid, EdKeyPair::from_der(der)),
        Kind::Ec(curve) => load(alg, kid, EcKeyPair::from_der(der, Some(curve))),
        Kind::Rsa => load(alg, kid, RsaKeyPair::from_der(der)),
    }
}

enum Kind {
    Ed,
    Ec(EcCurve),
    Rsa,
}

fn kind(alg: SignatureAlgorithm) -> Result<Kind, ConfigError> {
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
    pair: Result<impl KeyPair, JoseError>,
) -> Result<SigningKey, ConfigError> {
    let unreadable = || {
        ConfigError::new(
            "signing key",
            "is not an unencrypted private key of its algorithm",
        )
    };
    let pair = pair.map_err(|_| unreadable())?.to_jwk_key_pair();
    let json = serde_json::to_string(pair.as_ref()).map_err(|_| unreadable())?;
    Jwk::parse(&Zeroizing::new(json))?.read_as(alg, kid)
}
