//! The application's own failures, in the form the session endpoints use (RFC 9457).

use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Why the application did not do what it was asked.
pub(crate) enum Problem {
    /// The body is not what the endpoint takes.
    BadRequest(JsonRejection),
    /// The token is good but its account is gone.
    NoSuchUser,
    /// The session layer says no, and has said how.
    Session(Box<Response>),
    /// No such account, or not its password. Nobody is told which.
    WrongCredentials,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code, title) = match self {
            Self::BadRequest(why) => (why.status(), "bad_request", "The request is not understood"),
            Self::NoSuchUser => (StatusCode::NOT_FOUND, "no_such_user", "The account is gone"),
            Self::Session(answer) => return *answer,
            Self::WrongCredentials => (
                StatusCode::UNAUTHORIZED,
                "wrong_credentials",
                "E-mail address or password is wrong",
            ),
        };
        let body = json!({
            "type": "about:blank",
            "title": title,
            "status": status.as_u16(),
            "code": code,
        });
        let headers = [
            (header::CONTENT_TYPE, "application/problem+json"),
            (header::CACHE_CONTROL, "no-store"),
        ]
        .map(|(name, value)| (name, HeaderValue::from_static(value)));
        let mut response = (status, headers, Json(body)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 wants a challenge on every 401; no browser opens a prompt for this one.
            let challenge = HeaderValue::from_static("Cookie realm=\"session\"");
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::BadRequest(rejection)
    }
}
