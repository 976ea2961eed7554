//! Access tokens: minting, verifying and the claims in between.
//!
//! A token is checked from the outside in, and each step only sees what the one before it let
//! through: the size, the number of segments, the header against the configured key, strict
//! base64url, the AEAD, the signature, UTF-8, and only then the claims.

mod access;
#[cfg(test)]
mod agreement;
mod base64;
mod builder;
#[cfg_attr(not(feature = "cache"), path = "cache/disabled.rs")]
mod cache;
mod claims;
mod codec;
mod compact;
mod custom;
mod error;
mod header;
mod json;
mod jwe;
mod jws;
mod mint;
mod registered;
mod verify;

pub use access::AccessToken;
pub use builder::TokenCodecBuilder;
#[cfg(feature = "cache")]
pub use cache::TokenCache;
pub use claims::{Claims, NoClaims, TokenContext};
pub use codec::{Grant, TokenCodec};
pub use error::{MintError, TokenError, TokenErrorKind};
