//! Keys: what they are for, where they come from, and how they are replaced while serving.

pub(crate) mod algorithm;
mod builder;
mod encryption;
mod env;
#[cfg_attr(feature = "josekit", path = "jose/enabled.rs")]
#[cfg_attr(not(feature = "josekit"), path = "jose/disabled.rs")]
mod jose;
mod jwk;
mod jwks;
mod key_file;
pub(crate) mod key_ring;
mod key_set;
mod lacking;
mod protected_header;
mod public_set;
#[cfg_attr(feature = "jwks", path = "remote/enabled.rs")]
#[cfg_attr(not(feature = "jwks"), path = "remote/disabled.rs")]
mod remote;
mod session_keys;
mod signing;
mod strength;
pub(crate) mod subject_tag;
mod usage;
mod validity;
#[cfg_attr(
    not(feature = "josekit"),
    allow(
        dead_code,
        reason = "headers are read, and refused, alike with and without the feature"
    )
)]
mod wrap_header;

pub(crate) use self::{
    algorithm::{ContentEncryption, KeyManagement, SignatureAlgorithm},
    encryption::{ContentKey, EncryptionKey},
    key_ring::KeyRing,
    key_set::{Candidates, Keys, LookupError},
    lacking::Need,
    protected_header::{ACCESS_TOKEN_TYPE, Content},
    session_keys::{SessionKeyId, SessionKeySet, SessionKeys},
    signing::SigningKey,
    strength::check_key,
    subject_tag::SubjectTag,
    usage::KeyUsage,
    wrap_header::{Epk, WrapHeader},
};
pub use self::{
    builder::KeyRingBuilder,
    public_set::{KeyReport, KeyState, UnusableKey, UnusableReason},
};

#[cfg(all(feature = "jwks", feature = "tracing"))]
pub(crate) use self::public_set::listed;
#[cfg(feature = "jwks")]
pub(crate) use self::{
    public_set::{Compromised, PublicSet, nothing_usable},
    remote::Remote,
};

#[cfg(test)]
mod tests;
