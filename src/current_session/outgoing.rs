//! The cookies that a response sets or clears.

use http::HeaderValue;

use crate::{
    cookie::Lasts,
    csrf_session::CsrfSession,
    session::{RefreshToken, SessionId},
};

/// The additions of `RefreshCookieLayer` to the response, and the session that decides on them.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(crate) cookie: Option<HeaderValue>,
    /// The jar cookie that goes with it.
    pub(crate) jar: Option<HeaderValue>,
    /// Clear what the browser may hold under a former path.
    pub(crate) former: Vec<HeaderValue>,
    /// The token that `cookie` carries. The handle continues with it. From there on, the application acts on the
    /// session that a call has begun or moved on.
    pub(crate) token: Option<RefreshToken>,
    /// How long `cookie` lasts in the browser.
    pub(crate) lasts: Lasts,
    /// It lasts longer than the one before: each refresh moves the end of the session on.
    pub(crate) slides: bool,
    /// `token` is of a new session, or of one whose privileges have changed.
    pub(crate) renewed: bool,
    /// `cookie` clears: as far as this request is concerned there is no session any more.
    pub(crate) over: bool,
    /// `token` waits for the request that shows it: this one goes no further with it.
    pub(crate) unconfirmed: bool,
    /// The answer depends on the session, so no cache may keep it.
    pub(crate) private: bool,
    /// The request has turned out to be refused: no cookie leaves, a later one neither.
    pub(super) withheld: bool,
    /// The session of several that came whose CSRF token the request has shown.
    pub(super) noted: Option<SessionId>,
}

impl Outgoing {
    /// The cookies for the response, once.
    pub(crate) fn take_cookies(&mut self) -> impl Iterator<Item = HeaderValue> + use<> {
        let cookies = [self.cookie.take(), self.jar.take()];
        let former = std::mem::take(&mut self.former);
        let leave = !self.withheld;
        let cookies = cookies.into_iter().flatten().chain(former);
        cookies.filter(move |_| leave)
    }
}

/// Where the cookies of the response take the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionMoved {
    /// Where the browser is from now on.
    pub(crate) to: CsrfSession,
    /// The session is new, or its privileges are. Tokens from before must not be handed on, even where the id is the
    /// same.
    pub(crate) renewed: bool,
    /// How long the cookie lasts that goes with the response.
    pub(crate) lasts: Lasts,
    /// It lasts longer than the one that the browser has.
    pub(crate) slides: bool,
}
