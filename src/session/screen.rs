//! Which values may be ours, by their length and by the key that they name. Nothing is verified: it bounds the work for
//! cookies that were planted beside a genuine one.

use super::{
    jar::JarText,
    refresh_token::{TEXT, UnsealError, VERSION},
};
use crate::keys::{SessionKeyId, SessionKeys};

/// Whether `value` may be a refresh token under one of `keys`.
///
/// # Errors
///
/// As `unseal`, which would refuse it too.
pub(crate) fn screen(value: &[u8], keys: &SessionKeys) -> Result<(), UnsealError> {
    if value.len() != TEXT {
        return Err(UnsealError::Malformed);
    }
    match named_key(value) {
        Some((VERSION, key_id)) if keys.find(key_id).is_some() => Ok(()),
        Some((VERSION, _)) => Err(UnsealError::UnknownKey),
        _ => Err(UnsealError::Malformed),
    }
}

/// The value, if it may be of a jar cookie under one of `keys`.
pub(crate) fn screen_jar(value: &[u8], keys: &SessionKeys) -> Option<JarText> {
    let text = value.try_into().ok()?;
    let (_, key_id) = named_key(value)?;
    keys.find(key_id).map(|_| text)
}

/// The front of a cookie's text: its version or kind, and the id of its key.
fn named_key(text: &[u8]) -> Option<(u8, SessionKeyId)> {
    let mut raw = [0; 6];
    let out = base64_simd::Out::from_slice(&mut raw);
    let decoded = base64_simd::URL_SAFE_NO_PAD.decode(text.get(..8)?, out);
    let [version, a, b, c, d, _] = *decoded.ok()? else {
        return None;
    };
    Some((version, [a, b, c, d]))
}
