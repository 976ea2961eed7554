//! The answers of calls that succeed.

use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::{
    refresh::session_info::SessionInfo,
    session::{SessionError, SessionErrorKind, SessionId},
    token::AccessToken,
};

/// The text of an [`AccessToken`] in camel case.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CamelCase<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_expires_in: Option<u64>,
}

impl<'a> From<&'a AccessToken> for CamelCase<'a> {
    fn from(token: &'a AccessToken) -> Self {
        Self {
            access_token: token.as_str(),
            token_type: "Bearer",
            expires_in: token.expires_in().as_secs(),
            refresh_token: token.refresh_token(),
            session: token.session(),
            session_expires_in: token.session_expires_in().map(|left| left.as_secs()),
            idle_expires_in: token.idle_expires_in().map(|left| left.as_secs()),
        }
    }
}

/// The list of a subject's sessions.
#[derive(Serialize)]
pub(super) struct Sessions {
    pub(super) sessions: Vec<SessionInfo>,
}

pub(super) fn no_content() -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

pub(crate) fn json(value: &impl Serialize) -> Result<Response<String>, SessionError> {
    let body = serde_json::to_string(value)
        .map_err(|error| SessionError::with_source(SessionErrorKind::Unavailable, error))?;
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
