//! The token on the wire: strictly one spelling for each.
//!
//! ```text
//! v1.<nonce 32>.<mac 32>            v2.<nonce 32>.<issued 8>.<mac 32>
//! m1.<pad 64 | pad ^ (nonce|mac)>   m2.<pad 72 | pad ^ (nonce|issued|mac)>
//! ```
//! Every part is base64url without padding. `v` is the raw form, `m` the masked one: a page that
//! is compressed together with what an attacker chose would give a constant secret away byte by
//! byte (BREACH), so a page gets the token under a pad of its own each time. `2` stands for tokens
//! with an age limit; a layer takes one of the two and never tries them in turn.

use base64_simd::{Out, URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

const NONCE: usize = 32;
const MAC: usize = 32;
const STAMP: usize = 8;
/// The longest body: nonce, stamp and MAC.
const LONGEST: usize = NONCE + STAMP + MAC;

/// Whether tokens carry the time they were made at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Dated,
}

/// A token that is written as it should be. Nothing is said about its MAC.
#[derive(Clone, Copy)]
pub(super) struct Token {
    pub(super) form: Form,
    pub(super) nonce: [u8; NONCE],
    /// Seconds since 1970, big-endian; zero in the plain form.
    pub(super) stamp: [u8; STAMP],
    pub(super) mac: [u8; MAC],
}

impl Form {
    const fn body(self) -> usize {
        match self {
            Self::Plain => NONCE + MAC,
            Self::Dated => NONCE + STAMP + MAC,
        }
    }

    const fn raw(self) -> &'static [u8] {
        match self {
            Self::Plain => b"v1.",
            Self::Dated => b"v2.",
        }
    }

    const fn masked(self) -> &'static [u8] {
        match self {
            Self::Plain => b"m1.",
            Self::Dated => b"m2.",
        }
    }
}

impl Token {
    /// Reads the raw form. Every part has its length, so a dot in another place fails to decode.
    pub(super) fn parse_raw(form: Form, text: &[u8]) -> Option<Self> {
        let text = text.strip_prefix(form.raw())?;
        let (nonce, text) = split_part(text)?;
        let (stamp, text) = match form {
            Form::Plain => ([0; STAMP], text),
            Form::Dated => split_part(text)?,
        };
        Some(Self {
            form,
            nonce,
            stamp,
            mac: decode(text)?,
        })
    }

    /// Reads either form. The tag says which it is.
    pub(super) fn parse(form: Form, text: &[u8]) -> Option<Self> {
        let Some(masked) = text.strip_prefix(form.masked()) else {
            return Self::parse_raw(form, text);
        };
        let mut both = [0; 2 * LONGEST];
        let both = both.get_mut(..2 * form.body())?;
        decode_into(masked, both)?;
        let (pad, body) = both.split_at_mut_checked(form.body())?;
        xor(body, pad);
        Self::from_body(form, body)
    }

    /// The raw form, as the cookie carries it.
    pub(super) fn raw(&self) -> String {
        let mut text = String::with_capacity(128);
        text.push_str(match self.form {
            Form::Plain => "v1.",
            Form::Dated => "v2.",
        });
        URL_SAFE_NO_PAD.encode_append(self.nonce, &mut text);
        text.push('.');
        if self.form == Form::Dated {
            URL_SAFE_NO_PAD.encode_append(self.stamp, &mut text);
            text.push('.');
        }
        URL_SAFE_NO_PAD.encode_append(self.mac, &mut text);
        text
    }

    /// The masked form under `pad`, which must be random and used once.
    pub(super) fn masked(&self, pad: &[u8; LONGEST]) -> String {
        let mut body = Vec::with_capacity(LONGEST);
        body.extend_from_slice(&self.nonce);
        if self.form == Form::Dated {
            body.extend_from_slice(&self.stamp);
        }
        body.extend_from_slice(&self.mac);
        xor(&mut body, pad);
        let mut both: Vec<u8> = pad.iter().copied().take(body.len()).collect();
        both.extend_from_slice(&body);
        let tag = match self.form {
            Form::Plain => "m1.",
            Form::Dated => "m2.",
        };
        tag.to_owned() + &URL_SAFE_NO_PAD.encode_to_string(&both)
    }

    /// Whether both are the same token, in a time that does not depend on where they differ.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let different = difference(&self.nonce, &other.nonce)
            | difference(&self.stamp, &other.stamp)
            | difference(&self.mac, &other.mac);
        different.ct_eq(&0).into()
    }

    fn from_body(form: Form, body: &[u8]) -> Option<Self> {
        let (nonce, rest) = body.split_first_chunk()?;
        let (stamp, mac) = match form {
            Form::Plain => ([0; STAMP], rest),
            Form::Dated => rest.split_first_chunk().map(|(s, rest)| (*s, rest))?,
        };
        Some(Self {
            form,
            nonce: *nonce,
            stamp,
            mac: mac.try_into().ok()?,
        })
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
        form: Form::Plain,
        nonce: [0x11; 32],
        stamp: [0; 8],
        mac: [0x22; 32],
    };

    #[test]
    fn every_form_reads_back() {
        let pad = crate::random::random().unwrap();
        for form in [Form::Plain, Form::Dated] {
            let stamp = match form {
                Form::Plain => [0; 8],
                Form::Dated => 1_800_000_000_u64.to_be_bytes(),
            };
            let token = Token {
                form,
                stamp,
                ..TOKEN
            };
            for text in [token.raw(), token.masked(&pad)] {
                let read = Token::parse(form, text.as_bytes()).unwrap();
                assert!(read.is_same_as(&token), "{text}");
            }
            assert!(Token::parse_raw(form, token.masked(&pad).as_bytes()).is_none());
            let other = match form {
                Form::Plain => Form::Dated,
                Form::Dated => Form::Plain,
            };
            assert!(Token::parse(other, token.raw().as_bytes()).is_none());
            assert!(Token::parse(other, token.masked(&pad).as_bytes()).is_none());
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
        for bit in 0..8 * LONGEST {
            let mut other = TOKEN;
            let Token {
                form: _,
                nonce,
                stamp,
                mac,
            } = &mut other;
            let mut bytes = nonce.iter_mut().chain(stamp).chain(mac);
            *bytes.nth(bit / 8).unwrap() ^= 1 << (bit % 8);
            assert!(!TOKEN.is_same_as(&other), "bit {bit}");
        }
        assert!(TOKEN.is_same_as(&TOKEN));
    }
}
