//! The refresh token in a request's body, for clients without a cookie jar.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;

use crate::{
    problem::Problem,
    refresh::{problem::answer, session::Session},
    session::{SessionError, SessionErrorKind},
};

/// The longest body that is read, in bytes: a refresh token has 195.
const LONGEST_BODY: usize = 4096;

/// Why a body holds no refresh token. Nothing of the body is shown: the token may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum BodyError {
    #[error("the body is longer than 4 KiB")]
    TooLarge,
    #[error(
        "the body is not a JSON object whose refresh_token is a string, or it was cut on its way"
    )]
    Malformed,
}

/// The body of a client without a cookie jar. Other members, such as `grant_type`, are ignored.
#[derive(Deserialize)]
struct Presented {
    #[serde(alias = "refreshToken")]
    refresh_token: Option<String>,
}

/// Gives the handle the refresh token in `body`, if there is one.
pub(super) async fn present<B>(session: &Session, body: B) -> Result<(), Response<String>>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let error = match read(body).await {
        Ok(None) => return Ok(()),
        Ok(Some(token)) => return session.present(&token).map_err(|error| error.response()),
        Err(error) => error,
    };
    session.refused(
        "present",
        SessionError::with_source(SessionErrorKind::InvalidInput, error),
    );
    Err(answer(&match error {
        BodyError::TooLarge => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "The body is too large",
        ),
        BodyError::Malformed => Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_input",
            "The body is not JSON with a refresh_token",
        ),
    }))
}

/// The refresh token in `body`; none when the body is empty or names none.
async fn read<B>(body: B) -> Result<Option<String>, BodyError>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let collected = Limited::new(body, LONGEST_BODY).collect().await;
    let bytes: Bytes = match collected {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(BodyError::TooLarge),
        Err(_) => return Err(BodyError::Malformed),
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    match serde_json::from_slice(&bytes) {
        Ok(Presented { refresh_token }) => Ok(refresh_token.filter(|token| !token.is_empty())),
        Err(_) => Err(BodyError::Malformed),
    }
}
