//! Access tokens: minting, verifying and the claims in between.

mod access;
mod claims;
mod codec;
mod error;

pub use access::AccessToken;
pub use claims::{Claims, NoClaims, TokenContext};
pub use codec::{Grant, Profile, TokenCodec, TokenCodecBuilder};
pub use error::{MintError, TokenError, TokenErrorKind};
