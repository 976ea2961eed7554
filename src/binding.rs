//! Which session a CSRF token belongs to, and the word that it has changed.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use http::request::Parts;

use crate::{secret::sha256, session::SessionId, token::TokenContext};

/// What the CSRF token of a request is bound to: a session, or being nobody yet.
///
/// A token made for one session is refused in every other one, and a token from before the sign-in
/// is refused after it, so that nobody profits from planting theirs in somebody's browser.
///
/// ```
/// use http::request::Parts;
/// use tower_bearer::CsrfBinding;
///
/// /// Another session layer has left the id of its session in the request.
/// #[derive(Clone)]
/// struct SessionRow {
///     id: String,
/// }
///
/// fn binding(parts: &Parts) -> CsrfBinding {
///     match parts.extensions.get::<SessionRow>() {
///         Some(row) => CsrfBinding::session(&row.id),
///         None => CsrfBinding::ANONYMOUS,
///     }
/// }
/// # let (parts, ()) = http::Request::new(()).into_parts();
/// # assert_eq!(binding(&parts), CsrfBinding::ANONYMOUS);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CsrfBinding(Who);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    /// The digest of the session's id.
    Session([u8; 32]),
    /// Perhaps somebody: the browser keeps the cookie of the session back from this request.
    Unseen,
}

impl CsrfBinding {
    /// Nobody is signed in. Login forms are protected by tokens of this class.
    pub const ANONYMOUS: Self = Self(Who::Nobody);

    /// The browser sends a `SameSite=Strict` cookie with no request that a page of another site
    /// caused, so there may be a session. Tokens are made and judged as for nobody.
    pub(crate) const UNSEEN: Self = Self(Who::Unseen);

    /// The session of this id: whatever stays the same while the session lasts, and changes at
    /// sign-in. Only its SHA-256 is kept. An empty id is nobody's: [`ANONYMOUS`](Self::ANONYMOUS).
    ///
    /// The id has to be *verified*: one that is read from a cookie that nobody checked binds the
    /// token to whatever an attacker has planted.
    pub fn session(id: impl AsRef<[u8]>) -> Self {
        match id.as_ref() {
            [] => Self::ANONYMOUS,
            id => Self(Who::Session(sha256(&[id]))),
        }
    }

    /// The session (`sid`) of the access token that a `BearerAuthLayer` further out has verified;
    /// anonymous where there is none.
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
            Who::Nobody | Who::Unseen => None,
        }
    }

    /// Whether there may be a session that this request does not show.
    pub(crate) fn is_unseen(&self) -> bool {
        self.0 == Who::Unseen
    }
}

impl From<SessionId> for CsrfBinding {
    /// The session as the `sid` of its access tokens names it.
    fn from(id: SessionId) -> Self {
        Self::session(id.to_string())
    }
}

impl fmt::Debug for CsrfBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(who) = self;
        f.write_str(match who {
            Who::Nobody => "CsrfBinding(anonymous)",
            Who::Session(_) => "CsrfBinding(session)",
            Who::Unseen => "CsrfBinding(unseen)",
        })
    }
}

/// Where the cookies of the response take the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionMoved {
    /// Where the browser is from now on.
    pub(crate) to: CsrfBinding,
    /// The session is new, or its privileges are: tokens from before must not be handed on, even
    /// where the id is the same.
    pub(crate) renewed: bool,
}

/// The word from the session to the CSRF layers further out, which put it into the request. It is
/// given at once and not with the response, so that a handler that signs somebody in can answer
/// with a page that carries the next token.
#[derive(Clone, Default)]
pub(crate) struct SessionMoves(Arc<Mutex<Option<SessionMoved>>>);

impl SessionMoves {
    pub(crate) fn tell(&self, moved: SessionMoved) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(moved);
    }

    /// The last word. It stays, since each of several layers reads it.
    pub(crate) fn last(&self) -> Option<SessionMoved> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
