//! A report on each key of an issuer's set: whether it is used, and why not.

use std::{fmt, sync::Arc};

use super::{UnusableKey, UnusableReason};
use crate::keys::{SignatureAlgorithm, SigningKey};

/// One key of an issuer's JWK Set: how the issuer describes it, and what becomes of it.
///
/// It comes from [`KeyRing::key_reports`](crate::KeyRing::key_reports), and with the feature `jwks` from
/// `JwksHealth::key_reports`. It prints nothing of the key itself.
///
/// ```
/// use tower_bearer::{KeyRing, keys::KeyState};
///
/// // The first is the key of RFC 8037 appendix A.2; the issuer of the second gives it away.
/// let ring = KeyRing::published(
///     r#"{"keys":[
///         {"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///         {"kty":"oct","kid":"b","alg":"HS256","k":"bm90IGEgc2VjcmV0IGFueSBtb3JlLCBpcyBpdD8"}
///     ]}"#,
/// )?;
/// let [a, b] = &ring.key_reports()[..] else { panic!() };
/// assert_eq!((a.kid(), a.alg(), a.state()), (Some("a"), None, KeyState::Usable));
/// assert_eq!(a.algorithm().unwrap().as_str(), "EdDSA");
/// assert_eq!((b.kid(), b.alg(), b.state()), (Some("b"), Some("HS256"), KeyState::Poisoned));
/// assert!(b.reason().unwrap().starts_with("is a shared secret"));
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct KeyReport {
    index: usize,
    alg: Option<Box<str>>,
    pub(super) key: Result<Arc<SigningKey>, UnusableKey>,
    /// The algorithm of an RSA key that does not say so.
    rsa: SignatureAlgorithm,
}

/// Whether a key of an issuer's set is used; see [`KeyReport::state`].
///
/// ```
/// use tower_bearer::keys::KeyState;
///
/// assert_eq!(KeyState::PassedOver.to_string(), "passed over");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// It verifies signatures.
    Usable,
    /// It is not used; the issuer may have it for another purpose.
    PassedOver,
    /// Its private half was published, or it is a shared secret: an attacker can sign with it.
    Poisoned,
}

impl KeyState {
    /// Returns the name, which stays as it is: for logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usable => "usable",
            Self::PassedOver => "passed over",
            Self::Poisoned => "poisoned",
        }
    }
}

impl KeyReport {
    pub(super) fn new(
        index: usize,
        alg: Option<&str>,
        key: Result<Arc<SigningKey>, UnusableKey>,
    ) -> Self {
        /// No algorithm has a longer name.
        const LONGEST: usize = 64;
        let alg = alg.filter(|alg| alg.len() <= LONGEST).map(Into::into);
        Self {
            index,
            alg,
            key,
            rsa: SignatureAlgorithm::Rs256,
        }
    }

    /// The issuer's metadata say what RSA keys are for that name no algorithm.
    #[cfg(feature = "jwks")]
    pub(in crate::keys) fn assume(&mut self, rsa: SignatureAlgorithm) {
        self.rsa = rsa;
    }

    /// Its private half was published elsewhere: it is not used any more.
    pub(super) fn give_away(&mut self) {
        self.key = Err(UnusableKey::new(
            self.index,
            self.kid(),
            UnusableReason::Compromised,
            "is one whose private half was published; the issuer has to replace it",
        ));
    }

    /// Returns its place in the set's `keys`, counted from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns its `kid`, where it has one. The issuer wrote it: print it with `{:?}`, which escapes
    /// it.
    pub fn kid(&self) -> Option<&str> {
        match &self.key {
            Ok(key) => key.kid(),
            Err(key) => key.kid(),
        }
    }

    /// Returns the `alg` that the issuer wrote, letter for letter. `None` where it wrote none, or no text of 64 bytes
    /// at the most. Print it with `{:?}`.
    pub fn alg(&self) -> Option<&str> {
        self.alg.as_deref()
    }

    /// Returns the algorithm that a usable key verifies: the one of `alg`, or else the one of its type. An RSA key
    /// without `alg` is for the one RSA algorithm of the issuer's metadata, or else RS256. The codec's
    /// [`algorithms`](crate::token::TokenCodecBuilder::algorithms) can name another.
    pub fn algorithm(&self) -> Option<SignatureAlgorithm> {
        self.key.as_ref().ok().map(|key| match key.is_assumed() {
            true => self.rsa,
            false => key.algorithm(),
        })
    }

    /// Returns what becomes of it.
    pub fn state(&self) -> KeyState {
        match &self.key {
            Ok(_) => KeyState::Usable,
            Err(key) if key.is_compromised() => KeyState::Poisoned,
            Err(_) => KeyState::PassedOver,
        }
    }

    /// Returns why it is not used, as a phrase that follows "the key"; `None` for a usable one.
    pub fn reason(&self) -> Option<&str> {
        self.unusable().map(UnusableKey::detail)
    }

    /// Returns the fault of a key that is not used.
    pub fn unusable(&self) -> Option<&UnusableKey> {
        self.key.as_ref().err()
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            index,
            alg,
            key: _,
            rsa: _,
        } = self;
        f.debug_struct("KeyReport")
            .field("index", index)
            .field("kid", &self.kid())
            .field("alg", alg)
            .field("state", &self.state())
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}
