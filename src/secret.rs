//! Secrets in memory and the few primitives that touch them, all from `ring`.

use std::{fmt, hint::black_box};

use base64_simd::{Base64, Out};
use ring::{digest, error::Unspecified, hkdf};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A value that is wiped on drop and never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Named so that each use can be found.
    pub(crate) fn expose(&self) -> &T {
        &self.0
    }

    /// The same, to be filled in.
    pub(crate) fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Several times what reading and expanding a key uses of the stack.
pub(crate) const KEY_WORK: usize = 64 * 1024;

/// More than deriving the key of one message uses, and sealing or opening that. Less, because it is
/// done for each request; without optimisation every value has a place of its own.
pub(crate) const MESSAGE_WORK: usize = if cfg!(debug_assertions) { 64 } else { 16 } * 1024;

/// Does `work` on secrets, and overwrites the `STACK` bytes that it may have used of the stack.
///
/// A moved value leaves its bytes in the old place. `ring` wipes neither its own types nor its intermediate results.
/// All of it lies in the frames of `work`, which are dead when it returns. Its result must be no secret or lie behind
/// a pointer, because it is moved out of there.
#[inline(never)]
pub(crate) fn on_wiped_stack<const STACK: usize, T>(work: impl FnOnce() -> T) -> T {
    let made = in_frames_of_its_own(work);
    overwrite_stack::<STACK>();
    made
}

/// Never inlined, so that nothing of `work` lies in the frame that outlives it.
#[inline(never)]
fn in_frames_of_its_own<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Begins where the frames of the work before began, since it is called from the same one.
#[inline(never)]
fn overwrite_stack<const STACK: usize>() {
    let mut zeros = [0_u8; STACK];
    // Changed, as far as the compiler knows: it can neither leave the zeros out nor put a constant there.
    black_box(&mut zeros);
}

/// Decodes `text`. A buffer that the decoder gives up half-way is wiped, too.
pub(crate) fn decode(form: Base64, text: &[u8]) -> Option<Secret<Vec<u8>>> {
    // Decoding never makes it longer.
    let mut bytes = Secret::new(vec![0; text.len()]);
    let len = form.decode(text, Out::from_slice(&mut bytes.0)).ok()?.len();
    // The capacity is wiped with it.
    bytes.0.truncate(len);
    Some(bytes)
}

/// SHA-256 over the concatenation of `parts`. Callers keep parts of fixed length or prefix them.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// The pseudo-random key that [`derive`] takes keys from: HKDF-Extract (RFC 5869 section 2.2).
pub(crate) fn extract(salt: &[u8], secret: &[u8]) -> hkdf::Prk {
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret)
}

/// HKDF-Expand (RFC 5869 section 2.3) to 32 bytes under a label that names the purpose. Callers prefix
/// parts of the label with their length, or fix it.
///
/// # Errors
///
/// None that is known: `ring` refuses other lengths alone. Zeros must not become a key in any case.
pub(crate) fn derive(prk: &hkdf::Prk, label: &[&[u8]]) -> Result<Secret<[u8; 32]>, Unspecified> {
    let mut out = Secret::new([0; 32]);
    prk.expand(label, hkdf::HKDF_SHA256)?
        .fill(out.expose_mut())?;
    Ok(out)
}
