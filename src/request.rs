//! Reads the parts of a request's head that guards need, and defines the mark for guards further
//! in.

use http::{HeaderMap, HeaderName, HeaderValue};

/// A bearer layer was here and passed the request on without credentials, as configured.
///
/// It distinguishes "no client signed in" from "the layer is missing". It carries the challenge
/// that the layer would have answered with.
#[derive(Clone, Debug)]
pub(crate) struct Anonymous {
    pub(crate) challenge: HeaderValue,
}

/// The headers by which frameworks let a client replace the method. A static, so that a look-up
/// borrows the name instead of making and dropping one.
static METHOD_OVERRIDES: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
];

/// The browser's statement of where a request comes from (W3C Fetch Metadata). A static for the
/// same reason.
pub(crate) static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a page of another site caused the request, a link there among them.
pub(crate) fn is_cross_site(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all(&SEC_FETCH_SITE).iter();
    sites.any(|site| site == "cross-site")
}

/// Whether the request asks for another method than its own, should a layer further in listen.
pub(crate) fn overrides_method(headers: &HeaderMap) -> bool {
    METHOD_OVERRIDES
        .iter()
        .any(|name| headers.contains_key(name))
}
