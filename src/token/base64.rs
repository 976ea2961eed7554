//! Strict, canonical base64url without padding (RFC 7515 section 2), decoded into scratch space.

use std::mem::MaybeUninit;

use base64_simd::{Out, URL_SAFE_NO_PAD};

/// The size that fits on the stack: an ordinary token never allocates while it is checked.
const STACK: usize = 2048;

/// Room for one decoded segment. Segments that do not fit the stack go to the heap. The codec bounds how long a segment
/// can be before anything is decoded.
pub(super) struct Scratch {
    // Left uninitialised: clearing two kibibytes would cost as much as decoding the token.
    stack: [MaybeUninit<u8>; STACK],
    heap: Vec<u8>,
}

impl Scratch {
    pub(super) const fn new() -> Self {
        Self {
            stack: [MaybeUninit::uninit(); STACK],
            heap: Vec::new(),
        }
    }

    /// Decodes `text`. Nothing is returned for padding, foreign characters, an impossible length or unused bits that
    /// are not zero. So a token has exactly one spelling.
    pub(super) fn decode(&mut self, text: &[u8]) -> Option<&mut [u8]> {
        let len = decoded_len(text)?;
        let out = match self.stack.get_mut(..len) {
            Some(room) => Out::from_uninit_slice(room),
            None => {
                self.heap.clear();
                self.heap.resize(len, 0);
                Out::from_slice(&mut self.heap)
            }
        };
        URL_SAFE_NO_PAD.decode(text, out).ok()
    }
}

/// Decodes exactly `N` bytes.
pub(super) fn decode_array<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut out = [0; N];
    if decoded_len(text)? != N {
        return None;
    }
    URL_SAFE_NO_PAD
        .decode(text, Out::from_slice(&mut out))
        .ok()?;
    Some(out)
}

/// Appends the encoding of `bytes` to `text`.
pub(super) fn encode_append(bytes: &[u8], text: &mut String) {
    URL_SAFE_NO_PAD.encode_append(bytes, text);
}

/// How many characters `bytes` bytes take.
pub(super) const fn encoded_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// How many bytes `text` stands for; no encoding is one character longer than a multiple of four.
fn decoded_len(text: &[u8]) -> Option<usize> {
    let rest = match text.len() % 4 {
        0 => 0,
        1 => return None,
        n => n - 1,
    };
    Some(text.len() / 4 * 3 + rest)
}

#[cfg(test)]
mod tests {
    use base64::engine::{
        Engine as _, general_purpose::URL_SAFE_NO_PAD as URL_SAFE_NO_PAD_BY_BYTE,
    };
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    #[test]
    fn every_length_has_one_spelling() {
        for len in 0..3000_usize {
            let bytes: Vec<u8> = (0..len).map(|i| (i * 37 + len) as u8).collect();
            let mut text = String::new();
            encode_append(&bytes, &mut text);
            let mut scratch = Scratch::new();
            assert_eq!(
                scratch.decode(text.as_bytes()),
                Some(&mut bytes.clone()[..])
            );
            for bad in ["=", "==", "A", ".", " ", "\n", "é"] {
                if (text.len() + bad.len()) % 4 == 1 || !bad.is_empty() && bad != "A" {
                    let longer = format!("{text}{bad}");
                    assert_eq!(scratch.decode(longer.as_bytes()), None, "{longer}");
                }
            }
        }
    }

    #[test]
    fn unused_bits_must_be_zero() {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for prefix in ["", "AAAA", &"AAAA".repeat(40)] {
            for (value, last) in alphabet.iter().enumerate() {
                let two = [prefix.as_bytes(), b"A", &[*last]].concat();
                let three = [prefix.as_bytes(), b"AA", &[*last]].concat();
                let mut scratch = Scratch::new();
                assert_eq!(scratch.decode(&two).is_some(), value % 16 == 0);
                assert_eq!(scratch.decode(&three).is_some(), value % 4 == 0);
            }
        }
    }

    #[test]
    fn only_the_url_alphabet_is_read() {
        for byte in 0..=255_u8 {
            let known = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            for at in [0, 1, 2, 3, 40, 77, 99] {
                let mut text = [b'A'; 100];
                text[at] = byte;
                assert_eq!(Scratch::new().decode(&text).is_some(), known, "{byte}");
            }
        }
    }

    #[test]
    fn an_array_has_exactly_its_length() {
        assert_eq!(decode_array::<3>(b"AAAA"), Some([0; 3]));
        assert_eq!(decode_array::<3>(b"AAA"), None);
        assert_eq!(decode_array::<3>(b"AAAAAA"), None);
        assert_eq!(decode_array::<0>(b""), Some([]));
    }

    /// Any text of these characters, which is base64url now and then, and mostly nearly so.
    fn nearly_base64() -> impl Strategy<Value = Vec<u8>> {
        let usual =
            select(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".to_vec());
        let last = vec(select(b"AQgwEIMUYckos048=+/ \n.\x80".to_vec()), 0..3);
        (vec(usual, 0..200), last).prop_map(|(text, last)| [text, last].concat())
    }

    proptest! {
        /// The decoder that works on many bytes at a time, beside one that goes byte by byte.
        #[test]
        fn it_reads_and_writes_what_the_crate_base64_does(
            bytes in vec(any::<u8>(), 0..300),
            text in nearly_base64(),
        ) {
            let mut ours = String::new();
            encode_append(&bytes, &mut ours);
            prop_assert_eq!(&ours, &URL_SAFE_NO_PAD_BY_BYTE.encode(&bytes));
            let mut scratch = Scratch::new();
            for text in [ours.as_bytes(), &text] {
                let ours = scratch.decode(text).map(|bytes| bytes.to_vec());
                prop_assert_eq!(ours, URL_SAFE_NO_PAD_BY_BYTE.decode(text).ok());
            }
        }
    }
}
