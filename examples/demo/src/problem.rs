//! The application's own failures, in the form of all others (RFC 9457).

use axum::{extract::rejection::JsonRejection, http::StatusCode};
use tower_bearer::Problem;

/// The body is not what the endpoint takes.
pub(crate) fn bad_request(why: JsonRejection) -> Problem {
    Problem::new(why.status(), "bad_request", "The request is not understood")
}

/// The token is good but its account is gone.
pub(crate) fn no_such_user() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_such_user", "The account is gone")
}

/// The access token is another session's than the cookie: the page has not noticed a newer sign-in.
pub(crate) fn other_session() -> Problem {
    let title = "Refresh the session and try again";
    Problem::new(StatusCode::CONFLICT, "refresh_first", title)
}

/// It would be guessed.
pub(crate) fn short_password() -> Problem {
    let title = "A password has at least 15 characters";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "short_password", title)
}

/// No such account, or not its password: the answer does not tell which.
pub(crate) fn wrong_credentials() -> Problem {
    let title = "E-mail address or password is wrong";
    Problem::new(StatusCode::UNAUTHORIZED, "wrong_credentials", title)
}

/// Not 401: a page takes that for a dead access token, refreshes and sends the password again.
pub(crate) fn wrong_password() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "wrong_password",
        "The password is wrong",
    )
}
