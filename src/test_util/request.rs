//! A request of a browser's page.

use std::fmt;

use form_urlencoded::Serializer;
use http::{
    Extensions, HeaderMap, HeaderValue, Method, Request,
    header::{
        AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderName, IntoHeaderName, ORIGIN, USER_AGENT,
    },
};
use serde::Serialize;

use super::{
    browser::TestBrowser,
    jar::Page,
    response::TestResponse,
    site::{Site, path_of},
};

/// A request that a [`TestBrowser`] is about to send. It goes with [`send`](Self::send), and not before.
///
/// ```
/// use http::{Request, Response};
/// use tower::service_fn;
/// use tower_bearer::test_util::TestBrowser;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let echo = service_fn(|request: Request<String>| async {
///     Ok::<_, std::convert::Infallible>(Response::new(request.into_body()))
/// });
/// let mut browser = TestBrowser::with_body::<String, _, _>(echo, "https://app.example");
/// let answer = browser.post("/login").form([("email", "ann@example.com")]).send().await;
/// assert_eq!(answer.text(), "email=ann%40example.com");
/// # }
/// ```
#[must_use = "it goes with `.send().await`"]
pub struct TestRequest<'a> {
    browser: &'a mut TestBrowser,
    method: Method,
    target: String,
    /// Of another site, where a page there causes the request.
    page: Option<Site>,
    csrf: Csrf,
    /// In place of those that the browser sends by itself.
    headers: HeaderMap,
    /// Those that it leaves out.
    without: Vec<HeaderName>,
    extensions: Extensions,
    body: String,
}

enum Csrf {
    Copied,
    Given(String),
    None,
}

static SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
static MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
static DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

impl<'a> TestRequest<'a> {
    pub(super) fn new(browser: &'a mut TestBrowser, method: Method, path: &str) -> Self {
        let _ = path_of(path);
        Self {
            browser,
            method,
            target: path.to_owned(),
            page: None,
            csrf: Csrf::Copied,
            headers: HeaderMap::new(),
            without: Vec::new(),
            extensions: Extensions::new(),
            body: String::new(),
        }
    }

    /// Sets a header, in place of the browser's.
    ///
    /// # Panics
    ///
    /// When `value` cannot stand in a header.
    pub fn header(mut self, name: impl IntoHeaderName, value: &str) -> Self {
        self.headers.insert(name, header_value(value));
        self
    }

    /// Leaves out a header that the browser would send, as a proxy or an old browser does.
    pub fn without(mut self, name: HeaderName) -> Self {
        self.without.push(name);
        self
    }

    /// Puts a value into the extensions of the request, as a server or a layer further out would. Examples are
    /// [`acting_as(..).context()`](super::ActingAsLayer::context) and axum's `ConnectInfo`.
    pub fn extension(mut self, value: impl Clone + Send + Sync + 'static) -> Self {
        self.extensions.insert(value);
        self
    }

    /// Sets a body of JSON, and its `Content-Type`.
    ///
    /// # Panics
    ///
    /// When `value` cannot be written as JSON.
    pub fn json(self, value: &impl Serialize) -> Self {
        let body = serde_json::to_string(value);
        let body =
            body.unwrap_or_else(|error| panic!("the body cannot be written as JSON: {error}"));
        self.header(CONTENT_TYPE, "application/json").body(body)
    }

    /// Sets the fields of a form, and its `Content-Type`. A field `csrf_token` is sent as it is given here; the header
    /// goes along, unless [`no_csrf`](Self::no_csrf) leaves it out.
    pub fn form<K: AsRef<str>, V: AsRef<str>>(
        self,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body)
    }

    /// Sets the body. Its `Content-Type` is set with [`header`](Self::header).
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends the access token of the last answer that had one, as the page does for its API.
    ///
    /// # Panics
    ///
    /// When no answer had one.
    pub fn bearer(self) -> Self {
        let token = self.browser.access_token.clone().unwrap_or_else(|| {
            panic!(
                "no answer has brought this browser an access token. Sign in or refresh before, by a handler that \
                 answers with the AccessToken as JSON. Or give one with `.bearer_token(..)`"
            )
        });
        self.bearer_token(&token)
    }

    /// Sends this access token.
    ///
    /// # Panics
    ///
    /// When it cannot stand in a header.
    pub fn bearer_token(self, token: &str) -> Self {
        self.header(AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// Sends this CSRF token in the header, in place of the copy of the cookie.
    pub fn csrf(mut self, token: &str) -> Self {
        self.csrf = Csrf::Given(token.to_owned());
        self
    }

    /// Sends no CSRF token in the header.
    pub fn no_csrf(mut self) -> Self {
        self.csrf = Csrf::None;
        self
    }

    /// Lets a page of `origin`, on another site, cause the request. It says so, has no CSRF token, and of the cookies
    /// only those with `SameSite=None` come along. The kit does not check which parts of the answer the page could
    /// read.
    ///
    /// # Panics
    ///
    /// When `origin` is none.
    pub fn from_foreign_page(mut self, origin: &str) -> Self {
        self.page = Some(Site::new(origin));
        self
    }

    /// Sends the request, keeps the cookies of the answer, and returns it.
    ///
    /// # Panics
    ///
    /// When the service fails instead of answering.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the service's future. The browser then keeps nothing of the answer.
    pub async fn send(self) -> TestResponse {
        let headers = self.all_headers();
        let Self {
            browser,
            method,
            target,
            extensions,
            body,
            ..
        } = self;
        let what = format!("{method} {target}");
        let uri = target.parse().unwrap_or_else(|error| {
            panic!("{what}: no browser sends such a path, encode it: {error}")
        });
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        *request.extensions_mut() = extensions;
        let answer = browser.client.ask(request).await;
        let answer = answer.unwrap_or_else(|error| {
            panic!("{what}: the service failed without an answer: {error}")
        });
        let now = browser.now();
        let dropped = browser.jar.keep(&target, answer.headers(), now);
        let answer = TestResponse::new(what, answer, dropped);
        if let Some(token) = answer.access_token() {
            browser.access_token = Some(token);
        }
        answer
    }

    /// All that the browser says, and that the test says in its place.
    fn all_headers(&self) -> HeaderMap {
        let Self { browser, page, .. } = self;
        let own = &browser.site;
        let foreign = page.is_some();
        let origin = page.as_ref().map_or(&own.origin, |page| &page.origin);
        let is_safe = self.method.is_safe();
        let side = if foreign { Page::Foreign } else { Page::Own };
        let csrf = match &self.csrf {
            Csrf::Copied if is_safe || foreign => None,
            Csrf::Copied => browser.csrf_token(),
            Csrf::Given(token) => Some(token.as_str()),
            Csrf::None => None,
        };
        let cookies = browser.jar.header_for(&self.target, side, browser.now());
        let site = if foreign { "cross-site" } else { "same-origin" };
        // Over plain http, browsers send it to the user's own machine alone (W3C Fetch Metadata section 2).
        let fetch = own.is_trustworthy;
        let lines = [
            (&HOST, Some(own.authority.as_str())),
            (&USER_AGENT, Some(browser.agent.as_str())),
            (&COOKIE, cookies.as_deref()),
            // To a page's own origin it goes with unsafe methods (Fetch standard, "append a request Origin header").
            (&ORIGIN, (!is_safe || foreign).then_some(origin.as_str())),
            (&SITE, fetch.then_some(site)),
            (&MODE, fetch.then_some("cors")),
            (&DEST, fetch.then_some("empty")),
            (&browser.csrf_header, csrf),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            value.map(|value| headers.insert(name, header_value(value)));
        }
        headers.extend(self.headers.clone());
        for name in &self.without {
            headers.remove(name);
        }
        headers
    }
}

fn header_value(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| {
        panic!("a header of a test has a character that no header can have: encode it")
    })
}

impl fmt::Debug for TestRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            browser: _,
            method,
            target,
            page,
            csrf: _,
            headers: _,
            without,
            extensions: _,
            body: _,
        } = self;
        f.debug_struct("TestRequest")
            .field("method", method)
            .field("target", target)
            .field("page", &page.as_ref().map(|page| &page.origin))
            .field("without", without)
            .finish_non_exhaustive()
    }
}
