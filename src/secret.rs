//! Secrets in memory and the few primitives that touch them, all from `ring`.

use std::fmt;

use ring::{digest, hmac};
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
    #[cfg(feature = "cache")]
    pub(crate) fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
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

/// HKDF-Expand (RFC 5869 section 2.3) to one block: 32 bytes under a label that names the purpose.
///
/// One block is a single HMAC, which cannot fail; callers length-prefix or fix the size of parts.
pub(crate) fn derive(prk: &hmac::Key, label: &[&[u8]]) -> Secret<[u8; 32]> {
    let mut context = hmac::Context::with_key(prk);
    for part in label {
        context.update(part);
    }
    context.update(&[1]);
    let mut out = [0; 32];
    out.copy_from_slice(context.sign().as_ref());
    Secret::new(out)
}
