//! The claims of an access token, which the application decides in one closure.

use std::{error::Error, fmt, future::Future, pin::Pin, sync::Arc};

use serde::Serialize;

use super::{cause, store_time::StoreTime};
use crate::{
    clock::Timestamp,
    session::{Authentication, SessionError, SessionErrorKind, SessionId, SessionRecord},
    token::{AccessToken, Grant, TokenCodec},
};

/// A request for claims, which the claims closure gets. It serves sign-in and refresh alike, so one place decides the
/// content of a token.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tower_bearer::{ClaimsError, ClaimsRequest, refresh::ClaimsReason};
///
/// #[derive(Serialize, Deserialize)]
/// struct Level {
///     /// Whether there was a second factor: what `NewSession::amr` or `elevate_with` said.
///     second_factor: bool,
/// }
///
/// async fn level_of(request: ClaimsRequest) -> Result<Level, ClaimsError> {
///     if request.reason() == ClaimsReason::Refresh && request.subject() == "left-the-company" {
///         return Err(ClaimsError::Denied);
///     }
///     Ok(Level { second_factor: request.amr().any(|method| method == "otp") })
/// }
/// # let _ = level_of;
/// ```
#[derive(Clone)]
pub struct ClaimsRequest {
    subject: Arc<str>,
    session: SessionId,
    context: Arc<[u8]>,
    reason: ClaimsReason,
    authentication: Authentication,
    /// Whether the token says so.
    is_minted: bool,
    until: Timestamp,
    over: &'static str,
}

/// All that claims are decided on, beside the names.
pub(crate) struct Basis<'a> {
    pub(crate) context: &'a [u8],
    pub(crate) authentication: Authentication,
}

impl<'a> Basis<'a> {
    /// As the record says.
    pub(crate) fn of(record: &'a SessionRecord) -> Self {
        Self {
            context: record.context(),
            authentication: record.authentication(),
        }
    }
}

/// Why claims are needed.
///
/// ```
/// use tower_bearer::{ClaimsRequest, refresh::ClaimsReason};
///
/// /// The slow look at a directory is for sign-ins alone.
/// fn asks_the_directory(request: &ClaimsRequest) -> bool {
///     request.reason() == ClaimsReason::SignIn
/// }
/// # let _ = asks_the_directory;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClaimsReason {
    /// The session's privilege changed: a second factor, a new password.
    Elevate,
    /// An access token is about to end.
    Refresh,
    /// The subject has just signed in.
    SignIn,
}

/// Why the claims closure gave no claims.
///
/// ```
/// use tower_bearer::{ClaimsError, ClaimsRequest, NoClaims};
///
/// # async fn is_disabled(_: &str) -> Result<bool, std::io::Error> { Ok(false) }
/// async fn claims(request: ClaimsRequest) -> Result<NoClaims, ClaimsError> {
///     let disabled = is_disabled(request.subject()).await;
///     match disabled.map_err(ClaimsError::unavailable)? {
///         true => Err(ClaimsError::Denied),
///         false => Ok(NoClaims {}),
///     }
/// }
/// # let _ = claims;
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ClaimsError {
    /// The application refuses the subject: disabled, deleted, password changed. The session ends.
    Denied,
    /// The answer is not to be had now. The request is answered 503 and nothing changes. The error and its
    /// sources are written to the log, so they hold no secret.
    Unavailable(Box<dyn Error + Send + Sync>),
}

/// The codec and the closure, without the application's claims type.
pub(crate) trait Issuer: Send + Sync {
    fn issue<'a>(&'a self, request: ClaimsRequest, time: StoreTime) -> Issuing<'a>;
}

pub(crate) type Issuing<'a> =
    Pin<Box<dyn Future<Output = Result<AccessToken, SessionError>> + Send + 'a>>;

/// The one [`Issuer`]: asks the closure, then mints.
pub(crate) struct ClaimsIssuer<C, F> {
    pub(crate) codec: TokenCodec<C>,
    pub(crate) claims: F,
}

impl<C, F, Fut, E> Issuer for ClaimsIssuer<C, F>
where
    C: Serialize + Send + Sync + 'static,
    F: Fn(ClaimsRequest) -> Fut + Send + Sync,
    Fut: Future<Output = Result<C, E>> + Send,
    E: Into<ClaimsError>,
{
    fn issue<'a>(&'a self, request: ClaimsRequest, time: StoreTime) -> Issuing<'a> {
        Box::pin(async move {
            let subject = request.subject.clone();
            let session = request.session.to_string();
            let (until, over) = (request.until, request.over);
            let authentication = request.is_minted.then(|| request.authentication.clone());
            let claims = (self.claims)(request).await;
            let custom = claims.map_err(|error| no_claims(error.into()))?;
            let now = time.later();
            let grant = Grant::new(&subject, &custom)
                .session(&session)
                .until(until)
                .authentication(authentication.as_ref());
            // One that is over before it is there is no answer.
            if grant.left(now).is_zero() {
                return Err(SessionError::with_source(SessionErrorKind::Expired, over));
            }
            let minted = self.codec.mint_at(&grant, now);
            // A client that comes again does not change the application's type.
            minted.map_err(|error| SessionError::with_source(SessionErrorKind::Internal, error))
        })
    }
}

fn no_claims(error: ClaimsError) -> SessionError {
    match error {
        ClaimsError::Denied => SessionError::new(SessionErrorKind::Denied),
        ClaimsError::Unavailable(_) => {
            SessionError::with_source(SessionErrorKind::Unavailable, error)
        }
    }
}

impl ClaimsRequest {
    pub(crate) fn new(
        subject: &str,
        session: SessionId,
        basis: Basis<'_>,
        reason: ClaimsReason,
    ) -> Self {
        Self {
            subject: subject.into(),
            session,
            context: basis.context.into(),
            reason,
            authentication: basis.authentication,
            is_minted: false,
            until: Timestamp::from_millis(u64::MAX),
            over: cause::ABSOLUTE,
        }
    }

    /// For a token that does not outlive `end`, behind which the answer is that the session is `over`.
    pub(crate) fn until(self, end: Timestamp, over: &'static str) -> Self {
        Self {
            until: end,
            over,
            ..self
        }
    }

    /// For a token that says when and how its user authenticated, if `is_minted`.
    pub(crate) fn with_authentication(self, is_minted: bool) -> Self {
        Self { is_minted, ..self }
    }

    /// Returns the subject as it was given to [`Session::start`](crate::Session::start).
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the session that the token will belong to.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Returns the application's own bytes, as given at sign-in or at the last privilege change.
    pub fn context(&self) -> &[u8] {
        &self.context
    }

    /// Returns when the user authenticated: at the sign-in or the last change of privilege, this one included.
    pub fn auth_time(&self) -> Timestamp {
        self.authentication.at
    }

    /// Returns the methods by which the user authenticated, as the application named them: `amr` of RFC 8176.
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.authentication.methods.amr()
    }

    /// Returns the authentication context class, where the application named one: `acr` (OpenID Connect Core 1.0
    /// section 2).
    pub fn acr(&self) -> Option<&str> {
        self.authentication.methods.acr()
    }

    /// Returns the reason why the token is needed.
    pub fn reason(&self) -> ClaimsReason {
        self.reason
    }
}

impl fmt::Debug for ClaimsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject: _,
            session,
            context: _,
            reason,
            authentication,
            is_minted: _,
            until: _,
            over: _,
        } = self;
        f.debug_struct("ClaimsRequest")
            .field("session", session)
            .field("reason", reason)
            .field("authentication", authentication)
            .finish_non_exhaustive()
    }
}

impl From<std::convert::Infallible> for ClaimsError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl ClaimsError {
    /// Reports that the answer is not available now, because of `source`, which is written to the log.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Denied => "the application refused the subject",
            Self::Unavailable(_) => "the claims are unavailable",
        })
    }
}

impl Error for ClaimsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Denied => None,
            Self::Unavailable(source) => Some(source.as_ref()),
        }
    }
}
