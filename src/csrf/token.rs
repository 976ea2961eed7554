//! The token on the wire: strictly one spelling for each.
//!
//! ```text
//! v1.<nonce 32>.<mac 32>            m1.<pad 64 | pad ^ (nonce|mac)>
//! ```
//! Every part is base64url without padding. `v1` is the raw form, `m1` the masked one: a page that
//! is compressed together with what an attacker chose would give a constant secret away byte by
//! byte (BREACH), so a page gets the token under a pad of its own each time.

use base64_simd::{Out, URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

const NONCE: usize = 32;
const MAC: usize = 32;
const BODY: usize = NONCE + MAC;

/// A token that is written as it should be. Nothing is said about its MAC.
#[derive(Clone, Copy)]
pub(super) struct Token {
    pub(super) nonce: [u8; NONCE],
    pub(super) mac: [u8; MAC],
}

impl Token {
    /// Reads the raw form. Every part has its length, so a dot in another place fails to decode.
    pub(super) fn parse_raw(text: &[u8]) -> Option<Self> {
        let (nonce, mac) = split_part(text.strip_prefix(b"v1.")?)?;
        Some(Self {
            nonce,
            mac: decode(mac)?,
        })
    }

    /// Reads either form. The tag says which it is.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let Some(masked) = text.strip_prefix(b"m1.") else {
            return Self::parse_raw(text);
        };
        let mut both = [0; 2 * BODY];
        decode_into(masked, &mut both)?;
        let (pad, body) = both.split_at_mut(BODY);
        xor(body, pad);
        let (nonce, mac) = body.split_first_chunk()?;
        Some(Self {
            nonce: *nonce,
            mac: mac.try_into().ok()?,
        })
    }

    /// The raw form, as the cookie carries it.
    pub(super) fn raw(&self) -> String {
        let mut text = String::with_capacity(96);
        text.push_str("v1.");
        URL_SAFE_NO_PAD.encode_append(self.nonce, &mut text);
        text.push('.');
        URL_SAFE_NO_PAD.encode_append(self.mac, &mut text);
        text
    }

    /// The masked form under `pad`, which must be random and used once.
    pub(super) fn masked(&self, pad: &[u8; BODY]) -> String {
        let mut body = [self.nonce, self.mac].concat();
        xor(&mut body, pad);
        let both = [pad.as_slice(), &body].concat();
        "m1.".to_owned() + &URL_SAFE_NO_PAD.encode_to_string(&both)
    }

    /// Whether both are the same token, in a time that does not depend on where they differ.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let different = difference(&self.nonce, &other.nonce) | difference(&self.mac, &other.mac);
        different.ct_eq(&0).into()
    }
}

/// Whether two texts are the same, in a time that depends on their lengths alone. Every byte is looked
/// at, with no branch on any, eight at a time: comparing byte by byte in constant time takes longer than
/// the MAC.
pub(super) fn are_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && difference(one, other).ct_eq(&0).into()
}

/// Zero for equal slices of one length.
fn difference(one: &[u8], other: &[u8]) -> u64 {
    let ((ones, one_rest), (others, other_rest)) = (one.as_chunks(), other.as_chunks());
    let words = ones.iter().zip(others);
    let words = words.map(|(a, b)| u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b));
    let bytes = one_rest
        .iter()
        .zip(other_rest)
        .map(|(a, b)| u64::from(a ^ b));
    words.chain(bytes).fold(0, |all, different| all | different)
}

fn xor(bytes: &mut [u8], pad: &[u8]) {
    for (byte, pad) in bytes.iter_mut().zip(pad) {
        *byte ^= pad;
    }
}

/// Decodes the part in front of the next dot, and gives what is behind it.
fn split_part<const N: usize>(text: &[u8]) -> Option<([u8; N], &[u8])> {
    let (part, rest) = text.split_at_checked(text_len(N))?;
    Some((decode(part)?, rest.strip_prefix(b".")?))
}

/// How many characters `bytes` bytes are written with.
const fn text_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// Decodes exactly as many characters as `N` bytes are written with.
fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut out = [0; N];
    decode_into(text, &mut out)?;
    Some(out)
}

/// The decoder is canonical: no padding, no spare bits, one alphabet.
fn decode_into(text: &[u8], out: &mut [u8]) -> Option<()> {
    // The length is judged first: what is too long is not even looked at.
    if text.len() != text_len(out.len()) {
        return None;
    }
    let length = out.len();
    let decoded = URL_SAFE_NO_PAD.decode(text, Out::from_slice(out)).ok()?;
    (decoded.len() == length).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Token = Token {
        nonce: [0x11; 32],
        mac: [0x22; 32],
    };

    #[test]
    fn both_forms_read_back() {
        let masked = TOKEN.masked(&crate::random::random().unwrap());
        for text in [TOKEN.raw(), masked.clone()] {
            let read = Token::parse(text.as_bytes()).unwrap();
            assert!(read.is_same_as(&TOKEN), "{text}");
        }
        assert!(Token::parse_raw(masked.as_bytes()).is_none());
        for other in [
            TOKEN.raw().replace("v1.", "v2."),
            masked.replace("m1.", "m2."),
        ] {
            assert!(Token::parse(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn every_bit_of_a_text_counts() {
        for length in [0, 1, 7, 8, 9, 90] {
            let text: Vec<u8> = (0..length).collect();
            assert!(are_same(&text, &text));
            assert!(!are_same(&text, &[&text[..], b"."].concat()));
            for bit in 0..8 * text.len() {
                let mut other = text.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                assert!(!are_same(&text, &other), "bit {bit} of {length}");
            }
        }
    }

    #[test]
    fn every_bit_counts_in_the_comparison() {
        for bit in 0..8 * BODY {
            let mut other = TOKEN;
            let Token { nonce, mac } = &mut other;
            let mut bytes = nonce.iter_mut().chain(mac);
            *bytes.nth(bit / 8).unwrap() ^= 1 << (bit % 8);
            assert!(!TOKEN.is_same_as(&other), "bit {bit}");
        }
        assert!(TOKEN.is_same_as(&TOKEN));
    }
}
