//! Refresh sessions: what the browser holds, what the store holds, and the pure decision between.

mod decide;
mod error;
mod id;
mod outcome;
mod policy;
mod record;
mod record_codec;
mod refresh_token;
mod transition;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod proof;

pub(crate) use decide::decide;
pub use error::{SessionError, SessionErrorKind};
pub use id::{ClientFingerprint, SessionId, SessionKey};
pub use outcome::RefreshOutcome;
pub(crate) use outcome::{Decision, Outcome};
pub(crate) use policy::SessionPolicy;
pub use policy::{ReusePolicy, RotationPolicy, RotationPolicyBuilder};
pub use record::{RevokeReason, SessionRecord, SessionState};
pub use record_codec::DecodeError;
#[cfg(feature = "memory")]
pub(crate) use record_codec::EncodedRecord;
#[cfg(test)]
pub(crate) use refresh_token::OPENED;
pub(crate) use refresh_token::{RefreshToken, SealContext, UnsealError, seal, unseal};
pub(crate) use transition::{NewSecrets, SignIn};
