//! Strict base64url without padding, decoded on the stack.

use std::mem::MaybeUninit;

use base64_simd::{Out, URL_SAFE_NO_PAD};

use super::Refused;

/// More than a token of these claims needs. A longer one is refused, as one that is too large.
const SIZE: usize = 1024;

/// Room for one decoded segment. It is not cleared: that would cost as much as decoding.
pub struct Buffer([MaybeUninit<u8>; SIZE]);

impl Buffer {
    pub fn new() -> Self {
        Self([MaybeUninit::uninit(); SIZE])
    }

    /// Decodes `text`. The decoder itself refuses lengths that no encoding has.
    pub fn decode(&mut self, text: &[u8]) -> Result<&mut [u8], Refused> {
        let room = self.0.get_mut(..text.len() / 4 * 3 + 2).ok_or(Refused)?;
        let decoded = URL_SAFE_NO_PAD.decode(text, Out::from_uninit_slice(room));
        decoded.map_err(|_| Refused)
    }
}

/// Decodes exactly `N` bytes from a segment whose length the caller knows to fit.
pub fn decode_array<const N: usize>(text: &[u8]) -> Result<[u8; N], Refused> {
    let mut out = [0; N];
    let decoded = URL_SAFE_NO_PAD.decode(text, Out::from_slice(&mut out));
    decoded.map_err(|_| Refused)?;
    Ok(out)
}
