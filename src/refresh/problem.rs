//! Failures of sessions as the client sees them.

use std::error::Error;

use http::{HeaderValue, Response, StatusCode, header};

use super::authentication::TooOld;
use crate::{
    problem::{CHALLENGE, Problem},
    session::{SessionError, SessionErrorKind},
    token::MintError,
};

/// The seconds that a client waits when the store did not answer, or when a newer cookie is coming.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
/// Seconds a client is asked to wait when it sent one token too often.
const SLOW_DOWN: HeaderValue = HeaderValue::from_static("30");

impl SessionError {
    /// Returns the answer that [`SessionEndpoints`](crate::SessionEndpoints) gives to this failure:
    /// `application/problem+json` (RFC 9457). With the feature `axum` an error is itself a response.
    ///
    /// ```
    /// use http::Response;
    /// use tower_bearer::Session;
    ///
    /// async fn sign_in(session: &Session) -> Response<String> {
    ///     match session.start("user-1").await {
    ///         Ok(token) => Response::new(token.as_str().to_owned()),
    ///         Err(error) => error.response(),
    ///     }
    /// }
    /// # let _ = sign_in;
    /// ```
    pub fn response(&self) -> Response<String> {
        answer(&self.problem())
    }

    /// Returns the status of that answer, for error types of the application's own: see
    /// [the recipe](crate::manual::guards#one-error-type-for-all-handlers).
    ///
    /// ```
    /// use tower_bearer::SessionError;
    ///
    /// fn status(error: &(dyn std::error::Error + 'static)) -> u16 {
    ///     match error.downcast_ref::<SessionError>() {
    ///         Some(error) => error.status().as_u16(),
    ///         None => 500,
    ///     }
    /// }
    /// # let _ = status;
    /// ```
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.problem().status()
    }

    /// Returns the failure as the client sees it. To answer with it, take [`response`](Self::response), which has
    /// `Retry-After` as well. It tells whether to sign in again or to come back, and
    /// nothing about why a token was refused.
    #[must_use]
    pub fn problem(&self) -> Problem {
        use SessionErrorKind::{
            Ambiguous, AuthenticationTooOld, CsrfFailed, Denied, Expired, ForeignJar, Internal,
            Invalid, InvalidInput, NoSession, NotFound, Outdated, RefreshFirst, Reuse, Revoked,
            StateLost, Superseded, TooManyRequests, Unavailable,
        };
        let (status, code, title) = match self.kind() {
            NoSession => (StatusCode::UNAUTHORIZED, "no_session", "Not signed in"),
            Invalid | Expired | ForeignJar | Revoked | Reuse | Denied | StateLost | Outdated => (
                StatusCode::UNAUTHORIZED,
                "invalid_session",
                "The session is not valid",
            ),
            // Not a 401: a second tab that was late is not signed out, it tries again.
            Superseded => (
                StatusCode::CONFLICT,
                "superseded",
                "The browser holds a newer session by now",
            ),
            RefreshFirst => (
                StatusCode::CONFLICT,
                "refresh_first",
                "Refresh the session and try again",
            ),
            Ambiguous => (
                StatusCode::BAD_REQUEST,
                "ambiguous_session",
                "Refresh tokens that do not belong together",
            ),
            // Not a 401, which a page takes for the end of its session.
            AuthenticationTooOld => (
                StatusCode::FORBIDDEN,
                "insufficient_user_authentication",
                "Authenticate again to do this",
            ),
            // As the layer answers, so that clients do about it what they do about that.
            CsrfFailed => (
                StatusCode::FORBIDDEN,
                "csrf",
                "The CSRF token is missing or wrong",
            ),
            InvalidInput => (
                StatusCode::BAD_REQUEST,
                "invalid_input",
                "The session cannot be started with this",
            ),
            Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "The server is at fault",
            ),
            NotFound => (StatusCode::NOT_FOUND, "not_found", "No such session"),
            TooManyRequests => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "The same token came too often",
            ),
            Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Sessions are unavailable for now",
            ),
        };
        let problem = Problem::new(status, code, title);
        let too_old = self.source().and_then(<dyn Error>::downcast_ref::<TooOld>);
        if let Some(TooOld { max_age }) = too_old {
            return problem.with_max_age(*max_age);
        }
        // A mistake of the application, of which its developer has to hear: it tells an attacker nothing.
        let minted = self
            .source()
            .and_then(<dyn Error>::downcast_ref::<MintError>);
        match minted {
            Some(mistake) => problem.with_detail(mistake.to_string().into()),
            None => problem,
        }
    }
}

/// The answer of the session endpoints, with the members beside the problem.
pub(crate) fn answer(problem: &Problem) -> Response<String> {
    let mut response = problem.answer(|text| text);
    let headers = response.headers_mut();
    match problem.status() {
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        StatusCode::TOO_MANY_REQUESTS => {
            headers.insert(header::RETRY_AFTER, SLOW_DOWN);
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT => {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        _ => {}
    }
    response
}
