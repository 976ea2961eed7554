//! Why an issuer's keys could not be fetched.

use std::{error::Error, fmt, sync::Arc};

use http::StatusCode;

/// Why a JWK Set could not be fetched, or was not taken.
///
/// [`kind`](Self::kind) says what to look at, and the [sources](Error::source) what was met. It
/// never holds a part of the answer.
///
/// ```
/// use tower_bearer::{JwksErrorKind, RemoteJwks};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Nobody listens there.
/// let issuer = RemoteJwks::new("http://127.0.0.1:9/jwks.json")?;
/// let error = issuer.refresh().await.unwrap_err();
/// assert_eq!(error.kind(), JwksErrorKind::Connection);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct JwksError {
    kind: JwksErrorKind,
    status: Option<StatusCode>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kinds of [`JwksError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwksErrorKind {
    /// The issuer could not be reached or trusted, or broke off: names, routes, certificates.
    Connection,
    /// The answer is not a usable set of public keys: no JSON, no key that verifies, or a private
    /// key or shared secret in it.
    Invalid,
    /// There is no tokio runtime that could fetch them, or it has ended.
    Runtime,
    /// The issuer answered with another status than 200. Redirects are not followed.
    Status,
    /// The issuer did not answer completely in time.
    TimedOut,
    /// The answer is longer than accepted.
    TooLarge,
}

impl JwksError {
    pub(super) fn new(kind: JwksErrorKind) -> Self {
        Self {
            kind,
            status: None,
            source: None,
        }
    }

    pub(super) fn with_source(
        kind: JwksErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            source: Some(source.into().into()),
            ..Self::new(kind)
        }
    }

    pub(super) fn status_of(status: StatusCode) -> Self {
        Self {
            status: Some(status),
            ..Self::new(JwksErrorKind::Status)
        }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> JwksErrorKind {
        self.kind
    }

    /// What the issuer answered with, for [`JwksErrorKind::Status`].
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            JwksErrorKind::Connection => "the issuer could not be reached",
            JwksErrorKind::Invalid => "the issuer's keys are not usable",
            JwksErrorKind::Runtime => "no tokio runtime fetches the issuer's keys",
            JwksErrorKind::Status => match self.status {
                Some(status) => {
                    return write!(f, "the issuer answered {} instead of 200", status.as_u16());
                }
                None => "the issuer did not answer 200",
            },
            JwksErrorKind::TimedOut => "the issuer did not answer in time",
            JwksErrorKind::TooLarge => "the issuer's keys are longer than accepted",
        })
    }
}

impl Error for JwksError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn Error + 'static))
    }
}
