//! The indispensable work of a verification, straight on `ring`.

use std::hint::black_box;

use base64_simd::{Out, URL_SAFE_NO_PAD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey},
    hmac,
};

use crate::support::keys;
use crate::support::profile::Profile;

/// Room for one decoded segment of any token here.
const ROOM: usize = 1024;

/// The shared keys, prepared, and where the headers of the tokens end.
pub struct Shared {
    profile: Profile,
    mac: hmac::Key,
    aead: LessSafeKey,
    header: usize,
    inner_header: usize,
}

impl Shared {
    /// For tokens like `token`, which have tokens like `signed` inside where they are nested.
    pub fn new(profile: Profile, token: &str, signed: &str) -> Self {
        Self {
            profile,
            mac: hmac::Key::new(hmac::HMAC_SHA256, keys::HS256),
            aead: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, keys::A256GCM).unwrap()),
            header: token.find('.').unwrap(),
            inner_header: signed.find('.').unwrap(),
        }
    }

    pub fn verify(&self, token: &[u8]) {
        let mut plain = [0; ROOM];
        match self.profile {
            Profile::Nested => {
                let inner = self.open(token, &mut plain);
                self.check(self.inner_header, inner);
            }
            Profile::Encrypted => {
                black_box(self.open(token, &mut plain));
            }
            _ => self.check(self.header, token),
        }
    }

    /// Opens a `dir` token with A256GCM; positions follow from the lengths of iv and tag.
    fn open<'a>(&self, token: &[u8], out: &'a mut [u8]) -> &'a [u8] {
        let (aad, rest) = token.split_at(self.header);
        let (iv, rest) = rest[2..].split_at(16);
        let (content, tag) = rest[1..].split_at(rest.len() - 24);
        let nonce = Nonce::assume_unique_for_key(decode_array(iv));
        let tag = Tag::from(decode_array(&tag[1..]));
        let len = decode(content, out).len();
        let content = &mut out[..len];
        let opened = self
            .aead
            .open_in_place_separate_tag(nonce, Aad::from(aad), tag, content, 0..);
        opened.unwrap()
    }

    fn check(&self, header: usize, token: &[u8]) {
        let (input, mac) = split_signature(token, 43);
        hmac::verify(&self.mac, input, &decode_array::<32>(mac)).unwrap();
        decode_payload(header, input);
    }
}

/// Verifies a token with a public key, by `verify` over its input and its signature.
pub fn public(token: &str, verify: impl Fn(&[u8], &[u8])) -> impl Fn(&[u8]) {
    let signature = token.len() - token.rfind('.').unwrap() - 1;
    let header = token.find('.').unwrap();
    move |token| {
        let mut room = [0; ROOM];
        let (input, encoded) = split_signature(token, signature);
        verify(input, decode(encoded, &mut room));
        decode_payload(header, input);
    }
}

fn decode_payload(header: usize, input: &[u8]) {
    black_box(decode(&input[header + 1..], &mut [0; ROOM]));
}

/// Splits a signed token before its signature of `len` characters.
fn split_signature(token: &[u8], len: usize) -> (&[u8], &[u8]) {
    let (input, signature) = token.split_at(token.len() - len - 1);
    (input, &signature[1..])
}

fn decode<'a>(text: &[u8], out: &'a mut [u8]) -> &'a mut [u8] {
    URL_SAFE_NO_PAD.decode(text, Out::from_slice(out)).unwrap()
}

fn decode_array<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    assert_eq!(decode(text, &mut out).len(), N);
    out
}
