//! The jar cookie: shows that a request comes out of the cookie jar of its session.
//!
//! ```text
//! cookie = base64url( kind:1 | key id:4 | HMAC-SHA-256_K( label, kind, cookie name, issuer, session id )[..16] )
//! ```
//!
//! It is derived and never drawn, with the key that the session's successors are derived with. So any server can send
//! it again without a change, and no store keeps it.

use ring::hmac;
use subtle::ConstantTimeEq;

use super::{
    id::SessionId,
    refresh_token::{SealContext, take},
};
use crate::keys::{SessionKeySet, SessionKeys};

#[cfg(test)]
thread_local! {
    /// How many MACs this thread has made.
    pub(crate) static MACS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

const LABEL: &[u8] = b"tower-bearer jar cookie v1";
const MAC: usize = 16;
const RAW: usize = 1 + 4 + MAC;
const TEXT: usize = RAW / 3 * 4;

/// A value that may be one of ours: its length is right.
pub(crate) type JarText = [u8; TEXT];

/// Whether a session's cookies outlive their browser. A session never changes its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieKind {
    /// They have a `Max-Age`.
    Lasting = 1,
    /// They go when the browser closes.
    UntilClosed = 2,
}

/// The value of the jar cookie of `session`.
pub(crate) fn jar_value(
    session: &SessionId,
    kind: CookieKind,
    keys: &SessionKeySet,
    place: SealContext<'_>,
) -> String {
    let mut raw = [0; RAW];
    let [version, rest @ ..] = &mut raw;
    let (id, mac) = rest.split_at_mut(4);
    *version = kind as u8;
    id.copy_from_slice(&keys.id());
    mac.copy_from_slice(&sign(session, kind, keys, place));
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(raw)
}

/// Judges a value that came with a token of `session`: `None` where it is not that session's.
pub(crate) fn judge_jar(
    value: &JarText,
    session: &SessionId,
    keys: &SessionKeys,
    place: SealContext<'_>,
) -> Option<CookieKind> {
    let mut raw = [0; RAW];
    let out = base64_simd::Out::from_slice(&mut raw);
    let decoded = base64_simd::URL_SAFE_NO_PAD.decode(value, out).ok()?;
    let mut rest: &[u8] = decoded;
    let kind = match take(&mut rest)? {
        [1] => CookieKind::Lasting,
        [2] => CookieKind::UntilClosed,
        _ => return None,
    };
    let keys = keys.find(take(&mut rest)?)?;
    let right = sign(session, kind, keys, place).ct_eq(&take::<MAC>(&mut rest)?);
    bool::from(right).then_some(kind)
}

fn sign(
    session: &SessionId,
    kind: CookieKind,
    keys: &SessionKeySet,
    place: SealContext<'_>,
) -> [u8; MAC] {
    #[cfg(test)]
    MACS.set(MACS.get() + 1);
    let SealContext { carrier, issuer } = place;
    let mut context = hmac::Context::with_key(keys.jar());
    // Length-prefixed, so that no part runs into the next one.
    for part in [
        LABEL,
        &[kind as u8],
        carrier.as_bytes(),
        issuer.as_bytes(),
        session.as_bytes(),
    ] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut mac = [0; MAC];
    mac.copy_from_slice(&context.sign().as_ref()[..MAC]);
    mac
}

#[cfg(test)]
mod tests;
