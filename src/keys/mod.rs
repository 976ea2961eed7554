//! Keys: what they are for, where they come from, and how they are replaced while serving.

mod algorithm;
mod builder;
mod encryption;
mod env;
mod header;
#[cfg(feature = "josekit")]
mod jose;
#[cfg(not(feature = "josekit"))]
#[path = "jose_none.rs"]
mod jose;
mod jwk;
mod key_file;
mod public_set;
mod publish;
mod ring;
mod session;
mod signing;
mod snapshot;
#[cfg_attr(not(feature = "jwks"), path = "no_source.rs")]
mod source;
mod validity;
mod weak;
#[cfg_attr(
    not(feature = "josekit"),
    allow(
        dead_code,
        reason = "headers are read, and refused, alike with and without the feature"
    )
)]
mod wrap_header;

pub use self::{
    algorithm::SignatureAlgorithm,
    builder::KeyRingBuilder,
    public_set::{UnusableKey, UnusableReason},
    // The module, not the crate of that name.
    ring::KeyRing,
};
pub(crate) use self::{
    algorithm::{ContentEncryption, KeyManagement},
    encryption::{ContentKey, EncryptionKey},
    header::{ACCESS_TOKEN_TYPE, Content},
    session::{SessionKeyId, SessionKeySet, SessionKeys},
    signing::SigningKey,
    snapshot::{Candidates, Keys, LookupError},
    weak::check_key,
    wrap_header::{Epk, WrapHeader},
};

#[cfg(all(feature = "jwks", feature = "tracing"))]
pub(crate) use self::public_set::listed;
#[cfg(feature = "jwks")]
pub(crate) use self::{
    public_set::{Compromised, PublicSet, nothing_usable},
    source::Remote,
};

#[cfg(test)]
mod tests;
