//! Which session a CSRF token belongs to.

use std::fmt;

use http::request::Parts;

use crate::{secret::sha256, session::SessionId, token::TokenContext};

/// The names of the CSRF cookie, unless the application gives another one: as it is by default, and with
/// `http_prefix`.
pub(crate) const CSRF_COOKIES: [&str; 2] = ["__Host-csrf", "__Host-Http-csrf"];

/// The session that a request's CSRF token is bound to, or none yet.
///
/// A token of one session is rejected in every other one. A token from before the sign-in is
/// rejected after it. So an attacker gains nothing by planting one in a browser.
///
/// ```
/// use http::request::Parts;
/// use tower_bearer::csrf::CsrfSession;
///
/// /// Another session layer has left the id of its session in the request.
/// #[derive(Clone)]
/// struct SessionRow {
///     id: String,
/// }
///
/// fn session_of(parts: &Parts) -> CsrfSession {
///     match parts.extensions.get::<SessionRow>() {
///         Some(row) => CsrfSession::session(&row.id),
///         None => CsrfSession::ANONYMOUS,
///     }
/// }
/// # let (parts, ()) = http::Request::new(()).into_parts();
/// # assert_eq!(session_of(&parts), CsrfSession::ANONYMOUS);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CsrfSession(Who);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Anonymous,
    /// The digest of the session's id.
    Session([u8; 32]),
    /// Perhaps a session: the browser keeps the cookie of the session back from this request.
    Unseen,
}

impl CsrfSession {
    /// No session. Login forms are protected by tokens of this class.
    pub const ANONYMOUS: Self = Self(Who::Anonymous);

    /// Perhaps a session: the browser keeps a `SameSite=Strict` cookie back from requests that a page of
    /// another site caused (`Sec-Fetch-Site: cross-site`).
    ///
    /// Tokens are made and judged as for no session. A token of a session that the browser has
    /// stays in its place unless the handler rotates it.
    /// [`CsrfToken::masked`](crate::CsrfToken::masked) returns a copy of it. So a foreign page that
    /// opens one of yours replaces no token. A page opened from a mail can send its form. A
    /// function for [`CsrfBuilder::session`](crate::csrf::CsrfBuilder::session) returns this value
    /// where its own `Strict` cookie is missing from such a request. Without such a function, the
    /// layer does so for the refresh cookie.
    ///
    /// ```
    /// use http::request::Parts;
    /// use tower_bearer::csrf::CsrfSession;
    ///
    /// # fn verified_id(_: &Parts) -> Option<String> { None }
    /// # fn has_cookie(_: &Parts) -> bool { false }
    /// fn session_of(parts: &Parts) -> CsrfSession {
    ///     let site = parts.headers.get("sec-fetch-site");
    ///     let is_cross_site = site.is_some_and(|site| site == "cross-site");
    ///     match verified_id(parts) {
    ///         Some(id) => CsrfSession::session(id),
    ///         None if is_cross_site && !has_cookie(parts) => CsrfSession::UNSEEN,
    ///         None => CsrfSession::ANONYMOUS,
    ///     }
    /// }
    /// # let _ = session_of;
    /// ```
    pub const UNSEEN: Self = Self(Who::Unseen);

    /// Returns the session of this id. The id stays the same while the session lasts, and changes
    /// at sign-in. Only its SHA-256 is kept. An empty id is no session:
    /// [`ANONYMOUS`](Self::ANONYMOUS).
    ///
    /// The id has to be *verified*. An id from an unchecked cookie binds the token to a value that
    /// an attacker may have planted.
    pub fn session(id: impl AsRef<[u8]>) -> Self {
        match id.as_ref() {
            [] => Self::ANONYMOUS,
            id => Self(Who::Session(sha256(&[id]))),
        }
    }

    /// Returns the session (`sid`) of the access token that a `BearerAuthLayer` further out has
    /// verified. Returns [`ANONYMOUS`](Self::ANONYMOUS) where there is none.
    pub fn bearer(parts: &Parts) -> Self {
        let context = parts.extensions.get::<TokenContext>();
        match context.and_then(TokenContext::session) {
            Some(sid) => Self::session(sid),
            None => Self::ANONYMOUS,
        }
    }

    /// The digest of the session id, if there is a session.
    pub(crate) fn digest(&self) -> Option<&[u8; 32]> {
        match &self.0 {
            Who::Session(digest) => Some(digest),
            Who::Anonymous | Who::Unseen => None,
        }
    }

    /// Whether there may be a session that this request does not show.
    pub(crate) fn is_unseen(&self) -> bool {
        self.0 == Who::Unseen
    }
}

/// The sessions that a request may be of: one, unless several refresh cookies are genuine.
#[derive(Clone, Debug)]
pub(crate) struct Candidates {
    pub(crate) first: CsrfSession,
    /// Empty but for browsers that hold the cookies of several sessions.
    pub(crate) others: Vec<CsrfSession>,
}

impl Candidates {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &CsrfSession> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl From<CsrfSession> for Candidates {
    fn from(first: CsrfSession) -> Self {
        let others = Vec::new();
        Self { first, others }
    }
}

impl From<SessionId> for CsrfSession {
    /// The session as the `sid` of its access tokens names it.
    fn from(id: SessionId) -> Self {
        Self::session(id.to_string())
    }
}

impl fmt::Debug for CsrfSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(who) = self;
        f.write_str(match who {
            Who::Anonymous => "CsrfSession(anonymous)",
            Who::Session(_) => "CsrfSession(session)",
            Who::Unseen => "CsrfSession(unseen)",
        })
    }
}
