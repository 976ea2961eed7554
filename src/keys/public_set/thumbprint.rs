//! Names of public keys that follow from the keys themselves (RFC 7638).

use serde_json::json;

use super::members::{Member, Members};
use crate::{
    keys::{SigningKey, jwk::MAX_MEMBER, signing::PublicParts},
    secret::sha256,
};

/// The SHA-256 of a key's required members, in their canonical form (RFC 7638 section 3).
///
/// It is made of the decoded values, so that another spelling of a key is no other key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// The thumbprint of a key that verifies signatures. A shared secret has none, and that of no key
    /// stands in for it.
    pub(super) fn of(key: &SigningKey) -> Self {
        match key.public_parts() {
            Some(PublicParts::Okp(x)) => Self::okp("Ed25519", x),
            Some(PublicParts::Ec { x, y }) => {
                Self::ec(if x.len() == 32 { "P-256" } else { "P-384" }, x, y)
            }
            Some(PublicParts::Rsa { n, e }) => Self::rsa(n, e),
            None => Self([0; 32]),
        }
    }

    /// The thumbprints of every key of ours that the numbers of `members` allow, whatever else they say. A private
    /// half reveals its public half under any name of its type.
    pub(super) fn all_of(members: &Members) -> Vec<Self> {
        let number = |member: &Member| member.text().and_then(decode);
        let (x, y) = (number(&members.x), number(&members.y));
        let mut all = Vec::new();
        if let Some(x) = &x {
            all.push(Self::okp("Ed25519", x));
        }
        if let (Some(x), Some(y)) = (&x, &y) {
            for (crv, len) in [("P-256", 32), ("P-384", 48)] {
                all.push(Self::ec(crv, &coordinate(x, len), &coordinate(y, len)));
            }
        }
        if let (Some(n), Some(e)) = (number(&members.n), number(&members.e)) {
            all.push(Self::rsa(unsigned(&n), unsigned(&e)));
        }
        all
    }

    fn okp(crv: &str, x: &[u8]) -> Self {
        Self::digest(&json!({ "crv": crv, "kty": "OKP", "x": encode(x) }))
    }

    fn ec(crv: &str, x: &[u8], y: &[u8]) -> Self {
        Self::digest(&json!({ "crv": crv, "kty": "EC", "x": encode(x), "y": encode(y) }))
    }

    fn rsa(n: &[u8], e: &[u8]) -> Self {
        Self::digest(&json!({ "e": encode(e), "kty": "RSA", "n": encode(n) }))
    }

    fn digest(members: &serde_json::Value) -> Self {
        Self(sha256(&[members.to_string().as_bytes()]))
    }
}

/// Decodes a member of an issuer's key: base64url, with or without padding.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    if bare.is_empty() || text.len() > MAX_MEMBER || text.len() - bare.len() > 2 {
        return None;
    }
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(bare).ok()
}

/// A number without the zeros that some libraries write in front (RFC 7518 section 2 has none).
pub(super) fn unsigned(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// A coordinate in the full length of its curve (RFC 7518 section 6.2.1.2). Some libraries omit the zeros in front,
/// and others write one more.
fn coordinate(bytes: &[u8], len: usize) -> Vec<u8> {
    let bytes = unsigned(bytes);
    [&vec![0; len.saturating_sub(bytes.len())], bytes].concat()
}

fn encode(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7638 section 3.1, in two spellings.
    #[test]
    fn as_the_standard_computes_it() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let padded = {
            let mut bytes = vec![0];
            bytes.extend(decode(n).unwrap());
            base64_simd::URL_SAFE.encode_to_string(bytes)
        };
        for (n, e) in [(n, "AQAB"), (&padded, "AAEAAQ==")] {
            let members = format!(r#"{{"kty":"RSA","alg":"RS256","kid":"x","n":"{n}","e":"{e}"}}"#);
            let members: Members = serde_json::from_str(&members).unwrap();
            let [Thumbprint(digest)] = Thumbprint::all_of(&members)[..] else {
                panic!("one for its numbers");
            };
            assert_eq!(
                encode(&digest),
                "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
            );
        }
    }
}
