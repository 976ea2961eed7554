//! Reading a JWK of our own (RFC 7517, RFC 7518 section 6, RFC 8037 section 2) into a key.
//!
//! A small type of our own: verifying with another service's public keys must not need OpenSSL.

use std::sync::Arc;

use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use serde::{Deserialize, de::IgnoredAny};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{
    ContentEncryption, EncryptionKey, KeyManagement, SignatureAlgorithm, SigningKey,
    algorithm::ED25519, jose::Wrapping,
};
use crate::{
    config::ConfigError,
    secret::{Secret, decode},
};

/// The longest member that is decoded, in characters: an RSA modulus of 8192 bits has 1366.
pub(super) const MAX_MEMBER: usize = 2048;

/// The members we use. A repeated one is refused by serde; others are ignored, as RFC 7517
/// section 4 demands. It has no `Debug`, because it holds private members.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Jwk {
    pub(super) kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    enc: Option<String>,
    kid: Option<String>,
    pub(super) crv: Option<String>,
    pub(super) x: Option<String>,
    pub(super) y: Option<String>,
    pub(super) n: Option<String>,
    pub(super) e: Option<String>,
    pub(super) d: Option<String>,
    pub(super) p: Option<String>,
    pub(super) q: Option<String>,
    pub(super) dp: Option<String>,
    pub(super) dq: Option<String>,
    pub(super) qi: Option<String>,
    pub(super) k: Option<String>,
    #[zeroize(skip)]
    oth: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

/// A key by what it is for.
pub(super) enum Purpose {
    Signing(Arc<SigningKey>),
    Encryption(Arc<EncryptionKey>),
    /// `"use": "refresh"`: a secret of the refresh cookie.
    Refresh(Secret<Vec<u8>>),
}

impl Jwk {
    pub(super) fn parse(json: &str) -> Result<Self, ConfigError> {
        serde_json::from_str(json).map_err(|e| not_json("JWK", &e))
    }

    pub(super) fn parse_set(json: &str) -> Result<Vec<Self>, ConfigError> {
        let set: JwkSet = serde_json::from_str(json).map_err(|e| not_json("JWK Set", &e))?;
        Ok(set.keys)
    }

    /// A key of our own: all of it has to make sense.
    pub(super) fn read(&self) -> Result<Purpose, ConfigError> {
        if self.oth.is_some() {
            return Err(problem("RSA keys of more than two primes are not taken"));
        }
        let repeated = |ops: &Vec<String>| (1..ops.len()).any(|i| ops[i..].contains(&ops[i - 1]));
        if self.key_ops.as_ref().is_some_and(repeated) {
            return Err(problem("\"key_ops\" repeats a value"));
        }
        match self.purpose.as_deref() {
            Some("refresh") => {
                self.expect_kty("oct")?;
                Ok(Purpose::Refresh(bytes("k", &self.k)?))
            }
            Some("enc") => self.encryption_purpose(),
            Some("sig") => self.signing_purpose(),
            None if self.is_for_encryption() => self.encryption_purpose(),
            None => self.signing_purpose(),
            Some(_) => Err(problem("\"use\" must be \"sig\", \"enc\" or \"refresh\"")),
        }
    }

    fn signing_purpose(&self) -> Result<Purpose, ConfigError> {
        Ok(Purpose::Signing(Arc::new(self.signing_key()?)))
    }

    fn encryption_purpose(&self) -> Result<Purpose, ConfigError> {
        Ok(Purpose::Encryption(Arc::new(self.encryption_key()?)))
    }

    /// Without `use`, the algorithm tells what a key is for.
    fn is_for_encryption(&self) -> bool {
        let alg = self.alg.as_deref().unwrap_or_default();
        alg.parse::<KeyManagement>().is_ok()
            || alg.parse::<ContentEncryption>().is_ok()
            || self.crv.as_deref() == Some("X25519")
    }

    /// Whether `key_ops`, when there are any, name `operation`.
    fn allows(&self, operation: &str) -> bool {
        let mut ops = self.key_ops.iter().flatten().peekable();
        self.key_ops.is_none() || ops.any(|op| op == operation)
    }

    fn expect_kty(&self, kty: &'static str) -> Result<(), ConfigError> {
        if self.kty == kty {
            return Ok(());
        }
        Err(problem(format!(
            "\"kty\" must be \"{kty}\" for this use or algorithm"
        )))
    }

    /// `alg`, or what follows from the curve. RSA and shared secrets fit several.
    fn signature_algorithm(&self) -> Result<SignatureAlgorithm, ConfigError> {
        if let Some(alg) = self.alg.as_deref() {
            return alg.parse();
        }
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => Ok(SignatureAlgorithm::Es256),
            ("EC", Some("P-384")) => Ok(SignatureAlgorithm::Es384),
            ("OKP", Some("Ed25519")) => Ok(SignatureAlgorithm::EdDsa),
            ("EC" | "OKP", _) => Err(problem("\"crv\" must be P-256, P-384 or Ed25519")),
            ("RSA" | "oct", _) => Err(problem("\"alg\" is required for RSA keys and secrets")),
            _ => Err(problem("\"kty\" must be oct, RSA, EC or OKP")),
        }
    }

    fn signing_key(&self) -> Result<SigningKey, ConfigError> {
        let alg = self.signature_algorithm()?;
        let kid = self.kid.as_deref();
        let (signs, verifies) = (self.allows("sign"), self.allows("verify"));
        if !signs && !verifies {
            return Err(problem("\"key_ops\" has neither \"sign\" nor \"verify\""));
        }
        let key = if alg.is_symmetric() {
            self.expect_kty("oct")?;
            SigningKey::hmac(alg, kid, bytes("k", &self.k)?.expose())?
        } else if alg.is_rsa() {
            self.expect_kty("RSA")?;
            self.rsa_key(alg, kid)?
        } else if alg == SignatureAlgorithm::EdDsa {
            self.expect_kty("OKP")?;
            self.expect_curve("Ed25519")?;
            let x = bytes("x", &self.x)?;
            match &self.d {
                None => SigningKey::ed25519_public(kid, x.expose())?,
                d => SigningKey::ed25519_seed(kid, bytes("d", d)?.expose(), x.expose())?,
            }
        } else {
            self.expect_kty("EC")?;
            let es256 = alg == SignatureAlgorithm::Es256;
            self.expect_curve(if es256 { "P-256" } else { "P-384" })?;
            let len = if es256 { 32 } else { 48 };
            let point = self.point(len)?;
            match &self.d {
                None => SigningKey::ecdsa_public(alg, kid, &point)?,
                d => SigningKey::ecdsa_private(alg, kid, exactly("d", d, len)?.expose(), &point)?,
            }
        };
        let key = match self.alg.as_deref() {
            Some(ED25519) => key.fully_specified(),
            _ => key,
        };
        Ok(key.allowed_to(signs, verifies))
    }

    /// The uncompressed point of `x` and `y`, each of `len` bytes.
    pub(super) fn point(&self, len: usize) -> Result<Vec<u8>, ConfigError> {
        let (x, y) = (exactly("x", &self.x, len)?, exactly("y", &self.y, len)?);
        Ok([&[4], x.expose().as_slice(), y.expose().as_slice()].concat())
    }

    /// An RSA key; for `alg` to be any RSA algorithm is how the encryption side checks one.
    pub(super) fn rsa_key(
        &self,
        alg: SignatureAlgorithm,
        kid: Option<&str>,
    ) -> Result<SigningKey, ConfigError> {
        let (n, e) = (bytes("n", &self.n)?, bytes("e", &self.e)?);
        if self.d.is_none() {
            return SigningKey::rsa_public(alg, kid, n.expose(), e.expose());
        }
        let (d, p, q) = (
            bytes("d", &self.d)?,
            bytes("p", &self.p)?,
            bytes("q", &self.q)?,
        );
        let (dp, dq, qi) = (
            bytes("dp", &self.dp)?,
            bytes("dq", &self.dq)?,
            bytes("qi", &self.qi)?,
        );
        let components = KeyPairComponents {
            public_key: PublicKeyComponents {
                n: n.expose().as_slice(),
                e: e.expose().as_slice(),
            },
            d: d.expose().as_slice(),
            p: p.expose().as_slice(),
            q: q.expose().as_slice(),
            dP: dp.expose().as_slice(),
            dQ: dq.expose().as_slice(),
            qInv: qi.expose().as_slice(),
        };
        SigningKey::rsa_components(alg, kid, &components)
    }

    pub(super) fn expect_curve(&self, crv: &'static str) -> Result<(), ConfigError> {
        if self.crv.as_deref() == Some(crv) {
            return Ok(());
        }
        Err(problem(format!(
            "\"crv\" must be \"{crv}\" for this algorithm"
        )))
    }

    fn encryption_key(&self) -> Result<EncryptionKey, ConfigError> {
        let kid = self.kid.as_deref();
        let alg = self.alg.as_deref();
        let alg = alg.ok_or_else(|| problem("\"alg\" is required for an encryption key"))?;
        // A shared key that names its content encryption as `alg` is used directly.
        let named = alg.parse::<ContentEncryption>().ok();
        let management = match named {
            Some(_) => KeyManagement::Direct,
            None => alg.parse()?,
        };
        let content = match (self.enc.as_deref(), named) {
            (Some(enc), None) => enc.parse()?,
            (Some(_), Some(_)) => {
                return Err(problem(
                    "\"alg\" and \"enc\" both name a content encryption",
                ));
            }
            (None, Some(named)) => named,
            (None, None) => ContentEncryption::A256Gcm,
        };
        let (seal, open): (&[&str], &[&str]) = match management {
            KeyManagement::Direct => (&["encrypt"], &["decrypt"]),
            KeyManagement::A256Kw => (&["wrapKey"], &["unwrapKey"]),
            KeyManagement::RsaOaep256 => (&["wrapKey", "encrypt"], &["unwrapKey", "decrypt"]),
            // One operation serves both sides.
            KeyManagement::EcdhEsA256Kw => {
                (&["deriveKey", "deriveBits"], &["deriveKey", "deriveBits"])
            }
        };
        let allows_any = |names: &[&str]| names.iter().any(|name| self.allows(name));
        let (seals, opens) = (allows_any(seal), allows_any(open));
        if !seals && !opens {
            return Err(problem("\"key_ops\" has no operation of this algorithm"));
        }
        let key = if management == KeyManagement::Direct {
            self.expect_kty("oct")?;
            EncryptionKey::direct(content, kid, bytes("k", &self.k)?.expose())?
        } else {
            EncryptionKey::wrapping(content, kid, Wrapping::new(management, self)?)?
        };
        Ok(key.allowed_to(seals, opens))
    }
}

/// Decodes a member: strict, canonical base64url, never empty.
pub(super) fn bytes(
    name: &'static str,
    member: &Option<String>,
) -> Result<Secret<Vec<u8>>, ConfigError> {
    let text = member
        .as_deref()
        .ok_or_else(|| problem(format!("the member \"{name}\" is missing")))?;
    let decoded = match text.len() {
        1..=MAX_MEMBER => decode(base64_simd::URL_SAFE_NO_PAD, text.as_bytes()),
        _ => None,
    };
    decoded.ok_or_else(|| problem(format!("the member \"{name}\" is not canonical base64url")))
}

/// The same, of an exact length: coordinates and scalars keep their leading zeros (RFC 7518
/// section 6.2.1.2).
pub(super) fn exactly(
    name: &'static str,
    member: &Option<String>,
    len: usize,
) -> Result<Secret<Vec<u8>>, ConfigError> {
    let decoded = bytes(name, member)?;
    if decoded.expose().len() == len {
        return Ok(decoded);
    }
    Err(problem(format!(
        "the member \"{name}\" must have {len} bytes"
    )))
}

pub(super) fn problem(problem: impl Into<std::borrow::Cow<'static, str>>) -> ConfigError {
    ConfigError::new("JWK", problem)
}

/// serde's own message may quote the value it met, which may be a secret; the place may not.
fn not_json(what: &'static str, error: &serde_json::Error) -> ConfigError {
    ConfigError::new(
        what,
        format!(
            "is not a {what} with each member once and of its type (line {}, column {})",
            error.line(),
            error.column()
        ),
    )
}
