//! Why a session method failed.

use std::{error::Error, fmt};

/// Why a [`Session`](crate::Session) method failed. Clients learn only what
/// [`kind`](Self::kind) maps to; the cause stays in [`source`](Error::source).
///
/// ```
/// use tower_bearer::{AccessToken, Session, SessionError, SessionErrorKind};
///
/// async fn refresh(session: &Session) -> Result<Option<AccessToken>, SessionError> {
///     match session.refresh().await {
///         Ok(token) => Ok(Some(token)),
///         // No user is signed in: a page that works without a user accepts that.
///         Err(error) if error.kind() == SessionErrorKind::NoSession => Ok(None),
///         Err(error) => Err(error),
///     }
/// }
/// # let _ = refresh;
/// ```
#[derive(Debug)]
pub struct SessionError {
    kind: SessionErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of [`SessionError`].
///
/// ```
/// use tower_bearer::{SessionError, SessionErrorKind};
///
/// /// Whether the same cookie works a little later.
/// fn passes_by_waiting(error: &SessionError) -> bool {
///     use SessionErrorKind::{Superseded, TooManyRequests, Unavailable};
///     matches!(error.kind(), Superseded | TooManyRequests | Unavailable)
/// }
/// # let _ = passes_by_waiting;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionErrorKind {
    /// Refresh cookies of two live sessions came together and no CSRF token says which. Or a cookie came where tokens
    /// travel in bodies. None of the sessions is ended. A sign-out clears the cookie, and nothing else does.
    Ambiguous,
    /// The call ends other sessions, and the user authenticated longer ago than
    /// [`recent_auth_to_end_others`](crate::refresh::RefreshCookieBuilder::recent_auth_to_end_others) allows. Nothing is
    /// done. The application checks the credentials again and calls [`elevate`](crate::Session::elevate); the same call
    /// then succeeds.
    AuthenticationTooOld,
    /// The cookies of several sessions came, and the request's CSRF token is of another one than the live one. Nothing
    /// is done, and the cookie is kept. The client asks for a new token, and tries again.
    CsrfFailed,
    /// The application refused the subject.
    Denied,
    /// The session has outlived its idle or absolute lifetime.
    Expired,
    /// The call itself is wrong: an empty subject, a context too large.
    InvalidInput,
    /// The session belongs to a browser's cookie jar, and the refresh cookie came without the jar's other cookie. It
    /// was copied alone, or a proxy or a renderer forwards only that one. The session goes on for its browser.
    ForeignJar,
    /// The server is at fault, and trying again does not help. The application's claims cannot be written into a token.
    /// Or a sign-in asks for a lifetime that the layer's settings do not allow. [`source`](Error::source) says why.
    Internal,
    /// The cookie is not one of ours, or names a session the store does not know.
    Invalid,
    /// No refresh cookie came with the request.
    NoSession,
    /// The session is not the caller's, or does not exist.
    NotFound,
    /// The token is from before a privilege change, and no answer can still be under way. Or more answers were lost
    /// than are recovered from. The user signs in again and nothing is revoked.
    Outdated,
    /// The call is for the client that holds the session, and this one has to refresh first. That shows the owner's
    /// browser, and exposes a thief. A refresh within [`interval`](crate::refresh::RotationPolicyBuilder::interval) of
    /// the last rotation rotates nothing. A client with a new name stays new, and gets this answer, until the first
    /// refresh after it. A server with another
    /// [`fingerprint_version`](crate::refresh::RefreshCookieBuilder::fingerprint_version) than the last refresh answers
    /// so too.
    RefreshFirst,
    /// An old token came back and the session is revoked.
    Reuse,
    /// The session was revoked before.
    Revoked,
    /// The store has lost writes; the user signs in again and nothing is revoked.
    StateLost,
    /// A newer token has taken this one's place a moment ago, or by this answer, which then has its cookie. The
    /// same request succeeds with the cookie that the browser holds by now. It signs no user out.
    Superseded,
    /// One token came too often in too short a time.
    TooManyRequests,
    /// The store, the application's claims or the random generator did not answer.
    Unavailable,
}

impl SessionErrorKind {
    /// Returns the name in `snake_case`, for logs and labels of metrics. It does not change.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::AuthenticationTooOld => "authentication_too_old",
            Self::CsrfFailed => "csrf_failed",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::ForeignJar => "foreign_jar",
            Self::InvalidInput => "invalid_input",
            Self::Internal => "internal",
            Self::Invalid => "invalid",
            Self::NoSession => "no_session",
            Self::NotFound => "not_found",
            Self::Outdated => "outdated",
            Self::RefreshFirst => "refresh_first",
            Self::Reuse => "reuse",
            Self::Revoked => "revoked",
            Self::StateLost => "state_lost",
            Self::Superseded => "superseded",
            Self::TooManyRequests => "too_many_requests",
            Self::Unavailable => "unavailable",
        }
    }
}

impl SessionError {
    pub(crate) fn new(kind: SessionErrorKind) -> Self {
        Self { kind, source: None }
    }

    pub(crate) fn with_source(
        kind: SessionErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// Returns the kind of failure.
    pub fn kind(&self) -> SessionErrorKind {
        self.kind
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            SessionErrorKind::Ambiguous => "refresh tokens that do not belong together",
            SessionErrorKind::AuthenticationTooOld => {
                "the user authenticated too long ago for this"
            }
            SessionErrorKind::CsrfFailed => {
                "the CSRF token is of another session than the live one"
            }
            SessionErrorKind::Denied => "the application refused the subject",
            SessionErrorKind::Expired => "the session has expired",
            SessionErrorKind::ForeignJar => "the refresh token came out of another cookie jar",
            SessionErrorKind::InvalidInput => "the session was asked for something impossible",
            SessionErrorKind::Internal => "the server is at fault",
            SessionErrorKind::Invalid => "the refresh token is not valid",
            SessionErrorKind::NoSession => "no refresh token was sent",
            SessionErrorKind::NotFound => "no such session of this subject",
            SessionErrorKind::Outdated => "the refresh token is outdated",
            SessionErrorKind::RefreshFirst => "the client has to refresh the session first",
            SessionErrorKind::Reuse => "an old refresh token was used again",
            SessionErrorKind::Revoked => "the session is revoked",
            SessionErrorKind::StateLost => "the store has lost the state of the session",
            SessionErrorKind::Superseded => "the refresh token was replaced",
            SessionErrorKind::TooManyRequests => "the refresh token came too often",
            SessionErrorKind::Unavailable => "the session state is unavailable",
        })
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn Error + 'static))
    }
}
