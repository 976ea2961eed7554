//! Failures as the client sees them: `application/problem+json` (RFC 9457) with a stable `code`.

use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::session::{SessionError, SessionErrorKind};

/// Seconds a client is asked to wait when the store did not answer, or a newer cookie is on its way.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
/// Seconds a client is asked to wait when it sent one token too often.
const SLOW_DOWN: HeaderValue = HeaderValue::from_static("30");
/// RFC 9110 section 15.5.2 wants a challenge on every 401. There is no registered scheme for
/// cookies; this name is unknown to browsers, so that none opens a password prompt.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Cookie realm=\"session\"");

impl SessionError {
    /// The answer that [`SessionEndpoints`](crate::SessionEndpoints) gives to this failure:
    /// `application/problem+json` (RFC 9457). With the feature `axum` an error is a response by itself.
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
        problem(self)
    }
}

/// The answer to a failed session call. It tells whether to sign in again or to come back, and
/// nothing about why a token was refused.
pub(crate) fn problem(error: &SessionError) -> Response<String> {
    use SessionErrorKind::{
        Ambiguous, Denied, Expired, Invalid, InvalidInput, NoSession, NotFound, OtherClient,
        Outdated, Reuse, Revoked, StateLost, Superseded, TooManyRequests, Unavailable,
    };
    match error.kind() {
        NoSession => answer(StatusCode::UNAUTHORIZED, "no_session", "Not signed in"),
        Invalid | Expired | Revoked | Reuse | Denied | StateLost | Outdated => answer(
            StatusCode::UNAUTHORIZED,
            "invalid_session",
            "The session is not valid",
        ),
        // Not a 401: a second tab that was late is not signed out, it tries again.
        Superseded => answer(
            StatusCode::CONFLICT,
            "superseded",
            "The browser holds a newer session by now",
        ),
        OtherClient => answer(
            StatusCode::CONFLICT,
            "refresh_first",
            "Refresh the session and try again",
        ),
        Ambiguous => answer(
            StatusCode::BAD_REQUEST,
            "ambiguous_session",
            "Refresh tokens that do not belong together",
        ),
        InvalidInput => answer(
            StatusCode::BAD_REQUEST,
            "invalid_input",
            "The session cannot be started with this",
        ),
        NotFound => answer(StatusCode::NOT_FOUND, "not_found", "No such session"),
        TooManyRequests => answer(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            "The same token came too often",
        ),
        Unavailable => answer(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Sessions are unavailable for now",
        ),
    }
}

/// The members of RFC 9457 section 3.1, and `code`.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    code: &'a str,
}

/// One problem document.
pub(crate) fn answer(status: StatusCode, code: &str, title: &str) -> Response<String> {
    let problem = Problem {
        r#type: "about:blank",
        title,
        status: status.as_u16(),
        code,
    };
    // Two texts and a number are always JSON.
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match status {
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
