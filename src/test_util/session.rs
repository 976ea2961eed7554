//! A session without a server.

use std::fmt;

use http::{HeaderMap, Request, header};

use super::{jar::TestJar, journal::Journal};
use crate::{
    admin::session_admin::SessionAdmin,
    clock::{Clock, ManualClock, Timestamp},
    config::ConfigError,
    current_session::CurrentSession,
    keys::key_ring::KeyRing,
    refresh::{
        claims::{ClaimsError, ClaimsRequest},
        layer::RefreshCookieLayer,
        new_session::NewSession,
        session::Session,
    },
    session::{RevokeReason, SessionError, SessionId},
    store::memory::MemoryStore,
    token::{NoClaims, TokenCodec},
};

/// A client and its sessions, for a test of a handler that takes a [`Session`] (feature `test-util`).
///
/// The test gives the handler [`session`](Self::session), and then asks for the result. Sessions are kept in a
/// [`MemoryStore`] of the test's own, by its [`clock`](Self::clock). Access tokens have no claims of the application's,
/// and cookies are those of a layer with every default. It works on a tokio runtime, as `#[tokio::test]` has it.
///
/// ```
/// use tower_bearer::{Session, SessionError, test_util::TestSession};
///
/// async fn sign_out(session: Session) -> Result<&'static str, SessionError> {
///     session.end().await?;
///     Ok("Goodbye")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), SessionError> {
/// let mut client = TestSession::started("ann").await;
/// assert_eq!(client.subject().await.as_deref(), Some("ann"));
/// assert_eq!(sign_out(client.session()).await?, "Goodbye");
/// assert_eq!(client.subject().await, None);
/// assert!(client.ended().is_some());
/// # Ok(())
/// # }
/// ```
pub struct TestSession {
    layer: RefreshCookieLayer,
    clock: ManualClock,
    journal: Journal,
    jar: TestJar,
    /// The request that the handler is given, or was.
    current: Option<Session>,
    /// The session that this request came with.
    came_with: Option<SessionId>,
    set_cookies: Vec<String>,
}

const ORIGIN: &str = "https://app.example";
/// Where a page signs in, as far as the layer cares.
const PATH: &str = "/auth/test";
const AGENT: &str = "Mozilla/5.0 (TestSession)";
/// When the clock begins: in January 2027.
const START: Timestamp = Timestamp::from_secs(1_800_000_000);

impl TestSession {
    /// Returns a client that has not signed in.
    #[must_use]
    pub fn anonymous() -> Self {
        let (clock, journal) = (ManualClock::new(START), Journal::default());
        let layer = layer(&clock, &journal);
        Self {
            layer: layer.unwrap_or_else(|error| panic!("a test has no session: {error}")),
            clock,
            journal,
            jar: TestJar::new(ORIGIN),
            current: None,
            came_with: None,
            set_cookies: Vec::new(),
        }
    }

    /// Returns a client that has signed in as `subject`.
    ///
    /// # Panics
    ///
    /// When `subject` is empty or too long.
    pub async fn started(subject: &str) -> Self {
        Self::started_with(NewSession::new(subject)).await
    }

    /// Returns a client that has signed in with everything that a session may begin with. That is a context, a
    /// lifetime, and when and how its user authenticated.
    ///
    /// # Panics
    ///
    /// When no session can begin so.
    pub async fn started_with(new: NewSession) -> Self {
        let mut client = Self::anonymous();
        let session = client.session();
        if let Err(error) = session.start_with(new).await {
            panic!("no session of a test begins so: {}", whole(&error));
        }
        client.take_cookies();
        client
    }

    /// Returns the session of the client's next request, for the handler. It has the cookies that the requests before
    /// have left. As an extension of a request it reaches an extractor too, though no answer then has the cookies.
    /// [`set_cookies`](Self::set_cookies) has them.
    pub fn session(&mut self) -> Session {
        self.take_cookies();
        self.journal.clear();
        self.set_cookies.clear();
        let session = self.next();
        self.came_with = session.id();
        self.current = Some(session.clone());
        session
    }

    /// A request with the cookies as they are.
    fn next(&self) -> Session {
        let mut request = Request::new(());
        *request.uri_mut() = http::Uri::from_static(PATH);
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, header::HeaderValue::from_static(AGENT));
        let cookies = self.jar.header(PATH, self.clock.now());
        let cookies = cookies.and_then(|cookies| cookies.parse().ok());
        cookies.map(|cookies| headers.insert(header::COOKIE, cookies));
        let (parts, ()) = request.into_parts();
        let config = &self.layer.config;
        let current = CurrentSession::new(config.cookies.clone(), &parts);
        Session::new(config.clone(), current, &parts)
    }

    /// Treats the handler's cookies as the layer and a browser do.
    fn take_cookies(&mut self) {
        let Some(session) = &self.current else { return };
        let cookies = session.outgoing().take_cookies();
        let cookies: HeaderMap = cookies.map(|line| (header::SET_COOKIE, line)).collect();
        let lines = cookies.get_all(header::SET_COOKIE).iter();
        let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
        self.set_cookies.extend(lines);
        let dropped = self.jar.keep(PATH, &cookies, self.clock.now());
        assert!(dropped.is_empty(), "a browser drops {dropped:?}");
    }

    /// Returns the subject that the client is signed in as by now, by the store's record of its cookies. `None` where
    /// it is not.
    ///
    /// # Panics
    ///
    /// When the answer is not clear: the handler has left the client behind its session.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only looks.
    pub async fn subject(&mut self) -> Option<String> {
        self.take_cookies();
        match self.next().peek().await {
            Ok(peeked) => Some(peeked.subject),
            Err(error) if error.status() == http::StatusCode::UNAUTHORIZED => None,
            Err(error) => panic!(
                "it cannot be told who is signed in: {}. Has another handle moved the session on?",
                whole(&error)
            ),
        }
    }

    /// Returns the subject of a session that began since [`session`](Self::session) was called. `None` where none did.
    #[must_use]
    pub fn started_for(&self) -> Option<String> {
        let journal = self.journal.read();
        let (_, subject) = journal.started.last()?;
        Some(subject.clone())
    }

    /// Returns why the client's session ended since [`session`](Self::session) was called. It is the session that the
    /// request came with, or one that began in it. `None` where it goes on, and where there was none. A sign-in ends
    /// the session before it as [`Replaced`](RevokeReason::Replaced).
    #[must_use]
    pub fn ended(&self) -> Option<RevokeReason> {
        let journal = self.journal.read();
        let is_own = |session: &SessionId| {
            let mut started = journal.started.iter();
            self.came_with == Some(*session) || started.any(|(id, _)| id == session)
        };
        let mut ended = journal.ended.iter().rev();
        let (_, reason) = ended.find(|(session, _)| is_own(session))?;
        Some(*reason)
    }

    /// Returns the `Set-Cookie` lines of the answer since [`session`](Self::session) was called.
    pub fn set_cookies(&mut self) -> &[String] {
        self.take_cookies();
        &self.set_cookies
    }

    /// Returns the operator's side of the test's sessions: it lists and ends those of any subject.
    #[must_use]
    pub fn admin(&self) -> SessionAdmin {
        self.layer.admin()
    }

    /// Returns the clock of the sessions and cookies. It stands still until the test
    /// [advances](ManualClock::advance) it, and begins in January 2027.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }
}

fn layer(clock: &ManualClock, journal: &Journal) -> Result<RefreshCookieLayer, ConfigError> {
    let codec = TokenCodec::nested(&KeyRing::generate()?)
        .issuer("https://issuer.test")
        .audience("test")
        .clock(clock.clone())
        .build()?;
    let store = MemoryStore::builder().clock(clock.clone()).build()?;
    let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
    RefreshCookieLayer::builder(codec, store, claims)
        .events(journal.sink())
        .build()
}

/// The error with its cause, which is a test's to know.
fn whole(error: &SessionError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

impl fmt::Debug for TestSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            layer: _,
            clock,
            journal: _,
            jar,
            current: _,
            came_with,
            set_cookies: _,
        } = self;
        f.debug_struct("TestSession")
            .field("clock", clock)
            .field("jar", jar)
            .field("came_with", came_with)
            .finish_non_exhaustive()
    }
}
