//! The handle that a handler works with.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use http::{Extensions, HeaderValue, header, request::Parts};

use super::{shared::Shared, transport::RefreshTransport};
use crate::{
    binding::{CsrfBinding, SessionMoved, SessionMoves},
    cookie,
    keys::{SessionKeySet, SessionKeys},
    rejection::{Rejection, RejectionKind},
    session::{ClientBinding, Envelope, SessionError, SessionErrorKind, SessionId, seal},
};

/// Cookies longer than this are none of ours: ours stay under 512 bytes.
pub(crate) const LONGEST_VALUE: usize = 512;
/// A request carries one refresh cookie; a few more are tolerated, a flood is not worked through.
pub(crate) const MOST_VALUES: usize = 4;

/// The refresh session of one request: what came in, and what goes back. The
/// [module page](crate::refresh) has an example.
///
/// [`RefreshCookieLayer`](crate::RefreshCookieLayer) puts it into the request extensions. Its
/// methods do the store's work; the `Set-Cookie` they decide on is appended to the response when
/// it passes the layer again, so a handle kept beyond that has no effect on the client.
///
/// Calls on one handle follow each other as they would in requests of their own: after
/// [`start`](Self::start) the new session can be elevated, listed or ended.
#[derive(Clone)]
pub struct Session(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    values: Vec<Box<[u8]>>,
    /// The token that the application has read from the body, where tokens travel in bodies.
    body: OnceLock<Box<str>>,
    /// Whether there was any value, though none that could be ours.
    sent: bool,
    user_agent: Option<HeaderValue>,
    /// What the application's own binding reads; the `User-Agent` where it has none.
    signal: Option<Vec<u8>>,
    outgoing: Mutex<Outgoing>,
    /// Whom to tell where the cookie takes the browser, if there is a CSRF layer further out.
    moves: Option<SessionMoves>,
}

/// What the layer adds to the response.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(crate) cookie: Option<HeaderValue>,
    /// The token that `cookie` carries. The handle goes on with it: to the application the session
    /// that a call has begun or moved on is *the* session from there on.
    pub(crate) token: Option<Envelope>,
    /// `token` is of a new session, or of one whose privileges have changed.
    pub(crate) renewed: bool,
    /// `cookie` clears: as far as this handle is concerned there is no session any more.
    pub(crate) over: bool,
    /// The answer depends on the session, so no cache may keep it.
    pub(crate) private: bool,
}

impl Outgoing {
    /// Where `cookie` takes the browser, for a CSRF layer further out.
    fn moved(&self) -> SessionMoved {
        let session = self.token.as_ref().filter(|_| !self.over);
        SessionMoved {
            to: session.map_or(CsrfBinding::ANONYMOUS, |token| token.session.into()),
            renewed: self.renewed,
        }
    }
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, parts: &Parts) -> Self {
        let mut sent = false;
        let values = cookie::values(&parts.headers, shared.cookie.name())
            .filter(|value| !value.is_empty())
            .inspect(|_| sent = true)
            .filter(|value| value.len() <= LONGEST_VALUE)
            .take(MOST_VALUES)
            .map(Box::from)
            .collect();
        let signal = shared.signal.as_ref().map(|signal| signal(parts));
        Self(Arc::new(Inner {
            shared,
            values,
            body: OnceLock::new(),
            sent,
            user_agent: parts.headers.get(header::USER_AGENT).cloned(),
            signal,
            outgoing: Mutex::default(),
            moves: parts.extensions.get().cloned(),
        }))
    }

    /// The handle of a request.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Internal`], naming the layer, when
    /// [`RefreshCookieLayer`](crate::RefreshCookieLayer) is not applied around the caller.
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, Rejection> {
        extensions.get::<Self>().cloned().ok_or(Rejection::new(
            RejectionKind::Internal,
            "RefreshCookieLayer is missing: it must wrap whatever uses the session",
        ))
    }

    /// Whether the request carries anything under the refresh cookie's name. It says nothing about
    /// what it is worth.
    pub fn has_cookie(&self) -> bool {
        self.0.sent
    }

    /// Gives the handle the refresh token that came in the request's body, where the layer's
    /// transport is [`RefreshTransport::Body`]. [`SessionEndpoints`](crate::SessionEndpoints) does
    /// it for its own calls; the first token counts.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](SessionErrorKind::InvalidInput) when the transport is the cookie: a token
    /// that scripts can read has no place there.
    pub fn present(&self, refresh_token: &str) -> Result<(), SessionError> {
        if self.shared().transport == RefreshTransport::Cookie {
            return Err(SessionError::with_source(
                SessionErrorKind::InvalidInput,
                "this layer takes refresh tokens in the cookie only",
            ));
        }
        // One that is too long is none of ours: refused like any other, and not kept.
        let fits = refresh_token.len() <= LONGEST_VALUE;
        let kept = if fits { refresh_token } else { "" };
        let _ = self.0.body.set(kept.into());
        Ok(())
    }

    /// Every value that may be a refresh token of this layer's transport.
    pub(crate) fn values(&self) -> impl Iterator<Item = &[u8]> {
        let body = self.0.body.get().map(|token| token.as_bytes());
        let cookies = match self.shared().transport {
            RefreshTransport::Cookie => self.0.values.as_slice(),
            RefreshTransport::Body => &[],
        };
        cookies.iter().map(AsRef::as_ref).chain(body)
    }

    /// Whether anything came that was meant as a refresh token.
    pub(crate) fn is_presented(&self) -> bool {
        match self.shared().transport {
            RefreshTransport::Cookie => self.has_cookie(),
            RefreshTransport::Body => self.0.body.get().is_some(),
        }
    }

    /// Whether the request carries the cookie though tokens travel in bodies here.
    pub(crate) fn is_mixed(&self) -> bool {
        self.has_cookie() && self.shared().transport == RefreshTransport::Body
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// Runs `work` with the session keys as they are now.
    pub(crate) fn with_keys<T>(
        &self,
        work: impl FnOnce(&SessionKeys) -> T,
    ) -> Result<T, SessionError> {
        let keys = self.shared().keys.load();
        match &keys.sessions {
            Some(sessions) => Ok(work(sessions)),
            None => Err(no_secret()),
        }
    }

    /// Runs `work` with the key that new sessions are made with.
    pub(crate) fn with_active_key<T>(
        &self,
        work: impl FnOnce(&SessionKeySet) -> T,
    ) -> Result<T, SessionError> {
        let done = self.with_keys(|keys| keys.active().map(work))?;
        done.ok_or_else(no_secret)
    }

    /// Which client this request comes from, as far as `session` is concerned.
    pub(crate) fn client(&self, session: &SessionId) -> ClientBinding {
        let agent = self.0.user_agent.as_ref().map(HeaderValue::as_bytes);
        let signal = self.0.signal.as_deref().or(agent).unwrap_or_default();
        ClientBinding::of(session, signal)
    }

    /// What names the client to its owner.
    pub(crate) fn label(&self) -> String {
        let agent = self.0.user_agent.as_ref().map(HeaderValue::as_bytes);
        String::from_utf8_lossy(agent.unwrap_or_default())
            .chars()
            .filter(|c| !c.is_control())
            .collect()
    }

    pub(crate) fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.0
            .outgoing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer is about a session: it must not be cached, whatever it says.
    pub(crate) fn touch(&self) {
        self.outgoing().private = true;
    }

    /// The token that an earlier call on this handle has handed out.
    pub(crate) fn handed_out(&self) -> Option<Envelope> {
        self.outgoing().token.clone()
    }

    /// Whether an earlier call on this handle has cleared the cookie.
    pub(crate) fn is_over(&self) -> bool {
        self.outgoing().over
    }

    pub(crate) fn clear_cookie(&self) {
        let mut outgoing = self.outgoing();
        outgoing.cookie = match self.shared().transport {
            RefreshTransport::Cookie => self.shared().cookie.clear(),
            RefreshTransport::Body => None,
        };
        outgoing.over = true;
        self.tell(&outgoing);
    }

    /// The session that was handed out is new, or its privileges are.
    pub(crate) fn renew(&self) {
        let mut outgoing = self.outgoing();
        outgoing.renewed = true;
        self.tell(&outgoing);
    }

    /// Tells the CSRF layer where the cookie takes the browser. Without a cookie it stays.
    pub(crate) fn tell(&self, outgoing: &Outgoing) {
        if let Some(moves) = self.0.moves.as_ref().filter(|_| outgoing.cookie.is_some()) {
            moves.tell(outgoing.moved());
        }
    }

    /// The sealed form of `token`, made before anything is committed.
    pub(crate) fn seal(&self, token: &Envelope) -> Result<String, SessionError> {
        self.with_keys(|keys| seal(token, keys, self.shared().seal_context()))?
            .map_err(|error| SessionError::with_source(SessionErrorKind::Unavailable, error))
    }
}

/// Rings are checked when they are built and rotated, so this is a bug or a half-built ring.
fn no_secret() -> SessionError {
    SessionError::with_source(
        SessionErrorKind::Unavailable,
        "the key ring has no refresh secret",
    )
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            shared: _,
            values,
            body: _,
            sent: _,
            user_agent: _,
            signal: _,
            outgoing: _,
            moves: _,
        } = &*self.0;
        f.debug_struct("Session")
            .field("cookies", &values.len())
            .finish_non_exhaustive()
    }
}
