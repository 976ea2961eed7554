//! A browser without a network.

use std::{error::Error, fmt, sync::Arc};

use http::{HeaderName, Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    client::{Client, TestBody},
    jar::TestJar,
    request::TestRequest,
    site::Site,
};
use crate::clock::{Clock, SystemClock, Timestamp};

/// A browser with one page of the application, for tests of the whole (feature `test-util`).
///
/// It asks any [`Service`] of requests, such as a router of axum, without a server. It keeps cookies as a browser does
/// ([`TestJar`]). Each request carries what one of the page's scripts would send: its cookies, `Host`, `User-Agent` and
/// Fetch Metadata. With an unsafe method it also carries its `Origin` and the CSRF token. The token is a copy of the
/// cookie that scripts can read. A clone is another browser with copies of the cookies, as a thief has them.
/// [`user_agent`](Self::user_agent) gives it another name.
///
/// ```
/// use axum::{Json, Router, routing::{get, post}};
/// use tower_bearer::{AccessToken, Auth, Claims, KeyRing, MemoryStore, Session, SessionError, test_util::TestBrowser};
///
/// fn app() -> Result<Router, tower_bearer::ConfigError> {
///     let login = |session: Session| async move { session.start("ann").await.map(Json) };
///     let me = |claims: Claims| async move { claims.subject().to_owned() };
///     let auth = Auth::builder(&KeyRing::generate()?)
///         .issuer("https://id.example")
///         .audience("api")
///         .store(MemoryStore::new())
///         .origins(["https://app.example".parse()?])
///         .build()?;
///     let api = Router::new().route("/me", get(me)).route_layer(auth.bearer());
///     Ok(api.merge(auth.routes().route("/login", post(login))))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut browser = TestBrowser::new(app()?, "https://app.example");
/// browser.get("/auth/csrf").send().await.expect_status(200);
/// browser.post("/auth/login").send().await.expect_status(200);
/// assert_eq!(browser.get("/me").bearer().send().await.text(), "ann");
/// browser.post("/auth/logout").send().await.expect_status(204);
/// browser.post("/auth/refresh").send().await.expect_status(401);
/// # Ok(())
/// # }
/// ```
///
/// An answer without an end, such as a stream of events, is waited for without an end. Redirects are not followed:
/// [`TestResponse::header`](super::TestResponse::header) has `location`.
#[derive(Clone)]
pub struct TestBrowser {
    pub(super) client: Client,
    pub(super) site: Site,
    pub(super) agent: String,
    pub(super) csrf_cookies: Vec<String>,
    pub(super) csrf_header: HeaderName,
    clock: Arc<dyn Clock>,
    pub(super) jar: TestJar,
    pub(super) access_token: Option<String>,
}

/// The names that the CSRF cookie has where scripts read it, over TLS and in development.
const CSRF_COOKIES: [&str; 2] = ["__Host-csrf", "csrf"];
/// The header that `CsrfLayer` reads by default.
const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
const AGENT: &str = "Mozilla/5.0 (TestBrowser)";

impl TestBrowser {
    /// Returns a browser with a page of `origin`, such as `https://app.example`, which asks `service` there. It has no
    /// cookies, and the system's clock.
    ///
    /// # Panics
    ///
    /// When `origin` is none.
    #[must_use]
    pub fn new<S, R>(service: S, origin: &str) -> Self
    where
        S: Service<Request<TestBody>, Response = Response<R>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        R: Body + Send,
        R::Data: Send,
        R::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::asking(Client::new(service), origin)
    }

    /// Returns the same for a service that takes bodies of one other type.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use http::{Request, Response};
    /// use tower::service_fn;
    /// use tower_bearer::test_util::TestBrowser;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let echo = service_fn(|request: Request<String>| async {
    ///     Ok::<_, Infallible>(Response::new(request.into_body()))
    /// });
    /// let mut browser = TestBrowser::with_body::<String, _, _>(echo, "https://app.example");
    /// assert_eq!(browser.post("/").body("hello").send().await.text(), "hello");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When `origin` is none.
    #[must_use]
    pub fn with_body<B, S, R>(service: S, origin: &str) -> Self
    where
        S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: From<String> + Send + 'static,
        R: Body + Send,
        R::Data: Send,
        R::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::asking(Client::new(service), origin)
    }

    fn asking(client: Client, origin: &str) -> Self {
        Self {
            client,
            site: Site::new(origin),
            agent: AGENT.to_owned(),
            csrf_cookies: CSRF_COOKIES.map(str::to_owned).into(),
            csrf_header: CSRF_HEADER,
            clock: Arc::new(SystemClock),
            jar: TestJar::new(origin),
            access_token: None,
        }
    }

    /// Sets the clock by which cookies last. Give the application's codec and store the same
    /// [`ManualClock`](crate::ManualClock), and days pass in no time. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets `User-Agent`, by which sessions tell clients apart. Default: `Mozilla/5.0 (TestBrowser)`.
    #[must_use]
    pub fn user_agent(mut self, agent: &str) -> Self {
        agent.clone_into(&mut self.agent);
        self
    }

    /// Sets the whole name of the CSRF cookie and the header that its copy travels in. Call it where the application
    /// has [named](crate::csrf::CsrfBuilder::cookie_name) [them](crate::csrf::CsrfBuilder::header_name) so. Default:
    /// `__Host-csrf`, or `csrf` where there is none of that name, and `X-CSRF-Token`.
    #[must_use]
    pub fn csrf(mut self, cookie: &str, header: HeaderName) -> Self {
        self.csrf_cookies = vec![cookie.to_owned()];
        self.csrf_header = header;
        self
    }

    /// Begins a request. `path` may have a query.
    ///
    /// # Panics
    ///
    /// When `path` does not begin with a slash.
    pub fn request(&mut self, method: Method, path: &str) -> TestRequest<'_> {
        TestRequest::new(self, method, path)
    }

    /// Begins a `GET`, as [`request`](Self::request) does.
    pub fn get(&mut self, path: &str) -> TestRequest<'_> {
        self.request(Method::GET, path)
    }

    /// Begins a `POST`, as [`request`](Self::request) does.
    pub fn post(&mut self, path: &str) -> TestRequest<'_> {
        self.request(Method::POST, path)
    }

    /// Begins a `PUT`, as [`request`](Self::request) does.
    pub fn put(&mut self, path: &str) -> TestRequest<'_> {
        self.request(Method::PUT, path)
    }

    /// Begins a `PATCH`, as [`request`](Self::request) does.
    pub fn patch(&mut self, path: &str) -> TestRequest<'_> {
        self.request(Method::PATCH, path)
    }

    /// Begins a `DELETE`, as [`request`](Self::request) does.
    pub fn delete(&mut self, path: &str) -> TestRequest<'_> {
        self.request(Method::DELETE, path)
    }

    /// Returns the access token of the last answer that had one, as the page keeps it. `None` before the first, and
    /// after [`close`](Self::close).
    #[must_use]
    pub fn access_token(&self) -> Option<&str> {
        self.access_token.as_deref()
    }

    /// Returns the CSRF token that a script of the page reads from its cookie. `None` where there is no cookie of that
    /// name, and where it is `HttpOnly`. Such a page asks `GET {mount}/csrf`, and
    /// [`TestRequest::csrf`](super::TestRequest::csrf) sends the token from the answer.
    #[must_use]
    pub fn csrf_token(&self) -> Option<&str> {
        let now = self.now();
        let mut names = self.csrf_cookies.iter();
        names.find_map(|name| self.jar.readable(name, now))
    }

    /// Returns the cookies.
    #[must_use]
    pub fn jar(&self) -> &TestJar {
        &self.jar
    }

    /// Returns the cookies, to be changed as an attacker does.
    pub fn jar_mut(&mut self) -> &mut TestJar {
        &mut self.jar
    }

    /// Closes the browser and opens it again. The page forgets its access token, and the jar forgets the cookies that
    /// last until then.
    pub fn close(&mut self) {
        self.jar.close();
        self.access_token = None;
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl fmt::Debug for TestBrowser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            client: _,
            site,
            agent,
            csrf_cookies,
            csrf_header,
            clock,
            jar,
            access_token: _,
        } = self;
        f.debug_struct("TestBrowser")
            .field("origin", &site.origin)
            .field("agent", agent)
            .field("csrf_cookies", csrf_cookies)
            .field("csrf_header", csrf_header)
            .field("clock", clock)
            .field("jar", jar)
            .finish_non_exhaustive()
    }
}
