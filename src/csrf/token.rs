//! The token on the wire: strictly one spelling for each.
//!
//! ```text
//! v1s.<nonce 32>.<mac 32>           1m.<pad 64 | pad ^ (nonce|mac)>
//! v1a.<nonce 32>.<mac 32>
//! ```
//! Every part is base64url without padding. `v1s` and `v1a` are the raw form, of a session and of no session; the
//! cookie carries it. `1m` is the masked one. A page that is compressed together with an attacker's input would
//! reveal a constant secret byte by byte (BREACH). So a page gets the token under a new pad each time.
//!
//! The masked tag begins with a digit, so that an answer that is a token alone is no program. A tag that begins with
//! a letter would make it an expression of names. A page of another host could load it as a script and read the names
//! through a `Proxy`.

use base64_simd::{Out, URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

const NONCE: usize = 32;
const MAC: usize = 32;
const BODY: usize = NONCE + MAC;

/// The masked form begins with this.
const MASKED: &str = "1m.";

/// Which of the two kinds a token is of. Neither passes for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Session,
    Anonymous,
}

impl Class {
    /// The raw form begins with this.
    fn tag(self) -> &'static str {
        match self {
            Self::Session => "v1s.",
            Self::Anonymous => "v1a.",
        }
    }
}

/// A token that is written as it should be. Nothing is said about its MAC.
#[derive(Clone, Copy)]
pub(super) struct Token {
    pub(super) class: Class,
    pub(super) nonce: [u8; NONCE],
    pub(super) mac: [u8; MAC],
}

impl Token {
    /// Reads the raw form. Every part has its length, so a dot in another place fails to decode.
    pub(super) fn parse_raw(text: &[u8]) -> Option<Self> {
        let classes = [Class::Session, Class::Anonymous].into_iter();
        let (class, rest) = classes
            .filter_map(|class| Some((class, text.strip_prefix(class.tag().as_bytes())?)))
            .next()?;
        let (nonce, mac) = split_part(rest)?;
        Some(Self {
            class,
            nonce,
            mac: decode(mac)?,
        })
    }

    /// Reads either form. The tag says which it is. The masked one does not say its class: it is taken
    /// for `class`, that of the cookie it came with.
    pub(super) fn parse(text: &[u8], class: Class) -> Option<Self> {
        let Some(masked) = text.strip_prefix(MASKED.as_bytes()) else {
            return Self::parse_raw(text);
        };
        let mut both = [0; 2 * BODY];
        decode_into(masked, &mut both)?;
        let (pad, body) = both.split_at_mut(BODY);
        xor(body, pad);
        let (nonce, mac) = body.split_first_chunk()?;
        Some(Self {
            class,
            nonce: *nonce,
            mac: mac.try_into().ok()?,
        })
    }

    /// The raw form, as the cookie carries it.
    pub(super) fn raw(&self) -> String {
        let mut text = String::with_capacity(96);
        text.push_str(self.class.tag());
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
        MASKED.to_owned() + &URL_SAFE_NO_PAD.encode_to_string(&both)
    }

    /// Whether both are the same token, in a time that does not depend on where they differ.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let different = difference(&self.nonce, &other.nonce) | difference(&self.mac, &other.mac);
        self.class == other.class && different.ct_eq(&0).into()
    }
}

/// Whether two texts are the same, in a time that depends on their lengths alone. It reads every byte without
/// branching on any, eight at a time. Comparing byte by byte in constant time takes longer than the MAC.
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
        class: Class::Session,
        nonce: [0x11; 32],
        mac: [0x22; 32],
    };

    #[test]
    fn both_forms_read_back() {
        for class in [Class::Session, Class::Anonymous] {
            let token = Token { class, ..TOKEN };
            let masked = token.masked(&crate::random::random().unwrap());
            for text in [token.raw(), masked.clone()] {
                let read = Token::parse(text.as_bytes(), class).unwrap();
                assert!(read.is_same_as(&token), "{text}");
            }
            assert!(Token::parse_raw(masked.as_bytes()).is_none());
        }
        for tag in ["v1.", "v1x.", "v2s.", "V1s.", "1m."] {
            let other = TOKEN.raw().replace("v1s.", tag);
            assert!(
                Token::parse(other.as_bytes(), Class::Session).is_none(),
                "{other}"
            );
        }
    }

    /// A tag that begins with a letter makes the token a JavaScript expression. Another host's page can load it as a
    /// script and read it.
    #[test]
    fn a_masked_token_is_no_program() {
        let masked = TOKEN.masked(&[0x33; BODY]);
        assert!(masked.starts_with(|first: char| first.is_ascii_digit()));
        // A digit and a letter in one word are no number and no name (ECMA-262 section 12.9.3).
        assert!(masked.starts_with("1m."), "{masked}");
        for tag in ["m1.", "m."] {
            let other = masked.replace("1m.", tag);
            assert!(Token::parse(other.as_bytes(), Class::Session).is_none());
        }
    }

    #[test]
    fn the_classes_stay_apart() {
        let anonymous = Token {
            class: Class::Anonymous,
            ..TOKEN
        };
        assert!(!TOKEN.is_same_as(&anonymous));
        // The raw form says its class itself, whatever the cookie's is.
        let read = Token::parse(TOKEN.raw().as_bytes(), Class::Anonymous).unwrap();
        assert_eq!(read.class, Class::Session);
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
            let Token { nonce, mac, .. } = &mut other;
            let mut bytes = nonce.iter_mut().chain(mac);
            *bytes.nth(bit / 8).unwrap() ^= 1 << (bit % 8);
            assert!(!TOKEN.is_same_as(&other), "bit {bit}");
        }
        assert!(TOKEN.is_same_as(&TOKEN));
    }
}
