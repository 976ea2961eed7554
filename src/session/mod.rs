//! Refresh sessions: the browser's token, the store's record, and the pure decision between.

mod authentication;
mod decide;
mod error;
mod fields;
mod fingerprints;
mod id;
mod jar;
mod outcome;
mod policy;
mod presenter;
mod record;
mod record_codec;
mod refresh_token;
mod screen;
mod transition;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod proof;

pub(crate) use authentication::{Authentication, Methods};
pub(crate) use decide::decide;
pub use error::{SessionError, SessionErrorKind};
#[cfg(any(feature = "store-tests", test))]
pub(crate) use fields::Fields;
pub(crate) use fields::LONGEST_NOTE;
pub use fingerprints::FingerprintPolicy;
#[cfg(any(feature = "redis", feature = "store-tests", test))]
pub(crate) use fingerprints::Fingerprints;
pub use id::{ClientFingerprint, SessionId, SessionKey};
#[cfg(test)]
pub(crate) use jar::MACS;
pub(crate) use jar::{CookieKind, JarText, jar_value, judge_jar};
pub use outcome::RefreshOutcome;
pub(crate) use outcome::{Decision, Outcome, Row};
pub(crate) use policy::SessionPolicy;
pub use policy::{ReusePolicy, RotationPolicy, RotationPolicyBuilder};
#[cfg(feature = "cors")]
pub(crate) use presenter::SESSION_ACTIVITY;
pub(crate) use presenter::{Activity, JarProof, Presenter};
pub(crate) use record::{LONGEST_CONTEXT, LONGEST_SUBJECT};
pub use record::{RevokeReason, SessionRecord, SessionState};
pub use record_codec::DecodeError;
#[cfg(feature = "memory")]
pub(crate) use record_codec::EncodedRecord;
#[cfg(test)]
pub(crate) use refresh_token::OPENED;
pub(crate) use refresh_token::{RefreshToken, SealContext, UnsealError, seal, unseal};
pub(crate) use screen::{screen, screen_jar};
pub(crate) use transition::{Lasts, NewSecrets, SignIn, cut};
