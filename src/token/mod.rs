//! Access tokens: minting, verifying and the claims in between.
//!
//! A token is checked from the outside in, and each step only sees what the one before it let through. The steps check
//! the size, the number of segments, the header against the configured key and strict base64url. The AEAD, the
//! signature and UTF-8 follow, and only then the claims.

mod base64;
mod builder;
#[cfg_attr(not(feature = "cache"), path = "cache/disabled.rs")]
pub(crate) mod cache;
pub(crate) mod claims;
pub(crate) mod codec;
mod compact;
pub(crate) mod error;
mod header;
mod json;
mod jwe;
mod jws;
mod mint;
mod presented;
mod private_claims;
mod registered_claims;
pub(crate) mod token_response;
mod token_type;
pub(crate) mod verifiers;
mod verify;

pub use builder::TokenCodecBuilder;
pub(crate) use claims::{Claims, NoClaims, NotRecent, TokenContext};
pub use codec::Grant;
pub(crate) use codec::TokenCodec;
pub use error::MintError;
use error::Setting;
pub(crate) use error::{TokenError, TokenErrorKind};
pub use presented::PresentedToken;
pub(crate) use token_response::{AccessToken, TokenSession};
pub use token_type::TokenType;
pub(crate) use verifiers::Verifiers;

#[cfg(test)]
mod tests {
    mod fast_path;
}
