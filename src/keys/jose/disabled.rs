//! Without the `josekit` feature there are no wrapped keys. A type of no values replaces them, so that nothing
//! outside this file asks for the feature.

use std::convert::Infallible;

use super::{
    ContentEncryption, KeyManagement,
    encryption::{OpenError, SealError},
    jwk::Jwk,
};
use crate::{config::ConfigError, secret::Secret};

pub(crate) use super::wrap_header::WrapHeader;

/// A key that wraps content keys: none exists.
pub(crate) struct Wrapping(Infallible);

impl Wrapping {
    pub(super) fn new(management: KeyManagement, _jwk: &Jwk) -> Result<Self, ConfigError> {
        Err(ConfigError::new(
            "JWK",
            format!("{management} needs the josekit feature of tower-bearer"),
        ))
    }

    pub(super) fn management(&self) -> KeyManagement {
        match self.0 {}
    }

    pub(super) fn can_unwrap(&self) -> bool {
        match self.0 {}
    }

    pub(super) fn unwrap_key(
        &self,
        _content: ContentEncryption,
        _header: &WrapHeader<'_>,
        _encrypted_key: &[u8],
    ) -> Result<Secret<Vec<u8>>, OpenError> {
        match self.0 {}
    }

    pub(super) fn wrap_key(
        &self,
        _content: ContentEncryption,
        _key: &[u8],
    ) -> Result<(Vec<u8>, Option<serde_json::Value>), SealError> {
        match self.0 {}
    }
}
