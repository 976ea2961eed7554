//! Signing keys in PEM (RFC 7468) and DER.
//!
//! pkcs8 and sec1, which wipe what they decode, take the files apart; `ring` judges the numbers inside.

mod kind;
mod private;
mod public;

use pkcs8::der::{Decode, Reader, SliceReader, Tag, Tagged, asn1::AnyRef, pem::Decoder};
use zeroize::Zeroizing;

use super::{SignatureAlgorithm, SigningKey};
use crate::config::ConfigError;

/// The accepted forms, for errors about all others.
const ACCEPTED: &str = "Public keys (SubjectPublicKeyInfo, `BEGIN PUBLIC KEY`, or PKCS#1) and unencrypted \
     private keys (PKCS#8, PKCS#1 or SEC 1) are accepted";

/// The largest file, in bytes: an RSA private key of 8192 bits in PEM has about 6500.
const MAX_LEN: usize = 64 * 1024;

const CERTIFICATE: &str =
    "an X.509 certificate (`openssl x509 -pubkey -noout` prints its public key)";
const ENCRYPTED: &str = "an encrypted private key (`openssl pkey` decrypts it)";

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
    Spki,
    /// RSAPublicKey (RFC 8017 appendix A.1.1).
    Pkcs1Public,
    /// OneAsymmetricKey, in its first version PrivateKeyInfo (RFC 5958 section 2).
    Pkcs8,
    /// RSAPrivateKey (RFC 8017 appendix A.1.2).
    Pkcs1,
    /// ECPrivateKey (RFC 5915 section 3).
    Sec1,
    /// EncryptedPrivateKeyInfo (RFC 5958 section 3).
    Encrypted,
    /// An X.509 certificate, or a request for one.
    Certificate,
}

pub(super) fn read_pem(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    pem: &str,
) -> Result<SigningKey, ConfigError> {
    check_len(pem.as_bytes())?;
    let pem = without_parameters(pem.trim());
    if pem.matches("-----BEGIN ").count() > 1 {
        return Err(refused("more than one key"));
    }
    // RFC 1421 section 4.6: the older forms are encrypted behind a header.
    if pem.contains("Proc-Type:") {
        return Err(refused(ENCRYPTED));
    }
    let not_pem = |_| refused("not PEM");
    let pem = unwrapped(pem);
    let mut decoder = Decoder::new_detect_wrap(pem.as_bytes()).map_err(not_pem)?;
    let form = Form::labelled(decoder.type_label())?;
    let mut der = Zeroizing::new(vec![0; decoder.remaining_len()]);
    decoder.decode(&mut der).map_err(not_pem)?;
    if Form::of(&der) != Some(form) {
        return Err(refused("PEM whose contents are not the key its label says"));
    }
    read(alg, kid, form, &der)
}

/// `openssl ecparam -genkey` writes the curve in front, which the key names as well.
fn without_parameters(pem: &str) -> &str {
    const END: &str = "-----END EC PARAMETERS-----";
    match pem.starts_with("-----BEGIN EC PARAMETERS-----") {
        true => pem.split_once(END).map_or(pem, |(_, key)| key.trim_start()),
        false => pem,
    }
}

pub(super) fn read_der(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    der: &[u8],
) -> Result<SigningKey, ConfigError> {
    check_len(der)?;
    match Form::of(der) {
        Some(form) => read(alg, kid, form, der),
        None if der.starts_with(b"-----BEGIN") => Err(refused("PEM, not DER")),
        None => Err(refused("not a key in DER")),
    }
}

fn read(
    alg: SignatureAlgorithm,
    kid: Option<&str>,
    form: Form,
    der: &[u8],
) -> Result<SigningKey, ConfigError> {
    if alg.is_symmetric() {
        return Err(problem("shared secrets have no PEM or DER form"));
    }
    match form {
        Form::Spki => public::spki(alg, kid, der),
        Form::Pkcs1Public => public::pkcs1(alg, kid, der),
        Form::Pkcs8 => private::pkcs8(alg, kid, der),
        Form::Pkcs1 => private::pkcs1(alg, kid, der),
        Form::Sec1 => private::sec1(alg, kid, der),
        Form::Encrypted => Err(refused(ENCRYPTED)),
        Form::Certificate => Err(refused(CERTIFICATE)),
    }
}

impl Form {
    /// Returns the form that the label of a PEM text names. Labels of other things than keys are rejected before
    /// anything is decoded.
    fn labelled(label: &str) -> Result<Self, ConfigError> {
        match label {
            "PUBLIC KEY" => Ok(Self::Spki),
            "RSA PUBLIC KEY" => Ok(Self::Pkcs1Public),
            "PRIVATE KEY" => Ok(Self::Pkcs8),
            "RSA PRIVATE KEY" => Ok(Self::Pkcs1),
            "EC PRIVATE KEY" => Ok(Self::Sec1),
            "ENCRYPTED PRIVATE KEY" => Err(refused(ENCRYPTED)),
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Err(refused(CERTIFICATE)),
            "OPENSSH PRIVATE KEY" => Err(refused("a private key in the form of OpenSSH")),
            _ => Err(refused("a kind of PEM that is not known")),
        }
    }

    /// Returns the form that the outline of the outermost sequence shows. `None` for no DER, or an unknown outline.
    fn of(der: &[u8]) -> Option<Self> {
        match tags(der).ok()?.as_slice() {
            [Tag::Sequence, Tag::BitString] => Some(Self::Spki),
            [Tag::Sequence, Tag::Sequence, Tag::BitString] => Some(Self::Certificate),
            [Tag::Sequence, Tag::OctetString] => Some(Self::Encrypted),
            [Tag::Integer, Tag::Integer] => Some(Self::Pkcs1Public),
            [Tag::Integer, Tag::Integer, ..] => Some(Self::Pkcs1),
            [Tag::Integer, Tag::Sequence, ..] => Some(Self::Pkcs8),
            [Tag::Integer, Tag::OctetString, ..] => Some(Self::Sec1),
            _ => None,
        }
    }
}

/// The tags of the elements in the sequence that `der` consists of.
fn tags(der: &[u8]) -> pkcs8::der::Result<Vec<Tag>> {
    let mut reader = SliceReader::new(der)?;
    let tags = reader.sequence(|inner| {
        let mut tags = Vec::new();
        while !inner.is_finished() {
            tags.push(AnyRef::decode(inner)?.tag());
        }
        pkcs8::der::Result::Ok(tags)
    })?;
    reader.finish()?;
    Ok(tags)
}

/// The same text with its base64 on one line. Files are indented when they are pasted into another, and editors wrap
/// them anew. The decoder accepts only lines of one length (RFC 7468 section 2: a parser may pass over white space).
fn unwrapped(pem: &str) -> Zeroizing<String> {
    // It never grows: a copy that is left behind would not be wiped.
    let mut text = Zeroizing::new(String::with_capacity(2 * pem.len()));
    for line in pem.split(['\r', '\n']).map(str::trim) {
        let boundary = line.starts_with("-----");
        if boundary && !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
        if boundary {
            text.push('\n');
        }
    }
    text
}

fn check_len(file: &[u8]) -> Result<(), ConfigError> {
    match file.len() {
        0..=MAX_LEN => Ok(()),
        _ => Err(refused("too long for a key")),
    }
}

fn refused(found: &str) -> ConfigError {
    problem(format!("is {found}. {ACCEPTED}"))
}

fn problem(problem: impl Into<std::borrow::Cow<'static, str>>) -> ConfigError {
    ConfigError::new("signing key", problem)
}
