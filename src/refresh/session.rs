//! The handle that a handler works with.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, MutexGuard, OnceLock},
};

use http::{Extensions, HeaderValue, header, request::Parts};

use super::{config::Config, transport::RefreshTransport};
use crate::{
    cookie::CookieSpec,
    current_session::{CurrentSession, LONGEST_VALUE, Opened, Outgoing, RefreshCookies},
    keys::{SessionKeySet, SessionKeys},
    rejection::Rejection,
    session::{
        Activity, ClientFingerprint, JarProof, Presenter, RefreshToken, SessionError,
        SessionErrorKind, SessionId, seal,
    },
};

/// The refresh session of one request: what came in, and what goes back. The
/// [module page](crate::refresh) has an example.
///
/// [`RefreshCookieLayer`](crate::RefreshCookieLayer) puts it into the request extensions. Its methods do the store's
/// work. The `Set-Cookie` that they decide on is appended to the response when it passes the layer again. A handle that
/// is kept beyond that has no effect on the client.
///
/// Calls on one handle follow each other as they would in separate requests. After [`start`](Self::start) the new
/// session can be elevated, listed or ended.
#[derive(Clone)]
pub struct Session(pub(crate) Arc<Handle>);

pub(crate) struct Handle {
    pub(crate) config: Arc<Config>,
    current: CurrentSession,
    /// The token that the application has read from the body, where tokens travel in bodies.
    body: OnceLock<Box<str>>,
    user_agent: Option<HeaderValue>,
    activity: Activity,
    /// The application's own binding reads this; without one it is the `User-Agent`.
    signal: Option<Vec<u8>>,
}

impl Session {
    pub(crate) fn new(config: Arc<Config>, current: CurrentSession, parts: &Parts) -> Self {
        let signal = config.signal.as_ref().map(|signal| signal(parts));
        Self(Arc::new(Handle {
            config,
            current,
            body: OnceLock::new(),
            user_agent: parts.headers.get(header::USER_AGENT).cloned(),
            activity: Activity::of(&parts.headers),
            signal,
        }))
    }

    /// Returns the handle of a request.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Internal`](crate::rejection::RejectionKind::Internal), naming the layer, when
    /// [`RefreshCookieLayer`](crate::RefreshCookieLayer) is not applied around the caller.
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, Rejection> {
        let handle = extensions.get::<Self>().cloned();
        handle.ok_or_else(|| {
            Rejection::missing_layer(
                "RefreshCookieLayer",
                "whatever uses the session",
                "auth.routes()",
            )
        })
    }

    /// Returns whether the request carries anything under the refresh cookie's name. It does not say whether that is
    /// valid.
    pub fn has_cookie(&self) -> bool {
        self.0.current.is_sent()
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
        if self.config().transport() == RefreshTransport::Cookie {
            let error = SessionError::with_source(
                SessionErrorKind::InvalidInput,
                "this layer takes refresh tokens in the cookie only, unless its transport is the body",
            );
            return Err(self.refused("present", error));
        }
        // One that is too long is none of ours: refused like any other, and not kept.
        let fits = refresh_token.len() <= LONGEST_VALUE;
        let kept = if fits { refresh_token } else { "" };
        let _ = self.0.body.set(kept.into());
        Ok(())
    }

    /// Returns the session of the refresh cookie that came. The cookie is genuine, but the store was not asked: the
    /// session may have ended there. `None` where the cookies are of several sessions and the request has shown the
    /// CSRF token of none of them. Also `None` where tokens travel in bodies.
    ///
    /// It serves logs and journals. [`refresh`](Self::refresh) and the access token name the signed-in user.
    pub fn id(&self) -> Option<SessionId> {
        self.0.current.session()
    }

    /// The request's path, where the browser does not send the cookie to it.
    pub(crate) fn unreached(&self) -> Option<&str> {
        self.0.current.unreached()
    }

    /// The refresh tokens of this layer's transport, opened, without a look at the store.
    pub(crate) fn opened(&self) -> Result<Cow<'_, Opened>, SessionError> {
        if self.config().transport() == RefreshTransport::Cookie {
            let opened = self.0.current.opened().ok_or_else(no_secret)?;
            return Ok(Cow::Borrowed(opened));
        }
        let context = self.config().cookies.seal_context();
        self.with_keys(|keys| {
            let body = self.0.body.get().into_iter();
            let body = body.map(|token| token.as_bytes());
            Cow::Owned(Opened::new(body, keys, context))
        })
    }

    /// Returns the session that a call is about, whatever the store says of it. It is the one that an earlier call has
    /// handed out, or the one whose CSRF token came. Otherwise it is that of the genuine tokens, if they are of one.
    pub(crate) fn genuine_id(&self) -> Option<SessionId> {
        let named = self.handed_out_session().or_else(|| self.noted());
        named.or_else(|| self.opened().ok()?.session())
    }

    /// The session of several that came whose CSRF token the request has shown.
    pub(crate) fn noted(&self) -> Option<SessionId> {
        self.0.current.noted()
    }

    /// Whether anything came that was meant as a refresh token.
    pub(crate) fn is_presented(&self) -> bool {
        match self.config().transport() {
            RefreshTransport::Cookie => self.has_cookie(),
            RefreshTransport::Body => self.0.body.get().is_some(),
        }
    }

    /// Whether the request carries the cookie though tokens travel in bodies here.
    pub(crate) fn is_mixed(&self) -> bool {
        self.has_cookie() && self.config().transport() == RefreshTransport::Body
    }

    pub(crate) fn config(&self) -> &Arc<Config> {
        &self.0.config
    }

    /// Runs `work` with the session keys as they are now.
    pub(crate) fn with_keys<T>(
        &self,
        work: impl FnOnce(&SessionKeys) -> T,
    ) -> Result<T, SessionError> {
        let keys = self.config().cookies.keys.load();
        match &keys.sessions {
            Some(sessions) => Ok(work(sessions)),
            None => Err(no_secret()),
        }
    }

    /// The session keys of one operation: those that it judges with, it seals with.
    pub(crate) fn keys(&self) -> Result<Arc<SessionKeys>, SessionError> {
        let keys = self.config().cookies.keys.load();
        keys.sessions.clone().ok_or_else(no_secret)
    }

    /// Everything that this request shows beside its token, as far as `session` is concerned.
    pub(crate) fn presenter(&self, session: &SessionId) -> Presenter {
        let agent = self.0.user_agent.as_ref().map(HeaderValue::as_bytes);
        let signal = self.0.signal.as_deref().or(agent).unwrap_or_default();
        Presenter {
            fingerprint: ClientFingerprint::of(session, signal),
            version: self.config().fingerprint_version,
            jar: self.jar(session),
            activity: self.0.activity,
        }
    }

    /// Whether the request says that its user did nothing.
    pub(crate) fn is_passive(&self) -> bool {
        self.0.activity == Activity::Passive
    }

    /// Whether the request shows that it comes out of the cookie jar of `session`.
    pub(crate) fn jar(&self, session: &SessionId) -> JarProof {
        let is_of_this_request = || self.handed_out_session() == Some(*session);
        if self.config().cookies.jar.is_none() || is_of_this_request() {
            return JarProof::Waived;
        }
        match self.0.current.jar(session) {
            Some(_) => JarProof::Shown,
            None => JarProof::Missing,
        }
    }

    /// The name by which the owner recognises the client.
    pub(crate) fn label(&self) -> String {
        let agent = self.0.user_agent.as_ref().map(HeaderValue::as_bytes);
        String::from_utf8_lossy(agent.unwrap_or_default())
            .chars()
            .filter(|c| !c.is_control())
            .collect()
    }

    pub(crate) fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.0.current.outgoing()
    }

    /// The answer is about a session: it must not be cached, whatever it says.
    pub(crate) fn mark_private(&self) {
        self.outgoing().private = true;
    }

    /// The token that an earlier call on this handle has handed out.
    pub(crate) fn handed_out(&self) -> Option<RefreshToken> {
        self.outgoing().token.clone()
    }

    /// The session of that token.
    pub(crate) fn handed_out_session(&self) -> Option<SessionId> {
        self.outgoing().token.as_ref().map(|token| token.session)
    }

    /// Whether an earlier call on this handle has cleared the cookie.
    pub(crate) fn is_over(&self) -> bool {
        self.outgoing().over
    }

    pub(crate) fn clear_cookie(&self) {
        let mut outgoing = self.outgoing();
        let RefreshCookies {
            cookie,
            jar,
            former,
            in_bodies,
            ..
        } = &*self.config().cookies;
        outgoing.cookie = cookie.clear().filter(|_| !in_bodies);
        outgoing.jar = jar.as_ref().and_then(CookieSpec::clear);
        outgoing.former = former.clone();
        outgoing.over = true;
    }

    /// The session that was handed out is new, or its privileges are.
    pub(crate) fn mark_renewed(&self) {
        self.outgoing().renewed = true;
    }

    /// The sealed form of `token`, made before anything is committed.
    pub(crate) fn seal(
        &self,
        token: &RefreshToken,
        keys: &SessionKeys,
    ) -> Result<String, SessionError> {
        seal(token, keys, self.config().cookies.seal_context())
            .map_err(|error| SessionError::with_source(SessionErrorKind::Unavailable, error))
    }
}

/// The key that new sessions are made with.
pub(crate) fn active(keys: &SessionKeys) -> Result<&SessionKeySet, SessionError> {
    keys.active().ok_or_else(no_secret)
}

/// Rings are checked when they are built and rotated, so this is a bug or a half-built ring.
pub(crate) fn no_secret() -> SessionError {
    SessionError::with_source(
        SessionErrorKind::Unavailable,
        "the key ring has no refresh secret",
    )
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Handle {
            config: _,
            current,
            body: _,
            user_agent: _,
            activity: _,
            signal: _,
        } = &*self.0;
        f.debug_struct("Session")
            .field("cookies", &current.count())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "memory")]
#[cfg(test)]
mod tests;
