//! Signing keys in PEM and DER. Public ones are read by `spki`; private ones with josekit: it takes
//! the several forms apart, and the numbers are read and checked like those of any other JWK.

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

use super::{SignatureAlgorithm, SigningKey, der::Form, jwk::Jwk, spki};
use crate::config::ConfigError;

/// What is taken, for errors about everything else.
const ACCEPTED: &str = "a public key (SubjectPublicKeyInfo, `BEGIN PUBLIC KEY`) or an unencrypted private key (PKCS#8, PKCS#1 or SEC 1) is accepted";

/// The largest file, in bytes: an RSA private key of 8192 bits in PEM has about 6500.
const MAX_LEN: usize = 64 * 1024;

pub(super) fn read_pem(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    pem: &str,
) -> Result<SigningKey, ConfigError> {
    let kind = kind(alg)?;
    // josekit takes no text around the armour and one line break at most behind it.
    let pem = pem.trim();
    let (label, der) = armour(pem)?;
    match (label, Form::of(&der)) {
        ("PUBLIC KEY", Some(Form::Public)) => spki::read(alg, kid, &der),
        ("PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY", Some(Form::Private)) => match kind {
            Kind::Ed => load(alg, kid, EdKeyPair::from_pem(pem)),
            Kind::Ec(curve) => load(alg, kid, EcKeyPair::from_pem(pem, Some(curve))),
            Kind::Rsa => load(alg, kid, RsaKeyPair::from_pem(pem)),
        },
        ("PUBLIC KEY" | "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY", _) => {
            Err(refused("PEM whose contents are not the key its label says"))
        }
        _ => Err(refused("a kind of PEM that is not known")),
    }
}

pub(super) fn read_der(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    der: &[u8],
) -> Result<SigningKey, ConfigError> {
    let kind = kind(alg)?;
    if der.len() > MAX_LEN {
        return Err(refused("too long for a key"));
    }
    match (Form::of(der), kind) {
        (Some(Form::Public), _) => spki::read(alg, kid, der),
        (Some(Form::Private), Kind::Ed) => load(alg, kid, EdKeyPair::from_der(der)),
        (Some(Form::Private), Kind::Ec(curve)) => {
            load(alg, kid, EcKeyPair::from_der(der, Some(curve)))
        }
        (Some(Form::Private), Kind::Rsa) => load(alg, kid, RsaKeyPair::from_der(der)),
        (Some(Form::Certificate), _) => Err(refused(CERTIFICATE)),
        (Some(Form::Encrypted), _) => Err(refused(ENCRYPTED)),
        (Some(Form::RsaPublic), _) => Err(refused(RSA_PUBLIC)),
        (None, _) if der.starts_with(b"-----BEGIN") => Err(refused("PEM, not DER")),
        (None, _) => Err(refused("not a key in DER")),
    }
}

const CERTIFICATE: &str =
    "an X.509 certificate (`openssl x509 -pubkey -noout` prints its public key)";
const ENCRYPTED: &str = "an encrypted private key (`openssl pkey` decrypts it)";
const RSA_PUBLIC: &str =
    "an RSA public key in PKCS#1 form (`openssl rsa -RSAPublicKey_in -pubout` converts it)";

/// The label of a PEM text (RFC 7468) and the DER inside. What its label tells apart from a key is
/// refused by it, before anything is decoded.
fn armour(pem: &str) -> Result<(&str, Zeroizing<Vec<u8>>), ConfigError> {
    if pem.len() > MAX_LEN {
        return Err(refused("too long for a key"));
    }
    let not_pem = || refused("not PEM");
    let rest = pem.strip_prefix("-----BEGIN ").ok_or_else(not_pem)?;
    let (label, rest) = rest.split_once("-----").ok_or_else(not_pem)?;
    match label {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
            return Err(refused(CERTIFICATE));
        }
        "ENCRYPTED PRIVATE KEY" => return Err(refused(ENCRYPTED)),
        "RSA PUBLIC KEY" => return Err(refused(RSA_PUBLIC)),
        "OPENSSH PRIVATE KEY" => return Err(refused("a private key in the form of OpenSSH")),
        _ => {}
    }
    // RFC 1421 section 4.6: the older forms are encrypted behind a header.
    if rest.trim_start().starts_with("Proc-Type:") {
        return Err(refused(ENCRYPTED));
    }
    let (body, end) = rest.split_once("-----END ").ok_or_else(not_pem)?;
    match end.strip_prefix(label) {
        Some("-----") => {}
        Some(more) if more.contains("-----BEGIN ") => return Err(refused("more than one key")),
        _ => return Err(not_pem()),
    }
    let der = base64_simd::forgiving_decode_to_vec(body.as_bytes());
    Ok((label, Zeroizing::new(der.map_err(|_| not_pem())?)))
}

fn refused(found: &str) -> ConfigError {
    ConfigError::new("signing key", format!("is {found}; {ACCEPTED}"))
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
