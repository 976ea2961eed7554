//! The floor: what a token costs when everything around it is known beforehand.
//!
//! It is written by hand for one issuer, one audience and one key of each kind. It uses the same primitives as
//! tower-bearer. It checks all that security asks for and does nothing else. It has no rotation of keys, no other
//! algorithms, no foreign headers, no reasons for a refusal. A library cannot get below it without better primitives,
//! and should not be far above.

mod base64;
mod claims;
mod dates;
mod jwe;
mod jws;
mod mint;
mod scan;
pub mod trial;
mod unusual;

use ring::{
    aead::{AES_256_GCM, LessSafeKey, UnboundKey},
    hmac,
};

use self::{base64::Buffer, claims::Rules};
pub use self::{claims::Claims, mint::Grant};
use crate::{
    claims::{AUDIENCE, ISSUER, LEEWAY, now},
    keys,
};

/// The token is refused. A client is told no more, either.
#[derive(Clone, Copy, Debug)]
pub struct Refused;

/// Keys, headers and rules, all of them prepared.
pub struct Floor {
    mac: hmac::Key,
    aead: LessSafeKey,
    /// Each with what always follows it: a dot, and around an encrypted token the empty key and its dot.
    signed: String,
    nested: String,
    encrypted: String,
    rules: Rules,
}

impl Floor {
    pub fn new() -> Self {
        let header = |json: String| ::base64_simd::URL_SAFE_NO_PAD.encode_to_string(json);
        let (hs, enc) = (keys::HS256_KID, keys::A256_KID);
        let key = UnboundKey::new(&AES_256_GCM, keys::A256).expect("the key has 32 bytes");
        Self {
            mac: hmac::Key::new(hmac::HMAC_SHA256, keys::HS256),
            aead: LessSafeKey::new(key),
            signed: header(format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{hs}"}}"#)) + ".",
            nested: header(format!(
                r#"{{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"{enc}"}}"#
            )) + "..",
            encrypted: header(format!(
                r#"{{"alg":"dir","enc":"A256GCM","typ":"at+jwt","kid":"{enc}"}}"#
            )) + "..",
            rules: Rules::new(ISSUER, AUDIENCE, LEEWAY),
        }
    }

    /// Verifies a signed token inside an encrypted one.
    pub fn verify_nested(&self, token: &str) -> Result<Claims, Refused> {
        let (mut outer, mut inner) = (Buffer::new(), Buffer::new());
        let signed = jwe::open(&self.aead, &self.nested, token.as_bytes(), &mut outer)?;
        let payload = jws::open(&self.mac, &self.signed, signed)?;
        self.read(inner.decode(payload)?)
    }

    /// Verifies claims that are encrypted and not signed.
    pub fn verify_encrypted(&self, token: &str) -> Result<Claims, Refused> {
        let mut buffer = Buffer::new();
        let json = jwe::open(&self.aead, &self.encrypted, token.as_bytes(), &mut buffer)?;
        self.read(json)
    }

    /// Verifies a signed token.
    pub fn verify_signed(&self, token: &str) -> Result<Claims, Refused> {
        let mut buffer = Buffer::new();
        let payload = jws::open(&self.mac, &self.signed, token.as_bytes())?;
        self.read(buffer.decode(payload)?)
    }

    fn read(&self, json: &[u8]) -> Result<Claims, Refused> {
        let text = std::str::from_utf8(json).map_err(|_| Refused)?;
        Claims::read(text, &self.rules, now())
    }
}
