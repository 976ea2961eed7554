//! The hook that may refuse a token that is otherwise good.

use std::{error::Error, fmt};

use crate::token::TokenContext;

/// Why a check refused a verified token.
///
/// ```
/// use std::{collections::HashSet, sync::Arc};
/// use tower_bearer::{BearerAuthLayer, KeyRing, TokenCodec, TokenContext, bearer::CheckError};
///
/// let codec: TokenCodec = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// // Filled by the code that informs this process of ended sessions.
/// let ended: Arc<HashSet<String>> = Arc::default();
/// let layer = BearerAuthLayer::new(codec).check(move |token: &TokenContext| {
///     match token.session() {
///         Some(session) if ended.contains(session) => Err(CheckError::Revoked),
///         _ => Ok(()),
///     }
/// });
/// # let _ = layer;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckError {
    /// The check itself failed: 500 without a challenge.
    Internal,
    /// The token, its session or its subject is revoked: 401 `invalid_token`.
    Revoked,
    /// Whether it is revoked is unknown at the moment: 503 with `Retry-After`.
    Unavailable,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Internal => "the revocation check failed",
            Self::Revoked => "the access token is revoked",
            Self::Unavailable => "the revocation state is unavailable",
        })
    }
}

impl Error for CheckError {}

pub(super) type CheckFn = dyn Fn(&TokenContext) -> Result<(), CheckError> + Send + Sync;
