//! Why a store did not answer.

use std::{error::Error, fmt};

use crate::session::DecodeError;

/// Why a store operation failed. The request is answered 503 and the cookie stays as it is.
///
/// ```
/// use tower_bearer::store::{StoreError, StoreErrorKind};
///
/// let error = StoreError::unavailable("no connection within 200 ms");
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// assert_eq!(error.to_string(), "the session store did not answer");
/// ```
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of [`StoreError`].
///
/// ```
/// use tower_bearer::store::{StoreError, StoreErrorKind};
///
/// let error = StoreError::new(StoreErrorKind::Refused, "the disk is full");
/// assert_eq!(error.to_string(), "the session store refused");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// A stored record could not be read; nothing was changed.
    Corrupt,
    /// The store is at its bound and takes no new session.
    Full,
    /// The store answered that it will not: a wrong password, an account without the right, a disk that
    /// is full. It will not do so later either, unless its operator changes something.
    Refused,
    /// The store did not answer, or not in time. The operation may or may not have happened.
    Unavailable,
    /// The store does not offer the operation, and did nothing.
    Unsupported,
}

impl StoreErrorKind {
    /// Returns the name in `snake_case`, for logs and labels of metrics. It does not change.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Corrupt => "corrupt",
            Self::Full => "full",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "unsupported",
        }
    }
}

impl StoreError {
    /// Returns an error of this kind with its cause.
    pub fn new(kind: StoreErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// Reports that the store did not answer: `source` says why.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(StoreErrorKind::Unavailable, source)
    }

    /// Returns the kind of failure.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<DecodeError> for StoreError {
    fn from(error: DecodeError) -> Self {
        Self::new(StoreErrorKind::Corrupt, error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Corrupt => "a stored session cannot be read",
            StoreErrorKind::Full => "the session store is full",
            StoreErrorKind::Refused => "the session store refused",
            StoreErrorKind::Unavailable => "the session store did not answer",
            StoreErrorKind::Unsupported => "the session store does not offer this operation",
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn Error + 'static))
    }
}
