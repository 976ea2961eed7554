//! The beginning of a session, as a sign-in asks for it.

use std::{fmt, time::Duration};

use super::authentication::Said;
use crate::clock::Timestamp;

/// Everything that a session begins with, for [`Session::start_with`](crate::Session::start_with).
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::NewSession;
///
/// /// "Remember me" is a checkbox of the sign-in form.
/// fn of_form(user: &str, remember_me: bool) -> NewSession {
///     let new = NewSession::new(user).amr(["pwd"]).label("Firefox on Linux");
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
    pub(super) said: Said,
    pub(super) note: String,
}

impl NewSession {
    /// Starts with `subject`: 1 to 256 bytes that name the user to the application.
    ///
    /// Longer ones, and an empty one, fail with [`InvalidInput`](crate::SessionErrorKind::InvalidInput).
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            context: Vec::new(),
            label: None,
            lifetime: None,
            idle: None,
            until_closed: false,
            said: Said::default(),
            note: String::new(),
        }
    }

    /// Sets the bytes that the claims closure gets back at every refresh, at most 1024. Longer ones fail with
    /// [`InvalidInput`](crate::SessionErrorKind::InvalidInput).
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
    /// shorter than an access token lives. One that does not fit is a mistake of the application. The sign-in fails
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

    /// Sets when the user has authenticated, where a provider says it. That is `auth_time` of its ID token (OpenID
    /// Connect Core 1.0 section 2), which may be hours before this sign-in. Default: now, by the store's clock.
    ///
    /// Clocks differ, so a time that is up to five minutes ahead counts as now. One that is further ahead is a mistake,
    /// most often of seconds for milliseconds, and the sign-in fails with
    /// [`InvalidInput`](crate::SessionErrorKind::InvalidInput).
    pub fn auth_time(mut self, at: Timestamp) -> Self {
        self.said.auth_time = Some(at);
        self
    }

    /// Names the methods by which the user has authenticated, such as `pwd`, `otp` and `hwk` (RFC 8176 section 2). At
    /// most 8 of 1 to 32 bytes, of the characters that a scope has (RFC 6749 section 3.3). Default: none.
    ///
    /// More, longer or other ones fail with [`InvalidInput`](crate::SessionErrorKind::InvalidInput).
    pub fn amr<T: Into<String>>(mut self, methods: impl IntoIterator<Item = T>) -> Self {
        self.said.amr = Some(methods.into_iter().map(Into::into).collect());
        self
    }

    /// Names the authentication context class. It says how sure the authentication is, in words that the services agree
    /// on (OpenID Connect Core 1.0 section 2). 1 to 64 bytes, of the characters that a scope has. Default: none.
    ///
    /// Longer or other ones fail with [`InvalidInput`](crate::SessionErrorKind::InvalidInput).
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.said.acr = Some(acr.into());
        self
    }

    /// Sets a note that events and the lists of operators show with the session. Examples are the device or the place
    /// of the sign-in. At most 256 bytes; it stays as it is. Default: none. Longer ones fail with
    /// [`InvalidInput`](crate::SessionErrorKind::InvalidInput).
    ///
    /// No token has it, and no line of the log.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
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
            said,
            note: _,
        } = self;
        f.debug_struct("NewSession")
            .field("label", label)
            .field("lifetime", lifetime)
            .field("idle", idle)
            .field("until_closed", until_closed)
            .field("said", said)
            .finish_non_exhaustive()
    }
}
