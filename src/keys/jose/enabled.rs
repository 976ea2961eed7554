//! Wrapped content keys, with josekit: A256KW, RSA-OAEP-256 and ECDH-ES+A256KW.
//!
//! josekit is isolated. It gets only parts of a token whose structure and exact length have been checked here. It
//! unwraps the content key and nothing else, and `ring` opens the content. None of its types leaves this file, and
//! none is ever formatted.

use josekit::{
    jwe::{
        JweDecrypter, JweEncrypter, JweHeader,
        alg::{aeskw::AeskwJweAlgorithm, ecdh_es::EcdhEsJweAlgorithm, rsaes::RsaesJweAlgorithm},
        enc::aesgcm::AesgcmJweEncryption,
    },
    jwk::Jwk as JoseJwk,
};
use serde_json::{Map, Value};

use super::{
    ContentEncryption, KeyManagement, SignatureAlgorithm,
    encryption::{OpenError, SealError},
    jwk::{Jwk, bytes, exactly, problem},
};
use crate::{config::ConfigError, random::random, secret::Secret};

pub(crate) use super::wrap_header::{Epk, WrapHeader};

/// The longest `apu` or `apv`, in characters.
const MAX_PARTY_INFO: usize = 256;

/// A key that wraps content keys.
pub(crate) struct Wrapping {
    management: KeyManagement,
    /// The exact length of every encrypted key, for RSA; the others follow from the content.
    modulus_len: usize,
    /// The curve of an ephemeral key.
    curve: Option<Curve>,
    encrypter: Box<dyn JweEncrypter>,
    decrypter: Option<Box<dyn JweDecrypter>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    X25519,
}

impl Wrapping {
    pub(super) fn new(management: KeyManagement, jwk: &Jwk) -> Result<Self, ConfigError> {
        let refused = |_| problem("is not usable for its algorithm");
        let is_private = jwk.d.is_some() || jwk.k.is_some();
        let (mut modulus_len, mut curve) = (0, None);
        let (encrypter, decrypter): (Box<dyn JweEncrypter>, _) = match management {
            KeyManagement::Direct => return Err(problem("\"dir\" wraps no keys")),
            KeyManagement::A256Kw => {
                let key = exactly("k", &jwk.k, 32)?;
                let alg = AeskwJweAlgorithm::A256kw;
                let encrypter = alg.encrypter_from_bytes(key.expose()).map_err(refused)?;
                let decrypter = alg.decrypter_from_bytes(key.expose()).map_err(refused)?;
                let decrypter: Box<dyn JweDecrypter> = Box::new(decrypter);
                (Box::new(encrypter), Some(decrypter))
            }
            KeyManagement::RsaOaep256 => {
                // `ring` checks size and consistency more strictly than OpenSSL does.
                jwk.rsa_key(SignatureAlgorithm::Rs256, None)?;
                modulus_len = bytes("n", &jwk.n)?.expose().len();
                let alg = RsaesJweAlgorithm::RsaOaep256;
                let jose = for_josekit(jwk);
                let encrypter = alg.encrypter_from_jwk(&jose).map_err(refused)?;
                let decrypter: Option<Box<dyn JweDecrypter>> = match is_private {
                    true => Some(Box::new(alg.decrypter_from_jwk(&jose).map_err(refused)?)),
                    false => None,
                };
                (Box::new(encrypter), decrypter)
            }
            KeyManagement::EcdhEsA256Kw => {
                curve = Some(Curve::of(jwk)?);
                let alg = EcdhEsJweAlgorithm::EcdhEsA256kw;
                let jose = for_josekit(jwk);
                let encrypter = alg.encrypter_from_jwk(&jose).map_err(refused)?;
                let decrypter: Option<Box<dyn JweDecrypter>> = match is_private {
                    true => Some(Box::new(alg.decrypter_from_jwk(&jose).map_err(refused)?)),
                    false => None,
                };
                (Box::new(encrypter), decrypter)
            }
        };
        let wrapping = Self {
            management,
            modulus_len,
            curve,
            encrypter,
            decrypter,
        };
        wrapping.check_halves()?;
        Ok(wrapping)
    }

    /// A key whose halves do not belong together would make tokens that no key can open.
    fn check_halves(&self) -> Result<(), ConfigError> {
        let failed = || problem("its private and public halves do not belong together");
        if !self.can_unwrap() {
            return Ok(());
        }
        let content = ContentEncryption::A256Gcm;
        let key = random::<32>().map_err(|_| failed())?;
        let (wrapped, epk) = self.wrap_key(content, &key).map_err(|_| failed())?;
        let member = |name| {
            let value = epk.as_ref().and_then(|epk| epk.get(name)?.as_str());
            value.map(|value| value.to_owned().into())
        };
        let epk = epk.is_some().then(|| Epk {
            kty: member("kty").unwrap_or_default(),
            crv: member("crv").unwrap_or_default(),
            x: member("x").unwrap_or_default(),
            y: member("y"),
        });
        let header = WrapHeader {
            epk,
            apu: None,
            apv: None,
        };
        let unwrapped = self.unwrap_key(content, &header, &wrapped);
        match unwrapped {
            Ok(unwrapped) if *unwrapped.expose() == key => Ok(()),
            _ => Err(failed()),
        }
    }

    pub(super) fn management(&self) -> KeyManagement {
        self.management
    }

    pub(super) fn can_unwrap(&self) -> bool {
        self.decrypter.is_some()
    }

    /// The content key of a token.
    ///
    /// If the key itself does not unwrap the input, the result is a random content key. So a wrong padding, integrity
    /// check or content all fail at one and the same place.
    pub(super) fn unwrap_key(
        &self,
        content: ContentEncryption,
        header: &WrapHeader<'_>,
        encrypted_key: &[u8],
    ) -> Result<Secret<Vec<u8>>, OpenError> {
        let decrypter = self.decrypter.as_ref().ok_or(OpenError)?;
        if encrypted_key.len() != self.encrypted_len(content) {
            return Err(OpenError);
        }
        let params = self.checked_header(header)?;
        let substitute = Secret::new(random::<32>().map_err(|_| OpenError)?);
        let enc = josekit_enc(content);
        let unwrapped = decrypter.decrypt(Some(encrypted_key), &enc, &params);
        let unwrapped = unwrapped.map(|key| Secret::new(key.into_owned()));
        match unwrapped {
            Ok(key) if key.expose().len() == content.key_len() => Ok(key),
            _ => {
                let key = substitute.expose().get(..content.key_len());
                Ok(Secret::new(key.ok_or(OpenError)?.to_vec()))
            }
        }
    }

    /// Wraps `key`; the second value is the ephemeral public key for the header.
    pub(super) fn wrap_key(
        &self,
        content: ContentEncryption,
        key: &[u8],
    ) -> Result<(Vec<u8>, Option<Value>), SealError> {
        if key.len() != content.key_len() {
            return Err(SealError::Failed);
        }
        let mut out = JweHeader::new();
        let wrapped = self.encrypter.encrypt(key, &JweHeader::new(), &mut out);
        let wrapped = wrapped.ok().flatten().ok_or(SealError::Failed)?;
        if wrapped.len() != self.encrypted_len(content) {
            return Err(SealError::Failed);
        }
        Ok((wrapped, out.claim("epk").cloned()))
    }

    /// AES key wrap adds eight bytes (RFC 3394 section 2.2.1); RSA fills its modulus.
    fn encrypted_len(&self, content: ContentEncryption) -> usize {
        match self.management {
            KeyManagement::RsaOaep256 => self.modulus_len,
            _ => content.key_len() + 8,
        }
    }

    /// The parameters of the agreement, rebuilt from checked parts; nothing for the others.
    fn checked_header(&self, header: &WrapHeader<'_>) -> Result<JweHeader, OpenError> {
        let mut out = JweHeader::new();
        let Some(curve) = self.curve else {
            return Ok(out);
        };
        let epk = header.epk.as_ref().ok_or(OpenError)?;
        let epk = Value::Object(curve.checked(epk)?);
        out.set_claim("epk", Some(epk)).map_err(|_| OpenError)?;
        for (name, value) in [("apu", &header.apu), ("apv", &header.apv)] {
            let Some(value) = value else { continue };
            let canonical = value.len() <= MAX_PARTY_INFO
                && base64_simd::URL_SAFE_NO_PAD.check(value.as_bytes()).is_ok();
            if !canonical {
                return Err(OpenError);
            }
            let value = Value::String(value.to_string());
            out.set_claim(name, Some(value)).map_err(|_| OpenError)?;
        }
        Ok(out)
    }
}

impl Curve {
    fn of(jwk: &Jwk) -> Result<Self, ConfigError> {
        let (curve, len) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("EC", Some("P-256")) => (Self::P256, 32),
            ("EC", Some("P-384")) => (Self::P384, 48),
            ("OKP", Some("X25519")) => (Self::X25519, 32),
            _ => {
                return Err(problem(
                    "ECDH-ES+A256KW takes EC keys on P-256 or P-384, or OKP keys on X25519",
                ));
            }
        };
        exactly("x", &jwk.x, len)?;
        if curve != Self::X25519 {
            exactly("y", &jwk.y, len)?;
        }
        if jwk.d.is_some() {
            exactly("d", &jwk.d, len)?;
        }
        Ok(curve)
    }

    /// An ephemeral key of this very curve with coordinates of the exact length, as a map of
    /// just these members. Whether the point is on the curve is OpenSSL's to check when it
    /// decodes it.
    fn checked(self, epk: &Epk<'_>) -> Result<Map<String, Value>, OpenError> {
        let (kty, crv, len) = match self {
            Self::P256 => ("EC", "P-256", 32),
            Self::P384 => ("EC", "P-384", 48),
            Self::X25519 => ("OKP", "X25519", 32),
        };
        let coordinate = |text: &str| {
            let decoded = (text.len() <= 64)
                .then(|| base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok())
                .flatten();
            decoded.is_some_and(|decoded| decoded.len() == len)
        };
        let y_fits = match (self, &epk.y) {
            (Self::X25519, None) => true,
            (Self::X25519, Some(_)) | (_, None) => false,
            (_, Some(y)) => coordinate(y),
        };
        if epk.kty != kty || epk.crv != crv || !coordinate(&epk.x) || !y_fits {
            return Err(OpenError);
        }
        let mut map = Map::new();
        map.insert("kty".into(), kty.into());
        map.insert("crv".into(), crv.into());
        map.insert("x".into(), epk.x.as_ref().into());
        if let Some(y) = &epk.y {
            map.insert("y".into(), y.as_ref().into());
        }
        Ok(map)
    }
}

fn josekit_enc(content: ContentEncryption) -> AesgcmJweEncryption {
    match content {
        ContentEncryption::A128Gcm => AesgcmJweEncryption::A128gcm,
        ContentEncryption::A256Gcm => AesgcmJweEncryption::A256gcm,
    }
}

/// The key's own numbers and nothing else, so that `use`, `key_ops` and `alg` are judged once,
/// by us. josekit copies them into memory that it does not wipe.
fn for_josekit(jwk: &Jwk) -> JoseJwk {
    let mut out = JoseJwk::new(&jwk.kty);
    let members = [
        ("crv", &jwk.crv),
        ("x", &jwk.x),
        ("y", &jwk.y),
        ("n", &jwk.n),
        ("e", &jwk.e),
        ("d", &jwk.d),
        ("p", &jwk.p),
        ("q", &jwk.q),
        ("dp", &jwk.dp),
        ("dq", &jwk.dq),
        ("qi", &jwk.qi),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            // A string under these names is never refused; a missing one is, when it is read.
            let _ = out.set_parameter(name, Some(Value::String(value.clone())));
        }
    }
    out
}
