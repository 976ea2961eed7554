//! The kinds of refusals.

/// The kinds of [`Rejection`](super::Rejection), which are all that a client can tell apart.
///
/// ```
/// use tower_bearer::rejection::{Rejection, RejectionKind};
///
/// fn is_for_the_engineer_on_call(rejection: &Rejection) -> bool {
///     matches!(rejection.kind(), RejectionKind::Internal | RejectionKind::Unavailable)
/// }
/// # let _ = is_for_the_engineer_on_call;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// A form whose CSRF token is asked for is longer than the limit: 413.
    ContentTooLarge,
    /// The request does not carry the CSRF token of its session: 403.
    CsrfFailed,
    /// The token is good and the application's rule over its claims says no: 403.
    Forbidden,
    /// A page of a foreign origin seems to have sent the request: 403.
    ForeignOrigin,
    /// The request came over plain http, or nothing trusted says otherwise: 403.
    InsecureTransport,
    /// The token is good but does not carry the required scope: 403 `insufficient_scope`.
    InsufficientScope,
    /// The token is good, but its user authenticated too long ago, or in another way than required. The answer is 401
    /// `insufficient_user_authentication` (RFC 9470). A refresh does not help.
    InsufficientUserAuthentication,
    /// The server is at fault, for instance a layer is missing: 500, and never a challenge.
    Internal,
    /// The credentials are not written as RFC 6750 says: 400 `invalid_request`.
    InvalidRequest,
    /// The token is written as it should be and is not acceptable: 401 `invalid_token`.
    InvalidToken,
    /// No bearer token was sent: 401 without an error code.
    MissingCredentials,
    /// Something that is needed to decide cannot be reached: 503 with `Retry-After`.
    Unavailable,
}

impl RejectionKind {
    /// Returns the name in `snake_case`, for logs and labels of metrics. It does not change.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContentTooLarge => "content_too_large",
            Self::CsrfFailed => "csrf_failed",
            Self::Forbidden => "forbidden",
            Self::ForeignOrigin => "foreign_origin",
            Self::InsecureTransport => "insecure_transport",
            Self::InsufficientScope => "insufficient_scope",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::Internal => "internal",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::MissingCredentials => "missing_credentials",
            Self::Unavailable => "unavailable",
        }
    }
}
