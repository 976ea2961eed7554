//! An answer, to be looked at.

use std::{error::Error, fmt};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};

use crate::rejection::Rejection;

/// The answer to a request of a [`TestBrowser`](super::TestBrowser), whole. A look that fails shows all that there is,
/// and the reason of a layer that refused the request.
///
/// ```
/// use axum::{Json, Router, routing::get};
/// use serde_json::{Value, json};
/// use tower_bearer::test_util::TestBrowser;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let app: Router = Router::new().route("/", get(|| async { Json(json!({ "orders": 3 })) }));
/// let mut browser = TestBrowser::new(app, "https://app.example");
/// let answer = browser.get("/").send().await.expect_status(200);
/// assert_eq!(answer.header("content-type"), Some("application/json"));
/// assert_eq!(answer.json::<Value>()["orders"], 3);
/// # }
/// ```
pub struct TestResponse {
    /// The request, for messages about it.
    what: String,
    answer: Response<Bytes>,
    dropped: Vec<String>,
}

/// The longest text of a body that a failure shows.
const SHOWN: usize = 2000;
/// The members of a body that an attacker could use; they are shown nowhere.
const SECRETS: [&str; 6] = [
    "access_token",
    "accessToken",
    "refresh_token",
    "refreshToken",
    "csrf_token",
    "csrfToken",
];

impl TestResponse {
    pub(super) fn new(what: String, answer: Response<Bytes>, dropped: Vec<String>) -> Self {
        Self {
            what,
            answer,
            dropped,
        }
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.answer.status()
    }

    /// Returns the answer where it has this status.
    ///
    /// # Panics
    ///
    /// When it has another, with all that there is to say of it.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert!(
            self.status() == status,
            "expected status {status}: {}",
            self.shown()
        );
        self
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.answer.headers()
    }

    /// Returns the value of the first header of this name. `None` where there is none, or it is no text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// Returns the cookies that a browser drops, each with the reason. Their values are left out.
    #[must_use]
    pub fn dropped_cookies(&self) -> &[String] {
        &self.dropped
    }

    /// Returns why a layer of this crate refused the request. `None` where none did, and where a layer further out made
    /// the answer anew.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        self.answer.extensions().get()
    }

    /// Returns the body.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        self.answer.body()
    }

    /// Returns the body as text.
    ///
    /// # Panics
    ///
    /// When it is not UTF-8.
    #[must_use]
    #[track_caller]
    pub fn text(&self) -> &str {
        match std::str::from_utf8(self.bytes()) {
            Ok(text) => text,
            Err(error) => panic!(
                "the body is no text, `.bytes()` has it: {error}: {}",
                self.shown()
            ),
        }
    }

    /// Returns the body, read as JSON. `serde_json::Value` takes any.
    ///
    /// # Panics
    ///
    /// When it is no such JSON.
    #[must_use]
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(self.bytes()) {
            Ok(value) => value,
            Err(error) => panic!("the body is no such JSON: {error}: {}", self.shown()),
        }
    }

    /// The access token that a page would keep.
    pub(super) fn access_token(&self) -> Option<String> {
        /// As the session endpoints write it, in both cases.
        #[derive(Deserialize)]
        struct Answer {
            #[serde(alias = "accessToken")]
            access_token: String,
        }
        let is_json = self
            .header(header::CONTENT_TYPE.as_str())?
            .starts_with("application/json");
        if !is_json || !self.status().is_success() {
            return None;
        }
        let answer = serde_json::from_slice::<Answer>(self.bytes()).ok()?;
        Some(answer.access_token)
    }

    /// Everything, for a failure.
    fn shown(&self) -> String {
        let mut shown = format!("{}: {}", self.what, self.status());
        let mut reason = self.rejection().map(|rejection| rejection as &dyn Error);
        while let Some(error) = reason {
            shown.push_str(&format!("\nrefused: {error}"));
            reason = error.source();
        }
        for reason in &self.dropped {
            shown.push_str(&format!("\na browser drops the cookie {reason}"));
        }
        for (name, value) in self.headers() {
            let value = match *name == header::SET_COOKIE {
                true => name_alone(&String::from_utf8_lossy(value.as_bytes())),
                false => format!("{value:?}"),
            };
            shown.push_str(&format!("\n{name}: {value}"));
        }
        let body: String = String::from_utf8_lossy(self.bytes())
            .chars()
            .take(SHOWN)
            .collect();
        let is_secret = SECRETS.iter().any(|name| body.contains(name));
        shown.push_str("\n\n");
        shown.push_str(if is_secret {
            "(a body with a token)"
        } else {
            &body
        });
        shown
    }
}

/// A `Set-Cookie` without the value of the cookie.
fn name_alone(line: &str) -> String {
    let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
    let name = pair.split('=').next().unwrap_or_default();
    format!("{name}=...;{attributes}")
}

impl fmt::Debug for TestResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}
