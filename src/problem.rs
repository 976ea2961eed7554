//! Failures as a client sees them: problem details (RFC 9457) with a stable `code`.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

/// RFC 9110 section 15.5.2 requires a challenge on every 401. There is no registered scheme for
/// cookies; this name is unknown to browsers, so that none opens a password prompt.
pub(crate) const CHALLENGE: HeaderValue = HeaderValue::from_static("Cookie realm=\"session\"");

/// Names a mistake of the application in a 500.
const MISTAKE: HeaderName = HeaderName::from_static("tower-bearer-mistake");

/// The media type of problem documents (RFC 9457 section 3).
pub(crate) const JSON: &str = "application/problem+json";

/// A failure as the client sees it: a status, a `code` for programs, a title for readers (RFC 9457).
///
/// Every failure that this crate answers has one, in the extensions of the response. So a
/// [`RefusalLayer`](crate::RefusalLayer) can write all of them in the application's own format. An
/// application makes its own failures with it:
///
/// ```
/// use http::StatusCode;
/// use tower_bearer::Problem;
///
/// let problem = Problem::new(StatusCode::UNAUTHORIZED, "wrong_credentials", "E-mail address or password is wrong");
/// let response = problem.response::<Vec<u8>>();
/// assert_eq!(response.headers()["content-type"], "application/problem+json");
/// assert!(String::from_utf8_lossy(response.body()).contains(r#""code":"wrong_credentials""#));
/// ```
///
/// The codes of this crate are coarse and stay as they are:
///
/// | code | status |
/// |---|---|
/// | `missing_token` | 401 |
/// | `invalid_token` | 401 |
/// | `insufficient_user_authentication` | 401; 403 of the session endpoints |
/// | `invalid_request` | 400 |
/// | `insufficient_scope`, `forbidden` | 403 |
/// | `foreign_origin`, `csrf`, `https_required` | 403 |
/// | `too_large` | 413 |
/// | `layer_missing`, `internal` | 500 |
/// | `unavailable` | 503 |
///
/// Those of sessions stand with [`SessionEndpoints`](crate::SessionEndpoints).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<Cow<'static, str>>,
    max_age: Option<Duration>,
}

/// The members of RFC 9457 section 3.1, and ours (section 3.2).
#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<u64>,
}

impl Problem {
    /// Makes a problem. `code` stays the same for programs, `title` is for readers.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self {
            status,
            code,
            title,
            detail: None,
            max_age: None,
        }
    }

    pub(crate) fn with_detail(self, detail: Cow<'static, str>) -> Self {
        let detail = Some(detail);
        Self { detail, ..self }
    }

    pub(crate) fn with_max_age(self, max_age: Duration) -> Self {
        let max_age = Some(max_age);
        Self { max_age, ..self }
    }

    /// Returns the status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the code for programs, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the title for readers. Those of this crate contain no character that HTML would need escaped. Your own
    /// are as you wrote them.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// Returns the text for the developer, where the application is wired wrongly or its claims cannot be minted. It
    /// is plain text: escape it in HTML.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Returns how long ago the user may have authenticated, where the code is `insufficient_user_authentication`. The
    /// document has it as `max_age`, in whole seconds.
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// Returns the problem as a JSON document (RFC 9457 section 3).
    #[must_use]
    pub fn to_json(&self) -> String {
        let document = Document {
            r#type: "about:blank",
            title: self.title,
            status: self.status.as_u16(),
            detail: self.detail(),
            code: self.code,
            max_age: self.max_age.map(|max_age| max_age.as_secs()),
        };
        // Texts and a number are always JSON.
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// Returns the answer, `application/problem+json` that no cache keeps. A 401 has a challenge of
    /// a scheme that no browser knows. So no browser opens a password prompt (RFC 9110 section
    /// 15.5.2).
    pub fn response<B: From<Bytes>>(&self) -> Response<B> {
        let mut response = self.answer(|text| B::from(text.into()));
        if self.status == StatusCode::UNAUTHORIZED {
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        response
    }

    /// Says in a header what is wrong with the application, and the remedy. Without it, the developer who tries the
    /// route out may see an empty answer and no line.
    pub(crate) fn name_mistake(&self, headers: &mut HeaderMap) {
        if let Some(text) = self.detail()
            && let Ok(text) = HeaderValue::try_from(text)
        {
            headers.insert(MISTAKE, text);
        }
    }

    /// The answer, without a challenge.
    pub(crate) fn answer<B>(&self, body: impl FnOnce(String) -> B) -> Response<B> {
        let mut response = Response::new(body(self.to_json()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.name_mistake(headers);
        response.extensions_mut().insert(self.clone());
        response
    }
}
