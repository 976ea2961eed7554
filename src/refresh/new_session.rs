//! The beginning of a session, as a sign-in asks for it.

use std::{fmt, time::Duration};

/// Everything that a session begins with, for [`Session::start_with`](crate::Session::start_with).
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::NewSession;
///
/// /// "Remember me" is a checkbox of the sign-in form.
/// fn of_form(user: &str, remember_me: bool) -> NewSession {
///     let new = NewSession::new(user).context(*b"amr=pwd").label("Firefox on Linux");
///     match remember_me {
///         true => new,
///         false => new.lifetime(Duration::from_secs(12 * 60 * 60)).browser_session(),
///     }
/// }
/// # let _ = of_form;
/// ```
#[derive(Clone)]
#[must_use]
pub struct NewSession {
    pub(super) subject: String,
    pub(super) context: Vec<u8>,
    pub(super) label: Option<String>,
    pub(super) lifetime: Option<Duration>,
    pub(super) idle: Option<Duration>,
    pub(super) until_closed: bool,
}

impl NewSession {
    /// A session of `subject`: 1 to 256 bytes that name the user to the application.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            context: Vec::new(),
            label: None,
            lifetime: None,
            idle: None,
            until_closed: false,
        }
    }

    /// Bytes that the claims closure gets back at every refresh, at most 1024.
    pub fn context(mut self, context: impl Into<Vec<u8>>) -> Self {
        self.context = context.into();
        self
    }

    /// Sets the client's name in the session list, cut at 200 bytes. Default: the `User-Agent`.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets how long this session lasts, refreshed or not. Default, and at most: the layer's
    /// [`absolute_lifetime`](crate::refresh::RefreshCookieBuilder::absolute_lifetime). At least one second, and not
    /// shorter than an access token lives. One that does not fit is a mistake of the application: the sign-in fails
    /// with [`Internal`](crate::SessionErrorKind::Internal), and the log names the setting.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Sets how long this session lasts unused. Default, and at most: the layer's
    /// [`idle_lifetime`](crate::refresh::RefreshCookieBuilder::idle_lifetime), whose rules hold here too, against
    /// the lifetime of this session. One that does not fit fails like a [`lifetime`](Self::lifetime).
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// Lets the browser drop the cookies when it closes: they have no `Max-Age` (RFC 6265 section 5.3). Rotation
    /// keeps them so, and the CSRF cookie follows.
    ///
    /// Browsers that restore their windows restore such cookies too, and on the server the session goes on. Give it
    /// a short [`lifetime`](Self::lifetime) or [`idle`](Self::idle) as well.
    pub fn browser_session(mut self) -> Self {
        self.until_closed = true;
        self
    }
}

impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject: _,
            context: _,
            label,
            lifetime,
            idle,
            until_closed,
        } = self;
        f.debug_struct("NewSession")
            .field("label", label)
            .field("lifetime", lifetime)
            .field("idle", idle)
            .field("until_closed", until_closed)
            .finish_non_exhaustive()
    }
}
