//! Why a key of an issuer's set is not used.

use std::{borrow::Cow, fmt};

/// A key of an issuer's JWK Set that verifies nothing, and why. The other keys of the set are used.
///
/// It holds no key material, and prints as one line for a log.
///
/// ```
/// use tower_bearer::{KeyRing, keys::UnusableReason};
///
/// // The first is the key of RFC 8037 appendix A.2; the second is for encryption.
/// let ring = KeyRing::verifier(
///     r#"{"keys":[
///         {"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///         {"kty":"RSA","use":"enc","kid":"b","n":"AQAB","e":"AQAB"}
///     ]}"#,
/// )?;
/// let unusable = ring.unusable_keys();
/// assert_eq!(unusable[0].kid(), Some("b"));
/// assert_eq!(unusable[0].reason(), UnusableReason::NotForSignatures);
/// assert!(!unusable[0].is_compromised());
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableKey {
    index: usize,
    kid: Option<Box<str>>,
    reason: UnusableReason,
    detail: Cow<'static, str>,
}

/// The reasons of an [`UnusableKey`].
///
/// ```
/// use tower_bearer::keys::UnusableReason;
///
/// assert_eq!(UnusableReason::Weak.as_str(), "weak");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnusableReason {
    /// Its private half was published, in this set or an earlier one: an attacker can sign with it.
    Compromised,
    /// A member is missing, of the wrong type, repeated, or not what the key type needs.
    Malformed,
    /// Its `use` or `key_ops` names another purpose than verifying signatures.
    NotForSignatures,
    /// Its `kty`, `crv` or `alg` is none that this crate has, or they do not fit each other.
    Unsupported,
    /// It is too small, or every attacker can sign for it.
    Weak,
}

impl UnusableReason {
    /// Returns the name in `snake_case`, which stays as it is: for logs and labels of metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compromised => "compromised",
            Self::Malformed => "malformed",
            Self::NotForSignatures => "not_for_signatures",
            Self::Unsupported => "unsupported",
            Self::Weak => "weak",
        }
    }
}

impl UnusableKey {
    pub(super) fn new(
        index: usize,
        kid: Option<&str>,
        reason: UnusableReason,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            index,
            kid: kid.map(Into::into),
            reason,
            detail: detail.into(),
        }
    }

    /// Returns its place in the set's `keys`, counted from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns its `kid`, where it has one. The issuer wrote it: print it with `{:?}`, which escapes
    /// it.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Returns why it is not used.
    pub fn reason(&self) -> UnusableReason {
        self.reason
    }

    /// Returns why it is not used in words, as a phrase that follows "the key".
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Tells whether the issuer has published its private half or a shared secret. The issuer has to replace it at
    /// once. Nothing that it signed can be trusted.
    pub fn is_compromised(&self) -> bool {
        self.reason == UnusableReason::Compromised
    }
}

impl fmt::Display for UnusableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys[{}]", self.index)?;
        if let Some(kid) = &self.kid {
            write!(f, " (kid {kid:?})")?;
        }
        write!(f, " {}", self.detail)
    }
}
