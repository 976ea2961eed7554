//! The evidence that a request shows beside its token.

use super::id::ClientFingerprint;

/// The client that presents a token, as far as the request tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presenter {
    pub(crate) fingerprint: ClientFingerprint,
    /// Which function made it: fingerprints of two functions do not compare.
    pub(crate) version: u8,
    pub(crate) jar: JarProof,
}

/// Whether the request shows that it comes out of the session's cookie jar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum JarProof {
    /// The right jar cookie came: the session is bound to it from now on.
    Shown,
    /// No right one came. A session that is bound refuses it.
    Missing,
    /// There is no jar to look at: tokens in bodies, jar cookies off, a session of this very request.
    Waived,
}
