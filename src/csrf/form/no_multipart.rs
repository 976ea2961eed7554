//! Without the feature `multipart` no such form is read.

use std::{borrow::Cow, convert::Infallible};

use bytes::Bytes;
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

pub(super) fn field(
    _body: &Bytes,
    boundary: &Boundary,
    _name: &str,
) -> Result<Cow<'static, [u8]>, CsrfReason> {
    match boundary.0 {}
}
