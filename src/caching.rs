//! Headers of responses that caches read.

use http::{HeaderMap, HeaderName};

/// Removes the headers that only caches of one kind read. Such a cache reads its own header before
/// `Cache-Control`. It would keep a response that must not be kept (RFC 9213 section 2.2; nginx has
/// `X-Accel-Expires`).
pub(crate) fn leave_to_cache_control(headers: &mut HeaderMap) {
    let is_targeted = |name: &&HeaderName| {
        let name = name.as_str();
        name.ends_with("-cache-control") || name == "surrogate-control" || name == "x-accel-expires"
    };
    let targeted: Vec<_> = headers.keys().filter(is_targeted).cloned().collect();
    for name in targeted {
        headers.remove(name);
    }
}
