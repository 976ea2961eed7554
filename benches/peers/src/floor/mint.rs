//! Minting: the claims are written once, signed where they lie, and encrypted in place.

use base64_simd::URL_SAFE_NO_PAD;
use rand::Rng as _;
use ring::{
    aead::{Aad, Nonce},
    hmac,
};
use serde::Serialize;

use super::{Floor, Refused};
use crate::claims::{LIFETIME, now};

/// The content of a token to mint.
pub struct Grant<'a, C> {
    pub subject: &'a str,
    pub session: &'a str,
    pub custom: &'a C,
}

impl Floor {
    /// Mints a signed token inside an encrypted one.
    pub fn mint_nested<C: Serialize>(&self, grant: &Grant<'_, C>) -> Result<String, Refused> {
        // One generator for both: it is seeded by the system and lives as long as the thread.
        let mut random = [0; 28];
        rand::rng().fill_bytes(&mut random);
        let (id, iv) = random.split_at(16);

        let mut claims = Vec::with_capacity(384);
        self.write_claims(&mut claims, grant, id)?;
        let mut content = Vec::with_capacity(1024);
        content.extend_from_slice(self.signed.as_bytes());
        append(&claims, &mut content);
        let signature = hmac::sign(&self.mac, &content);
        content.push(b'.');
        append(signature.as_ref(), &mut content);

        let aad = self.nested.as_bytes().strip_suffix(b"..").ok_or(Refused)?;
        let nonce = Nonce::try_assume_unique_for_key(iv).map_err(|_| Refused)?;
        let sealed = self
            .aead
            .seal_in_place_separate_tag(nonce, Aad::from(aad), &mut content);
        let tag = sealed.map_err(|_| Refused)?;
        let encoded = content.len().div_ceil(3) * 4;
        let mut token = String::with_capacity(self.nested.len() + encoded + 40);
        token.push_str(&self.nested);
        URL_SAFE_NO_PAD.encode_append(iv, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_append(&content, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_append(tag.as_ref(), &mut token);
        Ok(token)
    }

    fn write_claims<C: Serialize>(
        &self,
        json: &mut Vec<u8>,
        grant: &Grant<'_, C>,
        id: &[u8],
    ) -> Result<(), Refused> {
        let now = now();
        json.extend_from_slice(self.rules.preamble.as_bytes());
        json.extend_from_slice(br#","sub":"#);
        write_string(json, grant.subject)?;
        json.extend_from_slice(br#","exp":"#);
        write_number(json, now + LIFETIME);
        json.extend_from_slice(br#","iat":"#);
        write_number(json, now);
        json.extend_from_slice(br#","jti":""#);
        append(id, json);
        json.extend_from_slice(br#"","sid":"#);
        write_string(json, grant.session)?;
        // The members of the application's object follow; its bracket becomes the comma before them.
        let at = json.len();
        serde_json::to_writer(&mut *json, grant.custom).map_err(|_| Refused)?;
        match json.get_mut(at..) {
            Some([b'{', b'}']) => {
                json.remove(at);
            }
            Some([open @ b'{', ..]) => *open = b',',
            _ => return Err(Refused),
        }
        Ok(())
    }
}

fn append(bytes: &[u8], out: &mut Vec<u8>) {
    URL_SAFE_NO_PAD.encode_append(bytes, out);
}

fn write_string(json: &mut Vec<u8>, text: &str) -> Result<(), Refused> {
    let plain = |b: u8| b >= 0x20 && b != b'"' && b != b'\\';
    if text.bytes().all(plain) {
        json.push(b'"');
        json.extend_from_slice(text.as_bytes());
        json.push(b'"');
        return Ok(());
    }
    serde_json::to_writer(json, text).map_err(|_| Refused)
}

fn write_number(json: &mut Vec<u8>, mut number: u64) {
    let (mut digits, mut at) = ([0; 20], 20);
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    json.extend_from_slice(&digits[at..]);
}
