//! The protected headers that keys write, encoded once when a key is loaded.

use serde::Serialize;

use super::{ContentEncryption, KeyManagement};
use crate::config::ConfigError;

/// The longest `kid` a key of ours may have, in bytes. Every token carries it.
const MAX_KID: usize = 128;

/// The `typ` of access tokens (RFC 9068 section 2.1), unless a codec is given another.
pub(crate) const ACCESS_TOKEN_TYPE: &str = "at+jwt";

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    enc: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cty: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epk: Option<&'a serde_json::Value>,
}

/// The content of an encrypted token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content<'a> {
    /// A signed JWT (`cty: "JWT"`, RFC 7519 section 5.2).
    Nested,
    /// The claims themselves, under this `typ`.
    Claims(Option<&'a str>),
}

pub(super) fn signed_header(alg: &'static str, kid: Option<&str>, typ: Option<&str>) -> String {
    encode(&Header {
        alg,
        enc: None,
        typ,
        cty: None,
        kid,
        epk: None,
    })
}

pub(super) fn encrypted_header(
    content: Content<'_>,
    alg: KeyManagement,
    enc: ContentEncryption,
    kid: Option<&str>,
    epk: Option<&serde_json::Value>,
) -> String {
    let (typ, cty) = match content {
        Content::Nested => (None, Some("JWT")),
        Content::Claims(typ) => (typ, None),
    };
    encode(&Header {
        alg: alg.as_str(),
        enc: Some(enc.as_str()),
        typ,
        cty,
        kid,
        epk,
    })
}

fn encode(header: &Header<'_>) -> String {
    // Strings and a parsed value always serialise; an empty header would match no token.
    let json = serde_json::to_vec(header).unwrap_or_default();
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(json)
}

/// Refuses a `kid` that is empty, too long or holds control characters.
pub(super) fn check_kid(kid: Option<&str>) -> Result<(), ConfigError> {
    match kid {
        Some(kid) if kid.is_empty() || kid.len() > MAX_KID || kid.contains(char::is_control) => {
            Err(ConfigError::new(
                "kid",
                "must have 1 to 128 bytes and no control characters",
            ))
        }
        _ => Ok(()),
    }
}
