//! Without the feature `multipart` no such form is read.

use std::{borrow::Cow, convert::Infallible};

use http::HeaderValue;

use crate::rejection::CsrfReason;

/// There is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Boundary(Infallible);

impl Boundary {
    pub(super) fn of(_content_type: &HeaderValue) -> Option<Self> {
        None
    }
}

pub(super) fn field<'a>(
    _body: &'a [u8],
    boundary: &Boundary,
    _name: &str,
) -> Result<Cow<'a, [u8]>, CsrfReason> {
    match boundary.0 {}
}
